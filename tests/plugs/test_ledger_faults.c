/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's ledger on a disk that fills up, tears and fails to sync, at every byte: what was said to be durable is
 * in the file, in order, and the file reads whole from end to end.
 */
#include "broker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <sgwarden/clock.h>
#include <sgwarden/ledger_stream.h>
#include <sgwarden/log.h>
#include <sgwarden/topology.h>

#include "ledger_write.h"

#define PLENTY 1000000

static struct broker B;
static struct stream S;
static struct {
	char file[1 << 16];
	size_t len, read;
	size_t room;         /* bytes that it still takes */
	unsigned interrupts; /* writes that a signal interrupts first */
	bool sync_fails;
} disk;
static jmp_buf death;
static unsigned said; /* records that the broker was told are durable */

ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fdatasync(int fd);
int __wrap_dup3(int from, int to, int flags);

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	if (fd != FD_BROKER_LEDGER)
		return (ssize_t)len; /* the log, unheard */
	if (disk.interrupts > 0) {
		disk.interrupts--;
		errno = EINTR;
		return -1;
	}
	if (disk.room == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (len > disk.room)
		len = disk.room;
	assert_true(disk.len + len <= sizeof(disk.file));
	memcpy(disk.file + disk.len, data, len);
	disk.len += len;
	disk.room -= len;
	return (ssize_t)len;
}

int
__wrap_fdatasync(int fd)
{
	assert_int_equal(fd, FD_BROKER_LEDGER);
	errno = EIO;
	return disk.sync_fails ? -1 : 0;
}

/* Nothing here is as long as a segment: see test_segment_faults.c. */
int
__wrap_dup3(int from, int to, int flags)
{
	fail();
	return -1;
}

void
send_control(struct broker *b)
{
	fail();
}

/* The broker's own stands in its main.c. */
void
die(const char *why)
{
	(void)why;
	longjmp(death, 1);
}

static bool
append(void)
{
	bool durable = ledger_stop(&B, "a reason of some length");

	assert_int_equal(durable, B.ledger_ok);
	said += durable;
	return durable;
}

static ssize_t
disk_read(int fd, void *data, size_t len)
{
	(void)fd;
	if (len > disk.len - disk.read)
		len = disk.len - disk.read;
	memcpy(data, disk.file + disk.read, len);
	disk.read += len;
	return (ssize_t)len;
}

/* Reads the file as the loader does; the number of `stop` records, and of `torn` ones. */
static unsigned
replay(unsigned *ret_torn)
{
	unsigned stops = 0;
	enum stream_event event;

	*ret_torn = 0;
	disk.read = 0;
	stream_open(&S, 0, disk_read);
	while ((event = stream_next(&S)) == STREAM_ENTRY) {
		stops += S.entry.kind == LEDGER_STOP;
		*ret_torn += S.entry.kind == LEDGER_TORN;
	}
	assert_int_equal(event, STREAM_END);
	return stops;
}

/* What the loader tells the broker at a start. */
static void
restart(void)
{
	unsigned torn;

	(void)replay(&torn);
	memset(&B, 0, sizeof(B));
	B.ledger_fd = FD_BROKER_LEDGER;
	B.ledger_ok = true;
	B.chain = S.chain;
	B.head.torn_len = S.torn_len;
	memcpy(B.head.torn_digest, S.torn_digest, sizeof(B.head.torn_digest));
}

static void
fresh(void)
{
	disk.len = disk.read = 0;
	disk.room = PLENTY;
	disk.sync_fails = false;
	said = 0;
	restart();
	assert_true(append());
}

/* The file holds what was said to be durable; what it holds besides was whole but never confirmed. */
static void
holds(unsigned unconfirmed, unsigned torn)
{
	unsigned found_torn, stops = replay(&found_torn);

	assert_int_equal(S.torn_len, 0);
	assert_int_equal(stops, said + unconfirmed);
	assert_int_equal(found_torn, torn);
}

static size_t
record_length(void)
{
	size_t before;

	fresh();
	before = disk.len;
	assert_true(append());
	return disk.len - before;
}

static size_t
torn_length(void)
{
	size_t before, whole = record_length();

	fresh();
	disk.room = 100;
	assert_false(append());
	before = disk.len;
	disk.room = PLENTY;
	assert_true(append());
	return disk.len - before - whole;
}

/* Room for n bytes, then none, then plenty. */
static void
full_at_every_byte(void **state)
{
	size_t whole = record_length();

	for (size_t n = 0; n <= whole; n++) {
		size_t len;

		fresh();
		disk.room = n;
		assert_int_equal(append(), n == whole);
		len = disk.len;
		for (int i = 0; i < 3; i++)
			assert_false(append());
		assert_int_equal(disk.len, len); /* nothing is added to what is torn */
		disk.room = PLENTY;
		assert_true(append());
		assert_true(append());
		holds(0, n > 0 && n < whole);
	}
}

/* The record tears, then the record that names it does too: in one life of the broker. */
static void
torn_twice(void **state)
{
	size_t whole = record_length(), torn = torn_length();
	unsigned found;

	for (size_t n = 1; n < whole; n += 7)
		for (size_t m = 0; m <= torn; m++) {
			fresh();
			disk.room = n;
			assert_false(append());
			disk.room = m;
			assert_false(append());
			disk.room = m % 5;
			assert_false(append());
			disk.room = PLENTY;
			assert_true(append());
			(void)replay(&found);
			holds(0, found);
			assert_in_range(
			    found, 1, 2); /* the naming one may have fitted, the rest not */
		}
}

/* The same over restarts: the power fails in the record, at the next start in the one that names it. */
static void
torn_at_each_start(void **state)
{
	size_t whole = record_length(), torn = torn_length();

	for (size_t n = 1; n < whole; n += n < whole - 8 ? 5 : 1)
		for (size_t m = 0; m < torn - 2; m++) { /* a shorter length has fewer digits */
			fresh();
			disk.room = n;
			assert_false(append());
			restart();
			disk.room = m;
			if (setjmp(death) == 0)
				assert_false(append());
			restart();
			assert_int_equal(S.torn_len, n + m);
			disk.room = PLENTY;
			assert_true(append());
			holds(0, 1);
		}
}

/* What the loader found cannot be hashed on: the broker ends rather than name the wrong bytes. */
static void
a_found_tail_that_grows(void **state)
{
	fresh();
	disk.room = 50;
	assert_false(append());
	restart();
	disk.room = 0;
	assert_false(append()); /* nothing was added: the twin lives */
	disk.room = 30;
	if (setjmp(death) == 0) {
		(void)append();
		fail_msg("it goes on with a tail that it does not know");
	}
	restart();
	disk.room = PLENTY;
	assert_true(append());
	holds(0, 1);
}

/* A signal is no failure of the disk. */
static void
interrupted(void **state)
{
	fresh();
	disk.interrupts = 3;
	assert_true(append());
	assert_int_equal(disk.interrupts, 0);
	holds(0, 0);
}

/* All bytes are written and the sync fails: not durable, so nothing opens; the file stays in order. */
static void
sync_fails(void **state)
{
	fresh();
	disk.sync_fails = true;
	assert_false(append());
	assert_false(append());
	disk.sync_fails = false;
	assert_true(append());
	holds(2, 0);

	fresh(); /* and of the record that names a torn one */
	disk.room = 77;
	assert_false(append());
	disk.room = PLENTY;
	disk.sync_fails = true;
	assert_false(append());
	disk.sync_fails = false;
	assert_true(append());
	holds(0, 1);
}

/* Regress 135: nobody writes anything any more, and yet it is named once there is room, and that it is torn is over. */
static void
named_without_another_record(void **state)
{
	size_t before;

	fresh();
	assert_true(ledger_next_deadline(&B) == INT64_MAX);
	disk.room = 50;
	assert_false(append());
	assert_in_range(ledger_next_deadline(&B) - clock_monotonic(), 1, 60000);
	ledger_timeouts(&B); /* not yet */
	assert_int_equal(B.torn_len, 50);
	before = disk.len;
	B.name_torn_at = clock_monotonic();
	ledger_timeouts(&B);
	assert_int_equal(disk.len, before);
	assert_false(B.ledger_ok);
	assert_in_range(ledger_next_deadline(&B) - clock_monotonic(), 1, 60000);
	disk.room = PLENTY;
	B.name_torn_at = clock_monotonic();
	ledger_timeouts(&B);
	assert_true(B.ledger_ok);
	assert_true(ledger_next_deadline(&B) == INT64_MAX);
	holds(0, 1);
	assert_true(append());
	holds(0, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(full_at_every_byte),
	    cmocka_unit_test(torn_twice),
	    cmocka_unit_test(torn_at_each_start),
	    cmocka_unit_test(a_found_tail_that_grows),
	    cmocka_unit_test(interrupted),
	    cmocka_unit_test(sync_fails),
	    cmocka_unit_test(named_without_another_record),
	};

	return cmocka_run_group_tests_name("ledger faults", tests, NULL, NULL);
}
