/* SPDX-License-Identifier: Apache-2.0 */
/* A change: from the request to a plan, held against what is there now, then shown or handed to the broker. */
#include "change.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>

#include "broker.h"
#include "calls.h"
#include "clients.h"
#include "explain.h"
#include "outcome.h"
#include "own.h"
#include "plans.h"
#include "preview.h"
#include "resolve.h"
#include "snap.h"

/* ---- the request ---- */

/* Two requests are equal when everything is but how long to wait, whether to tell progress, and plan or apply. */
static void
request_key(struct planner *p, const struct msg_ask_change *ask, uint8_t ret_key[HASH_LEN])
{
	struct buf b = buf_over(p->scratch, sizeof(p->scratch));
	struct msg_ask_change *same = &p->out.ask_change;

	p->out.id = MSG_ASK_CHANGE;
	*same = *ask;
	same->request = 0;
	same->apply = same->progress = false;
	same->wait = 0;
	same->plan_id[0] = 0;
	msg_encode(&b, &p->out);
	hash_sha256(b.data, b.len, ret_key);
}

static void
attach(struct call *call, struct plan *plan)
{
	call->plan = plan;
	call->until = call->came + (int64_t)call->ask.change.wait * 1000;
}

/* The client goes on with a plan it was shown or waits for. */
static void
begin_continued(struct planner *p, struct call *call)
{
	struct msg_ask_change *ask = &call->ask.change;
	struct plan *plan = plan_by_id(p, call->client, ask->plan_id);

	if (plan == NULL || plan->enroll) {
		call_fail(call, SGW_ERR_NO_SUCH_PLAN, "plan_id", "");
		return;
	}
	if (ask->explain) {
		FIELD_SET(ask->group_id, plan->plan.ops[0].group_id);
		call_target(p, call, plan->plan.profile, plan->plan.region);
		return;
	}
	request_key(p, ask, call->key);
	if (ask->group_id[0] != 0 && memcmp(call->key, plan->key, HASH_LEN) != 0) {
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "plan_id",
		    "the other arguments are not those of this plan: leave one or the other out");
		return;
	}
	if (plan->state != PLAN_PLANNED || !ask->apply) {
		attach(call, plan);
		return;
	}
	FIELD_SET(ask->group_id, plan->plan.ops[0].group_id);
	call_target(p, call, plan->plan.profile, plan->plan.region);
}

void
change_begin(struct planner *p, struct call *call)
{
	const struct msg_ask_change *ask = &call->ask.change;
	struct refusal refusal;
	struct plan *plan;

	call->progress = ask->progress;
	if (ask->plan_id[0] != 0) {
		begin_continued(p, call);
		return;
	}
	resolve_check(ask, clock_now(), &refusal);
	if (refusal.error != SGW_ERR_NONE) {
		call_fail(call, refusal.error, refusal.field, refusal.detail);
		return;
	}
	call_target(p, call, ask->profile, ask->region);
	own_want(p, call);
	request_key(p, ask, call->key);
	plan = ask->apply ? plan_by_key(p, call->client, call->key) : NULL;
	if (plan != NULL)
		attach(call, plan);
}

/* ---- the plan ---- */

static uint32_t
lifetime_of(const struct msg_ask_change *ask)
{
	int64_t left = ask->until - clock_now();

	if (ask->action == ACTION_CLOSE)
		return 0;
	if (ask->until != 0)
		return left < 1 ? 1 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
	return ask->lifetime; /* 0: the default of its class, once that is known */
}

bool
change_fill(struct planner *p, struct call *call, struct plan *plan)
{
	const struct msg_ask_change *ask = &call->ask.change;
	const struct snap *rules = call->got[AWS_DESCRIBE_RULES];
	struct rec_plan *to = &plan->plan;
	struct refusal refusal;

	memcpy(plan->key, call->key, HASH_LEN);
	FIELD_SET(to->profile, call->profile->name);
	FIELD_SET(to->account, call_account(p, call));
	FIELD_SET(to->region, call->region);
	to->lifetime = lifetime_of(ask);
	FIELD_SET(to->reason, ask->reason);
	FIELD_SET(to->claimed, ask->claimed);
	plan_ticket(p, to->ticket);
	if (!own_resolve(p, call))
		return false;
	resolve_ops(ask, rules, plan, &refusal);
	if (refusal.error != SGW_ERR_NONE) {
		call_fail(call, refusal.error, refusal.field, refusal.detail);
		return false;
	}
	if (ask->action == ACTION_OPEN && to->n_ops > 0 && to->lifetime == 0)
		to->lifetime = policy_lifetime(&p->config.policy, to,
		    &(struct policy_facts){.rules = rules->rules, .n_rules = rules->n});
	own_note(p, plan);
	state_digest(rules->rules, rules->n, p->order, to->state_digest);
	return true;
}

struct policy_facts
change_facts(const struct planner *p, const struct call *call)
{
	const struct snap *rules = call->got[AWS_DESCRIBE_RULES];

	return (struct policy_facts){
	    .group = &p->group,
	    .rules = rules->rules,
	    .n_rules = rules->n,
	    .grants = p->grants,
	    .n_grants = p->n_grants,
	    .display = p->status.screen,
	    .uid = call->client->uid,
	};
}

static void
plan_judge(struct planner *p, struct call *call, struct plan *plan)
{
	const struct policy_facts facts = change_facts(p, call);

	policy_evaluate(&p->config.policy, &plan->plan, &facts, &plan->verdict);
	plan->closes = plan->plan.lifetime == 0 ? 0 : clock_now() + plan->plan.lifetime;
}

/* The group that was asked about, into p->group; false: AWS knows none of that id. */
static bool
group_read(struct planner *p, struct call *call)
{
	const struct snap *s = call->got[AWS_DESCRIBE_GROUPS];

	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->groups[i].id, call->ask.change.group_id) != 0)
			continue;
		snap_group(s, i, &p->group);
		return true;
	}
	call_fail(call, SGW_ERR_NO_SUCH_GROUP, "security_group_id", "");
	return false;
}

/* Everything asked for is open already: nothing to do, and when it closes if it is ours. */
static void
settle_existing(struct planner *p, struct call *call, struct plan *plan)
{
	struct snap *rules = call->got[AWS_DESCRIBE_RULES];
	struct msg_result *result = &plan->result;

	snap_annotate(p, rules);
	plan->state = PLAN_SETTLED;
	plan->stage = STAGE_DONE;
	plan->plan.lifetime = 0;
	result->status = STATUS_OK;
	FIELD_SET(result->detail,
	    "open already, by others: nothing was done, and it will not close by itself");
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule_note *note = &rules->notes[i];

		if (!note->own || strcmp(rules->rules[i].rule_id, plan->ops[0].done.rule_id) != 0)
			continue;
		FIELD_SET(result->detail, "open already, by an earlier request: nothing was done");
		FIELD_SET(result->receipt, note->receipt);
		result->closes = note->expires;
	}
}

static void
settle_refused(struct plan *plan)
{
	plan->state = PLAN_SETTLED;
	plan->stage = STAGE_DONE;
	plan->id[0] = 0;
	plan->result.status = STATUS_REFUSED;
	plan->result.effect = plan->verdict.effect;
	plan->result.error = (uint16_t)plan->verdict.error;
	FIELD_SET(plan->result.policy_line, plan->verdict.line);
	FIELD_SET(plan->result.detail, plan->verdict.text);
}

/* What is over before it began is told, and its slot is free again. */
static bool
answer_and_free(struct planner *p, struct call *call, struct plan *plan)
{
	outcome_make(p, call, plan);
	plan->state = PLAN_FREE;
	return client_send(p, call->client) != SENT_BLOCKED;
}

static bool
hand_over(struct planner *p, struct call *call, struct plan *plan)
{
	plan->client = call->client->number;
	plan_pending(p, plan);
	attach(call, plan);
	p->out.id = MSG_PLAN;
	p->out.plan.client = call->client->number;
	p->out.plan.plan = plan->plan;
	broker_send(p);
	return outcome_due(p, call);
}

static bool
show(struct planner *p, struct call *call, struct plan *plan)
{
	plan->state = PLAN_PLANNED;
	plan->stage = STAGE_PLANNING;
	plan->since = p->now;
	outcome_make(p, call, plan);
	preview_make(p, call->client, plan, &p->group, p->out.change.preview);
	return client_send(p, call->client) != SENT_BLOCKED;
}

/* The client was shown this plan: it stands only as long as the group is as it was then. */
static bool
apply_shown(struct planner *p, struct call *call)
{
	const struct snap *rules = call->got[AWS_DESCRIBE_RULES];
	struct plan *plan = plan_by_id(p, call->client, call->ask.change.plan_id);
	uint8_t digest[HASH_LEN];

	if (plan == NULL || plan->enroll) {
		call_fail(call, SGW_ERR_NO_SUCH_PLAN, "plan_id", "");
		return false;
	}
	if (plan->state != PLAN_PLANNED) { /* another call was quicker */
		attach(call, plan);
		return outcome_due(p, call);
	}
	state_digest(rules->rules, rules->n, p->order, digest);
	if (memcmp(digest, plan->plan.state_digest, HASH_LEN) != 0) {
		plan->state = PLAN_FREE;
		call_fail(call, SGW_ERR_STATE_CHANGED, "plan_id", "");
		return false;
	}
	plan_judge(p, call, plan);
	if (plan->verdict.error != SGW_ERR_NONE) {
		settle_refused(plan);
		return answer_and_free(p, call, plan);
	}
	return hand_over(p, call, plan);
}

static bool
plan_made(struct planner *p, struct call *call, struct plan *plan)
{
	const char *problem;

	if (!change_fill(p, call, plan))
		return false;
	if (plan->plan.n_ops == 0) {
		settle_existing(p, call, plan);
		return answer_and_free(p, call, plan);
	}
	problem = plan_problem(&plan->plan);
	if (problem != NULL || !plan_digest(&plan->plan, plan->digest)) {
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "",
		    problem ? problem : "the plan has no canonical form");
		return false;
	}
	receipt_id(plan->digest, plan->id);
	plan_judge(p, call, plan);
	if (plan->verdict.error != SGW_ERR_NONE) {
		settle_refused(plan);
		return answer_and_free(p, call, plan);
	}
	plan->result = (struct msg_result){0};
	return call->ask.change.apply ? hand_over(p, call, plan) : show(p, call, plan);
}

bool
run_change(struct planner *p, struct call *call)
{
	const struct msg_ask_change *ask = &call->ask.change;
	struct plan *plan;

	if (call->plan != NULL)
		return outcome_due(p, call);
	if (!own_ready(p, call))
		return false;
	/* From here on it happens once: not before its answer has room. */
	if (!client_has_room(p, call->client) || !group_read(p, call))
		return false;
	if (ask->explain)
		return explain_plan(p, call);
	if (ask->plan_id[0] != 0)
		return apply_shown(p, call);
	plan = ask->apply ? plan_by_key(p, call->client, call->key) : NULL;
	if (plan != NULL) { /* an equal request was quicker */
		attach(call, plan);
		return outcome_due(p, call);
	}
	plan = plan_new(p, call->client);
	if (plan == NULL) {
		call_fail(call, SGW_ERR_BUSY, "", "too many plans are pending");
		return false;
	}
	return plan_made(p, call, plan);
}

/* A plan whose content the broker alone makes: what names it is a ticket and these words.  NULL: the call has failed. */
static struct plan *
plan_of_words(struct planner *p, struct call *call, const char *act, const char *subject)
{
	struct buf b = buf_over(p->scratch, sizeof(p->scratch));
	struct plan *plan = plan_new(p, call->client);

	if (plan == NULL) {
		call_fail(call, SGW_ERR_BUSY, "", "too many plans are pending");
		return NULL;
	}
	plan->enroll = true;
	plan_ticket(p, plan->plan.ticket);
	buf_printf(&b, "%s %s %s", act, plan->plan.ticket, subject);
	hash_sha256(b.data, b.len, plan->digest);
	receipt_id(plan->digest, plan->id);
	plan_pending(p, plan);
	call->plan = plan;
	return plan;
}

bool
run_enroll(struct planner *p, struct call *call)
{
	struct plan *plan = call->plan;

	if (plan != NULL)
		return outcome_due(p, call);
	plan = plan_of_words(p, call, "enroll", call->ask.enroll.name);
	if (plan == NULL)
		return false;
	p->out.id = MSG_ENROLL;
	p->out.enroll.client = call->client->number;
	FIELD_SET(p->out.enroll.plan_id, plan->id);
	FIELD_SET(p->out.enroll.name, call->ask.enroll.name);
	broker_send(p);
	return false;
}

bool
run_admin(struct planner *p, struct call *call)
{
	const struct msg_ask_admin *ask = &call->ask.admin;
	struct plan *plan = call->plan;

	if (plan != NULL)
		return outcome_due(p, call);
	plan = plan_of_words(p, call, "admin", ask->subject);
	if (plan == NULL)
		return false;
	p->out.id = MSG_ADMIN;
	p->out.admin.client = call->client->number;
	FIELD_SET(p->out.admin.plan_id, plan->id);
	p->out.admin.act = ask->act;
	FIELD_SET(p->out.admin.subject, ask->subject);
	memcpy(p->out.admin.data, ask->data, ask->data_len);
	p->out.admin.data_len = ask->data_len;
	broker_send(p);
	return false;
}
