/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's next file: when it is asked for, when it is taken, and when the old one grows on; and the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker_world.h"
#include "ledger_segment.h"

static int
new_file(void)
{
	int fd = memfd_create("next", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool
is_closed(int fd)
{
	return fcntl(fd, F_GETFD) < 0;
}

/* Full: the next record is followed by the question. */
static void
full(void)
{
	W.b.segment.number = 1;
	W.b.segment.ask_at = 1;
	W.b.segment.asked = false;
	W.n_control = 0;
	assert_true(ledger_stop(&W.b, "a record"));
	assert_true(W.b.segment.asked);
	assert_int_equal(world_said(MSG_NEXT_SEGMENT)->next_segment.number, 2);
}

static void
test_asked_once(void **state)
{
	assert_true(ledger_stop(&W.b, "a record"));
	assert_null(world_said(MSG_NEXT_SEGMENT)); /* there is room */
	full();
	W.n_control = 0;
	assert_true(ledger_stop(&W.b, "another"));
	assert_null(world_said(MSG_NEXT_SEGMENT));
}

static void
test_taken(void **state)
{
	struct stat st;
	int fd = new_file();

	full();
	segment_come(&W.b, 2, fd);
	assert_true(W.b.ledger_ok);
	assert_int_equal(W.b.segment.number, 2);
	assert_false(W.b.segment.begins);
	assert_true(is_closed(fd));
	assert_int_equal(fstat(W.b.ledger_fd, &st), 0);
	assert_int_equal(st.st_size, W.b.segment.size); /* its first record, and no other */
	assert_int_equal(W.b.chain.number, 2);
	assert_int_equal(W.b.segment.before.number, 1);
}

/* The old one grows on, and the next one is asked for again later. */
static void
expect_stays(int fd)
{
	uint64_t size = W.b.segment.size;

	segment_come(&W.b, 2, fd);
	assert_int_equal(W.b.segment.number, 1);
	assert_false(W.b.segment.asked);
	assert_true(W.b.segment.ask_at > size);
	assert_true(fd < 0 || is_closed(fd));
}

static void
test_grows_on(void **state)
{
	full();
	expect_stays(-1);
	full();
	W.b.ledger_ok = false; /* the last record may not be on the disk */
	expect_stays(new_file());
	full();
	W.b.torn_len = 5;
	expect_stays(new_file());
	W.b.torn_len = 0;
	full();
	W.b.head.torn_len = 5;
	expect_stays(new_file());
	W.b.head.torn_len = 0;
	full();
	W.b.segment.begins = true;
	expect_stays(new_file());
}

static void
test_not_asked_for(void **state)
{
	int fd = new_file();

	expect_assert_failure(segment_come(&W.b, 2, fd));
	full();
	expect_assert_failure(segment_come(&W.b, 3, fd));
	expect_assert_failure(segment_come(&W.b, 1, fd));
	W.b.ledger_fd = -1;
	expect_assert_failure(segment_come(&W.b, 2, fd)); /* there is no place for it */
	assert_int_equal(close(fd), 0);
}

/* Where the log is the journal the supervisor takes each head there, as fields. */
static void
test_journal(void **state)
{
	assert_true(ledger_stop(&W.b, "a record"));
	assert_null(world_said(MSG_ANCHOR));
	W.b.journal = true;
	assert_true(ledger_stop(&W.b, "another"));
	assert_int_equal(world_said(MSG_ANCHOR)->anchor.number, 2);
	assert_memory_equal(world_said(MSG_ANCHOR)->anchor.head, W.b.chain.head, HASH_LEN);
	W.n_control = 0;
	W.b.ledger_fd = -1;
	assert_false(ledger_stop(&W.b, "one that is not written"));
	assert_null(world_said(MSG_ANCHOR));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_asked_once),
	    TEST(test_taken),
	    TEST(test_grows_on),
	    TEST(test_not_asked_for),
	    TEST(test_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
