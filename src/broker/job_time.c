/* SPDX-License-Identifier: Apache-2.0 */
/* What the active plan waits for, and when that is over. */
#include "execute.h"

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

_Static_assert(2 * SGW_RECORD_SECONDS_MAX <= SGW_LIFETIME_MIN, "see job_late()");

/*
 * A touch does not wait: what a net drags out for longer than any call may take is over, and so is what is left of a plan
 * whose earlier steps took that long, or the machine's sleep did.  All steps have as long as the longest record: with the
 * time it was read in that is no more than the shortest lifetime, so that nothing is opened behind its own closing.
 */
const char *
job_late(const struct broker *b)
{
	const struct job *j = b->active;
	int64_t now = clock_monotonic();

	if (MUTATE(SLOW_TRIAL))
		return NULL;
	if (now - j->began > SETTLE_MARGIN * INT64_C(1000))
		return "AWS took more than a minute to answer";
	if (now - j->touched > SGW_RECORD_SECONDS_MAX * INT64_C(1000))
		return "the touch was more than ten minutes ago";
	return step_opens(j) && b->ceremony.record.closes <= clock_now()
		   ? "it would have to be closed again by now"
		   : NULL;
}
