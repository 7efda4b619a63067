/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real, confined loader over a ledger of several files: what one of them opened, the next one closes; the last alone
 * may be torn; whatever is missing, exchanged or cut is said, with the segment it is in.
 */
#include "load_world.h"

#include <stdio.h>

static size_t second; /* where the last record of segment 2 begins */

/* Two rules opened in segment 1, one closed in segment 2, a key's counter moved in segment 3. */
static void
story(void)
{
	char opened[SGW_RECEIPT_LEN + 1];

	put_start(DIGEST_A);
	put_consent(2, "7");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	memcpy(opened, L.receipt, sizeof(opened));
	put_segment();
	put_start(DIGEST_B);
	L.later = 3600;
	second = L.b.len;
	put_close("0", "closed");
	put_segment();
	put_foreign(1, "9");
	memcpy(L.receipt, opened, sizeof(opened));
}

static void
fails(const char *why)
{
	heard_nothing();
	load();
	assert_false(H.whole);
	assert_int_equal(H.n_problems, 1);
	assert_true(H.problem.fatal);
	if (!strstr(H.problem.detail, why))
		fail_msg("%s", H.problem.detail);
}

static void
all_are_read(void **state)
{
	story();
	load();
	assert_true(H.whole);
	assert_int_equal(H.head.number, L.chain.number);
	assert_memory_equal(H.head.head, L.chain.head, HASH_LEN);
	assert_int_equal(H.head.segment, 3);
	assert_int_equal(H.head.segment_size, L.b.len - L.at[1]);
	assert_false(H.head.segment_begins);
	assert_int_equal(H.head.segment_last, 7);
	assert_int_equal(H.n_grants, 1);
	assert_int_equal(H.grants[0].from_port, 8001);
	assert_int_equal(H.grants[0].state, GRANT_OPEN);
	assert_int_equal(H.counters[0].counter, 9);
}

/* A crash while a segment began: its name is known, its record is not. */
static void
torn_at_its_begin(void **state)
{
	size_t end;

	story();
	end = L.b.len;
	for (size_t n = 1; L.at[1] + n < end; n += 37) {
		heard_nothing();
		L.b.len = L.at[1] + n;
		load();
		assert_true(H.whole);
		assert_int_equal(H.head.segment, 3);
		assert_int_equal(H.head.segment_size, n);
		assert_int_equal(H.head.segment_last, 7);
		assert_int_equal(
		    H.head.torn_len > 0 && H.head.torn_len == n, H.head.segment_begins);
		assert_int_equal(H.head.number, H.head.segment_begins ? 7 : 8);
	}
}

static void
torn_inside_the_row(void **state)
{
	story();
	L.bytes[L.at[1] - 1] = 'x';
	fails("of segment 2:");
	L.bytes[L.at[1] - 1] = '\n';
	memmove(L.bytes + L.at[1] - 3, L.bytes + L.at[1], L.b.len - L.at[1]);
	L.at[1] -= 3;
	L.b.len -= 3;
	fails("of segment 2: its segment ends inside it, and another one follows");
}

static void
cut_inside_the_row(void **state)
{
	story();
	memmove(L.bytes + second, L.bytes + L.at[1], L.b.len - L.at[1]);
	L.b.len -= L.at[1] - second;
	L.at[1] = second;
	fails("record 7 at byte 0 of segment 3: the segment before it does not end where it says");
}

static void
one_is_missing(void **state)
{
	story();
	L.n_at = 1; /* what was segment 3 stands where segment 2 should */
	memmove(L.bytes + L.at[0], L.bytes + L.at[1], L.b.len - L.at[1]);
	L.b.len -= L.at[1] - L.at[0];
	fails("of segment 2: it begins another segment than this one");
}

static void
the_first_is_missing(void **state)
{
	story();
	memmove(L.bytes, L.bytes + L.at[0], L.b.len - L.at[0]);
	L.b.len -= L.at[0];
	L.n_at = 0;
	fails("record 1 at byte 0: it begins a later segment");
}

static void
one_is_there_twice(void **state)
{
	story();
	L.n_at = 3;
	L.at[2] = L.b.len;
	memcpy(L.bytes + L.b.len, L.bytes + L.at[1], L.b.len - L.at[1]);
	L.b.len += L.b.len - L.at[1];
	fails("of segment 4: it begins another segment than this one");
}

static void
one_is_empty(void **state)
{
	story();
	memmove(L.at + 1, L.at, 2 * sizeof(L.at[0]));
	L.n_at = 3;
	fails("of segment 2: its segment is empty, and another one follows");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(all_are_read, load_begin),
	    cmocka_unit_test_setup(torn_at_its_begin, load_begin),
	    cmocka_unit_test_setup(torn_inside_the_row, load_begin),
	    cmocka_unit_test_setup(cut_inside_the_row, load_begin),
	    cmocka_unit_test_setup(one_is_missing, load_begin),
	    cmocka_unit_test_setup(the_first_is_missing, load_begin),
	    cmocka_unit_test_setup(one_is_there_twice, load_begin),
	    cmocka_unit_test_setup(one_is_empty, load_begin),
	};

	return cmocka_run_group_tests_name("load segments", tests, NULL, NULL);
}
