/* SPDX-License-Identifier: Apache-2.0 */
/* From arguments to the typed question for the planner: what belongs together is checked here. */
#include "ask.h"

#include <string.h>

/* Only an opening looks the address up: elsewhere it would be asked for anew at each call. */
#define NOT_CURRENT "current is for opening: give the address; get_my_ip finds it"

bool
ask_capabilities(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	ASK(ASK_CAPABILITIES, ask_capabilities)->request = who->request;
	return true;
}

bool
ask_health(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	ASK(ASK_HEALTH, ask_health)->request = who->request;
	return true;
}

bool
ask_list_profiles(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	ASK(ASK_PROFILES, ask_profiles)->request = who->request;
	return true;
}

bool
ask_test_credentials(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_credentials *m = ASK(ASK_CREDENTIALS, ask_credentials);

	m->request = who->request;
	return FIELD_SET(m->profile, a->profile) && FIELD_SET(m->region, a->region);
}

bool
ask_cancel_plan(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_cancel *m = ASK(ASK_CANCEL, ask_cancel);

	m->request = who->request;
	return FIELD_SET(m->plan_id, a->plan_id);
}

bool
ask_key_list(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	ASK(ASK_KEYS, ask_keys)->request = who->request;
	return true;
}

bool
ask_key_enroll(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_enroll *m = ASK(ASK_ENROLL, ask_enroll);

	m->request = who->request;
	m->progress = who->progress;
	return FIELD_SET(m->name, a->name);
}

bool
ask_consent_status(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_status *m = ASK(ASK_STATUS, ask_status);

	m->request = who->request;
	return FIELD_SET(m->plan_id, a->plan_id);
}

bool
ask_get_my_ip(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_ip *m = ASK(ASK_IP, ask_ip);

	m->request = who->request;
	m->v4 = !a->no_v4;
	m->v6 = !a->no_v6;
	return true;
}

/* The planner is asked for what is skipped too, within its own maximum. */
static uint16_t
page_limit(const struct args *a, const struct asker *who)
{
	unsigned limit = (unsigned)who->page.skip + a->limit;

	return (uint16_t)(limit < SGW_LIST_LIMIT_MAX ? limit : SGW_LIST_LIMIT_MAX);
}

bool
ask_list_security_groups(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_groups *m = ASK(ASK_GROUPS, ask_groups);

	m->request = who->request;
	m->managed_only = a->managed_only;
	m->limit = page_limit(a, who);
	return FIELD_SET(m->profile, a->profile) && FIELD_SET(m->region, a->region) &&
	       FIELD_SET(m->vpc_id, a->vpc_id) && FIELD_SET(m->tag_key, a->tag_key) &&
	       FIELD_SET(m->tag_value, a->tag_value) && FIELD_SET(m->cursor, who->page.cursor);
}

bool
ask_find_security_group(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_list_security_groups(a, who, ret_m, c) &&
	       FIELD_SET(ret_m->ask_groups.query, a->query);
}

bool
ask_list_rules(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_rules *m = ASK(ASK_RULES, ask_rules);

	m->request = who->request;
	m->egress = a->egress;
	m->source = a->ip;
	m->port = a->port;
	m->limit = page_limit(a, who);
	if (given_arg(a, ARG_CIDR))
		m->filter |= RULES_BY_SOURCE;
	if (given_arg(a, ARG_PORT))
		m->filter |= RULES_BY_PORT;
	if (given_arg(a, ARG_MANAGED))
		m->filter =
		    (uint8_t)(m->filter | (a->managed ? RULES_OWN_ONLY : RULES_FOREIGN_ONLY));
	return FIELD_SET(m->profile, a->profile) && FIELD_SET(m->region, a->region) &&
	       FIELD_SET(m->group_id, a->group_id) && FIELD_SET(m->cursor, who->page.cursor);
}

bool
ask_check_access(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_access *m = ASK(ASK_ACCESS, ask_access);

	m->request = who->request;
	m->source = a->ip;
	m->protocol = a->protocol;
	m->port = a->port;
	if (a->ip_current)
		return complain_about(c, ARG_IP, NOT_CURRENT);
	if (a->port != 0 && (a->protocol == PROTO_ICMP || a->protocol == PROTO_ICMPV6))
		return complain_about(c, ARG_PROTOCOL, "icmp and icmpv6 take no port");
	return FIELD_SET(m->profile, a->profile) && FIELD_SET(m->region, a->region) &&
	       FIELD_SET(m->group_id, a->group_id);
}

/* The planner's list is short and has no cursor of its own: one of ours says how much of it was shown. */
bool
ask_list_grants(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_opened *m = ASK(ASK_OPENED, ask_opened);

	if (who->page.cursor[0] != 0)
		return complain(c, SGW_ERR_BAD_CURSOR, "");
	m->request = who->request;
	m->limit = page_limit(a, who);
	return FIELD_SET(m->group_id, a->group_id);
}

/* ---- changes ---- */

static bool
wanted_icmp(const struct args *a, struct rec_wanted *w, struct complaint *c)
{
	if (given_arg(a, ARG_PORT) || given_arg(a, ARG_FROM_PORT) || given_arg(a, ARG_TO_PORT))
		return complain_about(c, ARG_PROTOCOL, "icmp and icmpv6 take no port");
	if (!a->ip_current && a->ip.family != (w->protocol == PROTO_ICMP ? 4 : 6))
		return complain_about(
		    c, ARG_PROTOCOL, "icmp is for IPv4 sources, icmpv6 for IPv6 sources");
	w->from_port = -1;
	w->to_port = -1;
	return true;
}

static bool
wanted_range(const struct args *a, struct rec_wanted *w, struct complaint *c)
{
	if (!given_arg(a, ARG_FROM_PORT))
		return complain_about(c, ARG_FROM_PORT, "to_port needs from_port");
	if (!given_arg(a, ARG_TO_PORT))
		return complain_about(c, ARG_TO_PORT, "from_port needs to_port");
	if (a->from_port > a->to_port)
		return complain_about(c, ARG_TO_PORT, "it must not be below from_port");
	w->from_port = a->from_port;
	w->to_port = a->to_port;
	return true;
}

static bool
wanted_service(const struct args *a, struct rec_wanted *w, struct complaint *c)
{
	if (given_arg(a, ARG_PROTOCOL) && a->protocol != a->service_protocol)
		return complain_about(c, ARG_PROTOCOL, "this service does not use that protocol");
	w->protocol = a->service_protocol;
	w->from_port = a->service_port;
	w->to_port = a->service_port;
	return true;
}

/* Exactly one way of saying which ports. */
static bool
wanted_ports(const struct args *a, struct rec_wanted *w, struct complaint *c)
{
	bool range = given_arg(a, ARG_FROM_PORT) || given_arg(a, ARG_TO_PORT);

	w->protocol = a->protocol;
	if (given_arg(a, ARG_PORT) + range + given_arg(a, ARG_SERVICE) > 1)
		return complain_about(
		    c, ARG_PORT, "give only one of port, from_port + to_port, service");
	if (given_arg(a, ARG_SERVICE))
		return wanted_service(a, w, c);
	if (a->protocol == PROTO_ICMP || a->protocol == PROTO_ICMPV6)
		return wanted_icmp(a, w, c);
	if (range)
		return wanted_range(a, w, c);
	if (!given_arg(a, ARG_PORT))
		return complain_about(
		    c, ARG_PORT, "give one of port, from_port + to_port, service");
	w->from_port = a->port;
	w->to_port = a->port;
	return true;
}

static bool
want_open(const struct args *a, struct msg_ask_change *m, struct complaint *c)
{
	struct rec_wanted *w = &m->wanted[0];

	if (given_arg(a, ARG_RULE_IDS) || given_arg(a, ARG_MATCH))
		return complain_about(c, given_arg(a, ARG_RULE_IDS) ? ARG_RULE_IDS : ARG_MATCH,
		    "only removing takes this");
	if (!given_arg(a, ARG_IP))
		return complain_about(c, ARG_IP, "it is required");
	if (given_arg(a, ARG_EXPIRES_IN) && given_arg(a, ARG_UNTIL))
		return complain_about(c, ARG_UNTIL, "give only one of expires_in, until");
	w->given = (uint8_t)(WANTED_PROTOCOL | WANTED_PORTS |
			     (a->ip_current ? WANTED_CURRENT : WANTED_SOURCE));
	w->source = a->ip;
	m->n_wanted = 1;
	m->lifetime = a->lifetime;
	m->until = a->until;
	return wanted_ports(a, w, c);
}

static bool
want_match(const struct args *a, struct msg_ask_change *m, struct complaint *c)
{
	struct rec_wanted *w = &m->wanted[0];

	if (a->ip_current)
		return complain_about(c, ARG_IP, NOT_CURRENT);
	w->source = a->ip;
	if (given_arg(a, ARG_IP))
		w->given |= WANTED_SOURCE;
	if (given_arg(a, ARG_PROTOCOL)) {
		w->given |= WANTED_PROTOCOL;
		w->protocol = a->protocol;
	}
	if (given_arg(a, ARG_PORT)) {
		w->given |= WANTED_PORTS;
		w->from_port = a->port;
		w->to_port = a->port;
	}
	if (w->given == 0)
		return complain_about(c, ARG_MATCH, "give at least one of ip, port, protocol");
	m->n_wanted = 1;
	return true;
}

static bool
want_close(const struct args *a, struct msg_ask_change *m, struct complaint *c)
{
	if (given_arg(a, ARG_RULE_IDS) == given_arg(a, ARG_MATCH))
		return complain_about(c, ARG_RULE_IDS, "give either rule_ids or match");
	if (given_arg(a, ARG_MATCH))
		return want_match(a, m, c);
	for (size_t i = 0; i < a->n_rule_ids; i++) {
		m->wanted[i].given = WANTED_RULE_ID;
		m->wanted[i].source.family = 4;
		if (!FIELD_SET(m->wanted[i].rule_id, a->rule_ids[i].id))
			return complain_about(c, ARG_RULE_IDS, "an id is too long");
	}
	m->n_wanted = a->n_rule_ids;
	return true;
}

static bool
ask_change(const struct args *a, const struct asker *who, enum action action, bool apply,
    struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_change *m = ASK(ASK_CHANGE, ask_change);

	m->request = who->request;
	m->progress = who->progress;
	m->apply = apply;
	m->action = action;
	m->wait = a->wait;
	if (!(action == ACTION_OPEN ? want_open(a, m, c) : want_close(a, m, c)))
		return false;
	return FIELD_SET(m->profile, a->profile) && FIELD_SET(m->region, a->region) &&
	       FIELD_SET(m->group_id, a->group_id) && FIELD_SET(m->reason, a->reason) &&
	       FIELD_SET(m->claimed, who->claimed) && FIELD_SET(m->plan_id, a->plan_id);
}

bool
ask_whitelist_add(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_change(a, who, ACTION_OPEN, true, ret_m, c);
}

bool
ask_whitelist_remove(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_change(a, who, ACTION_CLOSE, true, ret_m, c);
}

/* What opening takes and closing does not, or only inside match. */
static bool
closing_takes(const struct args *a, struct complaint *c)
{
	static const enum arg_id never[] = {
	    ARG_FROM_PORT, ARG_TO_PORT, ARG_SERVICE, ARG_EXPIRES_IN, ARG_UNTIL};
	static const enum arg_id inside[] = {ARG_IP, ARG_PORT, ARG_PROTOCOL};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (given_arg(a, never[i]))
			return complain_about(c, never[i], "removing does not take this");
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (given_arg(a, inside[i]) && !given_inside(a, inside[i]))
			return complain_about(c, inside[i], "removing takes this inside match");
	return true;
}

bool
ask_whitelist_plan(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	bool closes = given_arg(a, ARG_RULE_IDS) || given_arg(a, ARG_MATCH);

	if (given_arg(a, ARG_ACTION))
		closes = a->action == ACTION_CLOSE;
	if (closes && !closing_takes(a, c))
		return false;
	return ask_change(a, who, closes ? ACTION_CLOSE : ACTION_OPEN, false, ret_m, c);
}

/* A plan by its id alone, or a draft as whitelist_plan takes it. */
bool
ask_explain(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_change *m;

	if (!given_arg(a, ARG_PLAN_ID)) {
		if (!given_arg(a, ARG_GROUP))
			return complain_about(c, ARG_GROUP, "give this or plan_id");
		if (!ask_whitelist_plan(a, who, ret_m, c))
			return false;
		ret_m->ask_change.explain = true;
		return true;
	}
	if (given_arg(a, ARG_GROUP) || given_arg(a, ARG_IP) || given_arg(a, ARG_RULE_IDS) ||
	    given_arg(a, ARG_MATCH))
		return complain_about(c, ARG_PLAN_ID, "give this or a draft, not both");
	m = ASK(ASK_CHANGE, ask_change);
	m->request = who->request;
	m->explain = true;
	return FIELD_SET(m->plan_id, a->plan_id);
}
