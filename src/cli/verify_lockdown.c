/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdowns, what lifts them, and that nothing opened in between. */
#include "verify.h"

#include <sgwarden/lockdown.h>

static bool
scope_take(const struct ledger_entry *entry, const char *key, struct rec_lockdown *ret)
{
	const struct ledger_field *field = ledger_field(entry, key);

	*ret = (struct rec_lockdown){.since = entry->time};
	return field && lockdown_parse(field->value, field->len, ret);
}

const char *
verify_lockdown(struct verify *v, const struct ledger_entry *entry)
{
	struct rec_lockdown l;
	uint64_t uid;

	if (!scope_take(entry, "scope", &l) || !ledger_field_number(entry, "uid", UINT32_MAX, &uid))
		return "its scope or uid is not of its form";
	if (!ledger_field_is(entry, "by", "client") &&
	    !ledger_field_is(entry, "by", "administrator"))
		return "it names nobody who could have asked for it";
	/* what the disk did not say to have is recorded once more */
	if (lockdown_find(v->lockdowns, v->n_lockdowns, &l) < v->n_lockdowns)
		return NULL;
	if (v->n_lockdowns == SGW_LOCKDOWNS_MAX)
		return "more lockdowns are on than there can be";
	v->lockdowns[v->n_lockdowns++] = l;
	return NULL;
}

const char *
verify_enable(struct verify *v, const struct ledger_entry *entry)
{
	bool all = ledger_field_is(entry, "subject", LOCKDOWN_EVERYTHING);
	const char *why = verify_admin(v, entry);
	struct rec_lockdown only;
	size_t left = 0;

	if (why)
		return why;
	if (!all && !scope_take(entry, "subject", &only))
		return "its subject is no lockdown";
	for (size_t i = 0; i < v->n_lockdowns && !all; i++)
		if (!lockdown_equal(&v->lockdowns[i], &only))
			v->lockdowns[left++] = v->lockdowns[i];
	v->n_lockdowns = left;
	return NULL;
}

bool
verify_locked(const struct verify *v)
{
	return lockdown_of(v->lockdowns, v->n_lockdowns, &v->record.plan) != NULL;
}
