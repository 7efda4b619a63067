/* SPDX-License-Identifier: Apache-2.0 */
/* See undo.h. */
#include "undo.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>

#include "calls.h"
#include "change.h"
#include "receipts.h"
#include "snap.h"

bool
undo_ready(struct planner *p, struct call *call)
{
	const struct msg_ask_change *ask = &call->ask.change;

	if (ask->kind != CHANGE_UNDO || ask->plan_id[0] != 0 || call->targeted)
		return true;
	receipt_want(p, call, ask->receipt);
	return false;
}

/* ---- from the receipt to what is wanted ---- */

/* What goes into the request beside its entries. */
struct opposite {
	int64_t
	    left; /* s: the least that what is ours had left when it was closed; 0: none was ours */
	size_t others; /* rules of others' that were closed: there for good */
	size_t passed; /* closings of ours whose time is over in any case */
	size_t closed; /* what was opened and is closed already */
};

static struct rec_wanted *
entry_new(struct msg_ask_change *ask, enum action action, const struct rec_op *op)
{
	struct rec_wanted *w = &ask->wanted[ask->n_wanted++];

	*w = (struct rec_wanted){.action = action,
	    .given = WANTED_SOURCE | WANTED_PROTOCOL | WANTED_PORTS,
	    .protocol = op->protocol,
	    .from_port = op->from_port,
	    .to_port = op->to_port,
	    .source = op->source};
	FIELD_SET(w->group_id, op->group_id);
	return w;
}

/* It was closed: opened again for what it had left, or where it was others' for what the policy gives. */
static void
open_again(
    struct msg_ask_change *ask, const struct rec_receipt_op *op, bool ours, struct opposite *to)
{
	int64_t left = op->closes - clock_now();

	if (ours && left <= 0) {
		to->passed++;
		return;
	}
	(void)entry_new(ask, ACTION_OPEN, &op->op);
	to->others += !ours;
	if (ours && (to->left == 0 || left < to->left))
		to->left = left;
}

static void
opposite_of(
    struct msg_ask_change *ask, const struct msg_receipt_of *m, size_t i, struct opposite *to)
{
	const struct rec_receipt_op *op = &m->ops[i];

	if (strcmp(m->head.receipt, ask->receipt) != 0) { /* the receipt of a closing of ours */
		if (op->op.action == ACTION_OPEN && strcmp(op->closing, ask->receipt) == 0)
			open_again(ask, op, true, to);
	} else if (op->op.action == ACTION_CLOSE && op->state == OP_CLOSED)
		open_again(ask, op, op->op.receipt[0] != 0, to);
	else if (op->op.action == ACTION_OPEN &&
		 (op->state == OP_OPEN || op->state == OP_AMBIGUOUS))
		(void)entry_new(ask, ACTION_CLOSE, &op->op);
	else if (op->op.action == ACTION_OPEN && op->state == OP_CLOSED)
		to->closed++;
}

static const char *
why_nothing(const struct msg_receipt_of *m, const struct opposite *to)
{
	if (m->head.kind == RECEIPT_ADMIN)
		return "it is an administrative act: ask for the opposite one";
	if (m->head.kind == RECEIPT_EXTENSION)
		return "it is an extension: close what it kept open, or leave it its time";
	if (to->passed > 0)
		return "what it closed would have closed by itself by now";
	return to->closed > 0 ? "what it opened is closed already" : "nothing came of it";
}

/* "undo of sgw-...: why", in the client's words, where there is room for both. */
static void
reason_make(struct msg_ask_change *ask)
{
	char reason[SGW_REASON_MAX + 1];
	size_t chars = 0;
	int n = snprintf(reason, sizeof(reason), "undo of %s%s%s", ask->receipt,
	    ask->reason[0] ? ": " : "", ask->reason);

	for (const char *c = reason; *c; c++)
		chars += ((unsigned char)*c & 0xc0) != 0x80;
	if (n > 0 && (size_t)n < sizeof(reason) && chars <= SGW_REASON_CHARS_MAX)
		FIELD_SET(ask->reason, reason);
}

/* As it was, as far as the policy has it; 0: the default of its class. */
static uint32_t
lifetime_again(const struct planner *p, const struct opposite *to)
{
	if (to->left > SGW_LIFETIME_PERMANENT / 4 * 3 ||
	    (to->left == 0 && to->others > 0 && p->config.policy.allow_permanent))
		return SGW_LIFETIME_PERMANENT;
	return to->left == 0                 ? 0
	       : to->left < SGW_LIFETIME_MIN ? SGW_LIFETIME_MIN
					     : (uint32_t)to->left;
}

static void
target_all(struct planner *p, struct call *call, const struct rec_receipt *head)
{
	struct msg_ask_change *ask = &call->ask.change;
	struct refusal refusal = {0};

	FIELD_SET(ask->profile, head->profile);
	FIELD_SET(ask->region, head->region);
	for (size_t i = 0; i < ask->n_wanted; i++)
		target_add(call, ask->wanted[i].group_id, &refusal);
	if (refusal.error != SGW_ERR_NONE)
		call_fail(call, refusal.error, refusal.field, refusal.detail);
	else
		call_target(p, call, ask->profile, ask->region);
	targets_known(call);
}

void
undo_on_receipt(struct planner *p, struct call *call, const struct msg_receipt_of *m)
{
	struct msg_ask_change *ask = &call->ask.change;
	struct opposite to = {0};

	call->until = 0;
	p->stirred = true;
	if (m->error != SGW_ERR_NONE || m->head.result == RECEIPT_UNDER_WAY) {
		call_fail(call, m->error != SGW_ERR_NONE ? m->error : SGW_ERR_BUSY, "receipt_id",
		    m->error != SGW_ERR_NONE ? "" : "it is being carried out");
		return;
	}
	ask->n_wanted = 0;
	for (size_t i = m->n_ops; i > 0; i--) /* the last first */
		opposite_of(ask, m, i - 1, &to);
	if (ask->n_wanted == 0) {
		call_fail(call, SGW_ERR_NOTHING_TO_UNDO, "receipt_id", why_nothing(m, &to));
		return;
	}
	if (ask->lifetime == 0 && ask->until == 0)
		ask->lifetime = lifetime_again(p, &to);
	reason_make(ask);
	target_all(p, call, &m->head);
}

/* ---- from what is wanted to the plan ---- */

/* What the receipt opened and is open through us still. */
static const struct rec_grant *
grant_of(const struct planner *p, const char *receipt, const struct rec_wanted *w)
{
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct rec_grant *g = &p->grants[i];

		if (strcmp(g->receipt, receipt) == 0 && strcmp(g->group_id, w->group_id) == 0 &&
		    g->protocol == w->protocol && g->from_port == w->from_port &&
		    g->to_port == w->to_port && cidr_equal(&g->source, &w->source))
			return g;
	}
	return NULL;
}

void
undo_resolve(struct planner *p, const struct call *call, struct plan *plan, struct refusal *ret)
{
	const struct msg_ask_change *ask = &call->ask.change;
	bool opens = false;

	for (size_t i = 0; i < ask->n_wanted && ret->error == SGW_ERR_NONE; i++) {
		const struct rec_wanted *w = &ask->wanted[i];
		const struct snap *rules = call_group_find(call, w->group_id)->rules;
		const struct rec_grant *g =
		    w->action == ACTION_CLOSE ? grant_of(p, ask->receipt, w) : NULL;

		if (w->action == ACTION_OPEN)
			resolve_open(w, rules, plan, ret);
		else if (g != NULL)
			(void)resolve_close_grant(g, rules, plan, ret);
		opens = opens || w->action == ACTION_OPEN;
	}
	if (plan->n_ops == 0 && ret->error == SGW_ERR_NONE)
		refuse(ret, SGW_ERR_NOTHING_TO_UNDO, "receipt_id",
		    "what it opened is not open any more");
	if (opens && ask->lifetime != SGW_LIFETIME_PERMANENT)
		FIELD_SET(plan->note, "what was closed is opened for a while only: see closes_at");
}
