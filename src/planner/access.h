/* SPDX-License-Identifier: Apache-2.0 */
/* Answer of check_access. */
#ifndef PLANNER_ACCESS_H
#define PLANNER_ACCESS_H

#include "planner.h"

/* true: the call is over.  false: it waits for room. */
bool run_access(struct planner *p, struct call *call);

#endif
