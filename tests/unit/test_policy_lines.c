/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that a policy file adds to the built-in ones, each with its twin; bounds; the trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixture.h"

static struct rec_policy POLICY;
static struct rec_plan PLAN;
static struct policy_facts FACTS;

static int
setup(void **state)
{
	policy_builtin(&POLICY);
	PLAN = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));
	FACTS = (struct policy_facts){.group = &MANAGED, .uid = 1000};
	return 0;
}

static void
judged(const char *what, const char *line)
{
	struct verdict v;

	policy_evaluate(&POLICY, &PLAN, &FACTS, &v);
	if (strcmp(v.line, line) != 0)
		fail_msg("%s: %s (%s)", what, v.line, v.text);
	assert_true(v.text[0] != 0);
	assert_int_equal(v.error != SGW_ERR_NONE, strncmp(line, "deny.", 5) == 0);
}

static void
test_askers(void **state)
{
	POLICY.n_askers = 2;
	POLICY.askers[0].uid = 999;
	POLICY.askers[1].uid = 1001;
	judged("not named", "deny.requester");
	FACTS.uid = 1001;
	judged("named", "open.default");
	FACTS.uid = 1000;
	PLAN = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "8.8.8.8"));
	judged("others' rules neither", "deny.requester");
	POLICY.n_askers = 0;
	judged("nobody named: everybody", "close.foreign");
}

static void
test_own_closings_are_never_held_up(void **state)
{
	struct rec_grant grant = {.protocol = PROTO_TCP, .from_port = 443, .to_port = 443};

	FIELD_SET(grant.account, "111122223333");
	FIELD_SET(grant.region, "eu-west-1");
	FIELD_SET(grant.group_id, GROUP);
	grant.source = fixture_cidr("8.8.8.8");
	POLICY.n_askers = 1;
	POLICY.require_reason = true;
	FIELD_SET(POLICY.ticket_prefix, "OPS-");
	POLICY.n_scopes = 1;
	FIELD_SET(POLICY.scopes[0].profile, "other");
	PLAN = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "8.8.8.8"));
	PLAN.reason[0] = 0;
	FACTS.grants = &grant;
	FACTS.n_grants = 1;
	FACTS.group = NULL;
	judged("ours", "close.own");
	FACTS.n_grants = 0;
	judged("the same rule, not ours", "deny.requester");
}

static void
test_scope_places(void **state)
{
	struct rec_scope *s = &POLICY.scopes[0];
	struct rec_group group = MANAGED;

	group.n_tags = 2;
	FIELD_SET(group.tags[0].key, "sgwarden:managed");
	FIELD_SET(group.tags[0].value, "true");
	FIELD_SET(group.tags[1].key, "team");
	FIELD_SET(group.tags[1].value, "web");
	FACTS.group = &group;
	POLICY.n_scopes = 1;
	judged("an empty scope is everywhere", "open.default");
#define EACH(field, right, wrong)                                                                  \
	FIELD_SET(s->field, wrong);                                                                \
	judged(#field, "deny.scope");                                                              \
	FIELD_SET(s->field, right);                                                                \
	judged(#field, "open.default")
	EACH(profile, "prod", "test");
	EACH(account, "111122223333", "111122223334");
	EACH(region, "eu-west-1", "eu-west-2");
	EACH(group_id, GROUP, "sg-0123456789abcdef1");
	FIELD_SET(s->tag_key, "team");
	judged("another value", "deny.scope");
	FIELD_SET(s->tag_value, "web");
	judged("the tag", "open.default");
	FIELD_SET(s->tag_key, "Team");
	judged("another key", "deny.scope");
	FACTS.group = NULL;
	FIELD_SET(s->tag_key, "team");
	judged("a group that was not read has no tag", "deny.scope");
	FACTS.group = &group;
	FIELD_SET(s->profile, "test");
	POLICY.n_scopes = 2;
	judged("any one scope is enough", "open.default");
}

static void
test_scope_ports(void **state)
{
	static const struct {
		struct rec_service scope, op;
		bool ok;
	} cases[] = {
	    {{PROTO_TCP, 443, 443}, {PROTO_TCP, 443, 443}, true},
	    {{PROTO_TCP, 443, 443}, {PROTO_TCP, 444, 444}, false},
	    {{PROTO_TCP, 443, 443}, {PROTO_UDP, 443, 443}, false},
	    {{PROTO_TCP, 443, 443}, {PROTO_TCP, 443, 445}, false},
	    {{PROTO_TCP, 443, 443}, {PROTO_ALL, -1, -1}, false},
	    {{PROTO_TCP, 400, 500}, {PROTO_TCP, 443, 445}, true},
	    {{PROTO_TCP, 400, 500}, {PROTO_TCP, 443, 501}, false},
	    {{PROTO_TCP, 400, 500}, {PROTO_TCP, 399, 443}, false},
	    {{PROTO_TCP, 1, 65535}, {47, -1, -1}, false},
	    {{PROTO_ALL, -1, -1}, {PROTO_TCP, 1, 65535}, true},
	    {{PROTO_ALL, -1, -1}, {PROTO_ALL, -1, -1}, true},
	    {{PROTO_ICMP, -1, -1}, {PROTO_ICMP, 8, 0}, true},
	    {{PROTO_ICMP, 8, -1}, {PROTO_ICMP, 8, 0}, true},
	    {{PROTO_ICMP, 8, 0}, {PROTO_ICMP, 8, -1}, false},
	    {{PROTO_ICMP, 8, -1}, {PROTO_ICMP, 0, -1}, false},
	    {{PROTO_ICMP, 8, -1}, {PROTO_ICMPV6, 8, -1}, false},
	    {{47, -1, -1}, {47, -1, -1}, true},
	    {{47, -1, -1}, {50, -1, -1}, false},
	};

	POLICY.n_scopes = 1;
	POLICY.scopes[0].n_ports = 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict v;

		POLICY.scopes[0].ports[0] = cases[i].scope;
		PLAN.ops[0].protocol = cases[i].op.protocol;
		PLAN.ops[0].from_port = cases[i].op.from_port;
		PLAN.ops[0].to_port = cases[i].op.to_port;
		policy_evaluate(&POLICY, &PLAN, &FACTS, &v);
		if ((strcmp(v.line, "deny.scope") != 0) != cases[i].ok)
			fail_msg("case %zu: %s", i, v.line);
	}
	/* Each operation by itself, and a closing of others' rules by its place alone. */
	POLICY.scopes[0].ports[0] = (struct rec_service){PROTO_TCP, 443, 443};
	PLAN = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8"));
	PLAN.n_ops = 2;
	PLAN.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "8.8.8.8");
	judged("the second is outside", "deny.scope");
	PLAN = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 22, 22, "8.8.8.8"));
	judged("closing", "close.foreign");
	FIELD_SET(POLICY.scopes[0].profile, "other");
	judged("closing elsewhere", "deny.scope");
}

static void
test_lifetimes_of_classes(void **state)
{
	static const struct {
		int32_t port;
		const char *source;
		uint32_t lifetime;
		const char *line;
	} cases[] = {
	    {443, "8.8.8.8", 86400, "open.default"},
	    {443, "8.8.8.8", 86401, "deny.lifetime"},
	    {22, "8.8.8.8", 14400, "sensitive.port"},
	    {22, "8.8.8.8", 14401, "deny.lifetime"},
	    {443, "8.8.8.0/20", 7200, "wide.prefix"},
	    {443, "8.8.8.0/20", 7201, "deny.lifetime"},
	    {443, "8.8.8.0/20", 1800, "wide.prefix"},
	    {443, "8.8.8.0/20", 1799, "deny.lifetime"},
	    {443, "8.8.8.8", 1799, "open.default"},
	};
	char why[POLICY_PROBLEM_MAX];

	POLICY.on_open.lifetime_max = 86400;
	POLICY.on_sensitive = (struct rec_class_rule){true, false, 1500, 1200, 14400};
	POLICY.on_wide = (struct rec_class_rule){true, true, 1900, 1800, 7200};
	assert_false(policy_problem(&POLICY, why));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN = fixture_plan(fixture_op(
		    ACTION_OPEN, PROTO_TCP, cases[i].port, cases[i].port, cases[i].source));
		PLAN.lifetime = cases[i].lifetime;
		judged(cases[i].source, cases[i].line);
	}
	/* What an opening gets that asks for none. */
	PLAN.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "8.8.8.8");
	assert_int_equal(policy_lifetime(&POLICY, &PLAN, &FACTS), 3600);
	PLAN.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "8.8.8.8");
	assert_int_equal(policy_lifetime(&POLICY, &PLAN, &FACTS), 1500);
	PLAN.ops[0] = fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "8.8.8.0/20");
	assert_int_equal(policy_lifetime(&POLICY, &PLAN, &FACTS), 1900);
}

static void
test_reason_and_ticket(void **state)
{
	static const struct {
		const char *reason, *line;
	} cases[] = {{"", "deny.ticket"}, {"deploy", "deny.ticket"}, {"OPS-", "deny.ticket"},
	    {"OPS-x", "deny.ticket"}, {"ops-12", "deny.ticket"}, {"OPS-12", "open.default"},
	    {"see OPS- and OPS-7", "open.default"}, {"OPS -12", "deny.ticket"}};

	POLICY.require_reason = true;
	judged("a reason", "open.default");
	FIELD_SET(PLAN.reason, "   ");
	judged("blanks", "deny.reason");
	PLAN.reason[0] = 0;
	judged("none", "deny.reason");
	POLICY.require_reason = false;
	judged("not asked for", "open.default");
	FIELD_SET(POLICY.ticket_prefix, "OPS-");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FIELD_SET(PLAN.reason, cases[i].reason);
		judged(cases[i].reason, cases[i].line);
	}
}

static void
test_open_at_once(void **state)
{
	struct rec_grant grants[5] = {0};

	for (size_t i = 0; i < 5; i++)
		grants[i].uid = i < 3 ? 1000 : 1001;
	FACTS.grants = grants;
	FACTS.n_grants = 5;
	POLICY.open_most = 6;
	POLICY.open_most_client = 4;
	judged("room for one", "open.default");
	POLICY.open_most = 5;
	judged("all are taken", "deny.open-at-once");
	grants[4].state = GRANT_CLOSED;
	judged("one of them is closed", "open.default");
	POLICY.open_most = 6;
	POLICY.open_most_client = 3;
	judged("this user's are taken", "deny.open-at-once");
	FACTS.uid = 1001;
	judged("another's are not", "open.default");
	PLAN.n_ops = 3;
	PLAN.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 444, 444, "8.8.8.8");
	PLAN.ops[2] = fixture_op(ACTION_OPEN, PROTO_TCP, 445, 445, "8.8.8.8");
	judged("three more do not fit", "deny.open-at-once");
}

static void
test_needs(void **state)
{
	struct verdict v;

	policy_evaluate(&POLICY, &PLAN, &FACTS, &v);
	assert_true(v.needs_consent && !v.needs_pin && v.needs_trusted_display);
	POLICY.allow_shared_display = true;
	policy_evaluate(&POLICY, &PLAN, &FACTS, &v);
	assert_false(v.needs_trusted_display);
	POLICY.on_open.pin = true;
	POLICY.on_open.trusted_display = true;
	policy_evaluate(&POLICY, &PLAN, &FACTS, &v);
	assert_true(v.needs_pin && v.needs_trusted_display);
	FACTS.display = DISPLAY_SHARED;
	judged("not on a shared screen", "deny.display");
	PLAN = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "8.8.8.8"));
	judged("another class", "close.foreign");
	POLICY.on_foreign.pin = true;
	policy_evaluate(&POLICY, &PLAN, &FACTS, &v);
	assert_true(v.needs_pin && !v.needs_trusted_display);
}

/* Every pair of bounds, every prefix length. */
static void
test_every_bound(void **state)
{
	static const struct {
		unsigned least, bits;
		const char *base;
	} families[] = {{POLICY_V4_FORBIDDEN_LEAST, 32, "255.255.255.255"},
	    {POLICY_V6_FORBIDDEN_LEAST, 128, "2a00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}};

	POLICY.v4_union_max = POLICY.v6_union_max = UINT32_MAX;
	for (size_t f = 0; f < 2; f++)
		for (unsigned prefix = 1; prefix <= families[f].bits; prefix++) {
			struct rec_cidr *c = &PLAN.ops[0].source;

			*c = fixture_cidr(families[f].base);
			if (c->family == 4)
				c->addr[0] = 8;
			c->prefix = (uint8_t)prefix;
			for (unsigned i = prefix; i < families[f].bits; i++)
				c->addr[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
			/* An IPv6 /32 is one network more than the largest union. */
			if (cidr_special(c) != CIDR_PUBLIC || (c->family == 6 && prefix == 32))
				continue;
			for (unsigned no = families[f].least; no <= families[f].bits; no++)
				for (unsigned wide = no; wide <= families[f].bits;
				     wide += f == 0 ? 1 : 2) {
					struct verdict v;

					POLICY.v4_forbidden = POLICY.v6_forbidden = (uint8_t)no;
					POLICY.v4_wide = POLICY.v6_wide = (uint8_t)wide;
					policy_evaluate(&POLICY, &PLAN, &FACTS, &v);
					if (v.effect != (prefix < no        ? CLASS_FORBIDDEN
							    : prefix < wide ? CLASS_OPEN_WIDE
									    : CLASS_OPEN))
						fail_msg(
						    "/%u, %u, %u: %s", prefix, no, wide, v.line);
				}
		}
}

#define PROBLEM(change, words)                                                                     \
	do {                                                                                       \
		char why[POLICY_PROBLEM_MAX] = "";                                                 \
		policy_builtin(&POLICY);                                                           \
		assert_false(policy_problem(&POLICY, why));                                        \
		change;                                                                            \
		assert_true(policy_problem(&POLICY, why));                                         \
		if (strstr(why, words) == NULL)                                                    \
			fail_msg("%s: %s", #change, why);                                          \
	} while (0)

static void
test_bounds_that_no_policy_leaves(void **state)
{
	PROBLEM(POLICY.v4_forbidden = 7, "IPv4");
	PROBLEM(POLICY.v4_forbidden = 33, "IPv4");
	PROBLEM(POLICY.v6_forbidden = 31, "IPv6");
	PROBLEM(POLICY.v6_forbidden = 129, "IPv6");
	PROBLEM(POLICY.v4_wide = 15, "between /16 and /32");
	PROBLEM(POLICY.v4_wide = 33, "between /16 and /32");
	PROBLEM(POLICY.v6_wide = 129, "between /48 and /128");
	PROBLEM(POLICY.v4_union_max = 0, "union");
	PROBLEM(POLICY.v4_union_max = POLICY_UNION_MOST + 1, "union");
	PROBLEM(POLICY.v6_union_max = 0, "union");
	PROBLEM(POLICY.v6_union_max = POLICY_UNION_MOST + 1, "union");
	PROBLEM(POLICY.on_sensitive.pin = false, "no policy takes that away");
	PROBLEM(POLICY.on_wide.pin = false, "no policy takes that away");
	PROBLEM(POLICY.on_wide.trusted_display = false, "no policy takes that away");
	PROBLEM(POLICY.on_open.trusted_display = true, "open-sensitive must need all");
	PROBLEM(POLICY.on_foreign.lifetime_max = 1200, "closing");
	PROBLEM(POLICY.on_foreign.lifetime_default = 1200, "closing");
	PROBLEM(POLICY.on_open.lifetime_min = SGW_LIFETIME_MIN - 1, "class open must lie");
	PROBLEM(POLICY.on_open.lifetime_max = SGW_LIFETIME_POLICY_MAX + 1, "class open must lie");
	PROBLEM(POLICY.on_open.lifetime_default = 1199, "in order");
	PROBLEM(POLICY.on_wide.lifetime_max = 43201, "within those of class open-sensitive");
	PROBLEM(POLICY.on_open.lifetime_min = 1201, "within those of class open");
	PROBLEM(POLICY.prompts_per_hour = 0, "prompts");
	PROBLEM(POLICY.prompts_per_hour = 61, "prompts");
	PROBLEM(POLICY.rules_per_group = 0, "group");
	PROBLEM(POLICY.rules_per_group = 1001, "group");
	PROBLEM(POLICY.open_most = 0, "at once");
	PROBLEM(POLICY.open_most = SGW_GRANTS_MAX + 1, "at once");
	PROBLEM(POLICY.open_most = 10, "at once");
	PROBLEM(POLICY.open_most_client = 0, "at once");
	PROBLEM(POLICY.bulk_ops = 0, "bulk");
	PROBLEM(POLICY.bulk_ops = 51, "bulk");
	PROBLEM(FIELD_SET(POLICY.ticket_prefix, "A B"), "ticket");
	PROBLEM((POLICY.sensitive[1] = POLICY.sensitive[0]), "sensitive");
	PROBLEM(POLICY.sensitive[1].from = 24, "sensitive");
	PROBLEM(POLICY.n_askers = 2, "users");
	PROBLEM(POLICY.n_scopes = 2, "scopes");
	PROBLEM((POLICY.n_scopes = 1, FIELD_SET(POLICY.scopes[0].account, "1")), "account");
	PROBLEM((POLICY.n_scopes = 1, FIELD_SET(POLICY.scopes[0].region, "x")), "region");
	PROBLEM((POLICY.n_scopes = 1, FIELD_SET(POLICY.scopes[0].group_id, "sg-1")), "group");
	PROBLEM((POLICY.n_scopes = 1, POLICY.scopes[0].n_ports = 1), "ports");
	PROBLEM((POLICY.n_scopes = 1, POLICY.scopes[0].n_ports = 1,
		    POLICY.scopes[0].ports[0] = (struct rec_service){PROTO_ICMP, 8, -1}),
	    "ports");
	PROBLEM((POLICY.n_scopes = 1, POLICY.scopes[0].n_ports = 2,
		    POLICY.scopes[0].ports[0] = (struct rec_service){PROTO_TCP, 443, 443},
		    POLICY.scopes[0].ports[1] = (struct rec_service){PROTO_TCP, 80, 80}),
	    "sorted");
}

static void
test_trace(void **state)
{
	static const char *const opening[] = {"deny.malformed", "none.exists", "deny.lockdown",
	    "deny.requester", "deny.world-open", "deny.special-range", "deny.prefix-too-wide",
	    "deny.scope", "deny.permanent", "deny.lifetime", "deny.lifetime-in-all",
	    "deny.not-opted-in", "deny.reason", "deny.ticket", "deny.union", "deny.quota",
	    "deny.open-at-once", "wide.prefix", "wide.permanent", "wide.bulk", "sensitive.port",
	    "open.default"};
	struct policy_trace trace;
	struct verdict v, same;

	policy_explain(&POLICY, &PLAN, &FACTS, &v, &trace);
	policy_evaluate(&POLICY, &PLAN, &FACTS, &same);
	assert_memory_equal(&v, &same, sizeof(v));
	assert_int_equal(trace.n, sizeof(opening) / sizeof(opening[0]));
	for (size_t i = 0; i < trace.n; i++) {
		assert_string_equal(trace.rows[i].id, opening[i]);
		assert_true(trace.rows[i].about[0] != 0);
		assert_int_equal(trace.rows[i].decided, i + 1 == trace.n);
	}
	PLAN.ops[0].source = fixture_cidr("0.0.0.0/0");
	policy_explain(&POLICY, &PLAN, &FACTS, &v, &trace);
	assert_int_equal(trace.n, 5);
	assert_true(trace.rows[4].decided);
	PLAN.ops[0].source = fixture_cidr("8.8.8.8");
	FACTS.display = DISPLAY_SHARED;
	policy_explain(&POLICY, &PLAN, &FACTS, &v, &trace);
	assert_string_equal(trace.rows[trace.n - 1].id, "deny.display");
	PLAN = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, "8.8.8.8"));
	FACTS.display = DISPLAY_TRUSTED;
	policy_explain(&POLICY, &PLAN, &FACTS, &v, &trace);
	assert_string_equal(trace.rows[trace.n - 1].id, "close.foreign");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_askers, setup),
	    cmocka_unit_test_setup(test_own_closings_are_never_held_up, setup),
	    cmocka_unit_test_setup(test_scope_places, setup),
	    cmocka_unit_test_setup(test_scope_ports, setup),
	    cmocka_unit_test_setup(test_lifetimes_of_classes, setup),
	    cmocka_unit_test_setup(test_reason_and_ticket, setup),
	    cmocka_unit_test_setup(test_open_at_once, setup),
	    cmocka_unit_test_setup(test_needs, setup),
	    cmocka_unit_test_setup(test_every_bound, setup),
	    cmocka_unit_test_setup(test_bounds_that_no_policy_leaves, setup),
	    cmocka_unit_test_setup(test_trace, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
