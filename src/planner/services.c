/* SPDX-License-Identifier: Apache-2.0 */
/* See services.h. */
#include "services.h"

#include <stdio.h>
#include <string.h>

#include "entries.h"

/* Which names there are, as many as have room: the client's own is not repeated. */
static void
refuse_unknown(const struct rec_policy *policy, struct refusal *r)
{
	struct buf b = buf_over(r->detail, sizeof(r->detail) - 1);

	r->error = SGW_ERR_BAD_ARGUMENT;
	r->field = "service";
	buf_printf(&b, "built in are %s; the policy names ", SERVICE_NAMES);
	if (policy->n_services == 0)
		buf_puts(&b, "none");
	for (size_t i = 0; i < policy->n_services; i++) {
		const char *name = policy->services[i].name;

		if (b.len + strlen(name) + 12 > sizeof(r->detail)) {
			buf_puts(&b, " and more");
			break;
		}
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", name);
	}
	r->detail[b.len] = 0;
}

static void
resolve(const struct rec_policy *policy, struct rec_wanted *w, struct refusal *r)
{
	const struct rec_service *s = policy_service(policy, w->service);

	if (w->action != ACTION_OPEN) {
		refuse(r, SGW_ERR_BAD_ARGUMENT, "service", "only openings take this");
	} else if (s == NULL) {
		refuse_unknown(policy, r);
	} else if ((w->given & WANTED_PROTOCOL) && w->protocol != s->protocol) {
		refuse(
		    r, SGW_ERR_BAD_ARGUMENT, "protocol", "this service does not use that protocol");
	} else if ((w->given & WANTED_SOURCE) &&
		   ((s->protocol == PROTO_ICMP && w->source.family != 4) ||
		       (s->protocol == PROTO_ICMPV6 && w->source.family != 6))) {
		refuse(r, SGW_ERR_BAD_ARGUMENT, "service",
		    "icmp is for IPv4 sources, icmpv6 for IPv6 sources");
	} else {
		w->protocol = s->protocol;
		w->from_port = s->from_port;
		w->to_port = s->to_port;
		w->given |= WANTED_PROTOCOL | WANTED_PORTS;
		w->service[0] = 0;
	}
}

void
services_resolve(const struct rec_policy *policy, struct msg_ask_change *ask, struct refusal *ret)
{
	ret->error = SGW_ERR_NONE;
	for (size_t i = 0; i < ask->n_wanted && ret->error == SGW_ERR_NONE; i++) {
		if (ask->wanted[i].service[0] == 0)
			continue;
		resolve(policy, &ask->wanted[i], ret);
		entries_name(&ask->wanted[i], ret);
	}
}
