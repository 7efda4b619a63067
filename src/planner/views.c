/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, profiles, keys, the status of a plan; health stands in health.c. */
#include "views.h"

#include <string.h>

#include "calls.h"
#include "clients.h"
#include "outcome.h"
#include "plans.h"

static void
profile_view(const struct planner *p, size_t i, bool admin, struct rec_profile_info *ret)
{
	const struct rec_profile_conf *conf = &p->config.profiles[i];

	FIELD_SET(ret->name, conf->name);
	ret->is_default = conf->is_default || p->config.n_profiles == 1;
	ret->has_credentials = false;
	FIELD_SET(ret->account, p->account[i]);
	ret->n_regions = conf->n_regions;
	memcpy(ret->regions, conf->regions, sizeof(ret->regions));
	ret->n_tiers = 0;
	for (size_t k = 0; k < p->profiles.n_profiles; k++) {
		const struct rec_profile_info *told = &p->profiles.profiles[k];

		if (strcmp(told->name, conf->name) != 0)
			continue;
		ret->has_credentials = told->has_credentials;
		if (admin) {
			ret->n_tiers = told->n_tiers;
			memcpy(ret->tiers, told->tiers, sizeof(ret->tiers));
		}
	}
}

bool
run_capabilities(struct planner *p, struct call *call)
{
	struct msg_capabilities *out = &p->out.capabilities;

	p->out.id = MSG_CAPABILITIES;
	out->request = call->request;
	memcpy(out->policy_digest, p->status.policy_digest, sizeof(out->policy_digest));
	out->keys = p->status.keys;
	out->screen = p->status.screen;
	out->n_profiles = p->config.n_profiles;
	for (size_t i = 0; i < p->config.n_profiles; i++)
		profile_view(p, i, false, &out->profiles[i]);
	out->n_services = p->config.policy.n_services;
	memcpy(out->services, p->config.policy.services, sizeof(out->services));
	out->lifetime_default = p->config.policy.on_open.lifetime_default;
	out->lifetime_min = p->config.policy.on_open.lifetime_min;
	out->lifetime_max = p->config.policy.on_open.lifetime_max;
	return client_send(p, call->client) != SENT_BLOCKED;
}

bool
run_profiles(struct planner *p, struct call *call)
{
	struct msg_profile_views *out = &p->out.profile_views;

	p->out.id = MSG_PROFILE_VIEWS;
	out->request = call->request;
	out->n_profiles = p->config.n_profiles;
	for (size_t i = 0; i < p->config.n_profiles; i++)
		profile_view(p, i, call->client->admin, &out->profiles[i]);
	return client_send(p, call->client) != SENT_BLOCKED;
}

bool
run_keys(struct planner *p, struct call *call)
{
	struct msg_keys *out = &p->out.keys;

	p->out.id = MSG_KEYS;
	out->request = call->request;
	out->n_keys = p->keys.n_keys;
	memcpy(out->keys, p->keys.keys, sizeof(out->keys));
	out->code_made = p->keys.code_made;
	out->code_used = p->keys.code_used;
	return client_send(p, call->client) != SENT_BLOCKED;
}

bool
run_policy(struct planner *p, struct call *call)
{
	struct msg_policy_in_force *out = &p->out.policy_in_force;

	p->out.id = MSG_POLICY_IN_FORCE;
	out->request = call->request;
	out->origin = p->policy_origin;
	out->policy = p->config.policy;
	return client_send(p, call->client) != SENT_BLOCKED;
}

bool
run_status(struct planner *p, struct call *call)
{
	struct plan *plan = plan_by_id(p, call->client, call->ask.status.plan_id);
	struct msg_plan_status *out = &p->out.plan_status;

	if (plan == NULL) {
		call_fail(call, SGW_ERR_NO_SUCH_PLAN, "plan_id", "");
		return false;
	}
	p->out.id = MSG_PLAN_STATUS;
	out->request = call->request;
	FIELD_SET(out->plan_id, plan->id);
	out->stage = plan->stage;
	out->seconds_left = plan_seconds_left(p, plan);
	out->status = plan->state == PLAN_PLANNED   ? STATUS_PLANNED
		      : plan->state == PLAN_PENDING ? STATUS_PENDING_CONSENT
						    : plan->result.status;
	out->error = plan->state == PLAN_SETTLED ? plan->result.error : SGW_ERR_NONE;
	outcome_detail(plan, out->detail);
	FIELD_SET(out->receipt, plan->state == PLAN_SETTLED ? plan->result.receipt : "");
	return client_send(p, call->client) != SENT_BLOCKED;
}
