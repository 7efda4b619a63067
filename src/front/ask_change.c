/* SPDX-License-Identifier: Apache-2.0 */
/* The questions that ask for changes: what belongs together is checked here, entry by entry. */
#include "ask.h"

#include <stdio.h>
#include <string.h>

static bool
wanted_icmp(const struct args *a, struct rec_wanted *w, struct complaint *c)
{
	if (given_arg(a, ARG_PORT) || given_arg(a, ARG_FROM_PORT) || given_arg(a, ARG_TO_PORT))
		return complain_about(c, ARG_PROTOCOL, "icmp and icmpv6 take no port");
	if (!(w->given & WANTED_CURRENT) && a->ip.family != (w->protocol == PROTO_ICMP ? 4 : 6))
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

/* A name of the policy's goes on as it is: with a protocol only where the client said one. */
static bool
wanted_service(const struct args *a, struct rec_wanted *w, struct complaint *c)
{
	if (a->service == NULL) {
		FIELD_SET(w->service, a->service_name);
		w->given &= (uint8_t) ~(WANTED_PORTS | WANTED_PROTOCOL);
		if (given_arg(a, ARG_PROTOCOL))
			w->given |= WANTED_PROTOCOL;
		return true;
	}
	if (given_arg(a, ARG_PROTOCOL) && a->protocol != a->service->protocol)
		return complain_about(c, ARG_PROTOCOL, "this service does not use that protocol");
	w->protocol = a->service->protocol;
	w->from_port = a->service->from_port;
	w->to_port = a->service->to_port;
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

/* The next entry. */
static struct rec_wanted *
entry_new(const struct args *a, enum action action, struct msg_ask_change *m, struct complaint *c)
{
	struct rec_wanted *w = &m->wanted[m->n_wanted];

	if (m->n_wanted == SGW_OPS_MAX) {
		complain(c, SGW_ERR_BAD_ARGUMENT, "one plan has at most 50 operations");
		return NULL;
	}
	m->n_wanted++;
	w->action = action;
	w->source.family = 4;
	FIELD_SET(w->group_id, a->group_id);
	return w;
}

static bool
want_open(const struct args *a, struct msg_ask_change *m, struct complaint *c)
{
	struct rec_wanted *w = entry_new(a, ACTION_OPEN, m, c);

	if (w == NULL)
		return false;
	if (given_arg(a, ARG_RULE_IDS) || given_arg(a, ARG_MATCH))
		return complain_about(c, given_arg(a, ARG_RULE_IDS) ? ARG_RULE_IDS : ARG_MATCH,
		    "only removing takes this");
	if (!given_arg(a, ARG_IP))
		return complain_about(c, ARG_IP, "it is required");
	w->given = (uint8_t)(WANTED_PROTOCOL | WANTED_PORTS |
			     (a->ip_current ? WANTED_CURRENT : WANTED_SOURCE));
	w->source = a->ip;
	return wanted_ports(a, w, c);
}

static bool
want_match(const struct args *a, struct msg_ask_change *m, struct complaint *c)
{
	struct rec_wanted *w = entry_new(a, ACTION_CLOSE, m, c);

	if (w == NULL)
		return false;
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
		struct rec_wanted *w = entry_new(a, ACTION_CLOSE, m, c);

		if (w == NULL)
			return false;
		w->given = WANTED_RULE_ID;
		if (!FIELD_SET(w->rule_id, a->rule_ids[i].id))
			return complain_about(c, ARG_RULE_IDS, "an id is too long");
	}
	return true;
}

/* What every change has: who asks, where, why, how long. */
static bool
begin(const struct args *a, const struct asker *who, enum change_kind kind,
    struct msg_ask_change *m, struct complaint *c)
{
	m->request = who->request;
	m->progress = who->progress;
	m->apply = true;
	m->kind = kind;
	m->wait = a->wait;
	m->lifetime = a->lifetime;
	m->until = a->until;
	m->best_effort = a->best_effort;
	if (given_arg(a, ARG_EXPIRES_IN) && given_arg(a, ARG_UNTIL))
		return complain_about(c, ARG_UNTIL, "give only one of expires_in, until");
	if (a->permanent) {
		if (given_arg(a, ARG_EXPIRES_IN) || given_arg(a, ARG_UNTIL))
			return complain_about(c, ARG_PERMANENT,
			    "what is permanent takes neither expires_in nor until");
		m->lifetime = SGW_LIFETIME_PERMANENT;
	}
	return FIELD_SET(m->profile, a->profile) && FIELD_SET(m->region, a->region) &&
	       FIELD_SET(m->receipt, a->grant_id) && FIELD_SET(m->reason, a->reason) &&
	       FIELD_SET(m->claimed, who->claimed) && FIELD_SET(m->plan_id, a->plan_id);
}

static bool
ask_change(const struct args *a, const struct asker *who, enum action action, bool apply,
    struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_change *m = ASK(ASK_CHANGE, ask_change);

	if (!begin(a, who, CHANGE_PLAIN, m, c))
		return false;
	m->apply = apply;
	return action == ACTION_OPEN ? want_open(a, m, c) : want_close(a, m, c);
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
	    ARG_FROM_PORT, ARG_TO_PORT, ARG_SERVICE, ARG_EXPIRES_IN, ARG_UNTIL, ARG_PERMANENT};
	static const enum arg_id inside[] = {ARG_IP, ARG_PORT, ARG_PROTOCOL};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (given_arg(a, never[i]))
			return complain_about(c, never[i], "removing does not take this");
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (given_arg(a, inside[i]) && !given_inside(a, inside[i]))
			return complain_about(c, inside[i], "removing takes this inside match");
	return true;
}

/* "entries[3]" and "ip" make "entries[3].ip". */
static bool
complain_in_entry(struct complaint *c, size_t i)
{
	char inner[SGW_FIELD_MAX + 1];

	FIELD_SET(inner, c->field);
	snprintf(c->field, sizeof(c->field), "%s[%zu]%s%.40s", ARGS[ARG_ENTRIES].name, i,
	    inner[0] != 0 ? "." : "", inner);
	if (c->error == SGW_ERR_NONE)
		complain(c, SGW_ERR_BAD_ARGUMENT, "it is too long");
	return false;
}

static bool
want_entry(const cJSON *entry, struct msg_ask_change *m, struct complaint *c)
{
	struct args a;

	if (!cJSON_IsObject(entry))
		return complain(c, SGW_ERR_BAD_ARGUMENT, "it must be an object");
	if (!args_decode(ARGS[ARG_ENTRIES].members, entry, &a, c))
		return false;
	if (a.action == ACTION_CLOSE)
		return closing_takes(&a, c) && want_close(&a, m, c);
	return want_open(&a, m, c);
}

bool
ask_whitelist_bulk(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_change *m = ASK(ASK_CHANGE, ask_change);
	const cJSON *entry;
	size_t i = 0;

	if (!begin(a, who, CHANGE_PLAIN, m, c))
		return false;
	cJSON_ArrayForEach(entry, a->entries)
	{
		size_t from = m->n_wanted;

		if (!want_entry(entry, m, c))
			return complain_in_entry(c, i);
		i++;
		for (; from < m->n_wanted; from++)
			m->wanted[from].entry = (uint8_t)i;
	}
	return true;
}

bool
ask_whitelist_extend(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return begin(a, who, CHANGE_EXTEND, ASK(ASK_CHANGE, ask_change), c);
}

bool
ask_undo(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_change *m = ASK(ASK_CHANGE, ask_change);

	return begin(a, who, CHANGE_UNDO, m, c) && FIELD_SET(m->receipt, a->receipt_id);
}

/* One entry: the new address, and where no receipt is named the group and the ports. */
bool
ask_whitelist_refresh(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_change *m = ASK(ASK_CHANGE, ask_change);
	struct rec_wanted *w;

	if (!begin(a, who, CHANGE_REFRESH, m, c))
		return false;
	if (given_arg(a, ARG_GRANT_ID) == given_arg(a, ARG_GROUP))
		return complain_about(
		    c, ARG_GRANT_ID, "give either grant_id, or security_group_id and port");
	if (given_arg(a, ARG_GRANT_ID) && given_arg(a, ARG_PORT))
		return complain_about(c, ARG_PORT, "grant_id says which port");
	w = entry_new(a, ACTION_OPEN, m, c);
	w->source = a->ip;
	w->given = a->ip_current || !given_arg(a, ARG_IP) ? WANTED_CURRENT : WANTED_SOURCE;
	if (given_arg(a, ARG_GRANT_ID))
		return true;
	w->given |= WANTED_PROTOCOL | WANTED_PORTS;
	return wanted_ports(a, w, c);
}

/* ---- what is only looked at ---- */

/* Of these arguments none may be there: each belongs to another kind of change. */
static bool
takes_none(const struct args *a, const enum arg_id *ids, const char *why, struct complaint *c)
{
	for (; *ids != ARG_MAX; ids++)
		if (given_arg(a, *ids))
			return complain_about(c, *ids, why);
	return true;
}

static bool
plan_bulk(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	static const enum arg_id never[] = {ARG_GROUP, ARG_ACTION, ARG_IP, ARG_PORT, ARG_FROM_PORT,
	    ARG_TO_PORT, ARG_SERVICE, ARG_PROTOCOL, ARG_RULE_IDS, ARG_MATCH, ARG_GRANT_ID, ARG_MAX};

	return takes_none(a, never, "with entries this stands in each of them", c) &&
	       ask_whitelist_bulk(a, who, ret_m, c);
}

static bool
plan_extend(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	static const enum arg_id never[] = {ARG_GROUP, ARG_IP, ARG_PORT, ARG_FROM_PORT, ARG_TO_PORT,
	    ARG_SERVICE, ARG_PROTOCOL, ARG_RULE_IDS, ARG_MATCH, ARG_PERMANENT, ARG_MAX};

	if (!takes_none(a, never, "extending takes a grant_id alone", c))
		return false;
	if (!given_arg(a, ARG_GRANT_ID))
		return complain_about(c, ARG_GRANT_ID, "it is required");
	return ask_whitelist_extend(a, who, ret_m, c);
}

static bool
plan_refresh(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	static const enum arg_id never[] = {ARG_FROM_PORT, ARG_TO_PORT, ARG_SERVICE, ARG_RULE_IDS,
	    ARG_MATCH, ARG_PERMANENT, ARG_MAX};

	return takes_none(a, never, "refreshing does not take this", c) &&
	       ask_whitelist_refresh(a, who, ret_m, c);
}

static bool
plan_one(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	static const enum arg_id never[] = {ARG_GRANT_ID, ARG_ATOMICITY, ARG_MAX};
	bool closes = given_arg(a, ARG_RULE_IDS) || given_arg(a, ARG_MATCH);

	if (!takes_none(a, never, "it goes with another action, or with entries", c))
		return false;
	if (!given_arg(a, ARG_GROUP))
		return complain_about(c, ARG_GROUP, "it is required");
	if (given_arg(a, ARG_ACTION))
		closes = a->action == ACTION_CLOSE;
	if (closes && !closing_takes(a, c))
		return false;
	return ask_change(a, who, closes ? ACTION_CLOSE : ACTION_OPEN, false, ret_m, c);
}

/* Each of the tools that change something, asked with the same arguments, without the change. */
bool
ask_whitelist_plan(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	bool (*plan)(const struct args *, const struct asker *, struct msg *, struct complaint *) =
	    given_arg(a, ARG_ENTRIES)    ? plan_bulk
	    : a->refresh                 ? plan_refresh
	    : a->action == ACTION_EXTEND ? plan_extend
					 : plan_one;

	if (!plan(a, who, ret_m, c))
		return false;
	ret_m->ask_change.apply = false;
	return true;
}

/* A plan by its id alone, or a draft as whitelist_plan takes it. */
bool
ask_explain(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	bool draft = given_arg(a, ARG_GROUP) || given_arg(a, ARG_GRANT_ID);
	struct msg_ask_change *m;

	if (!given_arg(a, ARG_PLAN_ID)) {
		if (!draft)
			return complain_about(c, ARG_GROUP, "give this or plan_id");
		if (!ask_whitelist_plan(a, who, ret_m, c))
			return false;
		ret_m->ask_change.explain = true;
		return true;
	}
	if (draft || given_arg(a, ARG_IP) || given_arg(a, ARG_RULE_IDS) || given_arg(a, ARG_MATCH))
		return complain_about(c, ARG_PLAN_ID, "give this or a draft, not both");
	m = ASK(ASK_CHANGE, ask_change);
	m->request = who->request;
	m->explain = true;
	return FIELD_SET(m->plan_id, a->plan_id);
}
