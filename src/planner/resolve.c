/* SPDX-License-Identifier: Apache-2.0 */
/* Wanted operations into canonical ones; see resolve.h. */
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "entries.h"
#include "overlap.h"
#include "snap.h"
#include "undo.h"

void
refuse(struct refusal *r, uint16_t error, const char *field, const char *format, ...)
{
	va_list args;

	r->error = error;
	r->field = field;
	va_start(args, format);
	vsnprintf(r->detail, sizeof(r->detail), format, args);
	va_end(args);
}

/* ---- before anything is read ---- */

static bool
has_ports(int16_t protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP;
}

static void
check_open(const struct rec_wanted *w, struct refusal *r)
{
	if (w->given & WANTED_RULE_ID)
		refuse(r, SGW_ERR_BAD_ARGUMENT, "rule_ids", "an opening names no rule");
	else if (!(w->given & (WANTED_SOURCE | WANTED_CURRENT)))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "ip", "say who may come in");
	else if (!(w->given & WANTED_PROTOCOL))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "protocol", "say which protocol");
	else if (has_ports(w->protocol) && !(w->given & WANTED_PORTS))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "port", "tcp and udp need a port or a range");
	else if ((w->given & WANTED_PORTS) &&
		 !op_is_canonical(w->protocol, w->from_port, w->to_port))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "port", "these ports do not go with this protocol");
}

static void
check_close(const struct rec_wanted *w, struct refusal *r)
{
	if (w->given == 0 || (w->given & WANTED_CURRENT))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "match",
		    "say which rules: by id, ip, port or protocol");
	else if ((w->given & WANTED_RULE_ID) && !rule_id_ok(w->rule_id))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "rule_ids", "sgr- and 17 lower-case hex digits");
}

/* What one refresh says: a receipt, or a group and a port; the new address; nothing else. */
static void
check_refresh(const struct msg_ask_change *ask, struct refusal *r)
{
	const struct rec_wanted *w = &ask->wanted[0];

	if (ask->n_wanted != 1 || !(w->given & (WANTED_SOURCE | WANTED_CURRENT)))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "ip", "say who may come in");
	else if (ask->receipt[0] == 0 && (!group_id_ok(w->group_id) || !(w->given & WANTED_PORTS)))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "grant_id",
		    "say what is replaced: grant_id, or security_group_id and port");
}

static void
check_entry(const struct rec_wanted *w, struct refusal *r)
{
	if (!group_id_ok(w->group_id))
		refuse(r, SGW_ERR_BAD_ARGUMENT, "security_group_id",
		    "sg- and 8 or 17 lower-case hex digits");
	else if (w->action == ACTION_OPEN)
		check_open(w, r);
	else
		check_close(w, r);
}

void
resolve_check(const struct msg_ask_change *ask, int64_t now, struct refusal *ret)
{
	ret->error = SGW_ERR_NONE;
	if (ask->until != 0 && ask->lifetime != 0)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "until", "either until or expires_in");
	else if (ask->until != 0 && ask->until <= now)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "until", "that time has passed");
	else if (ask->receipt[0] != 0 && !receipt_id_ok(ask->receipt))
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "grant_id", "sgw- and 20 characters of a-z, 2-7");
	else if (ask->kind == CHANGE_UNDO && ask->receipt[0] == 0)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "receipt_id", "say what is undone");
	else if (ask->kind == CHANGE_REFRESH)
		check_refresh(ask, ret);
	else if (ask->kind != CHANGE_PLAIN)
		return;
	else if (ask->n_wanted == 0)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "ip", "nothing was asked for");
	else
		for (size_t i = 0; i < ask->n_wanted && ret->error == SGW_ERR_NONE; i++) {
			check_entry(&ask->wanted[i], ret);
			entries_name(&ask->wanted[i], ret);
		}
}

/* ---- openings ---- */

static const struct rec_rule *
rule_of_op(const struct snap *rules, const struct rec_op *op)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct rec_rule *rule = &rules->rules[i];

		if (!rule->egress && op_equals_rule(op, rule))
			return rule;
	}
	return NULL;
}

/* Room for one more, of the plan and of what the client is shown of it. */
static bool
has_room(const struct plan *plan, struct refusal *ret)
{
	if (plan->n_ops < SGW_OPS_MAX)
		return true;
	refuse(
	    ret, SGW_ERR_BAD_ARGUMENT, "match", "one plan has at most %d operations", SGW_OPS_MAX);
	return false;
}

/* Opens what is not there yet. */
static void
open_op(const struct snap *rules, const struct rec_op *op, struct plan *plan, struct refusal *ret)
{
	struct rec_op_view *view = &plan->ops[plan->n_ops];
	const struct rec_rule *rule = rule_of_op(rules, op);

	if (!has_room(plan, ret))
		return;
	plan->n_ops++;
	*view = (struct rec_op_view){.op = *op, .existed = rule != NULL};
	if (rule == NULL) {
		overlap_find(rules, view);
		plan->plan.ops[plan->plan.n_ops++] = *op;
	} else
		FIELD_SET(view->done.rule_id, rule->rule_id);
}

void
resolve_open(
    const struct rec_wanted *w, const struct snap *rules, struct plan *plan, struct refusal *ret)
{
	struct rec_op op = {
	    .action = ACTION_OPEN,
	    .protocol = w->protocol,
	    .from_port = w->given & WANTED_PORTS ? w->from_port : -1,
	    .to_port = w->given & WANTED_PORTS ? w->to_port : -1,
	    .source = w->source,
	};

	FIELD_SET(op.group_id, w->group_id);
	open_op(rules, &op, plan, ret);
}

/* ---- closings ---- */

/* Why a rule cannot be closed here, or NULL. */
static const char *
rule_fixed(const struct rec_rule *rule)
{
	if (rule->egress)
		return "it is an outbound rule";
	if (rule->source_kind != SOURCE_CIDR)
		return "its source is a prefix list or a security group";
	return NULL;
}

/* rules->rules[i]; what is ours says with which receipt it was opened. */
static void
close_rule(const struct snap *rules, size_t i, struct plan *plan, struct refusal *ret)
{
	const struct rec_rule *rule = &rules->rules[i];
	struct rec_op *op = &plan->plan.ops[plan->plan.n_ops];

	if (!has_room(plan, ret))
		return;
	plan->plan.n_ops++;
	*op = (struct rec_op){
	    .action = ACTION_CLOSE,
	    .protocol = rule->protocol,
	    .from_port = rule->from_port,
	    .to_port = rule->to_port,
	    .source = rule->source,
	};
	FIELD_SET(op->group_id, rule->group_id);
	FIELD_SET(op->rule_id, rule->rule_id);
	FIELD_SET(op->receipt, rules->notes[i].receipt);
	plan->ops[plan->n_ops++] = (struct rec_op_view){.op = *op};
}

/* Exactly what is named, never what merely contains it: a wider rule is another rule. */
static bool
rule_matches(const struct rec_wanted *w, const struct rec_rule *rule)
{
	if (rule->egress)
		return false;
	if ((w->given & WANTED_PROTOCOL) && rule->protocol != w->protocol)
		return false;
	if ((w->given & WANTED_PORTS) &&
	    (rule->from_port != w->from_port || rule->to_port != w->to_port))
		return false;
	return !(w->given & WANTED_SOURCE) ||
	       (rule->source_kind == SOURCE_CIDR && cidr_equal(&rule->source, &w->source));
}

static void
resolve_match(
    const struct rec_wanted *w, const struct snap *rules, struct plan *plan, struct refusal *ret)
{
	size_t found = 0, left_out = 0;

	for (size_t i = 0; i < rules->n; i++) {
		const struct rec_rule *rule = &rules->rules[rules->order[i]];

		if (!rule_matches(w, rule))
			continue;
		if (rule_fixed(rule) != NULL)
			left_out++;
		else if (++found <= SGW_OPS_MAX && ret->error == SGW_ERR_NONE)
			close_rule(rules, rules->order[i], plan, ret);
	}
	plan->left_out = (uint16_t)(plan->left_out + left_out);
	if (found > SGW_OPS_MAX)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "match",
		    "%zu rules match; one plan closes at most %d", found, SGW_OPS_MAX);
	else if (found == 0 && left_out > 0)
		refuse(ret, SGW_ERR_NOT_OFFERED, "match",
		    "what matches has a prefix list or a security group as its source");
	else if (found == 0)
		refuse(ret, SGW_ERR_NO_SUCH_RULE, "match", "no inbound rule matches");
}

static void
resolve_id(
    const struct rec_wanted *w, const struct snap *rules, struct plan *plan, struct refusal *ret)
{
	size_t i = 0;

	while (i < rules->n && strcmp(rules->rules[i].rule_id, w->rule_id) != 0)
		i++;
	if (i == rules->n)
		refuse(
		    ret, SGW_ERR_NO_SUCH_RULE, "rule_ids", "%s is not in this group", w->rule_id);
	else if (rule_fixed(&rules->rules[i]) != NULL)
		refuse(ret, SGW_ERR_NOT_OFFERED, "rule_ids", "%s cannot be closed here: %s",
		    w->rule_id, rule_fixed(&rules->rules[i]));
	else
		close_rule(rules, i, plan, ret);
}

/* ---- by receipt ---- */

static bool
is_meant(const struct msg_ask_change *ask, const struct rec_grant *g)
{
	const struct rec_wanted *w = &ask->wanted[0];

	if (g->state == GRANT_CLOSED)
		return false;
	if (ask->receipt[0] != 0)
		return strcmp(g->receipt, ask->receipt) == 0;
	return strcmp(g->group_id, w->group_id) == 0 && g->protocol == w->protocol &&
	       g->from_port == w->from_port && g->to_port == w->to_port;
}

/* A plan under way opens more of what is meant while its groups are read: that is in none of them. */
static bool
is_meant_here(const struct call *call, const struct rec_grant *g, struct refusal *ret)
{
	if (!is_meant(&call->ask.change, g))
		return false;
	if (call_group_find(call, g->group_id) != NULL)
		return true;
	refuse(ret, SGW_ERR_BUSY, "grant_id", "what is open of it changed while it was read");
	return false;
}

static struct rec_op
op_of_grant(enum action action, const struct rec_grant *g)
{
	struct rec_op op = {.action = action,
	    .protocol = g->protocol,
	    .from_port = g->from_port,
	    .to_port = g->to_port,
	    .source = g->source};

	FIELD_SET(op.group_id, g->group_id);
	return op;
}

/* The rule of a grant, by what it lets in; rules->n: AWS shows none. */
static size_t
rule_of_grant(const struct snap *rules, const struct rec_grant *g)
{
	const struct rec_op op = op_of_grant(ACTION_CLOSE, g);
	size_t i = 0;

	while (i < rules->n && !op_equals_rule(&op, &rules->rules[i]))
		i++;
	return i;
}

bool
resolve_close_grant(
    const struct rec_grant *g, const struct snap *rules, struct plan *plan, struct refusal *ret)
{
	size_t rule = rule_of_grant(rules, g);

	if (rule < rules->n)
		close_rule(rules, rule, plan, ret);
	return rule < rules->n;
}

static void
resolve_extend(const struct rec_grant *g, struct plan *plan, struct refusal *ret)
{
	struct rec_op *op = &plan->plan.ops[plan->plan.n_ops];

	if (!has_room(plan, ret))
		return;
	plan->plan.n_ops++;
	*op = op_of_grant(ACTION_EXTEND, g);
	FIELD_SET(op->receipt, g->receipt);
	plan->ops[plan->n_ops++] = (struct rec_op_view){.op = *op};
}

/* First all that opens, then all that closes: nobody is left outside in between. */
static void
resolve_refresh(struct planner *p, const struct call *call, struct plan *plan, struct refusal *ret)
{
	const struct msg_ask_change *ask = &call->ask.change;

	for (size_t i = 0; i < p->n_grants && ret->error == SGW_ERR_NONE; i++) {
		struct rec_op op = op_of_grant(ACTION_OPEN, &p->grants[i]);

		if (!is_meant_here(call, &p->grants[i], ret))
			continue;
		op.source = ask->wanted[0].source;
		if (cidr_equal(&op.source, &p->grants[i].source))
			refuse(
			    ret, SGW_ERR_BAD_ARGUMENT, "ip", "it is open to that address already");
		else
			open_op(call_group_find(call, op.group_id)->rules, &op, plan, ret);
	}
	for (size_t i = 0; i < p->n_grants && ret->error == SGW_ERR_NONE; i++)
		if (is_meant_here(call, &p->grants[i], ret))
			(void)resolve_close_grant(&p->grants[i],
			    call_group_find(call, p->grants[i].group_id)->rules, plan, ret);
}

/* The groups of what a receipt, or a group and a port, names; and where they are. */
void
resolve_targets(struct planner *p, struct call *call, struct refusal *ret)
{
	const struct msg_ask_change *ask = &call->ask.change;
	const struct rec_grant *first = NULL;

	ret->error = SGW_ERR_NONE;
	for (size_t i = 0; i < p->n_grants && ret->error == SGW_ERR_NONE; i++) {
		const struct rec_grant *g = &p->grants[i];

		if (!is_meant(ask, g))
			continue;
		if (first == NULL) {
			first = g;
			FIELD_SET(call->ask.change.profile, g->profile);
			FIELD_SET(call->ask.change.region, g->region);
		} else if (strcmp(first->profile, g->profile) != 0 ||
			   strcmp(first->region, g->region) != 0)
			refuse(ret, SGW_ERR_BAD_ARGUMENT, "grant_id",
			    "more than one profile or region has it: name the receipt");
		target_add(call, g->group_id, ret);
	}
	if (first == NULL)
		refuse(ret, SGW_ERR_NO_SUCH_RULE, "grant_id", NONE_OPEN);
}

void
target_add(struct call *call, const char *group_id, struct refusal *ret)
{
	for (size_t i = 0; i < call->n_groups; i++)
		if (strcmp(call->groups[i].id, group_id) == 0)
			return;
	if (call->n_groups == SGW_PLAN_GROUPS_MAX)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "entries", "one plan touches at most %d groups",
		    SGW_PLAN_GROUPS_MAX);
	else
		FIELD_SET(call->groups[call->n_groups++].id, group_id);
}

/* ---- all of it ---- */

static void
resolve_plain(const struct call *call, struct plan *plan, struct refusal *ret)
{
	const struct msg_ask_change *ask = &call->ask.change;

	for (size_t i = 0; i < ask->n_wanted && ret->error == SGW_ERR_NONE; i++) {
		const struct rec_wanted *w = &ask->wanted[i];
		const struct snap *rules = call_group_find(call, w->group_id)->rules;
		size_t from = plan->n_ops;

		if (w->action == ACTION_OPEN)
			resolve_open(w, rules, plan, ret);
		else if (w->given & WANTED_RULE_ID)
			resolve_id(w, rules, plan, ret);
		else
			resolve_match(w, rules, plan, ret);
		for (; from < plan->n_ops; from++)
			plan->entry[from] = w->entry;
		entries_name(w, ret);
	}
}

void
resolve_ops(struct planner *p, struct call *call, struct plan *plan, struct refusal *ret)
{
	const struct msg_ask_change *ask = &call->ask.change;

	ret->error = SGW_ERR_NONE;
	for (size_t i = 0; i < call->groups_read; i++)
		snap_annotate(p, call->groups[i].rules);
	if (ask->kind == CHANGE_REFRESH)
		resolve_refresh(p, call, plan, ret);
	else if (ask->kind == CHANGE_UNDO)
		undo_resolve(p, call, plan, ret);
	else if (ask->kind == CHANGE_EXTEND)
		for (size_t i = 0; i < p->n_grants && ret->error == SGW_ERR_NONE; i++) {
			if (is_meant_here(call, &p->grants[i], ret))
				resolve_extend(&p->grants[i], plan, ret);
		}
	else
		resolve_plain(call, plan, ret);
}
