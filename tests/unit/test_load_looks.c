/* SPDX-License-Identifier: Apache-2.0 */
/* Which of what was closed a start looks at once more, and what time it takes to have passed. */
#include "load_world.h"

static void
loaded(size_t grants)
{
	load();
	if (!H.whole)
		fail_msg("%s", H.problem.detail);
	assert_int_equal(H.n_grants, grants);
}

/* A closing after the window needs no second look; an opening of the same rule takes the one before it over. */
static void
test_second_looks(void **state)
{
	put_consent(1, "1");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	L.later = SGW_SIGNATURE_WINDOW + 121;
	put_close("0", "closed");
	loaded(0);
	load_begin(NULL);
	put_consent(1, "1");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	put_close("0", "gone");
	put_consent(1, "2");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	loaded(1);
	assert_int_equal(H.grants[0].state, GRANT_OPEN);
	assert_string_equal(H.grants[0].receipt, L.receipt);
}

/* An opening takes over what it opened and nothing that a later step of its plan may open. */
static void
regress_133_of_another_step(void **state)
{
	put_consent(2, "1");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	put_close("0", "closed");
	put_close("1", "closed");
	put_consent(2, "2");
	FIELD_SET(L.ops, "1"); /* its first step is its first rule */
	put_intent(L.receipt, "open");
	put_outcome("ok");
	loaded(2);
	assert_int_equal(H.grants[0].state, GRANT_CLOSED); /* looked at once more */
	assert_int_equal(H.grants[0].from_port, 8001);
	assert_int_equal(H.grants[1].state, GRANT_OPEN);
	assert_int_equal(H.grants[1].from_port, 8000);
}

/*
 * The wall clock is set back, and more than one record follows: what had passed before did pass for what was open, and
 * for that alone, or a clock that once was ahead would cut short whatever is opened later.
 */
static void
regress_115_records_after_a_clock_was_set_back(void **state)
{
	put_start(DIGEST_A);
	put_consent(2, "1");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	L.later = 1800;
	put_start(DIGEST_A);
	L.later = -21600;
	put_start(DIGEST_A);
	put_start(DIGEST_A);
	put_consent(2, "2");
	FIELD_SET(L.ops, "1");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	loaded(3);
	assert_int_equal(H.latest[0], NOW + 1800 + 4);
	assert_int_equal(H.latest[1], NOW + 1800 + 4);
	assert_int_equal(H.latest[2], NOW - 21600 + (int64_t)L.chain.number - 1);
	assert_int_equal(H.head.time, NOW - 21600 + (int64_t)L.chain.number - 1);
}

/* Made under a clock that was ahead and put right before the rule was opened: it has the time that was shown. */
static void
regress_151_record_of_a_clock_ahead(void **state)
{
	L.later = 7200;
	put_consent(1, "1");
	L.later = 0;
	put_intent(L.receipt, "open");
	put_outcome("ok");
	loaded(1);
	assert_int_equal(H.grants[0].closes, NOW + 7200 + 3600);
	assert_in_range(H.latest[0], NOW + 7200, NOW + 7200 + 2);
}

/* Asked for before its time and not closed yet: due at the next start. */
static void
regress_159_due_before_its_time(void **state)
{
	put_consent(2, "1");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	entry(LEDGER_DUE);
	put("receipt", L.receipt);
	put("op", "1");
	put("why", "request");
	append();
	loaded(2);
	assert_int_equal(H.grants[0].closes, NOW + 3600);
	assert_in_range(H.grants[1].closes, NOW, NOW + 10);
	assert_int_equal(H.grants[1].state, GRANT_OPEN);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_second_looks, load_begin),
	    cmocka_unit_test_setup(regress_133_of_another_step, load_begin),
	    cmocka_unit_test_setup(regress_151_record_of_a_clock_ahead, load_begin),
	    cmocka_unit_test_setup(regress_159_due_before_its_time, load_begin),
	    cmocka_unit_test_setup(regress_115_records_after_a_clock_was_set_back, load_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
