/* SPDX-License-Identifier: Apache-2.0 */
/* This machine's own address; see own.h.  What is known of it the broker heard through net: the planner compares. */
#include "own.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/address.h>
#include <sgwarden/clock.h>

#include "calls.h"
#include "entries.h"
#include "clients.h"
#include "lists.h"

static bool
sources_configured(const struct planner *p, struct call *call)
{
	if (p->config.n_address_sources >= SGW_ADDRESS_SOURCES_MIN)
		return true;
	call_fail(call, SGW_ERR_ADDRESS_SOURCES, "", "");
	return false;
}

/* ---- get_my_ip ---- */

void
ip_begin(struct planner *p, struct call *call, const struct msg_ask_ip *ask)
{
	call->ask.ip = *ask;
	if (!ask->v4 && !ask->v6)
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "family", "ipv4, ipv6 or both");
	else if (sources_configured(p, call))
		call->needs |= (ask->v4 ? NEED_OWN_V4 : 0) | (ask->v6 ? NEED_OWN_V6 : 0);
}

static void
put_covering(struct planner *p, struct rec_own_address *out)
{
	size_t n = grants_order(p, "", &out->address, GRANTS_LIVE);

	for (size_t i = 0; i < n && i < SGW_COVERING_MAX; i++)
		grant_view(&p->grants[p->order[i]], clock_now(), &out->grants[out->n_grants++]);
	out->grants_left_out = (uint16_t)(n - out->n_grants);
}

static void
put_family(struct planner *p, enum ip_family family, struct rec_own_address *out)
{
	const struct msg_own *own = &p->own[family];
	unsigned votes = 0;

	*out = (struct rec_own_address){.family = family};
	out->address.family = family == IP_V4 ? 4 : 6;
	out->agreed = address_agreed(own->seen, own->n_seen, &out->address, &votes);
	out->votes = (uint8_t)votes;
	for (size_t i = 0; i < own->n_seen; i++) {
		struct rec_source_view *view = &out->sources[out->n_sources++];

		FIELD_SET(view->name, address_source_name(&p->config.address_sources[i]));
		view->seen = own->seen[i];
	}
	if (!out->agreed)
		return;
	out->special = cidr_special(&out->address);
	out->usable = address_usable(&p->config.policy, &out->address);
	put_covering(p, out);
}

/* Why the broker had nobody asked; false: it had. */
static bool
own_refused(struct planner *p, struct call *call, enum ip_family family)
{
	if (p->own[family].error == SGW_ERR_NONE)
		return false;
	call_fail(call, p->own[family].error, "",
	    p->own[family].error == SGW_ERR_BUSY ? "the sources were asked too often" : "");
	return true;
}

bool
run_ip(struct planner *p, struct call *call)
{
	const struct msg_ask_ip *ask = &call->ask.ip;
	struct msg_ip *out = &p->out.ip;

	if ((ask->v4 && own_refused(p, call, IP_V4)) || (ask->v6 && own_refused(p, call, IP_V6)))
		return false;
	p->out.id = MSG_IP;
	out->request = call->request;
	out->n_addresses = 0;
	if (ask->v4)
		put_family(p, IP_V4, &out->addresses[out->n_addresses++]);
	if (ask->v6)
		put_family(p, IP_V6, &out->addresses[out->n_addresses++]);
	return client_send(p, call->client) != SENT_BLOCKED;
}

/* ---- openings to "current" ---- */

static const struct rec_wanted *
wanted_current(const struct msg_ask_change *ask)
{
	for (size_t i = 0; i < ask->n_wanted; i++)
		if (ask->wanted[i].action == ACTION_OPEN && (ask->wanted[i].given & WANTED_CURRENT))
			return &ask->wanted[i];
	return NULL;
}

void
own_want(struct planner *p, struct call *call)
{
	const struct rec_wanted *w = wanted_current(&call->ask.change);

	if (w != NULL && call->error == SGW_ERR_NONE && sources_configured(p, call))
		call->needs |= w->protocol == PROTO_ICMPV6 ? NEED_OWN_V6 : NEED_OWN_V4;
}

static bool
heard_any(const struct msg_own *own)
{
	for (size_t i = 0; i < own->n_seen; i++)
		if (own->seen[i].state != SEEN_UNREACHABLE)
			return true;
	return false;
}

/* Of what opens to "current"; where a receipt says what that is: of all that is open of it, or 0. */
static int16_t
current_protocol(const struct planner *p, const struct call *call, const struct rec_wanted *current)
{
	const struct msg_ask_change *ask = &call->ask.change;
	const struct rec_grant *first = NULL;

	if (ask->kind != CHANGE_REFRESH || ask->receipt[0] == 0)
		return current->protocol;
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct rec_grant *g = &p->grants[i];

		if (g->state == GRANT_CLOSED || strcmp(g->receipt, ask->receipt) != 0)
			continue;
		if (first != NULL && g->protocol != first->protocol)
			return 0;
		first = g;
	}
	return first == NULL ? 0 : first->protocol;
}

bool
own_ready(struct planner *p, struct call *call)
{
	const struct rec_wanted *w = wanted_current(&call->ask.change);
	int16_t protocol = w == NULL ? 0 : current_protocol(p, call, w);

	if (w == NULL || protocol == PROTO_ICMP || (call->needs & NEED_OWN_V6))
		return true;
	if (protocol != PROTO_ICMPV6 &&
	    (p->own[IP_V4].error != SGW_ERR_NONE || heard_any(&p->own[IP_V4])))
		return true;
	call->needs |= NEED_OWN_V6;
	p->stirred = true;
	return false;
}

/* "IPv4: checkip.amazonaws.com no answer; 192.0.2.1/32 says ..." for the person who has to mend it. */
static void
fail_unknown(struct planner *p, struct call *call, enum ip_family family)
{
	const struct msg_own *own = &p->own[family];
	char text[SGW_DETAIL_MAX + 1];
	struct buf b = buf_over(text, sizeof(text) - 1);

	buf_puts(&b, family == IP_V4 ? "IPv4" : "IPv6");
	for (size_t i = 0; i < own->n_seen; i++) {
		const struct rec_seen *seen = &own->seen[i];
		char address[CIDR_TEXT_LEN];

		cidr_format(&seen->address, address);
		address[strcspn(address, "/")] = 0;
		buf_printf(&b, "%s%.28s: %s", i == 0 ? ": " : "; ",
		    address_source_name(&p->config.address_sources[i]),
		    seen->state == SEEN_OK ? address : seen_state_name(seen->state));
	}
	text[b.len] = 0;
	entries_fail(call, wanted_current(&call->ask.change), SGW_ERR_ADDRESS_UNKNOWN, "ip", text);
}

static void
fail_special(struct call *call, const struct rec_cidr *address)
{
	char detail[SGW_DETAIL_MAX + 1], text[CIDR_TEXT_LEN];

	cidr_format(address, text);
	snprintf(detail, sizeof(detail), "%.*s is in a %s range", (int)strcspn(text, "/"), text,
	    cidr_special_name(cidr_special(address)));
	entries_fail(
	    call, wanted_current(&call->ask.change), SGW_ERR_ADDRESS_SPECIAL, "ip", detail);
}

/* ICMP belongs to a family; else IPv4, where anything at all was heard over it. */
static enum ip_family
current_family(const struct planner *p, const struct call *call, const struct rec_wanted *current)
{
	if (current_protocol(p, call, current) == PROTO_ICMPV6)
		return IP_V6;
	return (call->needs & NEED_OWN_V6) && !heard_any(&p->own[IP_V4]) ? IP_V6 : IP_V4;
}

/* What "current" stands for now; false: the call has failed. */
static bool
current_address(
    struct planner *p, struct call *call, enum ip_family family, struct rec_cidr *ret_address)
{
	const struct msg_own *own = &p->own[family];
	unsigned votes;

	if (own_refused(p, call, family))
		return false;
	if (!address_agreed(own->seen, own->n_seen, ret_address, &votes))
		fail_unknown(p, call, family);
	else if (!address_usable(&p->config.policy, ret_address))
		fail_special(call, ret_address);
	return call->error == SGW_ERR_NONE;
}

bool
own_may_move(const struct call *call, const struct plan *plan)
{
	return wanted_current(&call->ask.change) != NULL && plan->state == PLAN_SETTLED &&
	       plan->result.status == STATUS_OK;
}

bool
own_moved(const struct planner *p, const struct call *call, const struct plan *plan)
{
	const struct msg_own *own;
	struct rec_cidr now;
	unsigned votes;

	if (!own_may_move(call, plan))
		return false;
	own = &p->own[current_family(p, call, wanted_current(&call->ask.change))];
	if (own->error != SGW_ERR_NONE || !address_agreed(own->seen, own->n_seen, &now, &votes))
		return false;
	for (size_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].op.action == ACTION_OPEN &&
		    cidr_equal(&plan->ops[i].op.source, &now))
			return false;
	return true;
}

bool
own_resolve(struct planner *p, struct call *call)
{
	const struct rec_wanted *current = wanted_current(&call->ask.change);
	struct rec_cidr address;

	if (current == NULL)
		return true;
	if (!current_address(p, call, current_family(p, call, current), &address))
		return false;
	for (size_t i = 0; i < call->ask.change.n_wanted; i++) {
		struct rec_wanted *w = &call->ask.change.wanted[i];

		if (w->given & WANTED_CURRENT) {
			w->source = address;
			w->given |= WANTED_SOURCE;
		}
	}
	return true;
}

void
own_note(const struct planner *p, struct plan *plan)
{
	const struct rec_op *op = plan_first_opening(&plan->plan);
	const struct question *q;
	const struct msg_own *own;
	enum ip_family family;
	unsigned votes;

	if (op == NULL)
		return;
	for (size_t i = 0; i < plan->plan.n_ops; i++)
		if (plan->plan.ops[i].action == ACTION_OPEN &&
		    !cidr_equal(&plan->plan.ops[i].source, &op->source))
			return;
	family = op->source.family == 4 ? IP_V4 : IP_V6;
	q = &p->question[family == IP_V4 ? QUESTION_OWN_V4 : QUESTION_OWN_V6];
	own = &p->own[family];
	votes = address_votes(own->seen, own->n_seen, &op->source);
	if (votes < SGW_ADDRESS_SOURCES_MIN || !q->valid ||
	    p->now - q->got > SGW_ADDRESS_KEPT * INT64_C(1000))
		return;
	plan->seen_by = (uint8_t)votes;
	plan->seen_of = (uint8_t)own->n_seen;
}
