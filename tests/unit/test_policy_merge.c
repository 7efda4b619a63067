/* SPDX-License-Identifier: Apache-2.0 */
/* One verdict for several groups: the strictest of all; and what extends does nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/policy.h>

#include "plan_fixture.h"

static struct verdict
verdict(enum effect_class effect, enum sgw_error error, unsigned needs)
{
	struct verdict v = {.effect = effect,
	    .error = error,
	    .needs_consent = needs & 1,
	    .needs_pin = needs & 2,
	    .needs_trusted_display = needs & 4,
	    .quota_used = (uint16_t)effect};

	(void)FIELD_SET(v.line, error == SGW_ERR_NONE ? "open.default" : "deny.scope");
	return v;
}

/* Whatever either needs is needed, in every combination and either order. */
static void
test_needs(void **state)
{
	for (unsigned a = 0; a < 8; a++)
		for (unsigned b = 0; b < 8; b++) {
			struct verdict v = verdict(CLASS_OPEN, SGW_ERR_NONE, a);
			const struct verdict other = verdict(CLASS_OPEN, SGW_ERR_NONE, b);

			verdict_merge(&v, &other);
			assert_int_equal(v.needs_consent, (a | b) & 1);
			assert_int_equal(v.needs_pin, ((a | b) & 2) != 0);
			assert_int_equal(v.needs_trusted_display, ((a | b) & 4) != 0);
		}
}

/* The graver class counts, and the first group's quota stays its own. */
static void
test_effect(void **state)
{
	for (int a = 0; a < CLASS_MAX; a++)
		for (int b = 0; b < CLASS_MAX; b++) {
			struct verdict v = verdict((enum effect_class)a, SGW_ERR_NONE, 0);
			const struct verdict other = verdict((enum effect_class)b, SGW_ERR_NONE, 0);

			verdict_merge(&v, &other);
			assert_int_equal(v.effect, a > b ? a : b);
			assert_int_equal(v.quota_used, a);
		}
}

/* The first that refuses is the one that is told; none that follows makes it milder. */
static void
test_refusal(void **state)
{
	const struct verdict wide = verdict(CLASS_OPEN_WIDE, SGW_ERR_NONE, 7);
	const struct verdict refused = verdict(CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, 0);
	const struct verdict full = verdict(CLASS_FORBIDDEN, SGW_ERR_QUOTA, 0);
	const struct verdict mild = verdict(CLASS_READ, SGW_ERR_NOT_OPTED_IN, 0);
	struct verdict v = wide;

	verdict_merge(&v, &refused);
	assert_int_equal(v.error, SGW_ERR_FORBIDDEN);
	assert_int_equal(v.effect, CLASS_FORBIDDEN);
	assert_string_equal(v.line, "deny.scope");
	assert_true(v.needs_pin);
	verdict_merge(&v, &full);
	assert_int_equal(v.error, SGW_ERR_FORBIDDEN);
	verdict_merge(&v, &wide);
	assert_int_equal(v.error, SGW_ERR_FORBIDDEN);
	assert_int_equal(v.effect, CLASS_FORBIDDEN);
	v = wide;
	verdict_merge(&v, &mild); /* a refusal, whatever its class */
	assert_int_equal(v.error, SGW_ERR_NOT_OPTED_IN);
}

static void
test_extend_alone(void **state)
{
	struct rec_op op = fixture_op(ACTION_EXTEND, PROTO_TCP, 8443, 8443, "203.0.113.7/32");
	struct rec_plan plan;

	(void)FIELD_SET(op.receipt, "sgw-bbbbbbbbbbbbbbbbbbbb");
	plan = fixture_plan(op);
	assert_null(plan_problem(&plan));
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 8444, 8444, "203.0.113.7/32");
	plan.n_ops = 2;
	assert_string_equal(plan_problem(&plan), "what extends does nothing else");
	plan.ops[0] = plan.ops[1];
	plan.ops[1] = op;
	assert_string_equal(plan_problem(&plan), "what extends does nothing else");
	plan.ops[1].receipt[0] = 0;
	assert_string_equal(plan_problem(&plan), "an operation's receipt is none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_needs),
	    cmocka_unit_test(test_effect),
	    cmocka_unit_test(test_refusal),
	    cmocka_unit_test(test_extend_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
