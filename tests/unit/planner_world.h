/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Supervisor, broker, net and fronts for one real, confined planner.  Questions of the planner are answered from what
 * the test says is so; plans, withdrawals and everything for a front come back to the test one by one.
 */
#ifndef PLANNER_WORLD_H
#define PLANNER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <sgwarden/clock.h>
#include <sgwarden/errors.h>
#include <sgwarden/plan.h>
#include <sgwarden/policy.h>
#include <sgwarden/wire.h>

#define GROUP "sg-0123456789abcdef0"
#define WORLD_RULES_MAX 300
#define WORLD_GROUPS_MAX 40

struct world {
	pid_t pid;
	struct chan control, broker, net;
	int64_t *clock; /* the planner's offset in seconds */
	struct msg m;   /* received */
	struct msg out; /* to be sent */
	uint8_t scratch[SGW_DATAGRAM_MAX];

	/* what is so */
	size_t n_rules, n_groups, n_grants;
	struct rec_rule rules[WORLD_RULES_MAX];
	struct rec_group groups[WORLD_GROUPS_MAX];
	struct rec_grant grants[16];
	struct msg_broker_status status;
	struct msg_key_list keys;
	size_t page;         /* rules a page at AWS; 0: all in one */
	struct msg_done bad; /* this many reads fail so */
	unsigned n_bad;
	bool silent; /* net does not answer */
	bool mute;   /* the broker does not answer questions */

	unsigned reads[AWS_OP_MAX]; /* how often each was asked */
	struct msg_read last_read;
};

extern struct world W;

int world_start(void **state); /* cmocka set-up and tear-down */
int world_end(void **state);
void world_restart(uint32_t cache_ttl);

struct chan world_client(uint32_t number, bool admin, uint32_t uid);
void world_say(struct chan *to); /* W.out */
/* The next message for the front, or of the broker's that is no question: into W.m. */
enum msg_id world_next(struct chan *front);
void world_expect(struct chan *front, enum msg_id id);
bool world_answer(void);              /* is W.m the broker's question?  Then it is answered */
void world_quiet(struct chan *front); /* nothing comes for it, nor a plan for the broker */
/* Whether something came: wrong sooner than `ms` after `from` (clock_machine), which a slow machine may be beyond. */
bool world_came(struct chan *front, int64_t from, int64_t ms);
void world_sync(struct chan *front); /* all that it said is handled, and nothing came of it */
void world_await_reads(struct chan *front, unsigned n); /* n have been asked for, in all */
unsigned world_reads(void);                             /* how many were asked for so far, in all */
void world_wait_closed(struct chan *front);             /* its end is closed by the planner */
bool world_alive(void);
int world_wait_exit(void);
void world_sleep(int64_t seconds); /* the planner's clock moves on */

struct rec_cidr world_cidr(const char *text);
void world_add_rule(const char *id, int16_t protocol, int32_t from, int32_t to, const char *source);
void world_add_group(const char *id, const char *vpc, bool managed);

/* Questions of a front, into W.out. */
void ask_rules(uint32_t request, uint16_t limit, const char *cursor);
void ask_groups(uint32_t request, uint16_t limit, const char *cursor);
void ask_open(uint32_t request, bool apply, int32_t port, const char *source);
void ask_close_match(uint32_t request, bool apply, const char *source);

#endif
