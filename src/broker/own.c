/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This machine's own address: the broker has net ask the configured sources, keeps what was heard, and passes it on.
 * What a record says of an address comes from here and from nothing that the planner says.  It stays what strangers
 * on the network reported through net: the screen marks it as that.
 */
#include "broker.h"

#include <sgwarden/address.h>
#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#define OWN_TIMEOUT 5000 /* ms that a source may take */
#define OWN_BURST 30     /* rounds of questions at once: the sources are strangers' servers */
#define OWN_REFILL 5000  /* ms for one more */

static bool
quota_own(struct broker *b)
{
	int64_t now = clock_monotonic();
	int64_t fresh = b->own_refilled ? (now - b->own_refilled) / OWN_REFILL : OWN_BURST;

	if (fresh > 0) {
		b->own_rounds =
		    b->own_rounds + fresh < OWN_BURST ? b->own_rounds + fresh : OWN_BURST;
		b->own_refilled = now;
	}
	if (b->own_rounds <= 0)
		return false;
	b->own_rounds--;
	return true;
}

static void
tell(struct broker *b, enum ip_family family, uint32_t request, enum sgw_error error)
{
	const struct own *o = &b->own[family];
	struct msg_own *m = &b->out.own;

	b->out.id = MSG_OWN;
	*m = (struct msg_own){.request = request, .family = family, .error = (uint16_t)error};
	m->n_seen = error == SGW_ERR_NONE ? b->config.n_address_sources : 0;
	memcpy(m->seen, o->seen, m->n_seen * sizeof(m->seen[0]));
	send_planner(b);
}

/* Who said what, for whoever reads the journal later: text of a fixed form alone. */
static void
note(const struct broker *b, enum ip_family family)
{
	char text[CIDR_TEXT_LEN];

	for (size_t i = 0; i < b->config.n_address_sources; i++) {
		const struct rec_seen *seen = &b->own[family].seen[i];

		cidr_format(&seen->address, text);
		log_info("own address over %s: source %zu (%s): %s",
		    family == IP_V4 ? "IPv4" : "IPv6", i + 1,
		    address_source_name(&b->config.address_sources[i]),
		    seen->state == SEEN_OK ? text : seen_state_name(seen->state));
	}
}

static void
finish(struct broker *b, enum ip_family family)
{
	struct own *o = &b->own[family];

	for (size_t i = 0; i < b->config.n_address_sources; i++)
		o->number[i] = 0;
	o->asking = false;
	note(b, family);
	tell(b, family, o->request, SGW_ERR_NONE);
}

static void
ask_source(struct broker *b, enum ip_family family, size_t source)
{
	struct own *o = &b->own[family];

	o->number[source] = call_number(b);
	o->seen[source] = (struct rec_seen){
	    .state = SEEN_UNREACHABLE, .address = {.family = family == IP_V4 ? 4 : 6}};
	b->out.id = MSG_ASK_SOURCE;
	b->out.ask_source = (struct msg_ask_source){.request = o->number[source],
	    .source = (uint8_t)source,
	    .family = family,
	    .timeout = OWN_TIMEOUT};
	send_net(b);
}

void
own_ask(struct broker *b, const struct msg_ask_own *m)
{
	struct own *o = &b->own[m->family];

	o->request = m->request;
	if (o->asking)
		return;
	if (b->config.n_address_sources < SGW_ADDRESS_SOURCES_MIN)
		tell(b, m->family, m->request, SGW_ERR_ADDRESS_SOURCES);
	else if (!quota_own(b))
		tell(b, m->family, m->request, SGW_ERR_BUSY);
	else {
		o->asking = true;
		o->deadline = clock_monotonic() + OWN_TIMEOUT + CALL_GRACE;
		for (size_t i = 0; i < b->config.n_address_sources; i++)
			ask_source(b, m->family, i);
	}
}

/* What was not asked, or was answered already, is passed over. */
void
own_seen(struct broker *b, const struct msg_seen *m)
{
	for (size_t f = 0; f < IP_FAMILY_MAX; f++) {
		struct own *o = &b->own[f];
		bool waits = false, taken = false;

		for (size_t i = 0; i < b->config.n_address_sources; i++) {
			if (m->request && o->number[i] == m->request) {
				taken = true;
				o->number[i] = 0;
				/* of the other family: net lies, and nothing was said */
				if (m->seen.address.family == o->seen[i].address.family)
					o->seen[i] = m->seen;
				o->heard = clock_monotonic();
			}
			waits = waits || o->number[i];
		}
		if (taken && !waits)
			finish(b, (enum ip_family)f);
	}
}

/* An owned net can keep silent. */
void
own_timeouts(struct broker *b)
{
	for (size_t f = 0; f < IP_FAMILY_MAX; f++)
		if (b->own[f].asking && b->own[f].deadline <= clock_monotonic())
			finish(b, (enum ip_family)f);
}

int64_t
own_next_deadline(const struct broker *b)
{
	int64_t next = INT64_MAX;

	for (size_t f = 0; f < IP_FAMILY_MAX; f++)
		if (b->own[f].asking && b->own[f].deadline < next)
			next = b->own[f].deadline;
	return next;
}

/* One address in all operations, and heard of it lately from enough sources. */
void
own_record(const struct broker *b, const struct rec_plan *plan, struct record *r)
{
	const struct rec_op *first = plan_first_opening(plan);
	const struct rec_cidr *source = first ? &first->source : &plan->ops[0].source;
	const struct own *o = &b->own[source->family == 4 ? IP_V4 : IP_V6];
	unsigned votes = address_votes(o->seen, b->config.n_address_sources, source);

	for (size_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].action == ACTION_OPEN && !cidr_equal(&plan->ops[i].source, source))
			return;
	if (!first || votes < SGW_ADDRESS_SOURCES_MIN ||
	    clock_monotonic() - o->heard > SGW_ADDRESS_KEPT * INT64_C(1000))
		return;
	r->seen_by = (uint16_t)votes;
	r->seen_of = b->config.n_address_sources;
}
