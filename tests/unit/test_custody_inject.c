/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing an opener, sealing it anew and using it, with each allocation and system call failing in turn while the
 * broker has the secret in its hands.  Whatever fails: what is sealed is as it was or as it was meant to be, each key
 * opens it, none of it is left in memory, and no success is told that the file does not hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <sgwarden/log.h>

#include "custody_world.h"
#include "../fuzz/inject.h"

static struct {
	struct rec_sealed_list before;
	unsigned ended; /* stories that ended with the broker */
} T;

void __wrap_abort(void) __attribute__((noreturn));
void __real_abort(void) __attribute__((noreturn));

/* hash_sha256()'s: without libcrypto nothing here may go on. */
void
__wrap_abort(void)
{
	if (inject_failed() > 0)
		mock_assert(0, "abort", "the broker", 0);
	__real_abort();
}

static void
around(bool broker)
{
	inject_pause(!broker);
}

static bool
is(enum job_state state)
{
	return W.b.active && W.b.active->state == state;
}

/* The word, if it is waited for, and the touch. */
static void
one_touch(size_t key)
{
	if (!is(JOB_READING))
		return;
	agrees();
	touched(key);
}

static void
act_shown(enum admin_act what)
{
	act(what, PROD, what == ACT_TEST_OPENER ? GROUP : "");
	if (is(JOB_SPAWNING))
		shown();
}

static void
sealing(enum admin_act what)
{
	act_shown(what);
	one_touch(BLUE);
	one_touch(RED);
	one_touch(BLUE);
	for (int i = 0; i < 2; i++) {
		if (!is(JOB_COMMIT) && !is(JOB_TIDY))
			return;
		around(true);
		admin_committed(&W.b, true);
		around(false);
	}
}

static void using(enum admin_act what)
{
	static const struct aws_result yes = {
	    .outcome = NET_ANSWERED, .http_status = 412, .code = "DryRunOperation"};

	act_shown(what);
	one_touch(RED);
	for (int i = 0; i < 2; i++) {
		if (!is(JOB_RESEAL) && !is(JOB_RESEALED))
			return;
		around(true);
		custody_committed(&W.b, true);
		around(false);
	}
	if (is(JOB_TRIAL))
		execute_answer(&W.b, &yes);
}

static const struct {
	enum admin_act act;
	void (*story)(enum admin_act what);
	bool sealed; /* before it */
} ROWS[] = {
    {ACT_SEAL, sealing, false},
    {ACT_ROTATE, sealing, true},
    {ACT_TEST_OPENER, using, true},
};

static bool
opens(size_t key)
{
	struct rec_sealed_entry *e = sealed_entry(TIER_OPENER);
	const struct rec_sealed_wrap *w;
	char secret[SGW_SECRET_KEY_MAX + 1];
	uint8_t id[32], answer[32], data_key[SEAL_KEY_LEN];

	seal_key_id(C.keys[key].id, sizeof(C.keys[key].id), id);
	w = e ? sealed_wrap_find(e, id) : NULL;
	if (!w)
		return false;
	secret_of(key, false, w->salt, answer);
	return seal_unwrap(W.b.appliance, e, w, answer, data_key) &&
	       unseal_secret(W.b.appliance, e, data_key, secret) &&
	       strcmp(secret, OPENER_SECRET) == 0;
}

/* Whatever failed. */
static void
check(bool sealed_before)
{
	const struct msg *m = world_said(MSG_RESULT);
	bool same = memcmp(&W.b.sealed, &T.before, sizeof(T.before)) == 0;
	static const struct profile_keys nobody;
	static const uint8_t zero[sizeof(W.b.vault->answers)];

	if (m && m->result.status == STATUS_OK)
		assert_false(same);
	if (!same || sealed_before)
		assert_true(opens(BLUE) && opens(RED));
	if (m) {
		assert_memory_equal(&W.b.vault->opener, &nobody, sizeof(nobody));
		assert_memory_equal(W.b.vault->answers, zero, sizeof(zero));
		assert_memory_equal(W.b.vault->data_key, zero, sizeof(W.b.vault->data_key));
	}
}

/* One story with the nth call failing (0: none); how many there were. */
static uint64_t
tell(void **state, size_t row, uint64_t nth)
{
	uint64_t calls;

	assert_int_equal(custody_open(state), 0);
	log_open("test", 0); /* what fails is said in the log, and here there is much of it */
	if (ROWS[row].sealed)
		(void)sealed_by_hand(TIER_OPENER);
	T.before = W.b.sealed;
	inject_nth(nth);
	inject_pause(true);
	C.around = around;
	global_expecting_assert = 1;
	if (setjmp(global_expect_assert_env) == 0)
		ROWS[row].story(ROWS[row].act);
	else
		T.ended++;
	global_expecting_assert = 0;
	calls = inject_calls();
	inject_off();
	check(ROWS[row].sealed);
	if (nth == 0) { /* the twin: nothing failed */
		assert_int_equal(world_said(MSG_RESULT)->result.status, STATUS_OK);
		assert_true(opens(BLUE) && opens(RED));
	}
	assert_int_equal(custody_close(state), 0);
	return calls;
}

static void
test_each_call_in_turn(void **state)
{
	for (size_t row = 0; row < sizeof(ROWS) / sizeof(ROWS[0]); row++) {
		uint64_t failed = inject_total(), calls = tell(state, row, 0);

		calls = tell(state, row, 0); /* now nothing sets itself up any more */
		assert_true(calls > 20);
		for (uint64_t n = 1; n <= calls; n++)
			(void)tell(state, row, n);
		assert_true(inject_total() - failed > calls - calls / 10);
		print_message("%s: %u calls failed in turn\n", ADMIN_ROWS[ROWS[row].act].line,
		    (unsigned)(inject_total() - failed));
	}
	print_message("the broker ended itself at %u\n", T.ended);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_call_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
