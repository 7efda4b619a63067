/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do a group's ingress rules let an address in?  AWS adds rules up and none denies, so one that contains the whole
 * source is enough.  A prefix that only several rules cover together counts as not let in: that errs to the safe side.
 */
#include "access.h"

#include "calls.h"
#include "clients.h"
#include "lists.h"

/* Is the rule about these ports, whoever its source is?  Port 0: about any of the protocol's. */
static bool
rule_concerns(const struct msg_ask_access *ask, const struct rec_rule *rule)
{
	if (rule->egress || (rule->protocol != PROTO_ALL && rule->protocol != ask->protocol))
		return false;
	return ask->port == 0 || rule_has_port(rule, ask->port);
}

static void
list_rule(struct rec_rule_id ids[SGW_OPS_MAX], uint16_t *n, uint16_t *left_out, const char *id)
{
	if (*n < SGW_OPS_MAX)
		FIELD_SET(ids[(*n)++].id, id);
	else
		++*left_out;
}

bool
run_access(struct planner *p, struct call *call)
{
	const struct msg_ask_access *ask = &call->ask.access;
	const struct snap *s = call->got[AWS_DESCRIBE_RULES];
	struct msg_access *out = &p->out.access;

	if (!rules_of_known_group(p, call))
		return false;
	p->out.id = MSG_ACCESS;
	*out = (struct msg_access){.request = call->request,
	    .source = ask->source,
	    .protocol = ask->protocol,
	    .port = ask->port};
	FIELD_SET(out->profile, call->profile->name);
	FIELD_SET(out->account, call_account(p, call));
	FIELD_SET(out->region, call->region);
	FIELD_SET(out->group_id, ask->group_id);
	for (size_t i = 0; i < s->n; i++) {
		const struct rec_rule *rule = &s->rules[s->order[i]];

		if (!rule_concerns(ask, rule))
			continue;
		if (rule->source_kind != SOURCE_CIDR)
			list_rule(out->undecided, &out->n_undecided, &out->undecided_left_out,
			    rule->rule_id);
		else if (cidr_contains(&rule->source, &ask->source))
			list_rule(out->by, &out->n_by, &out->by_left_out, rule->rule_id);
	}
	return client_send(p, call->client) != SENT_BLOCKED;
}
