/* SPDX-License-Identifier: Apache-2.0 */
/* The last receipts, as the broker sees them. */
#include "receipts.h"

#include <sgwarden/mutate.h>

const struct rcpt *
receipt_find(const struct broker *b, const char *id)
{
	return receipts_find(&b->receipts, id);
}

const struct rcpt *
receipt_newest(const struct broker *b, size_t i)
{
	return receipts_newest(&b->receipts, i);
}

const struct rec_receipt_op *
receipt_op(const struct broker *b, const struct rcpt *r, size_t i)
{
	return receipts_op(&b->receipts, r, i);
}

enum receipt_result
receipt_result(const struct broker *b, const struct rcpt *r)
{
	return b->active && strcmp(b->active->receipt, r->head.receipt) == 0 ? RECEIPT_UNDER_WAY
									     : r->head.result;
}

/* ---- what a client may see of them ---- */

/* Their own user's; an administrator sees all, who can read the ledger too. */
bool
receipt_visible(const struct client *c, uint32_t uid)
{
	return c && (c->admin || c->uid == uid || MUTATE(RECEIPTS_OF_OTHERS));
}

static bool
in_group(const struct broker *b, const struct rcpt *r, const char *group_id)
{
	for (size_t i = 0; i < r->head.n_ops; i++)
		if (strcmp(receipt_op(b, r, i)->op.group_id, group_id) == 0)
			return true;
	return !group_id[0];
}

static bool
is_wanted(const struct broker *b, const struct msg_ask_receipt_list *m, const struct rcpt *r)
{
	return (!m->before || r->head.number < m->before) && r->head.time >= m->since &&
	       (!m->results || (m->results >> receipt_result(b, r) & 1)) &&
	       in_group(b, r, m->group_id);
}

void
receipts_tell(struct broker *b, const struct msg_ask_receipt_list *m)
{
	const struct client *c = client_find(b, m->client);
	struct msg_receipt_list *out = &b->out.receipt_list;
	const struct rcpt *r;

	b->out.id = MSG_RECEIPT_LIST;
	*out =
	    (struct msg_receipt_list){.request = m->request, .older = c && b->receipts.older > 0};
	for (size_t i = 0; (r = receipt_newest(b, i)) != NULL; i++) {
		if (!receipt_visible(c, r->head.uid) || !is_wanted(b, m, r))
			continue;
		out->more = out->n_receipts == SGW_RECEIPTS_PAGE || out->n_receipts == m->limit;
		if (out->more)
			break;
		out->receipts[out->n_receipts] = r->head;
		out->receipts[out->n_receipts++].result = receipt_result(b, r);
	}
	send_planner(b);
}

/* One that the client may not see is answered as one that is not there. */
void
receipt_tell(struct broker *b, const struct msg_ask_receipt_of *m)
{
	const struct rcpt *r = receipt_find(b, m->receipt);
	struct msg_receipt_of *out = &b->out.receipt_of;

	b->out.id = MSG_RECEIPT_OF;
	*out = (struct msg_receipt_of){.request = m->request, .error = SGW_ERR_NO_SUCH_RECEIPT};
	if (r && receipt_visible(client_find(b, m->client), r->head.uid)) {
		out->error = SGW_ERR_NONE;
		out->head = r->head;
		out->head.result = receipt_result(b, r);
		out->n_ops = r->head.n_ops;
		for (size_t i = 0; i < out->n_ops; i++)
			out->ops[i] = *receipt_op(b, r, i);
	}
	send_planner(b);
}
