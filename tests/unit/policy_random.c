/* SPDX-License-Identifier: Apache-2.0 */
/* See policy_random.h. */
#include "policy_random.h"

#include "plan_fixture.h"

uint32_t
random_next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* ---- policies ---- */

static struct rec_scope
random_scope(uint32_t *seed)
{
	static const struct rec_service services[] = {{PROTO_TCP, 22, 22}, {PROTO_TCP, 443, 443},
	    {PROTO_TCP, 8000, 8100}, {PROTO_UDP, 53, 53}, {PROTO_ICMP, -1, -1},
	    {PROTO_ALL, -1, -1}};
	struct rec_scope s = {0};
	uint32_t r = random_next(seed);

	if (r & 1)
		FIELD_SET(s.profile, r & 2 ? "prod" : "test");
	if (r & 4)
		FIELD_SET(s.region, r & 8 ? "eu-west-1" : "us-east-1");
	if ((r & 0x30) == 0)
		FIELD_SET(s.group_id, r & 0x40 ? GROUP : "sg-0123456789abcdef1");
	if ((r & 0x180) == 0) {
		FIELD_SET(s.tag_key, "team");
		FIELD_SET(s.tag_value, r & 0x200 ? "web" : "db");
	}
	if ((r & 0xc00) == 0)
		FIELD_SET(s.account, r & 0x1000 ? "111122223333" : "444455556666");
	for (size_t i = 0; i < 6; i++)
		if (random_next(seed) % 4 == 0)
			s.ports[s.n_ports++] = services[i];
	/* The canonical order is by protocol first. */
	for (size_t i = 1; i < s.n_ports; i++)
		for (size_t k = i; k > 0 && s.ports[k].protocol < s.ports[k - 1].protocol; k--) {
			struct rec_service t = s.ports[k];

			s.ports[k] = s.ports[k - 1];
			s.ports[k - 1] = t;
		}
	return s;
}

/* Adds in any order; what then is not sorted does not hold, and is drawn again. */
static void
change_lists(uint32_t *seed, struct rec_policy *p, unsigned which)
{
	static const uint16_t ports[] = {22, 80, 443, 3389, 8050};
	static const char *const names[] = {"game", "grafana", "loki", "zoo"};
	uint32_t r = random_next(seed);

	if (which == 3 && r % 2 && p->n_services < SGW_SERVICES_MAX) {
		struct rec_named_service *s = &p->services[p->n_services++];

		*s = (struct rec_named_service){
		    .ports = {PROTO_TCP, 3000 + (int32_t)(r / 8 % 2), 3005}};
		FIELD_SET(s->name, names[r / 2 % 4]);
	} else if (which == 3)
		p->n_services = (uint16_t)(p->n_services - (p->n_services > 0));
	else if (which == 0 && r % 2 && p->n_scopes < SGW_SCOPES_MAX)
		p->scopes[p->n_scopes++] = random_scope(seed);
	else if (which == 0)
		p->n_scopes = (uint16_t)(p->n_scopes - (p->n_scopes > 0));
	else if (which == 1 && r % 2 && p->n_askers < SGW_ASKERS_MAX)
		p->askers[p->n_askers++].uid = 1000 + r / 2 % 4;
	else if (which == 1)
		p->n_askers = (uint16_t)(p->n_askers - (p->n_askers > 0));
	else if (r % 3 == 0)
		p->n_sensitive = (uint16_t)(p->n_sensitive > 0 ? r / 3 % p->n_sensitive : 0);
	else if (p->n_sensitive < SGW_SENSITIVE_MAX) {
		uint16_t from = ports[r / 3 % 5];

		p->sensitive[p->n_sensitive++] =
		    (struct rec_port_range){from, (uint16_t)(from + r / 16 % 3)};
	}
}

static void
change_class(uint32_t *seed, struct rec_class_rule *rule, unsigned what)
{
	static const uint32_t times[] = {1200, 3600, 7200, 43200, 86400, 604800};
	uint32_t r = random_next(seed) % 6;

	if (what == 0)
		rule->pin = !rule->pin;
	else if (what == 1)
		rule->trusted_display = !rule->trusted_display;
	else if (what == 2)
		rule->lifetime_min = times[r];
	else if (what == 3)
		rule->lifetime_default = times[r];
	else
		rule->lifetime_max = times[r];
}

#define SMALL_FIELDS 13

static void
change_small(uint32_t *seed, struct rec_policy *p, unsigned which)
{
	uint32_t r = random_next(seed);
	uint8_t *const bytes[] = {&p->v4_wide, &p->v4_forbidden, &p->v6_wide, &p->v6_forbidden};
	uint16_t *const words[] = {
	    &p->prompts_per_hour, &p->rules_per_group, &p->open_most, &p->open_most_client};
	static const uint16_t most[] = {POLICY_PROMPTS_MOST, 100, 6, 6};

	if (which < 4)
		*bytes[which] = (uint8_t)(which < 2 ? 8 + r % 25 : 32 + r % 97);
	else if (which < 8)
		*words[which - 4] = (uint16_t)(1 + r % most[which - 4]);
	else if (which == 8)
		p->v4_union_max = 1u << r % 20;
	else if (which == 9)
		p->v6_union_max = 1u << r % 20;
	else if (which == 10)
		p->bulk_ops = (uint8_t)(1 + r % 7);
	else
		FIELD_SET(p->ticket_prefix, r % 3 == 0 ? "" : r % 3 == 1 ? "OPS-" : "OPS-1");
}

static void
change_switch(struct rec_policy *p, unsigned which)
{
	bool *const switches[] = {&p->require_opt_in, &p->require_reason, &p->allow_private,
	    &p->allow_documentation, &p->allow_shared_display, &p->client_lockdown,
	    &p->allow_permanent};

	*switches[which] = !*switches[which];
}

void
random_change(uint32_t *seed, struct rec_policy *policy, const char **ret_name)
{
	struct rec_class_rule *const rules[] = {
	    &policy->on_foreign, &policy->on_open, &policy->on_sensitive, &policy->on_wide};
	uint32_t r = random_next(seed) % 5, which = random_next(seed);

	if (r == 0) {
		*ret_name = "list";
		change_lists(seed, policy, which % 4);
	} else if (r == 1) {
		*ret_name = "class";
		change_class(seed, rules[which % 4], which / 4 % 5);
	} else if (r == 2) {
		*ret_name = "switch";
		change_switch(policy, which % 6);
	} else {
		*ret_name = "number";
		change_small(seed, policy, which % SMALL_FIELDS);
	}
}

void
random_policy(uint32_t *seed, unsigned most, struct rec_policy *ret_policy)
{
	unsigned n = random_next(seed) % (most + 1);
	char why[POLICY_PROBLEM_MAX];
	const char *name;

	policy_builtin(ret_policy);
	for (unsigned i = 0; i < n; i++) {
		static struct rec_policy before;

		before = *ret_policy;
		random_change(seed, ret_policy, &name);
		if (policy_problem(ret_policy, why))
			*ret_policy = before;
	}
}

/* ---- plans ---- */

static struct rec_op
random_op(uint32_t *seed, bool open)
{
	static const struct rec_service services[] = {{PROTO_TCP, 22, 22}, {PROTO_TCP, 443, 443},
	    {PROTO_TCP, 80, 80}, {PROTO_TCP, 8040, 8060}, {PROTO_UDP, 53, 53}, {PROTO_ICMP, 8, -1},
	    {PROTO_ALL, -1, -1}, {47, -1, -1}};
	static const char *const sources[] = {
	    "8.8.8.8", "10.1.2.3", "203.0.113.7", "2a00:1::", "8.8.0.0/16", "2a00:1::/48"};
	const struct rec_service *s = &services[random_next(seed) % 8];
	struct rec_op op = fixture_op(open ? ACTION_OPEN : ACTION_CLOSE, s->protocol, s->from_port,
	    s->to_port, sources[random_next(seed) % 6]);
	unsigned bits = op.source.family == 6 ? 128 : 32;
	unsigned prefix =
	    op.source.family == 6 ? 30 + random_next(seed) % 99 : 6 + random_next(seed) % 27;

	op.source.prefix = (uint8_t)prefix;
	for (unsigned i = prefix; i < bits; i++)
		op.source.addr[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
	return op;
}

void
random_plan(uint32_t *seed, struct rec_plan *ret_plan, struct random_facts *ret_facts)
{
	static const uint32_t times[] = {1200, 3600, 5000, 43200, 50000, 604800};
	static const char *const reasons[] = {"", "deploy", "OPS-7 deploy", "OPS-17"};
	uint32_t r = random_next(seed);
	bool open = r % 8 != 0;

	*ret_plan = fixture_plan(random_op(seed, open));
	ret_plan->n_ops = (uint16_t)(r / 8 % 2 ? 1 : 1 + r / 16 % 7);
	for (size_t i = 1; i < ret_plan->n_ops; i++)
		ret_plan->ops[i] = random_op(seed, open);
	ret_plan->lifetime = open ? times[random_next(seed) % 6] : 0;
	r = random_next(seed); /* FIELD_SET() asks for its text twice */
	FIELD_SET(ret_plan->reason, reasons[r % 4]);
	FIELD_SET(ret_plan->profile, r / 4 % 3 ? "prod" : "test");
	FIELD_SET(ret_plan->region, r / 16 % 3 ? "eu-west-1" : "us-east-1");
	memset(ret_facts, 0, sizeof(*ret_facts));
	ret_facts->group.managed = random_next(seed) % 8 != 0;
	ret_facts->group.n_tags = 1;
	FIELD_SET(ret_facts->group.tags[0].key, "team");
	FIELD_SET(ret_facts->group.tags[0].value, r / 64 % 2 ? "web" : "db");
	for (size_t i = 0; i < 4; i++)
		ret_facts->grants[i].uid = 1000 + random_next(seed) % 2;
	ret_facts->facts = (struct policy_facts){.group = &ret_facts->group,
	    .grants = ret_facts->grants,
	    .n_grants = random_next(seed) % 5,
	    .display = random_next(seed) % DISPLAY_MAX,
	    .uid = 1000 + random_next(seed) % 4};
}
