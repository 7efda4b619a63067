/* SPDX-License-Identifier: Apache-2.0 */
/* From the planner's answers about receipts to results. */
#include "answers.h"

#include "list.h"

#define OLDER                                                                                      \
	"the ledger has older ones: `sgwarden receipt show` and `sgwarden ledger show` read it "   \
	"on the machine itself"

DATA(receipts, struct view_page)
DATA(receipt_full, struct msg_receipt)
DATA(reconciled, struct msg_reconciled)
DATA(drifts, struct view_page)

void
answer_receipts(struct front *f, struct call *c, const struct msg *m)
{
	struct view_page view = {.left_out = m->receipts.older};
	struct result r = {.data = data_receipts};

	list_part(c, m);
	if (m->receipts.older && m->receipts.next_cursor[0] == 0)
		r.warnings[r.n_warnings++] = OLDER;
	list_send(f, c, &r, &view, m->receipts.next_cursor);
}

void
answer_receipt(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.profile = m->receipt.head.profile,
	    .account = m->receipt.head.account,
	    .region = m->receipt.head.region,
	    .data = data_receipt_full,
	    .view = &m->receipt};

	result_send(f, c, &r);
}

/* Asking succeeds; what is not settled yet makes the whole ambiguous, as the changes themselves were. */
void
answer_reconciled(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.data = data_reconciled, .view = &m->reconciled};

	for (size_t i = 0; i < m->reconciled.n_items; i++)
		if (m->reconciled.items[i].state < SETTLE_THERE)
			r.status = STATUS_AMBIGUOUS;
	if (m->reconciled.n_items == 0)
		r.warnings[r.n_warnings++] =
		    "nothing of it waits for an answer of AWS: get_receipt shows what came of it";
	result_send(f, c, &r);
}

void
answer_drift(struct front *f, struct call *c, const struct msg *m)
{
	struct view_page view = {.left_out = m->drift.groups};
	struct result r = {.profile = m->drift.profile,
	    .account = m->drift.account,
	    .region = m->drift.region,
	    .data = data_drifts};

	list_part(c, m);
	list_send(f, c, &r, &view, m->drift.next_cursor);
}
