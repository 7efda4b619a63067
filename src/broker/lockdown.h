/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lockdown: what is ours in its scope is closed, and nothing is opened or kept open longer there until somebody
 * touches a key for it.  Nobody needs to touch, to see or to have written anything for it to be on: it only tightens.
 *
 *   asked for  -> ledger record -> plans in its scope end, closings become due, the planner is told
 *   at a start -> what the ledger says is on is on again before anything is served
 *   unlock     -> an administrative act like any other (unlock.c)
 */
#ifndef BROKER_LOCKDOWN_H
#define BROKER_LOCKDOWN_H

#include <sgwarden/lockdown.h>
#include <sgwarden/wire.h>

struct broker;
struct job;

struct lockdowns {
	size_t n;
	struct rec_lockdown on[SGW_LOCKDOWNS_MAX];
	bool unrecorded[SGW_LOCKDOWNS_MAX]; /* the ledger could not be told yet */
	int64_t next_try;                   /* monotonic ms: to tell it */
};

void lockdown_take(struct broker *b, const struct msg_lockdown *m);
/*
 * Does one stand against the plan?  Then what is said of it.  Asked when a plan comes, before its ceremony, after its
 * touch and before each request that opens: a lockdown may come in between.
 */
bool lockdown_against(
    const struct broker *b, const struct rec_plan *plan, char ret_detail[SGW_DETAIL_MAX + 1]);
void lockdown_refuse(
    struct broker *b, struct job *j); /* sets the policy line that it is refused by */

void lockdown_loaded(struct broker *b, const struct rec_lockdown *l);
void lockdowns_start(struct broker *b); /* all is loaded: what is in scope is due */
void lockdowns_lift(struct broker *b, const struct rec_lockdown *only); /* NULL: all of them */
void lockdowns_run(struct broker *b);           /* records what could not be recorded */
int64_t lockdowns_next(const struct broker *b); /* monotonic ms, INT64_MAX: nothing */

#endif
