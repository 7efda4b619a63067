/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that a person reads before a policy comes into force: complete, and honest about what widens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sgwarden/policy_diff.h>

#include "plan_fixture.h"
#include "policy_random.h"

static struct policy_diff DIFF;

static bool
same_bytes(const struct rec_policy *a, const struct rec_policy *b)
{
	static uint8_t bytes[2][SGW_POLICY_MAX];
	struct buf x = buf_over(bytes[0], SGW_POLICY_MAX), y = buf_over(bytes[1], SGW_POLICY_MAX);

	assert_true(rec_policy_encode(&x, a) && rec_policy_encode(&y, b));
	return x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

static size_t
count(enum policy_change_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < DIFF.n; i++)
		n += DIFF.change[i].kind == kind;
	return n;
}

/* Equal policies have no lines; any other have some, and not two that are the same. */
static void
test_complete(void **state)
{
	static struct rec_policy a, b;
	uint32_t seed = 1;
	const char *name = "";
	char why[POLICY_PROBLEM_MAX];
	unsigned changed = 0;

	for (int round = 0; round < 20000; round++) {
		random_policy(&seed, 12, &a);
		b = a;
		random_change(&seed, &b, &name);
		if (policy_problem(&b, why))
			continue;
		policy_diff(&a, &b, &DIFF);
		if ((DIFF.n == 0) != same_bytes(&a, &b))
			fail_msg("round %d, %s: %zu lines", round, name, DIFF.n);
		changed += DIFF.n > 0;
		for (size_t i = 0; i < DIFF.n; i++)
			for (size_t k = 0; k < i; k++)
				assert_true(DIFF.change[i].kind != DIFF.change[k].kind ||
					    strcmp(DIFF.change[i].text, DIFF.change[k].text) != 0);
		for (size_t i = 1; i < DIFF.n; i++)
			assert_true(DIFF.change[i - 1].kind <= DIFF.change[i].kind);
	}
	assert_true(changed > 5000);
}

/* What one change widens, its way back narrows. */
static void
test_both_ways(void **state)
{
	static struct rec_policy a, b;
	uint32_t seed = 2;
	const char *name = "";
	char why[POLICY_PROBLEM_MAX];

	for (int round = 0; round < 20000; round++) {
		size_t wider, narrower;

		random_policy(&seed, 12, &a);
		b = a;
		random_change(&seed, &b, &name);
		if (policy_problem(&b, why) || strcmp(a.ticket_prefix, b.ticket_prefix) != 0)
			continue;
		policy_diff(&a, &b, &DIFF);
		wider = count(POLICY_WIDER);
		narrower = count(POLICY_NARROWER);
		policy_diff(&b, &a, &DIFF);
		if (count(POLICY_WIDER) != narrower || count(POLICY_NARROWER) != wider)
			fail_msg("round %d, %s: %zu and %zu, back %zu and %zu", round, name, wider,
			    narrower, count(POLICY_WIDER), count(POLICY_NARROWER));
	}
}

static bool
refused(const struct verdict *v)
{
	return v->error != SGW_ERR_NONE || v->effect == CLASS_FORBIDDEN;
}

/* Does the new policy let through what the old one held, or ask for less? */
static bool
is_weaker(const struct verdict *was, const struct verdict *is)
{
	if (refused(is))
		return false;
	return refused(was) || is->effect < was->effect || (was->needs_pin && !is->needs_pin) ||
	       (was->needs_consent && !is->needs_consent) ||
	       (was->needs_trusted_display && !is->needs_trusted_display);
}

/* No plan is judged more mildly under a new policy that does not say that it widens. */
static void
test_what_widens_is_said(void **state)
{
	static struct rec_policy a, b;
	static struct rec_plan plan;
	static struct random_facts facts;
	uint32_t seed = 3;
	unsigned weaker = 0, allowed = 0, silent = 0;

	for (int round = 0; round < 6000; round++) {
		random_policy(&seed, 10, &a);
		b = a;
		for (unsigned i = random_next(&seed) % 4; i < 4; i++) {
			static struct rec_policy before;
			char why[POLICY_PROBLEM_MAX];
			const char *name;

			before = b;
			random_change(&seed, &b, &name);
			if (policy_problem(&b, why))
				b = before;
		}
		policy_diff(&a, &b, &DIFF);
		silent += count(POLICY_WIDER) == 0;
		for (int i = 0; i < 40; i++) {
			struct verdict was, is;

			random_plan(&seed, &plan, &facts);
			policy_evaluate(&a, &plan, &facts.facts, &was);
			policy_evaluate(&b, &plan, &facts.facts, &is);
			allowed += !refused(&is);
			if (!is_weaker(&was, &is))
				continue;
			weaker++;
			if (count(POLICY_WIDER) == 0)
				fail_msg("round %d: %s (%s) became %s (%s) and no line says so",
				    round, was.line, was.text, is.line, is.text);
		}
	}
	/* The twins: there were such plans, and policies that do not widen. */
	assert_true(weaker > 500 && allowed > 5000 && silent > 500);
}

static void
expect_lines(const struct rec_policy *b, const char *want)
{
	static struct rec_policy a;
	char got[4096], line[POLICY_LINE_MAX + 1];
	struct buf b_got = buf_over(got, sizeof(got));

	policy_builtin(&a);
	policy_diff(&a, b, &DIFF);
	for (size_t i = 0; i < DIFF.n; i++)
		for (size_t at = 0; policy_change_line(&DIFF.change[i], &at, line);)
			assert_true(buf_printf(&b_got, "%s\n", line));
	assert_true(buf_put_c(&b_got));
	assert_string_equal(got, want);
}

/* The words themselves, what widens first. */
static void
test_words(void **state)
{
	static struct rec_policy b;

	policy_builtin(&b);
	b.v4_wide = 20;
	b.on_open.lifetime_max = 14400;
	b.on_sensitive.lifetime_max = 14400;
	b.on_wide.lifetime_max = 14400;
	b.on_foreign.pin = true;
	FIELD_SET(b.ticket_prefix, "OPS-");
	b.n_scopes = 1;
	FIELD_SET(b.scopes[0].profile, "prod");
	FIELD_SET(b.scopes[0].tag_key, "team");
	FIELD_SET(b.scopes[0].tag_value, "web");
	b.scopes[0].n_ports = 2;
	b.scopes[0].ports[0] = (struct rec_service){PROTO_TCP, 443, 443};
	b.scopes[0].ports[1] = (struct rec_service){PROTO_TCP, 8000, 8100};
	expect_lines(&b, "+ NOW ALSO ALLOWED: IPv4 sources from /20 on without being class\n"
			 "+   open-wide (so far from /24 on)\n"
			 "- no longer allowed: class open for more than 4 h (so far up to 12 h)\n"
			 "- no longer allowed: class open-sensitive for more than 4 h (so far up\n"
			 "-   to 12 h)\n"
			 "- no longer allowed: class open-wide for more than 4 h (so far up to\n"
			 "-   12 h)\n"
			 "- no longer allowed: class close-foreign without the PIN\n"
			 "- no longer allowed: changes without a ticket: OPS- and a number\n"
			 "- no longer allowed: changes outside the scopes that the policy names\n"
			 "= as before: changes in this scope: profile prod, tag team=web:\n"
			 "=   tcp/443, tcp/8000-8100\n");
}

/* The longest scope, every character of which may be asked for: whole, in lines that fit. */
static void
test_nothing_is_cut(void **state)
{
	static struct rec_policy a, b;
	char line[POLICY_LINE_MAX + 1], all[1024];
	struct buf b_all = buf_over(all, sizeof(all));
	struct rec_scope *s = &b.scopes[0];

	policy_builtin(&a);
	b = a;
	b.n_scopes = 1;
	memset(s->profile, 'p', SGW_PROFILE_MAX);
	memset(s->tag_key, 'k', SGW_POLICY_TAG_MAX);
	memset(s->tag_value, 'v', SGW_POLICY_TAG_MAX);
	FIELD_SET(s->account, "111122223333");
	FIELD_SET(s->region, "us-gov-west-1");
	FIELD_SET(s->group_id, GROUP);
	s->n_ports = SGW_SCOPE_PORTS_MAX;
	for (int i = 0; i < SGW_SCOPE_PORTS_MAX; i++)
		s->ports[i] = (struct rec_service){PROTO_TCP, 50000 + 100 * i, 50000 + 100 * i + 9};
	policy_diff(&a, &b, &DIFF);
	assert_int_equal(DIFF.n, 2);
	for (size_t at = 0; policy_change_line(&DIFF.change[1], &at, line);) {
		assert_true(strlen(line) <= POLICY_LINE_MAX);
		assert_true(buf_printf(&b_all, "%s", line + (at <= 70 ? 0 : 4)));
	}
	assert_true(buf_put_c(&b_all));
	for (int i = 0; i < SGW_SCOPE_PORTS_MAX; i++) {
		char port[24];

		snprintf(port, sizeof(port), "tcp/%d-%d", 50000 + 100 * i, 50000 + 100 * i + 9);
		assert_non_null(strstr(all, port));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_complete),
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_what_widens_is_said),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_nothing_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
