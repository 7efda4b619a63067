/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen when a plan was judged: which change since then is found, and how it is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker_world.h"

#define OTHER "sg-0fedcba9876543210"
#define SOURCE "203.0.113.7/32"

static char text[SGW_DETAIL_MAX + 1];

/* The group as a read brings it: a rule for each port. */
static const struct collected *
group_has(size_t n, const int32_t *ports)
{
	struct collected *c = &W.b.collected[CALL_JOB];

	c->n_rules = n;
	for (size_t i = 0; i < n; i++) {
		c->rules[i] = fixture_rule("sgr-1", PROTO_TCP, ports[i], ports[i], SOURCE);
		c->rules[i].rule_id[4] = (char)('1' + i);
	}
	return c;
}

static bool
holds(const struct collected *c)
{
	return seen_holds(&W.b, GROUP, c, text);
}

static struct rec_grant
grant_like(const struct rec_rule *rule)
{
	struct rec_grant g = {.protocol = rule->protocol,
	    .from_port = rule->from_port,
	    .to_port = rule->to_port,
	    .source = rule->source};

	(void)FIELD_SET(g.group_id, GROUP);
	return g;
}

static void
test_named(void **state)
{
	static const int32_t then[] = {443}, now[] = {22, 443, 80, 81, 82};
	struct collected *c = &W.b.collected[CALL_JOB];

	assert_true(seen_keep(&W.b, GROUP, group_has(1, then)));
	assert_true(seen_keep(&W.b, OTHER, group_has(1, then))); /* counts for OTHER alone */
	(void)group_has(1, then);
	assert_true(holds(c));
	(void)group_has(0, NULL);
	assert_false(holds(c));
	assert_string_equal(text, GROUP ": removed tcp/443 from " SOURCE);
	(void)group_has(5, now);
	c->rules[1].rule_id[4] = '1'; /* the one that was there */
	c->rules[0].source_kind = SOURCE_PREFIX_LIST;
	(void)FIELD_SET(c->rules[0].source_id, "pl-0123456789abcdef0");
	assert_false(holds(c));
	assert_string_equal(text,
	    GROUP ": added tcp/22 from a list or group, added tcp/80 from " SOURCE
		  ", added tcp/81 from " SOURCE " and 1 more");
}

/* One rule that was seen accounts for one rule, not for two. */
static void
test_twice(void **state)
{
	static const int32_t one[] = {443}, two[] = {443, 443};
	struct collected *c = &W.b.collected[CALL_JOB];

	assert_true(seen_keep(&W.b, GROUP, group_has(1, one)));
	(void)group_has(2, two);
	c->rules[1].rule_id[4] = '1';
	assert_false(holds(c));
	assert_non_null(strstr(text, "added tcp/443"));
}

/* What this process changes is loose, there or not; whatever differs from it in one property is not. */
static void
test_loose(void **state)
{
	static const int32_t one[] = {443};
	struct collected *c = &W.b.collected[CALL_JOB];
	const struct rec_rule rule = fixture_rule("sgr-1", PROTO_TCP, 443, 443, SOURCE);
	struct rec_rule other[5] = {rule, rule, rule, rule, rule};
	const struct rec_grant g = grant_like(&rule);

	other[0].protocol = PROTO_UDP;
	other[1].from_port = 442;
	other[2].to_port = 444;
	other[3].source = fixture_cidr("203.0.113.8/32");
	other[4].source_kind = SOURCE_GROUP;
	assert_true(seen_keep(&W.b, GROUP, group_has(1, one)));
	seen_loosen(&W.b, &g);
	assert_int_equal(W.b.n_seen, 1); /* it was seen */
	assert_true(holds(c));
	for (size_t i = 0; i < 5; i++) {
		c->rules[0] = other[i];
		assert_false(holds(c));
		assert_non_null(strstr(text, "added"));
	}
	c->n_rules = 0;
	assert_true(holds(c));
}

/* One that is like none of those that were seen is one more; the same again is not. */
static void
test_loosened_is_not_seen(void **state)
{
	static const int32_t one[] = {443};
	struct collected *c = &W.b.collected[CALL_JOB];
	struct rec_rule rule = fixture_rule("sgr-1", PROTO_TCP, 443, 443, SOURCE);
	struct rec_grant differs[5];

	for (size_t i = 0; i < 5; i++)
		differs[i] = grant_like(&rule);
	(void)FIELD_SET(differs[0].group_id, OTHER);
	differs[1].protocol = PROTO_UDP;
	differs[2].from_port = 442;
	differs[3].to_port = 444;
	differs[4].source = fixture_cidr("203.0.113.8/32");
	(void)group_has(1, one);
	assert_true(seen_keep(&W.b, GROUP, c));
	for (size_t i = 0; i < 5; i++) {
		seen_loosen(&W.b, &differs[i]);
		assert_int_equal(W.b.n_seen, i + 2);
		seen_loosen(&W.b, &differs[i]);
		assert_int_equal(W.b.n_seen, i + 2);
	}
	assert_false(W.b.seen[0].loose);
	seen_clear(&W.b);
	c->rules[0].source_kind = SOURCE_GROUP; /* a grant's source is a prefix */
	assert_true(seen_keep(&W.b, GROUP, c));
	rule = c->rules[0];
	differs[0] = grant_like(&rule);
	seen_loosen(&W.b, &differs[0]);
	assert_int_equal(W.b.n_seen, 2);
	assert_false(W.b.seen[0].loose);
}

/* As many as can be watched, and no more; what cannot be loosened voids the plan instead of passing. */
static void
test_full(void **state)
{
	static const int32_t one[] = {443};
	const struct collected *c = group_has(1, one);
	struct rec_grant g;
	size_t n = 0;

	while (seen_keep(&W.b, OTHER, c))
		n++;
	assert_int_equal(n, SEEN_MAX);
	g = grant_like(&c->rules[0]);
	seen_loosen(&W.b, &g);
	assert_int_equal(W.b.n_seen, SEEN_MAX);
	assert_false(holds(c));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_named),
	    TEST(test_twice),
	    TEST(test_loose),
	    TEST(test_loosened_is_not_seen),
	    TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
