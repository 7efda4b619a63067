/* SPDX-License-Identifier: Apache-2.0 */
/* What the active plan waits for, and when that is over. */
#include "broker.h"

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

void
job_timeouts(struct broker *b)
{
	struct job *j = b->active;

	if (!j)
		return;
	if (j->state == JOB_KEYS && b->ceremony.waiting_for_key &&
	    b->ceremony.next_look <= clock_monotonic())
		touch_look(b);
	if (j->deadline == 0 || j->deadline > clock_monotonic())
		return;
	j->deadline = 0;
	if (j->state == JOB_READ_BACK || j->state == JOB_OWN_STEP)
		execute_answer(b, NULL);
	else if (j->state == JOB_IDENTITY)
		job_fail(b, SGW_ERR_AWS_UNREACHABLE, "STS has not said whose account it is");
	else if (job_may_leave(j) && !MUTATE(TIME_OUT))
		ceremony_voided(b);
}

int64_t
job_next_deadline(const struct broker *b)
{
	const struct job *j = b->active;
	int64_t next = INT64_MAX;

	if (j && j->deadline)
		next = j->deadline;
	if (j && j->state == JOB_KEYS && b->ceremony.waiting_for_key &&
	    b->ceremony.next_look < next)
		next = b->ceremony.next_look;
	return next;
}
