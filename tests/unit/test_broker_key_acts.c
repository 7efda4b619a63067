/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a key and trying one out, where the list or the key is not what it was when the act was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker_world.h"
#include "admin.h"

static struct admin act;

static void
enrolled(size_t i, const char *name)
{
	struct rec_key_entry *k = &W.b.keys.keys[i];

	k->cred_id_len = 32;
	memset(k->cred_id, (int)i + 1, 32);
	k->enrolled = 1700000000;
	(void)FIELD_SET(k->name, name);
	W.b.counters[i] = 10 * (uint32_t)(i + 1);
	W.b.keys.n_keys = (uint16_t)(i + 1);
}

static int
acts_open(void **state)
{
	struct job *j = &W.b.jobs[0];

	if (world_open(state) < 0)
		return -1;
	memset(&act, 0, sizeof(act));
	W.b.admin = &act;
	*j = (struct job){.kind = JOB_ADMIN, .act = ACT_REMOVE_KEY, .state = JOB_KEYS};
	W.b.active = j;
	(void)FIELD_SET(j->subject, "red");
	(void)FIELD_SET(W.b.keys.appliance, "abcdefghijklmnop");
	enrolled(0, "blue");
	enrolled(1, "red");
	enrolled(2, "green");
	return 0;
}

static void
prepare(void)
{
	const char *why;

	assert_int_equal(key_remove_prepare(&W.b, &why), SGW_ERR_NONE);
	assert_int_equal(W.b.keys_new.n_keys, 2);
	assert_string_equal(W.b.keys_new.keys[0].name, "blue");
	assert_string_equal(W.b.keys_new.keys[1].name, "green");
	assert_memory_equal(act.digest, W.b.keys_new_digest, HASH_LEN);
}

static void
test_removed(void **state)
{
	prepare();
	key_remove_commit(&W.b, true);
	assert_int_equal(world_said(MSG_COMMIT)->commit.file, STATE_FILE_KEYS);
	key_remove_applied(&W.b);
	assert_int_equal(W.b.keys.n_keys, 2);
	assert_string_equal(W.b.keys.keys[1].name, "green");
	assert_int_equal(W.b.counters[0], 10);
	assert_int_equal(W.b.counters[1], 30); /* it goes with its key */
	assert_int_equal(W.b.counters[2], 0);
	assert_string_equal(act.detail, "removed; 2 left");
}

/* The list that the ledger has recorded counts, whether the key was in the old one or not. */
static void
test_gone_already(void **state)
{
	prepare();
	act.removed[0] ^= 1;
	key_remove_applied(&W.b);
	assert_int_equal(W.b.keys.n_keys, 2);
	assert_int_equal(W.b.counters[0], 10);
	assert_int_equal(W.b.counters[2], 0);
}

static void
test_no_form(void **state)
{
	const char *why;

	W.b.keys.keys[0].name[0] = 0; /* a list with this one cannot be written */
	assert_int_equal(key_remove_prepare(&W.b, &why), SGW_ERR_INTERNAL);
	assert_string_equal(why, "");
	assert_int_equal(act.n_say, 0);
	(void)FIELD_SET(W.b.keys.keys[0].name, "blue");
	prepare();
	W.b.keys.keys[0].name[0] = 0;
	expect_assert_failure(key_remove_commit(&W.b, true));
	(void)FIELD_SET(W.b.keys.keys[0].name, "blue");
	W.b.keys_new.keys[0].name[0] = 0;
	expect_assert_failure(key_remove_commit(&W.b, true));
	assert_null(world_said(MSG_COMMIT));
}

/* Whoever has answered is named; a key that is enrolled no longer has no name. */
static void
test_tried(void **state)
{
	const char *why;

	W.b.active->subject[0] = 0;
	assert_int_equal(key_test_prepare(&W.b, &why), SGW_ERR_NONE);
	assert_null(act.only);
	assert_int_equal(act.n_say, 1);
	act.touch.cred_id_len = 32;
	memset(act.touch.cred_id, 3, 32);
	W.b.ceremony.record.pin = true;
	key_test_applied(&W.b);
	assert_string_equal(act.detail, "the key \"green\" answered, with its PIN");
	act.touch.cred_id[31] = 0;
	key_test_applied(&W.b);
	assert_string_equal(act.detail, "the key \"?\" answered, with its PIN");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, acts_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_removed),
	    TEST(test_gone_already),
	    TEST(test_no_form),
	    TEST(test_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
