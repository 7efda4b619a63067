/* SPDX-License-Identifier: Apache-2.0 */
/* See drift.h. */
#include "drift.h"

#include <string.h>

#include <sgwarden/clock.h>

#include "calls.h"
#include "clients.h"
#include "cursor.h"
#include "snap.h"

#define GONE SIZE_MAX /* in call_group.at: AWS has no such group */

/* ---- which groups ---- */

static bool
is_here(const struct call *call, const struct rec_grant *grant)
{
	return strcmp(grant->profile, call->profile->name) == 0 &&
	       strcmp(grant->region, call->region) == 0;
}

/* Before AWS was asked: what was opened or is closed since would be told wrongly. */
static bool
is_settled(const struct call *call, const struct rec_grant *grant)
{
	return grant->state != GRANT_AMBIGUOUS && grant->sent < call->began;
}

/* Keeps the groups sorted; what is behind the last place falls out, and there is more. */
static void
group_put(struct call *call, const char *id, size_t at, const char *behind)
{
	size_t most = call->left < SGW_PLAN_GROUPS_MAX ? call->left : SGW_PLAN_GROUPS_MAX, to = 0;

	if (strcmp(id, behind) <= 0)
		return;
	while (to < call->n_groups && strcmp(call->groups[to].id, id) < 0)
		to++;
	if (to < call->n_groups && strcmp(call->groups[to].id, id) == 0)
		return;
	if (call->n_groups == most)
		call->more = true;
	else
		call->n_groups++;
	if (to >= call->n_groups)
		return;
	memmove(&call->groups[to + 1], &call->groups[to],
	    (call->n_groups - to - 1) * sizeof(call->groups[0]));
	call->groups[to] = (struct call_group){.at = at};
	FIELD_SET(call->groups[to].id, id);
}

/* The groups that may be opened here, and those in which something is open: the next of them. */
static bool
groups_choose(struct planner *p, struct call *call)
{
	const struct snap *s = call->got[AWS_DESCRIBE_GROUPS];
	const struct msg_ask_drift *ask = &call->ask.drift;
	const char *behind = "";
	struct cursor_of of;

	cursor_of_drift(ask, &of);
	if (ask->cursor[0] != 0 && (behind = cursor_read(&of, ask->cursor)) == NULL) {
		call_fail(call, SGW_ERR_BAD_CURSOR, "cursor", "");
		return false;
	}
	for (size_t i = 0; i < s->n; i++) {
		snap_group(s, s->order[i], &p->group);
		if (ask->group_id[0] != 0 ? strcmp(ask->group_id, p->group.group_id) == 0
					  : p->group.managed || !p->config.policy.require_opt_in)
			group_put(call, p->group.group_id, 0, behind);
	}
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct rec_grant *grant = &p->grants[i];
		size_t at = GONE;

		for (size_t k = 0; k < s->n && at == GONE; k++)
			if (strcmp(s->groups[k].id, grant->group_id) == 0)
				at = 0;
		if (is_here(call, grant) &&
		    (ask->group_id[0] == 0 || strcmp(ask->group_id, grant->group_id) == 0))
			group_put(call, grant->group_id, at, behind);
	}
	if (ask->group_id[0] != 0 && call->n_groups == 0)
		call_fail(call, SGW_ERR_NO_SUCH_GROUP, "security_group_id", "");
	return call->error == SGW_ERR_NONE;
}

void
drift_begin(struct planner *p, struct call *call, const struct msg_ask_drift *ask)
{
	call->ask.drift = *ask;
	call->left = ask->limit;
	call->began = clock_now();
	if (ask->group_id[0] != 0 && !group_id_ok(ask->group_id))
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "security_group_id",
		    "sg- and 8 or 17 lower-case hex digits");
	else
		call_target(p, call, ask->profile, ask->region);
}

/* Are they known and read?  If not the next one is, and the call is run again. */
static bool
groups_ready(struct planner *p, struct call *call)
{
	if (!call->targeted) {
		if (!groups_choose(p, call))
			return false;
		call->targeted = true;
		call->needs &= ~(unsigned)NEED_GROUPS;
	}
	if (call->got[AWS_DESCRIBE_RULES] != NULL) {
		call->groups[call->groups_read++].rules = call->got[AWS_DESCRIBE_RULES];
		call->got[AWS_DESCRIBE_RULES] = NULL;
	}
	while (call->groups_read < call->n_groups && call->groups[call->groups_read].at == GONE)
		call->groups_read++;
	if (call->groups_read == call->n_groups)
		return true;
	call->needs |= NEED_RULES;
	p->stirred = true;
	return false;
}

/* ---- one group's findings ---- */

struct finder {
	struct planner *p;
	struct call *call;
	const struct call_group *group;
	size_t seen;                /* findings so far, of all groups */
	bool full;                  /* the message is: the next ones come in another part */
	bool there[SGW_GRANTS_MAX]; /* the grant's rule is at AWS */
};

static bool
is_of_group(const struct finder *f, const struct rec_grant *grant)
{
	return is_here(f->call, grant) && strcmp(grant->group_id, f->group->id) == 0;
}

/* The next finding, which stands in the message unless an earlier part had it.  NULL: it did, or there is no room. */
static struct rec_drift *
finding_new(struct finder *f, enum drift_kind kind, const struct rec_rule *rule)
{
	struct msg_drift *out = &f->p->out.drift;
	struct rec_drift *to;

	if (f->seen++ < f->call->at || f->full)
		return NULL;
	if (out->n_findings == SGW_DRIFT_PAGE) {
		f->full = true;
		return NULL;
	}
	to = &out->findings[out->n_findings++];
	*to = (struct rec_drift){.kind = kind};
	to->now.protocol = PROTO_ALL;
	to->now.from_port = to->now.to_port = -1;
	to->now.source.family = 4;
	if (rule != NULL)
		to->now = *rule;
	FIELD_SET(to->group_id, f->group->id);
	return to;
}

static void
finding_of_grant(struct finder *f, enum drift_kind kind, const struct rec_grant *grant,
    const struct rec_rule *rule)
{
	struct rec_drift *to = finding_new(f, kind, rule);

	if (to == NULL)
		return;
	FIELD_SET(to->receipt, grant->receipt);
	to->protocol = grant->protocol;
	to->from_port = grant->from_port;
	to->to_port = grant->to_port;
	to->source = grant->source;
	to->closes = grant->closes;
}

/* What we wrote on a rule when we opened it: both tags, and the receipt at the description's end. */
static bool
has_our_marks(const struct rec_rule *rule, const char *receipt)
{
	size_t len = strlen(rule->description), n = strlen(receipt);

	return strcmp(rule->receipt, receipt) == 0 && rule->expires[0] != 0 && len > n &&
	       rule->description[len - n - 1] == '#' &&
	       strcmp(rule->description + len - n, receipt) == 0;
}

/* Does the snapshot's rule at that place carry this receipt's tag, and equal nothing that is open through us? */
static bool
is_stray(const struct snap *s, size_t place, const char *receipt)
{
	const struct rec_rule *rule = &s->rules[s->order[place]];

	return !rule->egress && !s->notes[s->order[place]].own &&
	       strcmp(rule->receipt, receipt) == 0;
}

/* The `nth` of them. */
static const struct rec_rule *
stray(const struct finder *f, const char *receipt, size_t nth)
{
	const struct snap *s = f->group->rules;

	for (size_t i = 0; i < s->n; i++)
		if (is_stray(s, i, receipt) && nth-- == 0)
			return &s->rules[s->order[i]];
	return NULL;
}

/* How many of them come before that place. */
static size_t
strays_before(const struct snap *s, size_t place, const char *receipt)
{
	size_t n = 0;

	for (size_t i = 0; i < place; i++)
		n += is_stray(s, i, receipt);
	return n;
}

/* How many of a receipt's grants before this one have no rule at AWS. */
static size_t
missing_before(const struct finder *f, const char *receipt, size_t end)
{
	size_t n = 0;

	for (size_t i = 0; i < end; i++)
		n += is_of_group(f, &f->p->grants[i]) && !f->there[i] &&
		     strcmp(f->p->grants[i].receipt, receipt) == 0;
	return n;
}

static void
look_at_grant(struct finder *f, size_t i, const struct rec_rule *rule)
{
	const struct rec_grant *grant = &f->p->grants[i];

	if (f->group->rules == NULL) {
		finding_of_grant(f, DRIFT_GROUP_GONE, grant, NULL);
		return;
	}
	if (rule == NULL) {
		rule = stray(f, grant->receipt, missing_before(f, grant->receipt, i));
		finding_of_grant(f, rule != NULL ? DRIFT_REPLACED : DRIFT_MISSING, grant, rule);
		return;
	}
	if (grant->closes < clock_now())
		finding_of_grant(f, DRIFT_OVERDUE, grant, rule);
	if (!has_our_marks(rule, grant->receipt))
		finding_of_grant(f, DRIFT_MARKS, grant, rule);
}

/* Of a grant that has no rule, or of anybody; what was closed lately the broker looks at once more by itself. */
static void
look_at_stray(struct finder *f, const struct rec_rule *rule, size_t nth)
{
	bool open = false;
	struct rec_drift *to;

	for (size_t i = 0; i < f->p->n_told; i++) {
		const struct rec_grant *grant = &f->p->grants[i];

		if (!is_of_group(f, grant) || strcmp(grant->receipt, rule->receipt) != 0)
			continue;
		if (i >= f->p->n_grants || !is_settled(f->call, grant))
			return;
		open = true;
	}
	if (nth < missing_before(f, rule->receipt, f->p->n_grants))
		return; /* told as that one's */
	to = finding_new(f, open ? DRIFT_COPIED : DRIFT_UNKNOWN, rule);
	if (to == NULL)
		return;
	FIELD_SET(to->receipt, rule->receipt);
	to->protocol = rule->protocol;
	to->from_port = rule->from_port;
	to->to_port = rule->to_port;
	to->source = rule->source;
}

static void
look_at_group(struct finder *f)
{
	struct snap *s = f->group->rules;

	if (s != NULL)
		snap_annotate(f->p, s);
	for (size_t i = 0; i < f->p->n_grants; i++)
		f->there[i] = s != NULL && is_of_group(f, &f->p->grants[i]) &&
			      snap_rule_of(s, &f->p->grants[i]) != NULL;
	for (size_t i = 0; i < f->p->n_grants; i++)
		if (is_of_group(f, &f->p->grants[i]) && is_settled(f->call, &f->p->grants[i]))
			look_at_grant(f, i, f->there[i] ? snap_rule_of(s, &f->p->grants[i]) : NULL);
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		const struct rec_rule *rule = &s->rules[s->order[i]];

		if (rule->receipt[0] != 0 && is_stray(s, i, rule->receipt))
			look_at_stray(f, rule, strays_before(s, i, rule->receipt));
	}
}

bool
run_drift(struct planner *p, struct call *call)
{
	struct msg_drift *out = &p->out.drift;
	struct cursor_of of;

	if (!groups_ready(p, call))
		return false;
	if (!call->told)
		call->grants_generation = p->grants_generation;
	call->told = true;
	/* What changed behind the parts that have gone out would be told twice or not at all. */
	if (call->grants_generation != p->grants_generation) {
		call_fail(call, SGW_ERR_BUSY, "", "the grants changed while they were compared");
		return false;
	}
	for (;;) {
		struct finder f = {.p = p, .call = call};

		p->out.id = MSG_DRIFT;
		out->request = call->request;
		FIELD_SET(out->profile, call->profile->name);
		FIELD_SET(out->account, call_account(p, call));
		FIELD_SET(out->region, call->region);
		out->groups = (uint16_t)call->n_groups;
		out->n_findings = 0;
		out->next_cursor[0] = 0;
		for (size_t i = 0; i < call->n_groups && !f.full; i++) {
			f.group = &call->groups[i];
			look_at_group(&f);
		}
		out->more = f.full;
		if (!f.full && call->more) {
			cursor_of_drift(&call->ask.drift, &of);
			cursor_make(&of, call->groups[call->n_groups - 1].id, out->next_cursor);
		}
		if (client_send(p, call->client) == SENT_BLOCKED)
			return false;
		if (!f.full)
			return true;
		call->at += SGW_DRIFT_PAGE;
	}
}
