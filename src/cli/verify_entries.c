/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of ledger record against what came before it; those with a signature are in verify_touch.c. */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sgwarden/hash.h>
#include <sgwarden/mutate.h>

/* ---- fields ---- */

bool
field_hex(const struct ledger_entry *entry, const char *key, uint8_t *ret_data, size_t len)
{
	const struct ledger_field *field = ledger_field(entry, key);

	return field && hex_decode(field->value, field->len, ret_data, len);
}

bool
field_bytes(const struct ledger_entry *entry, const char *key, uint8_t *ret_data, size_t most,
    size_t *ret_len)
{
	const struct ledger_field *field = ledger_field(entry, key);

	if (!field || field->len / 2 > most ||
	    !hex_decode(field->value, field->len, ret_data, field->len / 2))
		return false;
	*ret_len = field->len / 2;
	return true;
}

/* ---- what has been touched for ---- */

/* Room for one more element behind n: the array doubles where n is a power of two. */
static void *
grown(void *array, size_t n, size_t size)
{
	void *more;

	if ((n & (n - 1)) != 0)
		return array;
	more = reallocarray(array, n ? 2 * n : 1, size);
	if (!more)
		abort(); /* no memory: no verdict */
	return more;
}

/* Searched from the end: what follows a touch follows it soon. */
static struct verify_touched *
touched_find(struct verify *v, const struct ledger_entry *entry)
{
	for (size_t i = v->n_touched; i > 0; i--)
		if (ledger_field_is(entry, "receipt", v->touched[i - 1].receipt))
			return &v->touched[i - 1];
	return NULL;
}

/* What a record extends or calls ours was opened by a touch before it. */
static const char *
check_named(struct verify *v)
{
	for (size_t i = 0; i < v->record.plan.n_ops; i++) {
		const char *receipt = v->record.plan.ops[i].receipt;
		bool found = receipt[0] == 0;

		for (size_t k = v->n_touched - 1; k > 0 && !found; k--)
			found = strcmp(v->touched[k - 1].receipt, receipt) == 0 &&
				(v->touched[k - 1].opens & v->touched[k - 1].sent) != 0;
		if (!found && !MUTATE(VERIFY_NAMED))
			return "it extends or calls its own what was not opened before it";
	}
	return NULL;
}

static const char *
check_consent(struct verify *v, const struct ledger_entry *entry)
{
	const char *why = verify_consent(v, entry);
	struct verify_touched *touched;

	if (why)
		return why;
	v->touched = grown(v->touched, v->n_touched, sizeof(*v->touched));
	touched = &v->touched[v->n_touched++];
	*touched = (struct verify_touched){.n_ops = v->record.plan.n_ops};
	for (size_t i = 0; i < v->record.plan.n_ops; i++) {
		touched->opens |= (uint64_t)(v->record.plan.ops[i].action == ACTION_OPEN) << i;
		touched->extends |= (uint64_t)(v->record.plan.ops[i].action == ACTION_EXTEND) << i;
	}
	memcpy(touched->receipt, v->receipt, sizeof(touched->receipt));
	if (touched->extends != 0 && verify_locked(v))
		return "it keeps open longer what a lockdown before it had turned off";
	return check_named(v);
}

/* A step's operations as bits; 0: it is no step of the record's plan. */
static uint64_t
step_bits(const struct ledger_entry *entry, size_t n_ops, size_t *ret_first, size_t *ret_n)
{
	uint64_t op, n;

	if (!ledger_field_number(entry, "op", n_ops - 1u, &op) ||
	    !ledger_field_number(entry, "ops", n_ops, &n) || n == 0 || op + n > n_ops)
		return 0;
	*ret_first = (size_t)op;
	*ret_n = (size_t)n;
	return ((UINT64_C(1) << n) - 1) << op;
}

static const char *
check_intent(struct verify *v, const struct ledger_entry *entry)
{
	static uint8_t body[LEDGER_RECORD_MAX];
	const struct rec_plan *plan = &v->record.plan;
	struct verify_touched *touched;
	size_t len, first = 0, n = 0;
	uint64_t bits;

	if (v->n_touched == 0 || !ledger_field_is(entry, "receipt", v->receipt))
		return "it does not follow the touch for it";
	touched = &v->touched[v->n_touched - 1];
	bits = step_bits(entry, plan->n_ops, &first, &n);
	if (bits == 0 || plan_step(plan, first) != n || touched->extends != 0)
		return "it is no step of its record's plan";
	if ((touched->sent & bits) && !MUTATE(VERIFY_ONCE))
		return "it uses a touch for the second time";
	if (touched->sent > bits)
		return "it comes out of its order";
	if (!ledger_field_is(entry, "action", (touched->opens & bits) ? "open" : "close") ||
	    !ledger_field_is(entry, "host", plan->region))
		return "its action or region is not its record's";
	if (!field_bytes(entry, "body", body, sizeof(body), &len))
		return "its request is not there";
	if ((touched->opens & bits) && verify_locked(v))
		return "it opens what a lockdown before it had turned off";
	touched->sent |= bits;
	return verify_body(&v->record, first, n, v->receipt, body, len);
}

/* What follows an intent: of a touch that led to one, and of one of its operations. */
static const char *
check_after_intent(struct verify *v, const struct ledger_entry *entry)
{
	const struct verify_touched *touched = touched_find(v, entry);
	uint64_t op;

	if (!touched)
		return "nothing of its receipt was touched for before it";
	if (!ledger_field_number(entry, "op", touched->n_ops - 1u, &op))
		return "it names an operation that its record does not have";
	if (!(touched->sent >> op & 1))
		return "no request of its receipt was signed before it";
	return NULL;
}

/* A step can fail before its request was signed, and then it was never sent. */
static const char *
check_outcome(struct verify *v, const struct ledger_entry *entry)
{
	const struct verify_touched *touched = touched_find(v, entry);
	size_t first, n;

	if (touched && !step_bits(entry, touched->n_ops, &first, &n))
		return "it names an operation that its record does not have";
	if (touched && ledger_field_is(entry, "status", "failed"))
		return NULL;
	return check_after_intent(v, entry);
}

static const char *
check_close(struct verify *v, const struct ledger_entry *entry)
{
	const char *why = check_after_intent(v, entry);
	uint64_t op = 0;

	if (!why && ledger_field_number(entry, "op", SGW_OPS_MAX - 1, &op) &&
	    !(touched_find(v, entry)->opens >> op & 1))
		return "it closes what was not an opening";
	return why;
}

/* ---- starts ---- */

static const char *
text_take(const struct ledger_entry *entry, const char *key, char *ret_text, size_t size)
{
	const struct ledger_field *field = ledger_field(entry, key);

	if (!field || field->len >= size)
		return "a value of it is too long";
	memcpy(ret_text, field->value, field->len);
	ret_text[field->len] = 0;
	return NULL;
}

static const char *
check_start(struct verify *v, const struct ledger_entry *entry)
{
	if (v->started && !ledger_field_is(entry, "appliance", v->appliance))
		return "another appliance was started on this ledger";
	if (v->outside && !ledger_field_is(entry, "appliance", v->outside->appliance))
		return "the key list given is another appliance's";
	if (text_take(entry, "appliance", v->appliance, sizeof(v->appliance)) ||
	    text_take(entry, "boot", v->boot_id, sizeof(v->boot_id)) ||
	    !field_hex(entry, "policy", v->policy, sizeof(v->policy)))
		return "its appliance, boot or policy is not of its form";
	v->started = true;
	return NULL;
}

/* From here on records name the policy that was agreed to. */
static const char *
check_policy(struct verify *v, const struct ledger_entry *entry)
{
	const char *why = verify_admin(v, entry);

	if (why)
		return why;
	return field_hex(entry, "digest", v->policy, sizeof(v->policy)) ? NULL
									: "its digest is none";
}

/* ---- the table ---- */

typedef const char *check_kind(struct verify *v, const struct ledger_entry *entry);

/* A kind without a row says nothing that could be compared. */
static check_kind *const CHECKS[LEDGER_KIND_MAX] = {
    [LEDGER_START] = check_start,
    [LEDGER_POLICY] = check_policy,
    [LEDGER_ENROLL] = verify_enroll,
    [LEDGER_REMOVE] = verify_admin,
    [LEDGER_SEAL] = verify_seal,
    [LEDGER_TOUCH] = verify_touch_more,
    [LEDGER_LOCKDOWN] = verify_lockdown,
    [LEDGER_ENABLE] = verify_enable,
    [LEDGER_PHRASE] = verify_admin,
    [LEDGER_CODE] = verify_code,
    [LEDGER_RECOVERY] = verify_recovery,
    [LEDGER_TEST] = verify_admin,
    [LEDGER_CONSENT] = check_consent,
    [LEDGER_INTENT] = check_intent,
    [LEDGER_OUTCOME] = check_outcome,
    [LEDGER_CLOSE] = check_close,
    [LEDGER_AMBIGUOUS] = check_after_intent,
    [LEDGER_RECONCILE] = check_after_intent,
    [LEDGER_DUE] = check_close,
};

static void
head_add(struct verify *v, const struct ledger_entry *entry)
{
	if (v->n_heads < VERIFY_HEADS)
		v->head = grown(v->head, v->n_heads, sizeof(*v->head));
	memcpy(v->head[v->n_heads++ % VERIFY_HEADS], entry->self, HASH_LEN);
	if (v->anchor && memcmp(entry->self, v->anchor, HASH_LEN) == 0)
		v->anchored = entry->number;
}

const char *
verify_entry(struct verify *v, const struct ledger_entry *entry)
{
	const char *why = CHECKS[entry->kind] ? CHECKS[entry->kind](v, entry) : NULL;

	if (why)
		return why;
	head_add(v, entry);
	return NULL;
}

/* A list from outside is of today: a key that was removed by a touch is in it no more. */
const char *
verify_keys_end(struct verify *v)
{
	for (size_t i = 0; i < v->n_keys; i++)
		if (!v->key[i].listed && !MUTATE(VERIFY_KEYS)) {
			snprintf(v->why, sizeof(v->why),
			    "the key \"%s\" is not in the key list given", v->key[i].name);
			return v->why;
		}
	if (v->outside && memcmp(v->outside->code_key, v->code, sizeof(v->code)) != 0)
		return "the recovery code of the key list given is another one";
	return NULL;
}

void
verify_end(struct verify *v)
{
	free(v->head);
	free(v->touched);
}
