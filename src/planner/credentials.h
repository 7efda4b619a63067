/* SPDX-License-Identifier: Apache-2.0 */
/* Trying out a profile's reader credentials: test_credentials. */
#ifndef PLANNER_CREDENTIALS_H
#define PLANNER_CREDENTIALS_H

#include "planner.h"

void credentials_begin(struct planner *p, struct call *call, const struct msg_ask_credentials *ask);
/* A read of the call has failed: that is an answer too. */
void credentials_failed(struct call *call, enum aws_op what, uint16_t error, const char *detail);
/* true: the call is over.  false: it waits for reads or for room. */
bool run_credentials(struct planner *p, struct call *call);

#endif
