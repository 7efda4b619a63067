/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about this machine: capabilities, profiles, health, keys, and where a plan stands. */
#ifndef PLANNER_VIEWS_H
#define PLANNER_VIEWS_H

#include "planner.h"

bool run_capabilities(struct planner *p, struct call *call);
bool run_health(struct planner *p, struct call *call);
bool run_profiles(struct planner *p, struct call *call);
bool run_keys(struct planner *p, struct call *call);
bool run_policy(struct planner *p, struct call *call);
bool run_status(struct planner *p, struct call *call);

#endif
