/* SPDX-License-Identifier: Apache-2.0 */
/* The planner's questions to the broker, and what the broker says unasked. */
#ifndef PLANNER_BROKER_H
#define PLANNER_BROKER_H

#include "planner.h"

void broker_send(struct planner *p); /* p->out; where it cannot go, the planner ends */

enum question_state {
	QUESTION_WAITING,
	QUESTION_READY,
	QUESTION_FAILED, /* the broker did not answer in time */
};

/*
 * Is there an answer for a call that came at `tick`?  One from before it will do while the cache's time lasts, unless
 * `fresh`.  Sees to it that the question is asked.
 */
enum question_state question_ready(
    struct planner *p, enum question_kind kind, uint64_t tick, bool fresh);
void questions_turn(struct planner *p);
int64_t questions_next(const struct planner *p);

void broker_on_message(struct planner *p, const struct msg *m);

#endif
