/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a request wants opened is open already. */
#ifndef PLANNER_EXISTING_H
#define PLANNER_EXISTING_H

#include "planner.h"

/* The plan is over: its result says whose the rules are, and when they close where that is one time. */
void existing_settle(const struct call *call, struct plan *plan);

#endif
