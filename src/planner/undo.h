/* SPDX-License-Identifier: Apache-2.0 */
/*
 * undo: the opposite of what a receipt says, as a plan like any other.  What it opened and is open still is closed, what
 * it closed is opened again; a closing's own receipt stands for that closing alone.  The broker says what the receipt
 * was and whose, and judges the plan as it judges every plan.
 */
#ifndef PLANNER_UNDO_H
#define PLANNER_UNDO_H

#include "resolve.h"

/* True for every call but one of undo whose receipt is still being asked for. */
bool undo_ready(struct planner *p, struct call *call);
void undo_on_receipt(struct planner *p, struct call *call, const struct msg_receipt_of *m);
void undo_resolve(
    struct planner *p, const struct call *call, struct plan *plan, struct refusal *ret);

#endif
