/* SPDX-License-Identifier: Apache-2.0 */
/* When a closing is due, and how soon it may be tried once more. */
#include "broker.h"

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

#define RETRY_FIRST 10 /* s; doubled each time */
#define RETRY_MOST 300

void
closing_due(struct grant *g)
{
	g->g.closes = clock_now();
	g->closes_by = clock_monotonic();
	g->next_try = 0;
}

int64_t
closing_pause(unsigned before)
{
	int64_t wait = (int64_t)RETRY_FIRST << (before < 5 ? before : 5);

	return wait < RETRY_MOST ? wait : RETRY_MOST;
}

void
closing_hurry(struct grant *g)
{
	int64_t soonest = g->tries ? g->failed + RETRY_FIRST * 1000 : 0;

	if (g->next_try > soonest)
		g->next_try = soonest;
}

void
closing_asked(struct grant *g)
{
	if (closing_is_due(g)) {
		closing_hurry(g);
		return;
	}
	g->early = true;
	closing_due(g);
}

bool
closing_is_due(const struct grant *g)
{
	return grant_is_live(g) &&
	       (g->waiter || (g->g.closes <= clock_now() && !MUTATE(CLOCK_AHEAD)) ||
		   (g->closes_by <= clock_monotonic() && !MUTATE(CLOCK_BACK)));
}

/*
 * Its opening is still under way, or AWS is asked to make the very rule anew, which a revoke could take away: first that
 * one's outcome, which is never far, then its closing.
 */
static bool
is_being_opened(const struct broker *b, const struct grant *g)
{
	const struct job *j = b->active;
	bool anew = false;

	if (!j || (j->state != JOB_CALL && j->state != JOB_READ_BACK))
		return false;
	for (size_t i = j->at; j->state == JOB_CALL && i < j->at + j->n; i++)
		anew |= j->plan.ops[i].action == ACTION_OPEN &&
			op_equals_grant(&j->plan.ops[i], j->plan.ops[i].group_id, &g->g);
	return anew || strcmp(j->receipt, g->g.receipt) == 0;
}

int64_t
closing_when(const struct broker *b, const struct grant *g)
{
	int64_t when = in_seconds(g->g.closes - clock_now());
	int64_t soonest = closing_soonest(b, g);

	if (is_being_opened(b, g))
		return INT64_MAX;
	if (soonest < g->next_try)
		soonest = g->next_try;
	if (g->waiter) /* now, whatever has become of the clock */
		return soonest;
	if (MUTATE(CLOCK_AHEAD) || (g->closes_by < when && !MUTATE(CLOCK_BACK)))
		when = g->closes_by;
	if (g->g.state == GRANT_CLOSED || g->g.state == GRANT_FOREIGN)
		when = g->unrecorded ? g->next_try : g->settle_at;
	else if (g->g.state == GRANT_AMBIGUOUS && g->settle_at < when)
		when = g->settle_at;
	return when > soonest ? when : soonest;
}

int64_t
closing_next(const struct broker *b)
{
	int64_t next = INT64_MAX;

	if (b->closing.state != CLOSING_IDLE)
		return next;
	for (size_t i = 0; i < b->grants_top; i++)
		if (b->grants[i].used && closing_when(b, &b->grants[i]) < next)
			next = closing_when(b, &b->grants[i]);
	return next;
}
