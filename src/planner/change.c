/* SPDX-License-Identifier: Apache-2.0 */
/* A change: from the request to a plan, held against what is there now, then shown or handed to the broker. */
#include "change.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>

#include "broker.h"
#include "calls.h"
#include "clients.h"
#include "entries.h"
#include "existing.h"
#include "explain.h"
#include "outcome.h"
#include "plan_make.h"
#include "own.h"
#include "plans.h"
#include "preview.h"
#include "resolve.h"
#include "services.h"
#include "snap.h"
#include "undo.h"

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

void
targets_known(struct call *call)
{
	call->targeted = true;
	if (call->n_groups > 0)
		call->needs |= NEED_RULES | NEED_GROUP | NEED_ACCOUNT;
}

/* What the plan touches is read again. */
static void
reread(struct planner *p, struct call *call, const struct rec_plan *plan)
{
	for (size_t i = 0; i < plan->n_groups; i++)
		FIELD_SET(call->groups[call->n_groups++].id, plan->groups[i].group_id);
	call_target(p, call, plan->profile, plan->region);
	targets_known(call);
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
		reread(p, call, &plan->plan);
		return;
	}
	request_key(p, ask, call->key);
	if ((ask->n_wanted > 0 || ask->receipt[0] != 0) &&
	    memcmp(call->key, plan->key, HASH_LEN) != 0) {
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "plan_id",
		    "the other arguments are not those of this plan: leave one or the other out");
		return;
	}
	if (plan->state != PLAN_PLANNED || !ask->apply) {
		attach(call, plan);
		return;
	}
	reread(p, call, &plan->plan);
}

void
change_begin(struct planner *p, struct call *call)
{
	struct msg_ask_change *ask = &call->ask.change;
	struct refusal refusal;
	struct plan *plan;

	call->progress = ask->progress;
	services_resolve(&p->config.policy, ask, &refusal);
	if (refusal.error != SGW_ERR_NONE) {
		call_fail(call, refusal.error, refusal.field, refusal.detail);
		return;
	}
	if (ask->plan_id[0] != 0) {
		begin_continued(p, call);
		return;
	}
	resolve_check(ask, clock_now(), &refusal);
	if (refusal.error != SGW_ERR_NONE) {
		call_fail(call, refusal.error, refusal.field, refusal.detail);
		return;
	}
	if (ask->kind == CHANGE_PLAIN)
		call_target(p, call, ask->profile, ask->region);
	for (size_t i = 0;
	     i < ask->n_wanted && ask->kind == CHANGE_PLAIN && refusal.error == SGW_ERR_NONE; i++) {
		target_add(call, ask->wanted[i].group_id, &refusal);
		entries_name(&ask->wanted[i], &refusal);
	}
	if (refusal.error != SGW_ERR_NONE)
		call_fail(call, refusal.error, refusal.field, refusal.detail);
	if (ask->kind == CHANGE_PLAIN)
		targets_known(call);
	own_want(p, call);
	request_key(p, ask, call->key);
	plan = ask->apply ? plan_by_key(p, call->client, call->key) : NULL;
	if (plan != NULL && !own_may_move(call, plan))
		attach(call, plan);
}

/* ---- the plan ---- */

/* The group just read joins those of the call; false: AWS knows none of that id. */
static bool
group_join(struct call *call)
{
	struct call_group *group = &call->groups[call->groups_read];
	const struct snap *s = call->got[AWS_DESCRIBE_GROUPS];

	for (group->at = 0; group->at < s->n; group->at++)
		if (strcmp(s->groups[group->at].id, group->id) == 0)
			break;
	if (group->at == s->n) {
		entries_fail(call, entries_of_group(&call->ask.change, group->id),
		    SGW_ERR_NO_SUCH_GROUP, "security_group_id", group->id);
		return false;
	}
	group->rules = call->got[AWS_DESCRIBE_RULES];
	group->group = call->got[AWS_DESCRIBE_GROUPS];
	call->got[AWS_DESCRIBE_RULES] = call->got[AWS_DESCRIBE_GROUPS] = NULL;
	call->groups_read++;
	return true;
}

/* Are all groups known and read?  If not, the next is, and the call is run again. */
static bool
groups_ready(struct planner *p, struct call *call)
{
	const struct msg_ask_change *ask = &call->ask.change;
	struct refusal refusal;

	if (!call->targeted) {
		resolve_targets(p, call, &refusal);
		if (refusal.error != SGW_ERR_NONE)
			call_fail(call, refusal.error, refusal.field, refusal.detail);
		else
			call_target(p, call, ask->profile, ask->region);
		targets_known(call);
		p->stirred = true;
		return false;
	}
	if (call->groups_read < call->n_groups && !group_join(call))
		return false;
	if (call->groups_read < call->n_groups) {
		p->stirred = true;
		return false;
	}
	call->needs &= ~(unsigned)(NEED_RULES | NEED_GROUP);
	return true;
}

static void
change_judge(struct planner *p, const struct call *call, struct plan *plan)
{
	struct policy_trace trace;

	plan->iac = plan_judge(p, call, &plan->plan, &plan->verdict, &trace);
	plan->closes = plan->plan.lifetime == 0 ? 0 : clock_now() + plan->plan.lifetime;
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
	preview_make(p, call->client, plan, p->out.change.preview);
	return client_send(p, call->client) != SENT_BLOCKED;
}

static bool
is_as_shown(struct planner *p, const struct call *call, const struct rec_plan *plan)
{
	uint8_t digest[HASH_LEN];

	for (size_t i = 0; i < plan->n_groups; i++) {
		const struct snap *rules = call_group_find(call, plan->groups[i].group_id)->rules;

		state_digest(rules->rules, rules->n, p->order, digest);
		if (memcmp(digest, plan->groups[i].state_digest, HASH_LEN) != 0)
			return false;
	}
	return true;
}

/* The client was shown this plan: it stands only as long as the group is as it was then. */
static bool
apply_shown(struct planner *p, struct call *call)
{
	struct plan *plan = plan_by_id(p, call->client, call->ask.change.plan_id);

	if (plan == NULL || plan->enroll) {
		call_fail(call, SGW_ERR_NO_SUCH_PLAN, "plan_id", "");
		return false;
	}
	if (plan->state != PLAN_PLANNED) { /* another call was quicker */
		attach(call, plan);
		return outcome_due(p, call);
	}
	if (!is_as_shown(p, call, &plan->plan)) {
		plan->state = PLAN_FREE;
		call_fail(call, SGW_ERR_STATE_CHANGED, "plan_id", "");
		return false;
	}
	change_judge(p, call, plan);
	if (plan->verdict.error != SGW_ERR_NONE) {
		settle_refused(plan);
		return answer_and_free(p, call, plan);
	}
	return hand_over(p, call, plan);
}

static bool
plan_made(struct planner *p, struct call *call, struct plan *plan)
{
	struct refusal twice;
	const char *problem;

	if (!plan_fill(p, call, plan))
		return false;
	if (entries_twice(&call->ask.change, plan, &twice)) {
		call_fail(call, twice.error, twice.field, twice.detail);
		return false;
	}
	if (plan->plan.n_ops == 0) {
		existing_settle(call, plan);
		return answer_and_free(p, call, plan);
	}
	problem = plan_problem(&plan->plan);
	if (problem != NULL || !plan_digest(&plan->plan, plan->digest)) {
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "",
		    problem ? problem : "the plan has no canonical form");
		return false;
	}
	receipt_id(plan->digest, plan->id);
	change_judge(p, call, plan);
	if (plan->verdict.error != SGW_ERR_NONE) {
		entries_blame(p, call, plan);
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
	if (!own_ready(p, call) || !undo_ready(p, call))
		return false;
	plan = ask->apply && ask->plan_id[0] == 0 ? plan_by_key(p, call->client, call->key) : NULL;
	if (plan != NULL && !own_moved(p, call, plan)) { /* an equal request was quicker */
		attach(call, plan);
		return outcome_due(p, call);
	}
	/* From here on it happens once: not before its answer has room. */
	if (!groups_ready(p, call) || !client_has_room(p, call->client))
		return false;
	if (ask->explain)
		return explain_plan(p, call);
	if (ask->plan_id[0] != 0)
		return apply_shown(p, call);
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
	p->out.enroll.by_code = call->ask.enroll.by_code;
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
