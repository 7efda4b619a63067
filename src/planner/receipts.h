/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_receipts, get_receipt and reconcile: the broker knows who may see what, so each call is its own question there, and the
 * answer goes on to the client as it is.
 */
#ifndef PLANNER_RECEIPTS_H
#define PLANNER_RECEIPTS_H

#include "planner.h"

bool run_receipts(struct planner *p, struct call *call);
bool run_receipt(struct planner *p, struct call *call);
bool run_reconcile(struct planner *p, struct call *call);

/* Asks the broker for it in the name of the call's client, once; its answer goes to receipts_on_one(). */
void receipt_want(struct planner *p, struct call *call, const char *receipt);

void receipts_on_list(struct planner *p, const struct msg_receipt_list *m);
void receipts_on_one(struct planner *p, const struct msg_receipt_of *m);
void receipts_on_settled(struct planner *p, const struct msg_settled *m);

#endif
