/* SPDX-License-Identifier: Apache-2.0 */
/* The real, confined loader: which prompts, denials, blocks and wrong codes of a ledger it tells, and which it need not. */
#include "load_world.h"

#include <stdio.h>

#define P "sgw-pppppppppppppppppppp"
#define Q "sgw-qqqqqqqqqqqqqqqqqqqq"

static void
put_request_by(const char *plan, const char *uid, const char *class, const char *by)
{
	entry(LEDGER_REQUEST);
	put("plan", plan);
	put("uid", uid);
	put("class", class);
	put("line", "open.default");
	if (by)
		put("by", by);
	append();
}

static void
put_request(const char *plan, const char *uid, const char *class)
{
	put_request_by(plan, uid, class, NULL);
}

static void
put_refusal(const char *plan)
{
	entry(LEDGER_REFUSAL);
	put("plan", plan);
	put("uid", "1000");
	put("class", "open");
	put("error", "cooling_down");
	put("line", "none");
	append();
}

static void
put_end(enum ledger_kind kind, const char *plan, const char *key, const char *value)
{
	entry(kind);
	put("receipt", plan);
	put("plan", plan);
	put(key, value);
	append();
}

static void
assert_limits(size_t n)
{
	heard_nothing();
	load();
	if (!H.whole)
		fail_msg("%s", H.problem.detail);
	assert_int_equal(H.n_limits, n);
}

static void
assert_limit(size_t i, uint32_t uid, bool person, enum limit_event event, int64_t time)
{
	assert_int_equal(H.limits[i].uid, uid);
	assert_int_equal(H.limits[i].person, person);
	assert_int_equal(H.limits[i].event, event);
	assert_int_equal(H.limits[i].time, time);
}

static void
test_prompts_and_answers(void **state)
{
	put_start(DIGEST_A);
	put_request(P, "1000", "open");
	assert_limits(1); /* on the screen when everything ended: it was a prompt */
	assert_limit(0, 1000, false, LIMIT_PROMPT, NOW + 1);
	put_end(LEDGER_DENIAL, P, "reason", "deny");
	put_request(Q, "1001", "enroll");
	put_end(LEDGER_DENIAL, Q, "reason", "block");
	put_request(Q, "0", "close-foreign");
	put_end(LEDGER_DENIAL, Q, "reason", "end of file");
	put_request(Q, "4294967295", "open-wide");
	put_end(LEDGER_DENIAL, Q, "reason", "wrong word");
	put_request_by(Q, "1000", "open", "person");
	put_end(LEDGER_TIMEOUT, Q, "stage", "word");
	assert_limits(8);
	assert_limit(0, 1000, false, LIMIT_PROMPT, NOW + 1);
	assert_limit(1, 1000, false, LIMIT_DENIAL, NOW + 2);
	assert_limit(2, 1001, true, LIMIT_PROMPT, NOW + 3);
	assert_limit(3, 1001, true, LIMIT_BLOCK, NOW + 4);
	assert_limit(4, 0, false, LIMIT_PROMPT, NOW + 5);
	assert_limit(5, UINT32_MAX, false, LIMIT_PROMPT, NOW + 7);
	assert_limit(6, UINT32_MAX, false, LIMIT_DENIAL, NOW + 8);
	assert_limit(7, 1000, true, LIMIT_PROMPT, NOW + 9);
}

/* Nobody's in particular: whoever asked, the code has one limit. */
static void
test_wrong_codes(void **state)
{
	for (unsigned i = 0; i <= SGW_CODE_TRIES; i++) {
		put_request(Q, i ? "1000" : "0", "enroll");
		put_end(LEDGER_DENIAL, Q, "reason", "wrong code");
	}
	assert_limits(SGW_CODE_TRIES + SGW_CODE_TRIES + 1);
	for (unsigned i = 0; i < SGW_CODE_TRIES; i++) /* the last of them */
		assert_limit(i, 0, false, LIMIT_CODE, NOW + 3 + 2 * i);
	assert_limit(SGW_CODE_TRIES, 0, true, LIMIT_PROMPT, NOW);
}

static void
put_code(const char *digest, const char *counter)
{
	entry(LEDGER_CODE);
	put("receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("plan", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("uid", "0");
	put("act", "make-recovery-code");
	put("subject", "its key");
	put("digest", digest);
	put("credential", "0badc0de");
	put("counter", counter);
	put("authdata", "00");
	put("signature", "00");
	put("text", "a record\n");
	append();
}

/* The code's own key is in the key list, whose digest counts from there on; the touch for it moved a counter. */
static void
test_codes(void **state)
{
	uint8_t b[HASH_LEN];

	memset(b, 0xbb, sizeof(b));
	put_start(DIGEST_A);
	put_code(DIGEST_B, "8");
	load();
	assert_true(H.whole);
	assert_int_equal(H.n_counters, 1);
	assert_int_equal(H.counters[0].counter, 8);
	assert_memory_equal(H.head.keys_digest, b, HASH_LEN);
	put_code("00", "9");
	heard_nothing();
	load();
	assert_false(H.whole);
}

/* What asked nobody, or came to nobody's screen, limits nobody. */
static void
test_nobody_was_asked(void **state)
{
	put_request(P, "1000", "close-own");
	put_request(P, "1000", "open");
	put_refusal(P); /* no key, or within a cool-down */
	put_request(P, "1000", "open");
	put_request(P, "1000", "open"); /* anew, when the screen had come */
	put_end(LEDGER_TIMEOUT, P, "stage", "screen");
	assert_limits(0);
	put_request(P, "1000", "open");
	put_end(LEDGER_TIMEOUT, P, "stage", "word");
	put_refusal(P); /* the same plan once more, later: that prompt was one */
	put_end(LEDGER_DENIAL, P, "reason", "deny");
	assert_limits(1);
	assert_limit(0, 1000, false, LIMIT_PROMPT, NOW + 6);
}

/* After a restart nothing is before the person any more: a refusal then takes nothing back. */
static void
test_restart_on_the_screen(void **state)
{
	put_request(P, "1000", "open");
	put_start(DIGEST_A);
	put_refusal(P);
	put_request(P, "1000", "open");
	put_consent(1, "1"); /* touched for */
	put_refusal(P);
	assert_limits(2);
	assert_limit(0, 1000, false, LIMIT_PROMPT, NOW);
	assert_limit(1, 1000, false, LIMIT_PROMPT, NOW + 3);
}

static void
test_older_than_an_hour(void **state)
{
	put_request(P, "1000", "open");
	put_end(LEDGER_DENIAL, P, "reason", "deny");
	L.later = 3600 - 2;
	put_start(DIGEST_A); /* the prompt is an hour ago, the no not quite */
	assert_limits(1);
	assert_limit(0, 1000, false, LIMIT_DENIAL, NOW + 1);
	put_start(DIGEST_A);
	assert_limits(0);
}

/* Of each the newest, and of a flood of users the latest. */
static void
test_bounded(void **state)
{
	char uid[16];

	for (int i = 0; i < SGW_PROMPTS_KEPT + 10; i++) {
		put_request(P, "1000", "open");
		put_end(LEDGER_TIMEOUT, P, "stage", "touch");
	}
	assert_limits(SGW_PROMPTS_KEPT);
	assert_limit(0, 1000, false, LIMIT_PROMPT, NOW + 20);
	assert_limit(
	    SGW_PROMPTS_KEPT - 1, 1000, false, LIMIT_PROMPT, NOW + 2 * (SGW_PROMPTS_KEPT + 9));
	load_begin(NULL);
	for (int i = 0; i < SGW_QUOTAS_MAX + 1; i++) {
		snprintf(uid, sizeof(uid), "%d", 100 + i);
		put_request(P, uid, "open");
		put_end(LEDGER_DENIAL, P, "reason", i == 5 ? "block" : "eof");
	}
	assert_limits(SGW_QUOTAS_MAX + 1);
	for (size_t i = 0; i < H.n_limits; i++)
		assert_int_not_equal(H.limits[i].uid, 100); /* the one quiet for longest */
}

static void
test_not_of_its_form(void **state)
{
	put_request(P, "4294967296", "open");
	load();
	assert_false(H.whole);
	assert_non_null(strstr(H.problem.detail, "record 1 at byte 0: its uid is none"));
	load_begin(NULL);
	put_request(P P, "0", "open");
	load();
	assert_false(H.whole);
	assert_non_null(strstr(H.problem.detail, "record 1 at byte 0: its plan is none"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, load_begin)
	static const struct CMUnitTest tests[] = {
	    TEST(test_prompts_and_answers),
	    TEST(test_wrong_codes),
	    TEST(test_codes),
	    TEST(test_nobody_was_asked),
	    TEST(test_restart_on_the_screen),
	    TEST(test_older_than_an_hour),
	    TEST(test_bounded),
	    TEST(test_not_of_its_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
