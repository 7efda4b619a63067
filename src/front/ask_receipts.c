/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about receipts. */
#include "ask.h"

bool
ask_list_receipts(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_receipts *m = ASK(ASK_RECEIPTS, ask_receipts);

	m->request = who->request;
	m->since = a->since;
	m->results = a->results;
	m->limit = page_limit(a, who);
	return FIELD_SET(m->group_id, a->group_id) && FIELD_SET(m->cursor, who->page.cursor);
}

bool
ask_get_receipt(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_receipt *m = ASK(ASK_RECEIPT, ask_receipt);

	m->request = who->request;
	return FIELD_SET(m->receipt, a->receipt_id);
}

bool
ask_reconcile(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_reconcile *m = ASK(ASK_RECONCILE, ask_reconcile);

	if (given_arg(a, ARG_PLAN_ID) && given_arg(a, ARG_RECEIPT_ID))
		return complain_about(c, ARG_PLAN_ID, "give plan_id or receipt_id, or neither");
	m->request = who->request;
	return FIELD_SET(m->id, given_arg(a, ARG_PLAN_ID) ? a->plan_id : a->receipt_id);
}

bool
ask_drift(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_drift *m = ASK(ASK_DRIFT, ask_drift);

	m->request = who->request;
	m->limit = page_limit(a, who);
	return FIELD_SET(m->profile, a->profile) && FIELD_SET(m->region, a->region) &&
	       FIELD_SET(m->group_id, a->group_id) && FIELD_SET(m->cursor, who->page.cursor);
}
