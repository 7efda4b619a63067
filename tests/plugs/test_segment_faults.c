/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger goes on in its next file, and the disk fails or the power is cut at every byte of that: what was said to be
 * durable is in the files, in order; the last file alone may be torn, and each begins with the record that names the one
 * before it.
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

#include <sgwarden/ledger_stream.h>
#include <sgwarden/topology.h>

#include "ledger_out.h"
#include "ledger_segment.h"

#define PLENTY 1000000
#define FILES 4
#define HANDED 1000 /* the descriptor that file number n is handed over with: HANDED + n */

static struct broker B;
static struct stream S;
static struct {
	char file[FILES][1 << 14];
	size_t len[FILES];
	unsigned current; /* from 1 */
	size_t room;
	bool sync_fails;
	unsigned reading;
	size_t read;
} disk;
static jmp_buf death;
static uint32_t asked; /* the file that the broker asked for; 0: none */
static unsigned said;  /* records that the broker was told are durable */

ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fdatasync(int fd);
int __wrap_dup3(int from, int to, int flags);

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	size_t *at = &disk.len[disk.current - 1];

	if (fd != FD_BROKER_LEDGER)
		return (ssize_t)len; /* the log, unheard */
	if (disk.room == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (len > disk.room)
		len = disk.room;
	assert_true(*at + len <= sizeof(disk.file[0]));
	memcpy(disk.file[disk.current - 1] + *at, data, len);
	*at += len;
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

int
__wrap_dup3(int from, int to, int flags)
{
	assert_int_equal(to, FD_BROKER_LEDGER);
	disk.current = (unsigned)from - HANDED;
	return to;
}

/* The broker's own stand in its main.c. */
void
die(const char *why)
{
	(void)why;
	longjmp(death, 1);
}

void
send_control(struct broker *b)
{
	assert_int_equal(b->out.id, MSG_NEXT_SEGMENT);
	asked = b->out.next_segment.number;
}

static bool
append(void)
{
	bool durable = ledger_stop(&B, "a reason of some length");

	said += durable;
	return durable;
}

/* The supervisor's answer. */
static void
come(void)
{
	uint32_t number = asked;

	assert_int_equal(number, disk.current + 1);
	asked = 0;
	segment_come(&B, number, HANDED + (int)number);
}

static ssize_t
disk_read(int fd, void *data, size_t len)
{
	size_t left = disk.len[disk.reading - 1] - disk.read;

	(void)fd;
	if (len > left)
		len = left;
	memcpy(data, disk.file[disk.reading - 1] + disk.read, len);
	disk.read += len;
	return (ssize_t)len;
}

static int
disk_more(void *context, uint32_t number)
{
	(void)context;
	if (number > FILES || disk.len[number - 1] == 0)
		return STREAM_NO_MORE;
	disk.reading = number;
	disk.read = 0;
	return 0;
}

/* Reads the files as the loader does. */
static void
replay(unsigned ret_kinds[LEDGER_KIND_MAX])
{
	enum stream_event event;

	memset(ret_kinds, 0, LEDGER_KIND_MAX * sizeof(ret_kinds[0]));
	disk.reading = 1;
	disk.read = 0;
	stream_open(&S, 0, disk_read);
	stream_follow(&S, disk_more, NULL);
	while ((event = stream_next(&S)) == STREAM_ENTRY)
		ret_kinds[S.entry.kind]++;
	if (event != STREAM_END)
		fail_msg("segment %u, byte %u: %s", S.segment, (unsigned)S.offset, S.problem);
}

/* A new start: the broker goes on in the last file that holds anything, with what the loader tells of it. */
static void
restart(void)
{
	unsigned kinds[LEDGER_KIND_MAX];
	struct msg_loaded_head head;

	replay(kinds);
	memset(&B, 0, sizeof(B));
	asked = 0;
	B.ledger_fd = FD_BROKER_LEDGER;
	B.ledger_ok = true;
	B.chain = S.chain;
	head = (struct msg_loaded_head){.segment = S.segment,
	    .segment_size = S.offset + S.torn_len,
	    .segment_begins = S.begins,
	    .segment_last = S.before.number,
	    .torn_len = S.torn_len};
	memcpy(head.segment_head, S.before.head, HASH_LEN);
	memcpy(head.torn_digest, S.torn_digest, HASH_LEN);
	B.head = head;
	segment_loaded(&B, &head);
	disk.current = S.segment;
	if (S.segment == 1)
		B.segment.size += SGW_SEGMENT_BYTES; /* as if it were full already */
}

/* One record in a file that is full: the next one has been asked for. */
static void
full(void)
{
	memset(&disk, 0, sizeof(disk));
	disk.current = 1;
	disk.room = PLENTY;
	said = 0;
	restart();
	B.segment.size = SGW_SEGMENT_BYTES - 1;
	assert_true(append());
	assert_int_equal(asked, 2);
}

/* All that was said is there, what was whole besides, and nothing is torn at the end. */
static void
holds(unsigned unconfirmed, unsigned segments, unsigned torn)
{
	unsigned kinds[LEDGER_KIND_MAX];

	replay(kinds);
	assert_int_equal(S.torn_len, 0);
	assert_int_equal(kinds[LEDGER_STOP], said + unconfirmed);
	assert_int_equal(kinds[LEDGER_SEGMENT], segments);
	assert_int_equal(kinds[LEDGER_TORN], torn);
	assert_int_equal(S.segment, segments + 1);
	assert_false(S.begins);
}

static size_t
segment_length(void)
{
	full();
	come();
	return disk.len[1];
}

static void
it_goes_on(void **state)
{
	full();
	assert_true(append()); /* what comes before the file does stays in the full one */
	come();
	assert_int_equal(disk.current, 2);
	assert_true(append());
	holds(0, 1, 0);
	B.segment.size = SGW_SEGMENT_BYTES;
	assert_true(append());
	come();
	assert_true(append());
	holds(0, 2, 0);
}

/* Not to be had: the full one grows on, and it is asked for again later, not at each record. */
static void
it_cannot_be_had(void **state)
{
	full();
	asked = 0;
	segment_come(&B, 2, -1);
	assert_true(append());
	assert_int_equal(asked, 0);
	B.segment.size += SGW_SEGMENT_BYTES / 16;
	assert_true(append());
	assert_int_equal(asked, 2);
	come();
	assert_true(append());
	holds(0, 1, 0);
}

/* Room for n bytes of the `segment` record, then none, then plenty. */
static void
full_at_every_byte(void **state)
{
	size_t whole = segment_length();

	for (size_t n = 0; n <= whole; n++) {
		full();
		disk.room = n;
		come();
		assert_int_equal(B.ledger_ok, n == whole);
		for (int i = 0; i < 3; i++)
			assert_false(append());
		assert_int_equal(disk.len[1], n);
		disk.room = PLENTY;
		assert_true(append());
		assert_true(append());
		holds(0, 1, n > 0 && n < whole);
	}
}

/* A start in which the power fails after m bytes more, and one in which it does not. */
static void
start_twice(size_t m)
{
	restart();
	disk.room = m;
	if (setjmp(death) == 0)
		(void)append();
	asked = 0;
	disk.room = PLENTY;
	restart();
}

/* The power fails in the first records of the file, and once more while the next start names what it found. */
static void
power_cut_at_every_byte(void **state)
{
	unsigned kinds[LEDGER_KIND_MAX];
	size_t whole = segment_length(), record;

	assert_true(append());
	record = disk.len[1] - whole;
	for (size_t n = 0; n <= whole + record; n++)
		for (size_t m = 0; m < 400; m += n % 16 == 0 ? 1 : 60) {
			full();
			come();
			assert_true(append());
			said -= n < whole + record;
			disk.len[1] = n;
			restart();
			assert_int_equal(disk.current, n > 0 ? 2 : 1);
			assert_int_equal(S.begins, n > 0 && n < whole);
			start_twice(m);
			assert_true(append());
			if (disk.current == 1)
				come();
			assert_true(append());
			replay(kinds);
			assert_int_equal(S.torn_len, 0);
			assert_int_equal(kinds[LEDGER_STOP], said);
			assert_int_equal(kinds[LEDGER_SEGMENT], 1);
		}
}

/* A torn tail keeps the broker in its file until that is named. */
static void
torn_it_stays(void **state)
{
	full();
	disk.room = 40;
	assert_false(append());
	come();
	assert_int_equal(disk.current, 1);
	assert_int_equal(disk.len[1], 0);
	disk.room = PLENTY;
	B.segment.size += SGW_SEGMENT_BYTES / 16;
	assert_true(append());
	come();
	assert_int_equal(disk.current, 2);
	assert_true(append());
	holds(0, 1, 1);
}

/* Not synced, it may not be on the disk when the next file is: it is not left. */
static void
not_synced_it_stays(void **state)
{
	full();
	disk.sync_fails = true;
	assert_false(append());
	come();
	assert_int_equal(disk.current, 1);
	disk.sync_fails = false;
	B.segment.size += SGW_SEGMENT_BYTES / 16;
	assert_true(append());
	disk.sync_fails = true;
	come(); /* the `segment` record itself is whole and not synced */
	assert_int_equal(disk.current, 2);
	assert_false(append());
	disk.sync_fails = false;
	assert_true(append());
	holds(2, 1, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_goes_on),
	    cmocka_unit_test(it_cannot_be_had),
	    cmocka_unit_test(full_at_every_byte),
	    cmocka_unit_test(power_cut_at_every_byte),
	    cmocka_unit_test(torn_it_stays),
	    cmocka_unit_test(not_synced_it_stays),
	};

	return cmocka_run_group_tests_name("segment faults", tests, NULL, NULL);
}
