/* SPDX-License-Identifier: Apache-2.0 */
/* A record of the plan with what the planner knows, and its rendering; see preview.h. */
#include "preview.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/render.h>
#include <sgwarden/vis.h>

#define LAST_LINE_MAX 64

static void
put_vis(char *field, size_t size, const char *text)
{
	vis(field, size, text, strlen(text));
}

static int64_t
closes_now(const struct planner *p, const struct plan *plan)
{
	int64_t latest = 0;

	for (size_t i = 0; i < p->n_grants; i++)
		if (strcmp(p->grants[i].receipt, plan->plan.ops[0].receipt) == 0 &&
		    p->grants[i].closes > latest)
			latest = p->grants[i].closes;
	return latest;
}

static void
record_fill_in(struct planner *p, const struct client *c, const struct plan *plan)
{
	struct record *r = &p->record;
	int more = plan->plan.n_ops > 5 ? 10 * (plan->plan.n_ops - 5) : 0;
	int seconds = SGW_RECORD_SECONDS + more;
	char requester[SGW_USER_MAX + 1];

	*r = (struct record){
	    .kind = RECORD_CHANGE,
	    .created = clock_now(),
	    .effect = plan->verdict.effect,
	    .pin = plan->verdict.needs_pin,
	    .display = p->status.screen,
	    .uid = c->uid,
	    .pid = c->pid,
	    .chain_verified = c->chain_verified,
	    .quota_limit = p->config.policy.rules_per_group,
	    .seen_by = plan->seen_by,
	    .seen_of = plan->seen_of,
	    .closes = plan->closes,
	};
	r->plan = plan->plan;
	r->expires =
	    r->created + (seconds < SGW_RECORD_SECONDS_MAX ? seconds : SGW_RECORD_SECONDS_MAX);
	memcpy(r->policy_digest, p->policy_digest, sizeof(r->policy_digest));
	FIELD_SET(r->appliance, p->appliance);
	FIELD_SET(r->boot_id, p->boot_id);
	FIELD_SET(r->tty, p->status.tty);
	FIELD_SET(r->chain, c->chain);
	put_vis(r->claimed, sizeof(r->claimed), plan->plan.claimed);
	put_vis(r->reason, sizeof(r->reason), plan->plan.reason);
	memcpy(r->groups, p->found, plan->plan.n_groups * sizeof(r->groups[0]));
	r->plan.claimed[0] = r->plan.reason[0] = r->plan.ticket[0] = 0;
	if (plan->closes == 0)
		return;
	if (plan->plan.ops[0].action == ACTION_EXTEND) {
		r->closes_now = closes_now(p, plan);
		return;
	}
	FIELD_SET(requester, c->user);
	if (c->user[0] == 0)
		snprintf(requester, sizeof(requester), "uid %u", (unsigned)c->uid);
	record_description(requester, plan->plan.reason, plan->closes, r->description);
}

void
preview_make(struct planner *p, const struct client *c, const struct plan *plan,
    char ret_preview[SGW_PREVIEW_MAX + 1])
{
	struct buf b = buf_over(p->rendering, sizeof(p->rendering));
	size_t len, lines = 0;

	ret_preview[0] = 0;
	record_fill_in(p, c, plan);
	if (!render_record(&p->record, &b))
		return;
	len = b.len;
	if (len > SGW_PREVIEW_MAX) {
		len = SGW_PREVIEW_MAX - LAST_LINE_MAX;
		while (len > 0 && b.data[len - 1] != '\n')
			len--;
		for (size_t i = len; i < b.len; i++)
			lines += b.data[i] == '\n';
	}
	memcpy(ret_preview, b.data, len);
	ret_preview[len] = 0;
	if (lines > 0)
		snprintf(ret_preview + len, LAST_LINE_MAX, "(and %zu lines more, on the screen)\n",
		    lines);
}
