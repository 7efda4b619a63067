/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AWS never answered settles by itself: by a read, once the signature's window is over.  Here it is asked for: a
 * read that is due is made at once, or after a failed one as soon as the shortest wait behind that is over, so that
 * whoever asks in a loop does not hammer AWS; before the window is over nothing is read, and it is said when it can be
 * known.  Nothing here changes anything at AWS.
 */
#ifndef BROKER_RECONCILE_H
#define BROKER_RECONCILE_H

#include <sgwarden/errors.h>
#include <sgwarden/wire.h>

#define RECONCILES_MAX 8         /* asked for at once; beyond these the answer says "being read" */
#define RECONCILE_PATIENCE 25000 /* ms that an answer waits for its reads */

struct broker;
struct grant;

/* A question whose reads are under way: its answer, as far as it is known. */
struct reconcile {
	int64_t deadline; /* monotonic ms; 0: free */
	struct msg_settled answer;
};

void reconcile_ask(struct broker *b, const struct msg_ask_settle *m);
/* A read of this grant has settled it, or has failed: whoever waits for it hears of it. */
void reconcile_noted(
    struct broker *b, const struct grant *g, enum settle_state state, enum sgw_error error);
void reconcile_timeouts(struct broker *b);
int64_t reconcile_next_deadline(const struct broker *b); /* monotonic ms, INT64_MAX: none */

#endif
