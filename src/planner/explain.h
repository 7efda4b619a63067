/* SPDX-License-Identifier: Apache-2.0 */
/* explain: what the policy says to a plan or a draft, line by line, with the group as it is now. */
#ifndef PLANNER_EXPLAIN_H
#define PLANNER_EXPLAIN_H

#include "planner.h"

/* False: the answer has not gone out yet. */
bool explain_plan(struct planner *p, struct call *call);

#endif
