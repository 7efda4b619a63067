/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of list_security_groups and list_rules, in parts. */
#ifndef PLANNER_LISTS_H
#define PLANNER_LISTS_H

#include "planner.h"

/* true: the call is over.  false: it waits for room, or has failed (call->error). */
bool run_groups(struct planner *p, struct call *call);
bool run_rules(struct planner *p, struct call *call);

#endif
