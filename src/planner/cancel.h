/* SPDX-License-Identifier: Apache-2.0 */
/* Withdrawing a plan: cancel_plan. */
#ifndef PLANNER_CANCEL_H
#define PLANNER_CANCEL_H

#include "planner.h"

/* true: the call is over.  false: it waits for the broker's word or for room, or has failed (call->error). */
bool run_cancel(struct planner *p, struct call *call);

#endif
