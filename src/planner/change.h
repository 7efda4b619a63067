/* SPDX-License-Identifier: Apache-2.0 */
/* whitelist_plan, whitelist_add, whitelist_remove, and the enrolment of a key. */
#ifndef PLANNER_CHANGE_H
#define PLANNER_CHANGE_H

#include "planner.h"

/* The call's groups stand in it: from here on they are read. */
void targets_known(struct call *call);
void change_begin(struct planner *p, struct call *call);
bool run_change(struct planner *p, struct call *call);
bool run_enroll(struct planner *p, struct call *call);
bool run_admin(struct planner *p, struct call *call);

#endif
