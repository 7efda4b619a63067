/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts; see receipts.h. */
#include "receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "calls.h"
#include "clients.h"
#include "cursor.h"
#include "undo.h"

#define SETTLE_TIMEOUT 40000 /* ms: the broker waits for reads of AWS */

/* Is the call still to be asked at the broker?  While it is, *ret_request is its number there. */
static bool
forward(struct planner *p, struct call *call, int64_t patience, uint32_t *ret_request)
{
	if (call->forwarded != 0) {
		if (call->until <= p->now)
			call_fail(call, SGW_ERR_INTERNAL, "", "the broker does not answer");
		return false;
	}
	call->forwarded = *ret_request = ++p->last_request;
	call->until = p->now + patience;
	return true;
}

/* Whose answer this is; NULL: the call has gone, or its time was up. */
static struct call *
forwarded(struct planner *p, uint32_t request)
{
	for (size_t i = 0; i < p->calls_top; i++)
		if (p->calls[i].kind != CALL_FREE && request != 0 &&
		    p->calls[i].forwarded == request)
			return &p->calls[i];
	return NULL;
}

/* p->out goes to the client.  Where there is no room it is asked for anew: by then it may be another. */
static void
answer(struct planner *p, struct call *call)
{
	if (client_send(p, call->client) == SENT_BLOCKED)
		call->forwarded = 0;
	else
		call_free(p, call);
}

/* ---- the list ---- */

bool
run_receipts(struct planner *p, struct call *call)
{
	const struct msg_ask_receipts *ask = &call->ask.receipts;
	struct msg_ask_receipt_list *out = &p->out.ask_receipt_list;
	struct cursor_of of;
	const char *before = "0";
	uint32_t request = 0;

	cursor_of_receipts(ask, &of);
	if (ask->cursor[0] != 0 && (before = cursor_read(&of, ask->cursor)) == NULL) {
		call_fail(call, SGW_ERR_BAD_CURSOR, "cursor", "");
		return false;
	}
	if (!forward(p, call, QUESTION_TIMEOUT, &request))
		return false;
	p->out.id = MSG_ASK_RECEIPT_LIST;
	*out = (struct msg_ask_receipt_list){.request = request,
	    .client = call->client->number,
	    .since = ask->since,
	    .results = ask->results,
	    .before = strtoull(before, NULL, 10), /* a number of ours, as the check has shown */
	    .limit = ask->limit};
	FIELD_SET(out->group_id, ask->group_id);
	broker_send(p);
	return false;
}

void
receipts_on_list(struct planner *p, const struct msg_receipt_list *m)
{
	struct call *call = forwarded(p, m->request);
	struct msg_receipts *out = &p->out.receipts;
	struct cursor_of of;
	char number[24];

	if (call == NULL || call->kind != CALL_RECEIPTS)
		return;
	p->out.id = MSG_RECEIPTS;
	out->request = call->request;
	out->n_receipts = m->n_receipts;
	memcpy(out->receipts, m->receipts, m->n_receipts * sizeof(m->receipts[0]));
	out->older = m->older;
	out->next_cursor[0] = 0;
	if (m->more && m->n_receipts > 0) {
		snprintf(number, sizeof(number), "%llu",
		    (unsigned long long)m->receipts[m->n_receipts - 1].number);
		cursor_of_receipts(&call->ask.receipts, &of);
		cursor_make(&of, number, out->next_cursor);
	}
	answer(p, call);
}

/* ---- one ---- */

void
receipt_want(struct planner *p, struct call *call, const char *receipt)
{
	uint32_t request = 0;

	if (!forward(p, call, QUESTION_TIMEOUT, &request))
		return;
	p->out.id = MSG_ASK_RECEIPT_OF;
	p->out.ask_receipt_of =
	    (struct msg_ask_receipt_of){.request = request, .client = call->client->number};
	FIELD_SET(p->out.ask_receipt_of.receipt, receipt);
	broker_send(p);
}

bool
run_receipt(struct planner *p, struct call *call)
{
	receipt_want(p, call, call->ask.receipt.receipt);
	return false;
}

void
receipts_on_one(struct planner *p, const struct msg_receipt_of *m)
{
	struct call *call = forwarded(p, m->request);
	struct msg_receipt *out = &p->out.receipt;

	if (call != NULL && call->kind == CALL_CHANGE)
		undo_on_receipt(p, call, m);
	if (call == NULL || call->kind != CALL_RECEIPT)
		return;
	if (m->error != SGW_ERR_NONE) {
		call_fail(call, m->error, "receipt_id", "");
		call_step(p, call);
		return;
	}
	p->out.id = MSG_RECEIPT;
	out->request = call->request;
	out->head = m->head;
	out->n_ops = m->n_ops;
	memcpy(out->ops, m->ops, m->n_ops * sizeof(m->ops[0]));
	answer(p, call);
}

/* ---- what AWS never answered ---- */

bool
run_reconcile(struct planner *p, struct call *call)
{
	uint32_t request = 0;

	if (!forward(p, call, SETTLE_TIMEOUT, &request))
		return false;
	p->out.id = MSG_ASK_SETTLE;
	p->out.ask_settle =
	    (struct msg_ask_settle){.request = request, .client = call->client->number};
	FIELD_SET(p->out.ask_settle.id, call->ask.reconcile.id);
	broker_send(p);
	return false;
}

void
receipts_on_settled(struct planner *p, const struct msg_settled *m)
{
	struct call *call = forwarded(p, m->request);
	struct msg_reconciled *out = &p->out.reconciled;

	if (call == NULL || call->kind != CALL_RECONCILE)
		return;
	if (m->error != SGW_ERR_NONE) {
		call_fail(call, m->error, "receipt_id", "");
		call_step(p, call);
		return;
	}
	p->out.id = MSG_RECONCILED;
	out->request = call->request;
	out->n_items = m->n_items;
	memcpy(out->items, m->items, m->n_items * sizeof(m->items[0]));
	out->left_out = m->left_out;
	answer(p, call);
}
