/* SPDX-License-Identifier: Apache-2.0 */
/* A broker in the test's own process: its state laid open, what it says kept.  Include behind cmocka.h. */
#ifndef BROKER_WORLD_H
#define BROKER_WORLD_H

#include "broker.h"

#include "plan_fixture.h"

#define SAID_MAX 32

struct world {
	struct broker b;
	struct chan net; /* net's end of the edge */
	size_t n_planner, n_control;
	struct msg planner[SAID_MAX],
	    control[SAID_MAX]; /* what the broker said to whom, in order */
	uint8_t scratch[SGW_DATAGRAM_MAX];
	struct msg sent;
};

extern struct world W;

/* Serving, with the built-in policy, a profile with keys and account, client 1 of uid 1000; the clock is the real one. */
int world_open(void **state);
int world_close(void **state);

/* The active plan, in that state. */
struct job *world_active(struct rec_op op, enum job_state state);
/* A rule that AWS is said to have, in what the active plan has read; its digest becomes the plan's. */
void world_rule(struct rec_rule rule);
/* The next request that net was given, or NULL. */
const struct msg_send *world_sent(void);
/* The last message of that kind that was said to the planner or the supervisor, or NULL. */
const struct msg *world_said(enum msg_id id);

/* The answer to what was asked, which must be there; it, where nothing is under way any more: what was said is forgotten. */
const struct msg_result *world_result(void);
void world_ended(enum status status, enum sgw_error error);

#endif
