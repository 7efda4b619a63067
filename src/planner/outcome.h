/* SPDX-License-Identifier: Apache-2.0 */
/* The CHANGE message: how a plan stands, for its client. */
#ifndef PLANNER_OUTCOME_H
#define PLANNER_OUTCOME_H

#include "planner.h"

/* Makes p->out from the plan; what is not of its state is empty.  The preview is the caller's to add. */
void outcome_make(struct planner *p, const struct call *call, const struct plan *plan);
/* One sentence or more on it, or none: the broker's of what is over, and what the plan itself leaves or adds. */
void outcome_detail(const struct plan *plan, char ret_detail[SGW_DETAIL_MAX + 1]);
/* Sends the plan's state once it is over or the call has waited long enough; false: not yet. */
bool outcome_due(struct planner *p, struct call *call);

#endif
