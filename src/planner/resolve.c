/* SPDX-License-Identifier: Apache-2.0 */
/* Wanted operations into canonical ones; see resolve.h. */
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 4, 5)))
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
check_close(const struct msg_ask_change *ask, struct refusal *r)
{
	for (size_t i = 0; i < ask->n_wanted; i++) {
		const struct rec_wanted *w = &ask->wanted[i];

		if (w->given == 0)
			refuse(r, SGW_ERR_BAD_ARGUMENT, "match",
			    "say which rules: by id, ip, port or protocol");
		else if (w->given & WANTED_CURRENT)
			refuse(r, SGW_ERR_BAD_ARGUMENT, "match.ip",
			    "current is for opening; name the address");
		else if (!(w->given & WANTED_RULE_ID) && ask->n_wanted > 1)
			refuse(r, SGW_ERR_BAD_ARGUMENT, "match", "one match, or rule ids alone");
		else if ((w->given & WANTED_RULE_ID) && !rule_id_ok(w->rule_id))
			refuse(r, SGW_ERR_BAD_ARGUMENT, "rule_ids",
			    "sgr- and 17 lower-case hex digits");
		for (size_t k = 0; k < i; k++)
			if (strcmp(w->rule_id, ask->wanted[k].rule_id) == 0)
				refuse(r, SGW_ERR_BAD_ARGUMENT, "rule_ids", "%s stands there twice",
				    w->rule_id);
	}
}

void
resolve_check(const struct msg_ask_change *ask, int64_t now, struct refusal *ret)
{
	ret->error = SGW_ERR_NONE;
	if (!group_id_ok(ask->group_id))
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "security_group_id",
		    "sg- and 8 or 17 lower-case hex digits");
	else if (ask->n_wanted == 0)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, ask->action == ACTION_OPEN ? "ip" : "rule_ids",
		    "nothing was asked for");
	else if (ask->action == ACTION_CLOSE)
		check_close(ask, ret);
	else if (ask->until != 0 && ask->lifetime != 0)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "until", "either until or expires_in");
	else if (ask->until != 0 && ask->until <= now)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "until", "that time has passed");
	else
		for (size_t i = 0; i < ask->n_wanted && ret->error == SGW_ERR_NONE; i++)
			check_open(&ask->wanted[i], ret);
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

static void
open_op(const struct rec_wanted *w, const char *group_id, struct rec_op *ret_op)
{
	*ret_op = (struct rec_op){
	    .action = ACTION_OPEN,
	    .protocol = w->protocol,
	    .from_port = w->given & WANTED_PORTS ? w->from_port : -1,
	    .to_port = w->given & WANTED_PORTS ? w->to_port : -1,
	    .source = w->source,
	};
	FIELD_SET(ret_op->group_id, group_id);
}

static void
resolve_open(const struct msg_ask_change *ask, const struct snap *rules, struct plan *plan)
{
	for (size_t i = 0; i < ask->n_wanted; i++) {
		struct rec_op_view *view = &plan->ops[plan->n_ops++];
		const struct rec_rule *rule;

		open_op(&ask->wanted[i], ask->group_id, &view->op);
		rule = rule_of_op(rules, &view->op);
		view->existed = rule != NULL;
		if (rule == NULL)
			plan->plan.ops[plan->plan.n_ops++] = view->op;
		else
			FIELD_SET(view->done.rule_id, rule->rule_id);
	}
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

static void
close_rule(const struct rec_rule *rule, struct plan *plan)
{
	struct rec_op *op = &plan->plan.ops[plan->plan.n_ops++];

	*op = (struct rec_op){
	    .action = ACTION_CLOSE,
	    .protocol = rule->protocol,
	    .from_port = rule->from_port,
	    .to_port = rule->to_port,
	    .source = rule->source,
	};
	FIELD_SET(op->group_id, rule->group_id);
	FIELD_SET(op->rule_id, rule->rule_id);
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
	size_t found = 0;

	for (size_t i = 0; i < rules->n; i++) {
		const struct rec_rule *rule = &rules->rules[rules->order[i]];

		if (!rule_matches(w, rule))
			continue;
		if (rule_fixed(rule) != NULL)
			plan->left_out++;
		else if (++found <= SGW_OPS_MAX)
			close_rule(rule, plan);
	}
	if (found > SGW_OPS_MAX)
		refuse(ret, SGW_ERR_BAD_ARGUMENT, "match",
		    "%zu rules match; one plan closes at most %d", found, SGW_OPS_MAX);
	else if (found == 0 && plan->left_out > 0)
		refuse(ret, SGW_ERR_NOT_OFFERED, "match",
		    "what matches has a prefix list or a security group as its source");
	else if (found == 0)
		refuse(ret, SGW_ERR_NO_SUCH_RULE, "match", "no inbound rule matches");
}

static void
resolve_ids(const struct msg_ask_change *ask, const struct snap *rules, struct plan *plan,
    struct refusal *ret)
{
	for (size_t i = 0; i < ask->n_wanted; i++) {
		const char *id = ask->wanted[i].rule_id;
		const struct rec_rule *rule = NULL;

		for (size_t k = 0; k < rules->n && rule == NULL; k++)
			if (strcmp(rules->rules[k].rule_id, id) == 0)
				rule = &rules->rules[k];
		if (rule == NULL) {
			refuse(
			    ret, SGW_ERR_NO_SUCH_RULE, "rule_ids", "%s is not in this group", id);
			return;
		}
		if (rule_fixed(rule) != NULL) {
			refuse(ret, SGW_ERR_NOT_OFFERED, "rule_ids", "%s cannot be closed here: %s",
			    id, rule_fixed(rule));
			return;
		}
		close_rule(rule, plan);
	}
}

void
resolve_ops(const struct msg_ask_change *ask, const struct snap *rules, struct plan *plan,
    struct refusal *ret)
{
	ret->error = SGW_ERR_NONE;
	if (ask->action == ACTION_OPEN)
		resolve_open(ask, rules, plan);
	else if (ask->wanted[0].given & WANTED_RULE_ID)
		resolve_ids(ask, rules, plan, ret);
	else
		resolve_match(&ask->wanted[0], rules, plan, ret);
}
