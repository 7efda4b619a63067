/* SPDX-License-Identifier: Apache-2.0 */
/* From a request whose groups have been read to a plan, and its judgement: a courtesy, the broker decides. */
#ifndef PLANNER_PLAN_MAKE_H
#define PLANNER_PLAN_MAKE_H

#include "planner.h"

/* False: the call has failed. */
bool plan_fill(struct planner *p, struct call *call, struct plan *plan);
/*
 * The verdict, the policy's lines about the part that decided, and into p->found what AWS says of its groups.  All of
 * these have been read for the call.  True: another tool keeps one of them.
 */
bool plan_judge(struct planner *p, const struct call *call, const struct rec_plan *plan,
    struct verdict *ret_verdict, struct policy_trace *ret_trace);

/* One operation of it alone, whatever the others add up to. */
void plan_judge_op(struct planner *p, const struct call *call, const struct rec_plan *plan,
    size_t op, struct verdict *ret_verdict);

#endif
