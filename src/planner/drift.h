/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drift: what the ledger says is open through us, against what AWS says.  Each group is read afresh; nothing is changed
 * and nothing is told to anybody but who asks.
 */
#ifndef PLANNER_DRIFT_H
#define PLANNER_DRIFT_H

#include "planner.h"

void drift_begin(struct planner *p, struct call *call, const struct msg_ask_drift *ask);
bool run_drift(struct planner *p, struct call *call);

#endif
