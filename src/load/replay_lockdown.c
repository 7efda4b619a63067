/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdowns and what lifts them; see replay_lockdown.h. */
#include "replay_lockdown.h"

#include <string.h>

#include <sgwarden/lockdown.h>
#include <sgwarden/mutate.h>

#include "replay_fields.h"
#include "replay_keys.h"

static bool
scope_take(const struct ledger_entry *entry, const char *key, struct rec_lockdown *ret)
{
	const struct ledger_field *field = ledger_field(entry, key);

	*ret = (struct rec_lockdown){0};
	return field != NULL && lockdown_parse(field->value, field->len, ret);
}

/*
 * What is open in its scope is due from that moment on, and stays so when the lockdown is lifted before everything could
 * be closed.
 */
const char *
replay_lockdown(struct replay *r, const struct ledger_entry *entry)
{
	struct rec_lockdown l;
	uint64_t uid = 0;

	if (!scope_take(entry, "scope", &l) || !ledger_field_number(entry, "uid", UINT32_MAX, &uid))
		return "its scope or uid is none";
	l.since = entry->time;
	l.uid = (uint32_t)uid;
	l.client = ledger_field_is(entry, "by", "client");
	for (size_t i = 0; i < r->n_grants; i++) {
		struct rec_grant *grant = &r->grants[i].grant;

		if (grant->closes > l.since && lockdown_covers(&l, grant->profile, grant->group_id))
			grant->closes = l.since;
	}
	if (lockdown_find(r->lockdowns, r->n_lockdowns, &l) < r->n_lockdowns ||
	    MUTATE(LOCKDOWN_KEPT))
		return NULL;
	if (r->n_lockdowns == SGW_LOCKDOWNS_MAX)
		return "more lockdowns are on than this build can hold";
	r->lockdowns[r->n_lockdowns++] = l;
	return NULL;
}

const char *
replay_enable(struct replay *r, const struct ledger_entry *entry)
{
	struct rec_lockdown only;
	bool all = ledger_field_is(entry, "subject", LOCKDOWN_EVERYTHING);
	size_t left = 0;

	if (!all && !scope_take(entry, "subject", &only))
		return "its subject is no lockdown";
	for (size_t i = 0; i < r->n_lockdowns; i++)
		if (!all && !lockdown_equal(&r->lockdowns[i], &only))
			r->lockdowns[left++] = r->lockdowns[i];
	r->n_lockdowns = left;
	return replay_admin(r, entry);
}
