/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of two policies: sensitive ports, who may ask, scopes. */
#include "policy_diff_into.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy_scope.h"

/* ---- sensitive ports ---- */

/* Is the port sensitive there, and up to which port does that not change? */
static bool
sensitive_until(const struct rec_policy *p, uint32_t port, uint32_t *ret_last)
{
	for (size_t i = 0; i < p->n_sensitive; i++) {
		if (port < p->sensitive[i].from) {
			*ret_last = p->sensitive[i].from - 1u;
			return false;
		}
		if (port <= p->sensitive[i].to) {
			*ret_last = p->sensitive[i].to;
			return true;
		}
	}
	*ret_last = 65535;
	return false;
}

static void
ports_add(struct policy_diff *d, uint32_t from, uint32_t to, bool ordinary)
{
	char text[24];

	(void)snprintf(
	    text, sizeof(text), from == to ? "%u" : "%u-%u", (unsigned)from, (unsigned)to);
	diff_add(d, ordinary ? POLICY_WIDER : POLICY_NARROWER,
	    "port%s %s as class open, without what class open-sensitive needs",
	    from == to ? "" : "s", text);
}

void
sensitive_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d)
{
	for (uint32_t port = 0; port <= 65535;) {
		uint32_t last_a, last_b, last;
		bool was = sensitive_until(a, port, &last_a),
		     is = sensitive_until(b, port, &last_b);

		last = last_a < last_b ? last_a : last_b;
		if (was != is)
			ports_add(d, port, last, was);
		port = last + 1;
	}
	if ((a->n_sensitive == 0) != (b->n_sensitive == 0))
		diff_add(d, b->n_sensitive == 0 ? POLICY_WIDER : POLICY_NARROWER,
		    "protocols without ports as class open");
}

/* ---- names for ports ---- */

/* A name decides nothing: what it stands for is judged.  But whoever asks by it asks for something else now. */
static void
named_add(struct policy_diff *d, const char *name, const struct rec_service *was,
    const struct rec_service *is)
{
	char from[48] = "none", to[48] = "none";

	if (was)
		op_ports_text(was->protocol, was->from_port, was->to_port, from, sizeof(from));
	if (is)
		op_ports_text(is->protocol, is->from_port, is->to_port, to, sizeof(to));
	diff_add(d, POLICY_NAMED, "service %s is %s (so far %s)", name, to, from);
}

void
services_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d)
{
	for (size_t i = 0; i < b->n_services; i++) {
		const struct rec_named_service *is = &b->services[i];
		const struct rec_service *was = policy_service(a, is->name);

		if (!was || policy_service_order(was, &is->ports) != 0)
			named_add(d, is->name, was, &is->ports);
	}
	for (size_t i = 0; i < a->n_services; i++)
		if (!policy_service(b, a->services[i].name))
			named_add(d, a->services[i].name, &a->services[i].ports, NULL);
}

/* ---- who may ask ---- */

static bool
asks(const struct rec_policy *p, uint32_t uid)
{
	for (size_t i = 0; i < p->n_askers; i++)
		if (p->askers[i].uid == uid)
			return true;
	return false;
}

void
askers_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d)
{
	if (a->n_askers == 0 && b->n_askers == 0)
		return;
	if (b->n_askers == 0)
		diff_add(d, POLICY_WIDER, "requests of every user whom the sockets let in");
	if (a->n_askers == 0)
		diff_add(d, POLICY_NARROWER, "requests of users that the policy does not name");
	for (size_t i = 0; i < b->n_askers; i++)
		if (!asks(a, b->askers[i].uid))
			diff_add(d, a->n_askers == 0 ? POLICY_RESTATED : POLICY_WIDER,
			    "requests of uid %" PRIu32, b->askers[i].uid);
	for (size_t i = 0; b->n_askers > 0 && i < a->n_askers; i++)
		if (!asks(b, a->askers[i].uid))
			diff_add(d, POLICY_NARROWER, "requests of uid %" PRIu32, a->askers[i].uid);
}

/* ---- scopes ---- */

static bool
is_among(const struct rec_policy *p, const struct rec_scope *scope)
{
	for (size_t i = 0; i < p->n_scopes; i++)
		if (policy_scope_order(&p->scopes[i], scope) == 0)
			return true;
	return false;
}

static bool
is_within(const struct rec_policy *p, const struct rec_scope *scope)
{
	for (size_t i = 0; i < p->n_scopes; i++)
		if (scope_contains(&p->scopes[i], scope))
			return true;
	return p->n_scopes == 0;
}

/* The scopes of one policy that the other does not have: within what it allows, or beyond. */
static void
scopes_beyond(const struct rec_policy *these, const struct rec_policy *those,
    enum policy_change_kind beyond, struct policy_diff *d)
{
	char text[POLICY_CHANGE_TEXT_MAX - 64];

	for (size_t i = 0; i < these->n_scopes; i++) {
		if (is_among(those, &these->scopes[i]))
			continue;
		policy_scope_text(&these->scopes[i], text);
		diff_add(d, is_within(those, &these->scopes[i]) ? POLICY_RESTATED : beyond,
		    "changes in this scope: %s", text);
	}
}

void
scopes_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d)
{
	if (a->n_scopes > 0 && b->n_scopes == 0)
		diff_add(
		    d, POLICY_WIDER, "changes in any scope: wherever the configuration reaches");
	if (a->n_scopes == 0 && b->n_scopes > 0)
		diff_add(d, POLICY_NARROWER, "changes outside the scopes that the policy names");
	scopes_beyond(b, a, POLICY_WIDER, d);
	scopes_beyond(a, b, POLICY_NARROWER, d);
}
