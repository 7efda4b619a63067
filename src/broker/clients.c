/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, as the kernel says; and how often each uid may make a person read. */
#include "recovery.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

#define HOUR 3600

void
client_add(struct broker *b, const struct msg_client *m)
{
	for (size_t i = 0; i < SGW_CLIENTS_MAX; i++) {
		struct client *c = &b->clients[i];

		if (c->number)
			continue;
		*c = (struct client){.number = m->client,
		    .admin = m->admin,
		    .chain_verified = m->chain_verified,
		    .uid = m->uid,
		    .pid = m->pid};
		(void)FIELD_SET(c->user, m->user);
		(void)FIELD_SET(c->chain, m->chain);
		return;
	}
}

void
client_remove(struct broker *b, uint32_t number)
{
	for (size_t i = 0; i < SGW_CLIENTS_MAX; i++)
		if (b->clients[i].number == number)
			b->clients[i].number = 0;
}

const struct client *
client_find(const struct broker *b, uint32_t number)
{
	for (size_t i = 0; i < SGW_CLIENTS_MAX && number; i++)
		if (b->clients[i].number == number)
			return &b->clients[i];
	return NULL;
}

int64_t
quota_now(void)
{
	return clock_monotonic() / 1000 + HOUR +
	       1; /* zero is longer ago than an hour, however short the uptime */
}

static int64_t
quota_busy_until(const struct quota *q)
{
	int64_t latest = q->cool_until > q->blocked_until ? q->cool_until : q->blocked_until;

	for (size_t i = 0; i < sizeof(q->prompts) / sizeof(q->prompts[0]); i++)
		if (q->prompts[i] + HOUR > latest)
			latest = q->prompts[i] + HOUR;
	return latest;
}

uint64_t
quota_whose(uint32_t uid, bool person)
{
	return uid | (uint64_t)(person && !MUTATE(PERSON_QUOTA)) << 32;
}

bool
job_is_persons(const struct job *j)
{
	return (j->person && !MUTATE(PERSON)) || j->kind != JOB_CHANGE;
}

uint64_t
job_whose(const struct job *j)
{
	return quota_whose(j->uid, job_is_persons(j));
}

/* A user's slot; where all are taken, the one that has been quiet longest, so that a flood of users frees nobody early. */
struct quota *
quota_of(struct broker *b, uint64_t whose)
{
	struct quota *quietest = &b->quotas[0];

	for (size_t i = 0; i < SGW_QUOTAS_MAX; i++) {
		struct quota *q = &b->quotas[i];

		if (q->used && q->whose == whose)
			return q;
		if (!q->used ||
		    (quietest->used && quota_busy_until(q) < quota_busy_until(quietest)))
			quietest = q;
	}
	*quietest = (struct quota){.used = true, .whose = whose};
	return quietest;
}

static unsigned
prompts_this_hour(const struct quota *q, int64_t now)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(q->prompts) / sizeof(q->prompts[0]); i++)
		if (q->prompts[i] > now - HOUR)
			n++;
	return n;
}

static unsigned
prompts_most(const struct broker *b)
{
	const unsigned room = sizeof(b->quotas[0].prompts) / sizeof(b->quotas[0].prompts[0]);

	return b->config.policy.prompts_per_hour < room ? b->config.policy.prompts_per_hour : room;
}

enum sgw_error
quota_problem(struct broker *b, uint64_t whose, char ret_detail[SGW_DETAIL_MAX + 1])
{
	const struct quota *q = quota_of(b, whose);
	int64_t now = quota_now();
	char until[CLOCK_TEXT_LEN];

	if (q->blocked_until > now && !MUTATE(BLOCK)) {
		clock_format(clock_now() + q->blocked_until - now, until);
		(void)snprintf(ret_detail, SGW_DETAIL_MAX + 1, "blocked until %s", until);
		return SGW_ERR_BLOCKED;
	}
	if (q->cool_until > now && !MUTATE(COOL_DOWN)) {
		clock_format(clock_now() + q->cool_until - now, until);
		(void)snprintf(ret_detail, SGW_DETAIL_MAX + 1, "not before %s", until);
		return SGW_ERR_COOLING_DOWN;
	}
	if (prompts_this_hour(q, now) >= prompts_most(b) && !MUTATE(PROMPTS)) {
		(void)snprintf(ret_detail, SGW_DETAIL_MAX + 1,
		    "policy line limit.prompts: %u an hour", prompts_most(b));
		return SGW_ERR_RATE_LIMITED;
	}
	return SGW_ERR_NONE;
}

static void
count_prompt(struct quota *q, int64_t when)
{
	q->prompts[q->next] = when;
	q->next = (q->next + 1) % (sizeof(q->prompts) / sizeof(q->prompts[0]));
}

bool
quota_prompt(struct broker *b, uint64_t whose)
{
	struct quota *q = quota_of(b, whose);
	int64_t now = quota_now();

	if (prompts_this_hour(q, now) >= prompts_most(b) && !MUTATE(PROMPTS))
		return false;
	count_prompt(q, now);
	return true;
}

void
quota_refused(struct quota *q, enum limit_event event, int64_t when)
{
	if (event == LIMIT_DENIAL)
		q->cool_until = when + COOLDOWN_SECONDS;
	if (event == LIMIT_BLOCK)
		q->blocked_until = when + BLOCK_SECONDS;
}

/*
 * What the ledger remembers counts from its own time on, however often this process was started since.  A wall clock
 * behind the ledger's last record has been set back: what passed before that record did pass, and no more is known.
 */
void
quota_loaded(struct broker *b, const struct msg_loaded_limit *m)
{
	int64_t now = clock_now() > b->head.time ? clock_now() : b->head.time;
	int64_t age;
	struct quota *q;

	if (m->time <= now - HOUR || MUTATE(LIMITS_KEPT))
		return;
	age = m->time < now ? now - m->time : 0;
	if (m->event == LIMIT_CODE) {
		recovery_tried(b, quota_now() - age);
		return;
	}
	q = quota_of(b, quota_whose(m->uid, m->person));
	if (m->event == LIMIT_PROMPT)
		count_prompt(q, quota_now() - age);
	else
		quota_refused(q, m->event, quota_now() - age);
}

/* A client that asks without end must not fill the disk with refusals. */
bool
quota_plan(struct broker *b, uint64_t whose)
{
	struct quota *q = quota_of(b, whose);
	int64_t most = (int64_t)prompts_most(b) * PLANS_PER_PROMPT;
	int64_t now = quota_now();
	int64_t fresh = q->refilled ? (now - q->refilled) * most / HOUR : most;

	if (fresh > 0) {
		q->plans = q->plans + fresh < most ? q->plans + fresh : most;
		q->refilled = now;
	}
	if (q->plans <= 0 && !MUTATE(PLANS))
		return false;
	q->plans--;
	return true;
}

bool
quota_read(struct broker *b)
{
	int64_t now = clock_monotonic();
	int64_t fresh =
	    b->reads_refilled ? (now - b->reads_refilled) * READS_PER_SECOND / 1000 : READS_BURST;

	if (fresh > 0) {
		b->reads = b->reads + fresh < READS_BURST ? b->reads + fresh : READS_BURST;
		b->reads_refilled = now;
	}
	if (b->reads <= 0 && !MUTATE(READS))
		return false;
	b->reads--;
	return true;
}
