/* SPDX-License-Identifier: Apache-2.0 */
/* What a front may ask: each message becomes a call, or is refused at once. */
#ifndef PLANNER_REQUESTS_H
#define PLANNER_REQUESTS_H

#include "planner.h"

void request_begin(struct planner *p, struct client *c, const struct msg *m);

#endif
