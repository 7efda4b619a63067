/* SPDX-License-Identifier: Apache-2.0 */
/* Single values of policy.json: ports and services, spans of time, users. */
#include "policy_keys.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/vis.h>

/* ---- ports ---- */

static bool
port_take(const char **at, int32_t *ret_port)
{
	size_t n = strspn(*at, "0123456789");
	int32_t v = 0;

	if (n == 0 || n > 5 || **at == '0')
		return false;
	for (; n > 0; n--)
		v = v * 10 + (*(*at)++ - '0');
	*ret_port = v;
	return v <= 65535;
}

static bool
ports_parse(const char *text, struct rec_service *ret_ports)
{
	struct rec_service s = {.protocol = PROTO_TCP};

	if (!port_take(&text, &s.from_port))
		return false;
	s.to_port = s.from_port;
	if (*text == '-' && (text++, !port_take(&text, &s.to_port)))
		return false;
	if (strcmp(text, "/udp") == 0)
		s.protocol = PROTO_UDP;
	else if (*text != 0 && strcmp(text, "/tcp") != 0)
		return false;
	*ret_ports = s;
	return s.from_port <= s.to_port;
}

bool
ports_value(struct parse *p, const struct jt_node *v, struct rec_service *ret_ports)
{
	const struct rec_service *named;

	if (v->type == JT_NUMBER && v->whole && v->number >= 1 && v->number <= 65535) {
		*ret_ports =
		    (struct rec_service){PROTO_TCP, (int32_t)v->number, (int32_t)v->number};
		return true;
	}
	if (v->type == JT_STRING && ports_parse(v->text, ret_ports))
		return true;
	named = v->type == JT_STRING ? service_builtin(v->text) : NULL;
	if (!named && v->type == JT_STRING)
		named = policy_service(&p->policy->policy, v->text);
	if (!named)
		return fail(p, v->at,
		    "allowed here: a port such as 443, \"8000-8010\" or \"53/udp\", \"icmp\", "
		    "\"icmpv6\", \"all\", or a service that is built in (%s) or named under "
		    "services",
		    SERVICE_NAMES);
	*ret_ports = *named;
	return true;
}

/* Sorted: the policy has one form. */
static void
service_insert(struct rec_policy *policy, const struct rec_named_service *s)
{
	size_t k = policy->n_services++;

	for (; k > 0 && strcmp(policy->services[k - 1].name, s->name) > 0; k--)
		policy->services[k] = policy->services[k - 1];
	policy->services[k] = *s;
}

bool
take_services(struct parse *p, const struct key_row *row, const struct jt_node *object, void *into)
{
	struct rec_policy *policy = &((struct policy_file *)into)->policy;

	(void)row;
	for (const struct jt_node *m = object->first; m; m = m->next) {
		struct rec_named_service s = {0};
		size_t len = field_push(p, m->key);

		if (!service_name_ok(m->key))
			return fail(p, m->key_at,
			    "a service's name has 1 to 32 lower-case letters, digits or -, the "
			    "first a letter");
		if (service_builtin(m->key))
			return fail(p, m->key_at, "this name is built in: choose another");
		if (policy->n_services == SGW_SERVICES_MAX)
			return fail(p, m->key_at, "more than %d services", SGW_SERVICES_MAX);
		if (!ports_value(p, m, &s.ports))
			return false;
		(void)FIELD_SET(s.name, m->key);
		service_insert(policy, &s);
		(void)field_pop(p, len, true);
	}
	return true;
}

/* ---- sensitive ports ---- */

/* Sorted, and what overlaps or touches made one. */
static void
ranges_tidy(struct rec_policy *policy)
{
	struct rec_port_range *r = policy->sensitive;
	uint16_t n = 0;

	for (size_t i = 1; i < policy->n_sensitive; i++)
		for (size_t k = i; k > 0 && r[k].from < r[k - 1].from; k--) {
			struct rec_port_range swap = r[k];

			r[k] = r[k - 1];
			r[k - 1] = swap;
		}
	for (size_t i = 0; i < policy->n_sensitive; i++) {
		if (n > 0 && r[i].from <= r[n - 1].to + 1)
			r[n - 1].to = r[i].to > r[n - 1].to ? r[i].to : r[n - 1].to;
		else
			r[n++] = r[i];
	}
	policy->n_sensitive = n;
}

bool
take_sensitive(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	struct rec_policy *policy = &((struct policy_file *)into)->policy;

	(void)row;
	policy->n_sensitive = 0;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		struct rec_service ports;

		if (!ports_value(p, v, &ports))
			return false;
		if (ports.from_port < 1)
			return fail(p, v->at,
			    "a port is wanted here: a sensitive port is so for tcp "
			    "and udp, and protocols without ports always are");
		if (policy->n_sensitive == SGW_SENSITIVE_MAX)
			return fail(p, v->at, "more than %d ports or ranges", SGW_SENSITIVE_MAX);
		policy->sensitive[policy->n_sensitive++] =
		    (struct rec_port_range){(uint16_t)ports.from_port, (uint16_t)ports.to_port};
	}
	ranges_tidy(policy);
	return true;
}

/* ---- times, users, texts ---- */

bool
take_span(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} UNITS[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t digits = strspn(v->text, "0123456789");
	uint64_t number = 0;
	uint32_t seconds;

	for (size_t i = 0; i < digits && digits <= 7; i++)
		number = number * 10 + (uint64_t)(v->text[i] - '0');
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		if (digits == 0 || digits > 7 || v->text[digits] != UNITS[i].unit ||
		    v->text[digits + 1] != 0 || number * UNITS[i].seconds < SGW_LIFETIME_MIN ||
		    number * UNITS[i].seconds > SGW_LIFETIME_POLICY_MAX)
			continue;
		seconds = (uint32_t)(number * UNITS[i].seconds);
		memcpy((char *)into + row->offset, &seconds, sizeof(seconds));
		return true;
	}
	return fail(p, v->at,
	    "allowed here: a time such as \"90m\", \"8h\" or \"7d\", from \"20m\" "
	    "to \"30d\"");
}

bool
take_askers(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	struct rec_policy *policy = &((struct policy_file *)into)->policy;
	struct rec_user_id *u = policy->askers;

	(void)row;
	policy->n_askers = 0;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		size_t k = policy->n_askers;

		if (v->type != JT_NUMBER || !v->whole || v->number < 0 ||
		    v->number > UINT32_MAX - 1)
			return fail(p, v->at, "allowed here: the number of a user (uid)");
		if (k == SGW_ASKERS_MAX)
			return fail(p, v->at, "more than %d users", SGW_ASKERS_MAX);
		for (; k > 0 && u[k - 1].uid > v->number; k--)
			u[k] = u[k - 1];
		if (k > 0 && u[k - 1].uid == v->number)
			return fail(p, v->at, "this user stands here twice");
		u[k].uid = (uint32_t)v->number;
		policy->n_askers++;
	}
	return policy->n_askers > 0 ||
	       fail(
		   p, list->at, "name at least one user, or leave may_ask out: then everybody may");
}

bool
text_value(struct parse *p, const struct jt_node *v, char *ret_text, size_t most)
{
	size_t len = strlen(v->text);

	if (len > most || !text_is_ascii(v->text, len))
		return fail(p, v->at, "allowed here: at most %zu printable ASCII characters", most);
	memcpy(ret_text, v->text, len + 1);
	return true;
}

bool
take_ticket(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return text_value(
	    p, v, ((struct policy_file *)into)->policy.ticket_prefix, SGW_TICKET_PREFIX_MAX);
}
