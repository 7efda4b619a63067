/* SPDX-License-Identifier: Apache-2.0 */
/* Grants, counters and digests from the ledger's entries; see replay.h. */
#include "replay.h"

#include <string.h>

#include <sgwarden/mutate.h>

#include "replay_fields.h"
#include "replay_keys.h"
#include "replay_lockdown.h"

#define NO_NAME "it names no operation of a receipt"
#define UNKNOWN "no touched record before it opens what it names"
#define TOO_MANY "more grants are open than this build can hold"

/* ---- grants ---- */

static struct replay_grant *
grant_find(struct replay *r, const char *receipt, uint64_t op)
{
	for (size_t i = 0; i < r->n_grants; i++)
		if (r->grants[i].op == op && strcmp(r->grants[i].grant.receipt, receipt) == 0)
			return &r->grants[i];
	return NULL;
}

/* The order of the rest stays: the broker gets the oldest first. */
static void
grant_drop(struct replay *r, struct replay_grant *grant)
{
	size_t behind = r->n_grants - (size_t)(grant - r->grants) - 1;

	memmove(grant, grant + 1, behind * sizeof(*grant));
	r->n_grants--;
}

/* How long after a closing the rule is looked at once more; twice the margin, so that no clock's step loses a look. */
#define LOOK_AGAIN (SGW_SIGNATURE_WINDOW + 2 * 60)

/* Closed, and its second look recorded or out of reach of a repeated request. */
static void
grant_closed(struct replay *r, struct replay_grant *grant, int64_t now)
{
	if (now > grant->grant.sent + LOOK_AGAIN)
		grant_drop(r, grant);
	else
		grant->grant.state = GRANT_CLOSED;
}

/* What was closed makes room for what is open: its second look is a courtesy, an open rule's closing is not. */
static bool
drop_a_closed_one(struct replay *r)
{
	for (size_t i = 0; i < r->n_grants; i++)
		if (r->grants[i].grant.state == GRANT_CLOSED) {
			grant_drop(r, &r->grants[i]);
			return true;
		}
	return false;
}

/* A record that was touched for and never sent opens nothing once another one is touched for. */
static void
grants_drop_unsent(struct replay *r)
{
	for (size_t i = r->n_grants; i > 0; i--)
		if (!r->grants[i - 1].sent)
			grant_drop(r, &r->grants[i - 1]);
}

static void
grant_make(struct replay *r, const struct record *record, const char *receipt, unsigned i)
{
	const struct rec_plan *plan = &record->plan;
	const struct rec_op *op = &plan->ops[i];
	struct replay_grant *to = &r->grants[r->n_grants++];
	struct rec_grant *grant = &to->grant;

	*to = (struct replay_grant){.op = i, .latest = record->created};
	FIELD_SET(grant->receipt, receipt);
	FIELD_SET(grant->profile, plan->profile);
	FIELD_SET(grant->account, plan->account);
	FIELD_SET(grant->region, plan->region);
	FIELD_SET(grant->group_id, op->group_id);
	grant->protocol = op->protocol;
	grant->from_port = op->from_port;
	grant->to_port = op->to_port;
	grant->source = op->source;
	grant->closes = record->closes;
	grant->uid = record->uid;
	grant->state = op->action == ACTION_OPEN ? GRANT_AMBIGUOUS : GRANT_FOREIGN;
}

static const char *
grants_add(struct replay *r, const struct record *record, const char *receipt)
{
	const struct rec_plan *plan = &record->plan;

	if (r->n_grants + plan->n_ops > REPLAY_GRANTS_MAX)
		grants_drop_unsent(r);
	while (r->n_grants + plan->n_ops > REPLAY_GRANTS_MAX)
		if (!drop_a_closed_one(r))
			return TOO_MANY;
	for (unsigned i = 0; i < plan->n_ops; i++) {
		const struct rec_op *op = &plan->ops[i];

		/* a closing of what is ours needs no request of its own: its record is a close */
		if (op->receipt[0] == 0)
			grant_make(r, record, receipt, i);
	}
	return NULL;
}

/* The record of an extension says when what it names closes now. */
static const char *
grants_extend(struct replay *r, const struct record *record)
{
	for (unsigned i = 0; i < record->plan.n_ops; i++) {
		const struct rec_op *op = &record->plan.ops[i];
		struct replay_grant *to = NULL;

		for (size_t k = 0; k < r->n_grants && !to; k++)
			if (strcmp(r->grants[k].grant.receipt, op->receipt) == 0 &&
			    op_equals_grant(op, op->group_id, &r->grants[k].grant))
				to = &r->grants[k];
		if (!to)
			return UNKNOWN;
		to->grant.closes = record->closes;
		if (to->latest < record->created)
			to->latest = record->created;
	}
	return NULL;
}

static bool
same_rule(const struct rec_grant *a, const struct rec_grant *b)
{
	return strcmp(a->group_id, b->group_id) == 0 && a->protocol == b->protocol &&
	       a->from_port == b->from_port && a->to_port == b->to_port &&
	       cidr_equal(&a->source, &b->source);
}

/* AWS took this opening: what was closed there before is this one's now, and has its closing. */
static void
grants_supersede(struct replay *r, const struct ledger_entry *entry, unsigned op)
{
	char receipt[SGW_RECEIPT_LEN + 1];
	const struct replay_grant *by =
	    ledger_field_text(entry, "receipt", receipt, sizeof(receipt))
		? grant_find(r, receipt, op)
		: NULL;
	const struct rec_grant opened = by ? by->grant : (struct rec_grant){0};

	for (size_t i = r->n_grants; i > 0 && by; i--)
		if (r->grants[i - 1].grant.state == GRANT_CLOSED &&
		    same_rule(&r->grants[i - 1].grant, &opened))
			grant_drop(r, &r->grants[i - 1]);
}

/* ---- the kinds ---- */

static const char *
on_start(struct replay *r, const struct ledger_entry *entry)
{
	return field_digest(entry, "policy", r->policy_digest) ? NULL : "its policy is no digest";
}

static const char *
on_consent(struct replay *r, const struct ledger_entry *entry)
{
	const struct ledger_field *text = ledger_field(entry, "text");
	char receipt[SGW_RECEIPT_LEN + 1], of_text[SGW_RECEIPT_LEN + 1];
	uint64_t counter = 0;

	if (text == NULL || !record_decode((const uint8_t *)text->value, text->len, &r->record))
		return "its text is no consent record";
	record_receipt((const uint8_t *)text->value, text->len, of_text);
	if (!ledger_field_text(entry, "receipt", receipt, sizeof(receipt)) ||
	    strcmp(receipt, of_text) != 0)
		return "its receipt is not that of its text";
	if (!ledger_field_number(entry, "counter", UINT32_MAX, &counter))
		return "its counter is none";
	if (r->record.kind == RECORD_CHANGE) {
		const char *problem = r->record.plan.ops[0].action == ACTION_EXTEND
					  ? grants_extend(r, &r->record)
					  : grants_add(r, &r->record, receipt);

		if (problem != NULL)
			return problem;
	}
	if (ledger_field(entry, "sealed") != NULL) {
		const char *problem = replay_sealed(r, entry);

		if (problem != NULL)
			return problem;
	}
	return replay_counter_set(r, entry, "credential", (uint32_t)counter);
}

/* The grant that an entry speaks of.  false: the entry names none; NULL grant: none of that name is open. */
static bool
entry_grant(struct replay *r, const struct ledger_entry *entry, struct replay_grant **ret_grant)
{
	char receipt[SGW_RECEIPT_LEN + 1];
	uint64_t op = 0;

	if (!ledger_field_text(entry, "receipt", receipt, sizeof(receipt)) ||
	    !receipt_id_ok(receipt) || !ledger_field_number(entry, "op", SGW_OPS_MAX - 1, &op))
		return false;
	*ret_grant = grant_find(r, receipt, op);
	return true;
}

/*
 * One request carries the operations of a step, and opens all of them or none: what an intent, an outcome or the lack
 * of one says, it says of each of them.
 */
static size_t
request_grants(struct replay *r, const struct ledger_entry *entry, size_t from)
{
	char receipt[SGW_RECEIPT_LEN + 1];
	uint64_t op = 0, n = 0;

	if (!ledger_field_text(entry, "receipt", receipt, sizeof(receipt)) ||
	    !ledger_field_number(entry, "op", SGW_OPS_MAX - 1, &op) ||
	    !ledger_field_number(entry, "ops", SGW_OPS_MAX, &n))
		return r->n_grants;
	while (from < r->n_grants && (strcmp(r->grants[from].grant.receipt, receipt) != 0 ||
					 r->grants[from].op < op || r->grants[from].op >= op + n))
		from++;
	return from;
}

static const char *
on_intent(struct replay *r, const struct ledger_entry *entry)
{
	struct replay_grant *named = NULL;
	size_t sent = 0;

	if (!entry_grant(r, entry, &named))
		return NO_NAME;
	if (named == NULL)
		return UNKNOWN;
	for (size_t i = request_grants(r, entry, 0); i < r->n_grants;
	     i = request_grants(r, entry, i + 1)) {
		r->grants[i].sent = true;
		r->grants[i].grant.sent = entry->time;
	}
	for (size_t i = 0; i < r->n_grants; i++)
		sent += r->grants[i].sent;
	for (; sent > SGW_GRANTS_MAX; sent--)
		if (!drop_a_closed_one(r))
			return TOO_MANY;
	return NULL;
}

static const char *
on_outcome(struct replay *r, const struct ledger_entry *entry)
{
	bool ok = ledger_field_is(entry, "status", "ok");
	struct replay_grant *named = NULL;
	uint64_t n = 0;
	unsigned first;
	size_t i;

	if (!entry_grant(r, entry, &named))
		return NO_NAME;
	/* what failed before anything was sent for it is no grant either */
	if (named == NULL || (!named->sent && ok))
		return UNKNOWN;
	first = named->op;
	for (i = request_grants(r, entry, 0); i < r->n_grants; i = request_grants(r, entry, i)) {
		if (!ok || r->grants[i].grant.state == GRANT_FOREIGN)
			grant_drop(r, &r->grants[i]);
		else
			r->grants[i++].grant.state = GRANT_OPEN;
	}
	(void)ledger_field_number(entry, "ops", SGW_OPS_MAX, &n);
	for (unsigned op = 0; ok && op < n; op++)
		grants_supersede(r, entry, first + op);
	return NULL;
}

static const char *
on_ambiguous(struct replay *r, const struct ledger_entry *entry)
{
	struct replay_grant *named = NULL;

	/* An opening is ambiguous from its intent on, and a closing of somebody else's rule unsettled. */
	return entry_grant(r, entry, &named) ? NULL : NO_NAME;
}

static const char *
on_reconcile(struct replay *r, const struct ledger_entry *entry)
{
	struct replay_grant *grant = NULL;

	if (!entry_grant(r, entry, &grant))
		return NO_NAME;
	if (grant == NULL)
		return NULL;
	if (ledger_field_is(entry, "action", "close"))
		grant_drop(r, grant);
	else if (ledger_field_is(entry, "found", "open"))
		grant->grant.state = GRANT_OPEN;
	else if (ledger_field_is(entry, "found", "absent"))
		grant_drop(r, grant);
	else
		return "what it found is neither open nor absent";
	return NULL;
}

static const char *
on_close(struct replay *r, const struct ledger_entry *entry)
{
	struct replay_grant *grant = NULL;

	if (!entry_grant(r, entry, &grant))
		return NO_NAME;
	if (grant != NULL && (ledger_field_is(entry, "status", "closed") ||
				 ledger_field_is(entry, "status", "gone")))
		grant_closed(r, grant, entry->time);
	return NULL;
}

/* Asked for before its time, and not closed yet: its time is that of the asking. */
static const char *
on_due(struct replay *r, const struct ledger_entry *entry)
{
	struct replay_grant *grant = NULL;

	if (!entry_grant(r, entry, &grant))
		return NO_NAME;
	if (grant != NULL && grant->grant.closes > entry->time)
		grant->grant.closes = entry->time;
	return NULL;
}

static const char *(*const ON_KIND[LEDGER_KIND_MAX])(
    struct replay *, const struct ledger_entry *) = {
    [LEDGER_START] = on_start,
    [LEDGER_ENROLL] = replay_enroll,
    [LEDGER_POLICY] = replay_policy,
    [LEDGER_REMOVE] = replay_remove,
    [LEDGER_SEAL] = replay_sealed,
    [LEDGER_TOUCH] = replay_admin,
    [LEDGER_LOCKDOWN] = replay_lockdown,
    [LEDGER_ENABLE] = replay_enable,
    [LEDGER_PHRASE] = replay_list,
    [LEDGER_CODE] = replay_list,
    [LEDGER_TEST] = replay_test,
    [LEDGER_CONSENT] = on_consent,
    [LEDGER_INTENT] = on_intent,
    [LEDGER_OUTCOME] = on_outcome,
    [LEDGER_AMBIGUOUS] = on_ambiguous,
    [LEDGER_RECONCILE] = on_reconcile,
    [LEDGER_DUE] = on_due,
    [LEDGER_CLOSE] = on_close,
};

/*
 * A wall clock that is set back takes none of the time that has passed since a rule was opened, however many records of
 * that earlier time follow.  Each rule has its own: what a clock that once was ahead has cut short is older than that.
 */
static void
time_passes(struct replay *r, int64_t time)
{
	for (size_t i = 0; i < r->n_grants; i++) {
		struct replay_grant *g = &r->grants[i];

		if (g->sent && (time > g->latest || MUTATE(TIME_KEPT)))
			g->latest = time;
	}
}

const char *
replay_entry(struct replay *r, const struct ledger_entry *entry)
{
	const char *problem = NULL;

	if ((unsigned)entry->kind < LEDGER_KIND_MAX && ON_KIND[entry->kind] != NULL) {
		problem = ON_KIND[entry->kind](r, entry);
		if (problem == NULL)
			receipts_entry(&r->receipts, entry, &r->record);
	}
	time_passes(r, entry->time);
	return problem ? problem : replay_limit(&r->limits, entry);
}
