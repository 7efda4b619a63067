/* SPDX-License-Identifier: Apache-2.0 */
/* The last receipts; see receipts.h. */
#include <sgwarden/receipts.h>

#include <string.h>

#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

/* ---- the ring ---- */

static struct rec_receipt_op *
op_at(struct receipts *r, const struct rcpt *entry, size_t i)
{
	return &r->ops[(entry->first + i) % SGW_RECEIPT_OPS_MAX];
}

static struct rcpt *
entry_at(struct receipts *r, size_t i)
{
	return &r->entries[(r->count - 1 - i) % SGW_RECEIPTS_MAX];
}

const struct rcpt *
receipts_newest(const struct receipts *r, size_t i)
{
	return i < r->n ? &r->entries[(r->count - 1 - i) % SGW_RECEIPTS_MAX] : NULL;
}

const struct rec_receipt_op *
receipts_op(const struct receipts *r, const struct rcpt *entry, size_t i)
{
	return &r->ops[(entry->first + i) % SGW_RECEIPT_OPS_MAX];
}

/* A new entry of so many operations, all zeros; the oldest make room. */
static struct rcpt *
entry_new(struct receipts *r, size_t n_ops)
{
	struct rcpt *to;

	while (r->n == SGW_RECEIPTS_MAX || r->ops_used + n_ops > SGW_RECEIPT_OPS_MAX) {
		r->ops_used -= entry_at(r, r->n - 1)->head.n_ops;
		r->n--;
		r->older++;
	}
	r->count++;
	r->n++;
	to = entry_at(r, 0);
	*to = (struct rcpt){.first = r->ops_end};
	to->head.n_ops = (uint16_t)n_ops;
	r->ops_end += n_ops;
	r->ops_used += n_ops;
	for (size_t i = 0; i < n_ops; i++)
		*op_at(r, to, i) = (struct rec_receipt_op){0};
	return to;
}

static struct rcpt *
entry_find(struct receipts *r, const char *receipt)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(entry_at(r, i)->head.receipt, receipt) == 0)
			return entry_at(r, i);
	return NULL;
}

const struct rcpt *
receipts_find(const struct receipts *r, const char *id)
{
	for (size_t i = 0; i < r->n && id[0] != 0; i++) {
		const struct rcpt *entry = receipts_newest(r, i);

		if (strcmp(entry->head.receipt, id) == 0)
			return entry;
		/* a plan that closed what is ours has the closing too: the opening's is it */
		for (size_t k = 0; k < entry->head.n_ops; k++)
			if (receipts_op(r, entry, k)->op.action == ACTION_OPEN &&
			    strcmp(receipts_op(r, entry, k)->closing, id) == 0)
				return entry;
	}
	return NULL;
}

void
receipts_add(struct receipts *r, const struct rec_receipt *head, const struct rec_receipt_op *ops)
{
	struct rcpt *to = entry_new(r, head->n_ops);

	to->head = *head;
	for (size_t i = 0; i < head->n_ops; i++)
		*op_at(r, to, i) = ops[i];
}

/* ---- what an entry is about ---- */

/* What it comes to, from what became of each operation. */
static void
result_set(struct receipts *r, struct rcpt *entry)
{
	unsigned n[OP_STATE_MAX] = {0}, done;

	for (size_t i = 0; i < entry->head.n_ops; i++)
		n[op_at(r, entry, i)->state]++;
	done = n[OP_OPEN] + n[OP_CLOSED] + n[OP_EXTENDED];
	entry->head.result = n[OP_AMBIGUOUS]             ? RECEIPT_AMBIGUOUS
			     : n[OP_TAKEN_BACK]          ? RECEIPT_COMPENSATED
			     : done == entry->head.n_ops ? RECEIPT_EXECUTED
			     : done                      ? RECEIPT_PARTLY
			     : n[OP_FAILED]              ? RECEIPT_FAILED
							 : RECEIPT_VOID;
}

static enum receipt_kind
kind_of(const struct rec_plan *plan)
{
	size_t opens = 0, own = 0;

	if (plan->ops[0].action == ACTION_EXTEND)
		return RECEIPT_EXTENSION;
	for (size_t i = 0; i < plan->n_ops; i++) {
		opens += plan->ops[i].action == ACTION_OPEN;
		own += plan->ops[i].action == ACTION_CLOSE && plan->ops[i].receipt[0] != 0;
	}
	return opens == plan->n_ops                                               ? RECEIPT_OPENING
	       : opens == 0                                                       ? RECEIPT_CLOSING
	       : opens + own == plan->n_ops && plan->ops[0].action == ACTION_OPEN ? RECEIPT_REFRESH
										  : RECEIPT_BULK;
}

/* The operation of another receipt that this one names as ours: what an extension prolongs or a plan closes. */
static struct rec_receipt_op *
named_op(struct receipts *r, const struct rec_op *by)
{
	struct rcpt *entry = by->receipt[0] != 0 ? entry_find(r, by->receipt) : NULL;

	for (size_t i = 0; entry != NULL && i < entry->head.n_ops; i++)
		if (op_at(r, entry, i)->op.action == ACTION_OPEN &&
		    op_same_rule(&op_at(r, entry, i)->op, by))
			return op_at(r, entry, i);
	return NULL;
}

/* ---- the kinds of entries ---- */

static void
head_set(struct rec_receipt *head, const struct ledger_entry *entry)
{
	(void)ledger_field_text(entry, "receipt", head->receipt, sizeof(head->receipt));
	(void)ledger_field_text(entry, "plan", head->plan_id, sizeof(head->plan_id));
	head->time = entry->time;
	head->number = entry->number;
}

static void
on_consent(struct receipts *r, const struct ledger_entry *entry, const struct record *record)
{
	const struct rec_plan *plan = &record->plan;
	struct rec_receipt *head;
	struct rcpt *to;

	if (record->kind != RECORD_CHANGE)
		return;
	to = entry_new(r, plan->n_ops);
	head = &to->head;
	head_set(head, entry);
	head->kind = kind_of(plan);
	head->uid = record->uid;
	(void)FIELD_SET(head->profile, plan->profile);
	(void)FIELD_SET(head->account, plan->account);
	(void)FIELD_SET(head->region, plan->region);
	head->effect = record->effect;
	head->closes = record->closes;
	for (size_t i = 0; i < plan->n_ops; i++) {
		struct rec_receipt_op *op = op_at(r, to, i), *named = named_op(r, &plan->ops[i]);

		op->op = plan->ops[i];
		if (op->op.action == ACTION_OPEN)
			op->closes = record->closes;
		else if (op->op.action == ACTION_CLOSE && named != NULL)
			op->closes = named->closes;
		if (op->op.action == ACTION_EXTEND)
			op->state = OP_EXTENDED;
		if (op->op.action == ACTION_EXTEND && named != NULL)
			named->closes = record->closes;
		/* what it was to close has closed by itself in the meantime */
		if (op->op.action == ACTION_CLOSE && named != NULL && named->closed != 0) {
			op->state = OP_CLOSED;
			op->error = named->error;
			(void)FIELD_SET(op->closing, named->closing);
			(void)FIELD_SET(op->why, named->why);
			op->closed = named->closed;
		}
	}
	result_set(r, to);
}

static void
on_admin(struct receipts *r, const struct ledger_entry *entry, const struct record *record)
{
	struct rec_receipt *head = &entry_new(r, 0)->head;
	uint64_t uid = 0;

	head_set(head, entry);
	head->kind = RECEIPT_ADMIN;
	for (size_t i = 0; i < ACT_MAX; i++)
		if (ledger_field_is(entry, "act", RECORD_ACTS[i]))
			head->act = (enum admin_act)i;
	(void)ledger_field_text(entry, "subject", head->subject, sizeof(head->subject));
	(void)ledger_field_number(entry, "uid", UINT32_MAX, &uid);
	head->uid = (uint32_t)uid;
	head->result = RECEIPT_EXECUTED;
}

/* The receipt that the entry names, and its operations from *ret_at on, *ret_n of them; NULL: not here. */
static struct rcpt *
step_of(struct receipts *r, const struct ledger_entry *entry, size_t *ret_at, size_t *ret_n)
{
	char receipt[SGW_RECEIPT_LEN + 1];
	uint64_t at = 0, n = 1;
	struct rcpt *of;

	if (!ledger_field_text(entry, "receipt", receipt, sizeof(receipt)) ||
	    !ledger_field_number(entry, "op", SGW_OPS_MAX - 1, &at) ||
	    (ledger_field(entry, "ops") != NULL &&
		!ledger_field_number(entry, "ops", SGW_OPS_MAX, &n)))
		return NULL;
	of = entry_find(r, receipt);
	if (of == NULL || at + n > of->head.n_ops)
		return NULL;
	*ret_at = at;
	*ret_n = n;
	return of;
}

static void
on_unknown(struct receipts *r, const struct ledger_entry *entry, const struct record *record)
{
	size_t at, n;
	struct rcpt *of = step_of(r, entry, &at, &n);

	if (of == NULL)
		return;
	for (size_t i = at; i < at + n; i++)
		op_at(r, of, i)->state = OP_AMBIGUOUS;
	result_set(r, of);
}

/* AWS's names of what a step opened, where there is one for each of its operations. */
static void
rules_set(
    struct receipts *r, struct rcpt *of, size_t at, size_t n, const struct ledger_entry *entry)
{
	const struct ledger_field *rules = ledger_field(entry, "rules");
	const char *from = rules != NULL ? rules->value : NULL;
	const char *end = rules != NULL ? from + rules->len : NULL;
	size_t words = rules != NULL;

	for (const char *c = from; c < end; c++)
		words += *c == ' ';
	for (size_t i = at; words == n && i < at + n; i++) {
		const char *blank = memchr(from, ' ', (size_t)(end - from));
		size_t len = (size_t)((blank != NULL ? blank : end) - from);
		struct rec_op *op = &op_at(r, of, i)->op;

		(void)field_copy(op->rule_id, sizeof(op->rule_id), from, len);
		from += len + (blank != NULL);
	}
}

static void
on_outcome(struct receipts *r, const struct ledger_entry *entry, const struct record *record)
{
	bool ok = ledger_field_is(entry, "status", "ok");
	const struct ledger_field *error = ledger_field(entry, "error");
	size_t at, n;
	struct rcpt *of = step_of(r, entry, &at, &n);

	if (of == NULL)
		return;
	for (size_t i = at; i < at + n; i++) {
		struct rec_receipt_op *op = op_at(r, of, i);

		op->state = !ok ? OP_FAILED : op->op.action == ACTION_OPEN ? OP_OPEN : OP_CLOSED;
		if (!ok && error != NULL)
			op->error = error_number(error->value, error->len);
		if (ok && op->op.action == ACTION_CLOSE)
			op->closed = entry->time;
	}
	if (ok && op_at(r, of, at)->op.action == ACTION_OPEN)
		rules_set(r, of, at, n, entry);
	result_set(r, of);
}

/* A read has settled what AWS never answered; the second look at what was closed before says nothing new. */
static void
on_reconcile(struct receipts *r, const struct ledger_entry *entry, const struct record *record)
{
	bool there = ledger_field_is(entry, "found", "open");
	size_t at, n;
	struct rcpt *of = step_of(r, entry, &at, &n);
	struct rec_receipt_op *op = of != NULL ? op_at(r, of, at) : NULL;

	if (op == NULL || op->state != OP_AMBIGUOUS)
		return;
	if (op->op.action == ACTION_OPEN)
		op->state = there ? OP_OPEN : OP_FAILED;
	else
		op->state = there ? OP_FAILED : OP_CLOSED;
	if (op->state == OP_FAILED)
		op->error =
		    op->op.action == ACTION_OPEN ? SGW_ERR_AWS_UNREACHABLE : SGW_ERR_NOT_CLOSED;
	if (op->state == OP_CLOSED)
		op->closed = entry->time;
	result_set(r, of);
}

/* The plan whose operation this closing was, if it was one's: the newest that has not closed it yet. */
static void
closed_for(struct receipts *r, const char *receipt, const struct rec_receipt_op *closed)
{
	for (size_t i = 0; i < r->n; i++) {
		struct rcpt *entry = entry_at(r, i);

		for (size_t k = 0; k < entry->head.n_ops; k++) {
			struct rec_receipt_op *op = op_at(r, entry, k);

			if (op->op.action != ACTION_CLOSE || op->closed != 0 ||
			    strcmp(op->op.receipt, receipt) != 0 ||
			    !op_same_rule(&op->op, &closed->op))
				continue;
			op->state = OP_CLOSED;
			op->error = closed->error;
			op->closed = closed->closed;
			(void)FIELD_SET(op->closing, closed->closing);
			(void)FIELD_SET(op->why, closed->why);
			result_set(r, entry);
			return;
		}
	}
}

static void
on_close(struct receipts *r, const struct ledger_entry *entry, const struct record *record)
{
	size_t at, n;
	struct rcpt *of = step_of(r, entry, &at, &n);
	struct rec_receipt_op *op = of != NULL ? op_at(r, of, at) : NULL;

	if (op == NULL)
		return;
	op->state = ledger_field_is(entry, "why", "compensation") ? OP_TAKEN_BACK : OP_CLOSED;
	op->error = op->state == OP_CLOSED && ledger_field_is(entry, "status", "gone")
			? SGW_ERR_NO_SUCH_RULE
			: SGW_ERR_NONE;
	op->closed = entry->time;
	(void)ledger_field_text(entry, "why", op->why, sizeof(op->why));
	receipt_id(entry->self, op->closing);
	result_set(r, of);
	closed_for(r, of->head.receipt, op);
}

static void (*const ON_KIND[LEDGER_KIND_MAX])(
    struct receipts *, const struct ledger_entry *, const struct record *) = {
    [LEDGER_CONSENT] = on_consent,
    [LEDGER_POLICY] = on_admin,
    [LEDGER_REMOVE] = on_admin,
    [LEDGER_ENABLE] = on_admin,
    [LEDGER_PHRASE] = on_admin,
    [LEDGER_CODE] = on_admin,
    [LEDGER_TEST] = on_admin,
    [LEDGER_INTENT] = on_unknown,
    [LEDGER_AMBIGUOUS] = on_unknown,
    [LEDGER_OUTCOME] = on_outcome,
    [LEDGER_RECONCILE] = on_reconcile,
    [LEDGER_CLOSE] = on_close,
};

void
receipts_entry(struct receipts *r, const struct ledger_entry *entry, const struct record *record)
{
	if ((unsigned)entry->kind < LEDGER_KIND_MAX && ON_KIND[entry->kind] != NULL)
		ON_KIND[entry->kind](r, entry, record);
}
