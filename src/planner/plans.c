/* SPDX-License-Identifier: Apache-2.0 */
/* Plans; see plans.h. */
#include "plans.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>

#include "broker.h"
#include "clients.h"

static bool
plan_waited_for(const struct planner *p, const struct plan *plan)
{
	for (size_t i = 0; i < p->calls_top; i++)
		if (p->calls[i].kind != CALL_FREE && p->calls[i].plan == plan)
			return true;
	return false;
}

struct plan *
plan_new(struct planner *p, const struct client *c)
{
	struct plan *spare = NULL, *oldest = NULL, *own = NULL;
	unsigned mine = 0;

	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		struct plan *plan = &p->plans[i];

		if (plan->state == PLAN_FREE) {
			spare = spare ? spare : plan;
			continue;
		}
		mine += plan->client == c->number;
		if (plan->state == PLAN_PENDING || plan_waited_for(p, plan))
			continue;
		if (oldest == NULL || plan->tick < oldest->tick)
			oldest = plan;
		if (plan->client == c->number && (own == NULL || plan->tick < own->tick))
			own = plan;
	}
	if (mine >= PLANS_PER_CLIENT)
		spare = own;
	else if (spare == NULL)
		spare = oldest;
	if (spare == NULL)
		return NULL;
	*spare = (struct plan){.client = c->number, .uid = c->uid, .tick = p->tick};
	return spare;
}

struct plan *
plan_by_id(struct planner *p, const struct client *c, const char *id)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		struct plan *plan = &p->plans[i];

		if (plan->state == PLAN_FREE || strcmp(plan->id, id) != 0)
			continue;
		/* Another user's plan is none of this one's business. */
		if (plan->uid != c->uid && !c->admin)
			return NULL;
		if (plan->state == PLAN_PLANNED && plan->since + PLAN_KEPT_PLANNED <= p->now)
			return NULL;
		plan->tick = p->tick;
		return plan;
	}
	return NULL;
}

static bool
outcome_is_young(const struct planner *p, const struct plan *plan)
{
	int64_t kept = plan->result.status == STATUS_OK || plan->result.status == STATUS_AMBIGUOUS
			   ? PLAN_KEPT_OK
			   : PLAN_KEPT_NO;

	return !plan->overtaken && plan->since + kept > p->now;
}

struct plan *
plan_by_key(struct planner *p, const struct client *c, const uint8_t key[HASH_LEN])
{
	struct plan *found = NULL;

	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		struct plan *plan = &p->plans[i];

		if (plan->client != c->number || memcmp(plan->key, key, HASH_LEN) != 0)
			continue;
		if (plan->state == PLAN_PENDING)
			return plan;
		if (plan->state == PLAN_SETTLED && outcome_is_young(p, plan) &&
		    (found == NULL || plan->since > found->since))
			found = plan;
	}
	return found;
}

/* No two plans are the same bytes, not even over a restart: the broker takes each plan once. */
void
plan_ticket(struct planner *p, char ret_ticket[21])
{
	snprintf(ret_ticket, 21, "%" PRIx64 ".%" PRIx64,
	    (uint64_t)clock_now() & UINT64_C(0xffffffffff), ++p->tickets & UINT64_C(0xffffffff));
}

void
plan_pending(struct planner *p, struct plan *plan)
{
	plan->state = PLAN_PENDING;
	plan->stage = STAGE_PLANNING;
	plan->stage_ends = 0;
}

uint16_t
plan_seconds_left(const struct planner *p, const struct plan *plan)
{
	int64_t left = plan->stage_ends == 0 ? 0 : (plan->stage_ends - p->now + 999) / 1000;

	return left <= 0 ? 0 : left > UINT16_MAX ? UINT16_MAX : (uint16_t)left;
}

static struct plan *
pending_by_id(struct planner *p, const char *id)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++)
		if (p->plans[i].state == PLAN_PENDING && strcmp(p->plans[i].id, id) == 0)
			return &p->plans[i];
	return NULL;
}

/*
 * Progress is a courtesy: a client without room misses it.  A call that was held for this very news has waited long
 * enough.
 */
static void
tell_progress(struct planner *p, const struct plan *plan)
{
	for (size_t i = 0; i < p->calls_top; i++) {
		struct call *call = &p->calls[i];

		if (call->kind == CALL_FREE || call->plan != plan)
			continue;
		if (call->held && plan->stage != STAGE_PLANNING && plan->stage != STAGE_QUEUED) {
			call->until = p->now;
			p->stirred = true;
		}
		if (!call->progress || call->client->blocked)
			continue;
		p->out.id = MSG_PROGRESS;
		p->out.progress.request = call->request;
		p->out.progress.stage = plan->stage;
		p->out.progress.seconds_left = plan_seconds_left(p, plan);
		client_send(p, call->client);
	}
}

void
plans_on_stage(struct planner *p, const struct msg_stage *m)
{
	struct plan *plan = pending_by_id(p, m->plan_id);

	if (plan == NULL)
		return; /* withdrawn meanwhile */
	plan->stage = m->stage;
	plan->stage_ends = m->seconds_left == 0 ? 0 : p->now + (int64_t)m->seconds_left * 1000;
	tell_progress(p, plan);
}

void
plans_on_result(struct planner *p, const struct msg_result *m)
{
	struct plan *plan = pending_by_id(p, m->plan_id);

	if (plan == NULL)
		return;
	plan->state = PLAN_SETTLED;
	plan->stage = STAGE_DONE;
	plan->stage_ends = 0;
	plan->since = p->now;
	plan->result = *m;
	p->stirred = true;
}

/* What was done may be undone by that: an equal request shall not hear that it is. */
void
plans_on_wrote(struct planner *p, const struct msg_wrote *m)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		struct plan *plan = &p->plans[i];

		if (plan->state == PLAN_SETTLED && plan->result.error != SGW_ERR_DENIED &&
		    strcmp(plan->plan.profile, m->profile) == 0 &&
		    strcmp(plan->plan.region, m->region) == 0 &&
		    plan_group_index(&plan->plan, m->group_id) < plan->plan.n_groups)
			plan->overtaken = true;
	}
}

void
plans_client_gone(struct planner *p, uint32_t client)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		struct plan *plan = &p->plans[i];

		/* What is being executed runs on and settles. */
		if (plan->state != PLAN_PENDING || plan->stage == STAGE_EXECUTING ||
		    plan->withdrawn || plan_waited_for(p, plan))
			continue;
		if (plan->client != client && client_by_number(p, plan->client) != NULL)
			continue; /* its own client may come back to it */
		plan->withdrawn = true;
		p->out.id = MSG_WITHDRAW;
		FIELD_SET(p->out.withdraw.plan_id, plan->id);
		broker_send(p);
	}
}
