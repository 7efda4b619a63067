/* SPDX-License-Identifier: Apache-2.0 */
/* From arguments to the typed question for the planner: what belongs together is checked here. */
#include "ask.h"

#include <string.h>

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

uint16_t
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

/* The planner's list is short and has no cursor of its own: one of ours says what of it was shown. */
bool
ask_list_grants(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_opened *m = ASK(ASK_OPENED, ask_opened);

	m->request = who->request;
	m->limit = who->page.skip > 0 ? SGW_LIST_LIMIT_MAX : a->limit;
	m->filter = a->grant_filter;
	return FIELD_SET(m->group_id, a->group_id);
}
