/* SPDX-License-Identifier: Apache-2.0 */
/* Administrative acts that change the key list and no key: which list is the newest, and that the touch counted. */
#include "load_world.h"

#include <string.h>

static void
put_phrase(const char *digest, const char *counter)
{
	entry(LEDGER_PHRASE);
	put("receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("plan", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("uid", "0");
	put("act", "choose-phrase");
	put("digest", digest);
	put("credential", CRED);
	put("counter", counter);
	put("authdata", "00");
	put("signature", "00");
	put("text", "a record\n");
	append();
}

static void
test_phrase(void **state)
{
	uint8_t a[HASH_LEN];

	memset(a, 0xaa, sizeof(a));
	put_start(DIGEST_A);
	put_enroll();
	put_phrase(DIGEST_A, "300");
	load();
	assert_true(H.whole);
	assert_int_equal(H.n_counters, 1); /* the same key as before */
	assert_int_equal(H.counters[0].counter, 300);
	assert_memory_equal(H.head.keys_digest, a, HASH_LEN);
}

static void
test_no_form(void **state)
{
	static const char *const rows[][3] = {{"aa", "1", "key list"}, {DIGEST_A, "x", "counter"}};

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(load_begin(state), 0);
		put_start(DIGEST_A);
		put_enroll();
		put_phrase(rows[i][0], rows[i][1]);
		load();
		assert_false(H.whole);
		assert_non_null(strstr(H.problem.detail, rows[i][2]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_phrase, load_begin),
	    cmocka_unit_test_setup(test_no_form, load_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
