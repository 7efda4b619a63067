/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a stream: a disk that is interrupted or fails, torn tails of every kind, and what only looks torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/ledger_stream.h>

#define NOW 1795278600 /* 2026-11-21T16:30:00Z */

static struct {
	char bytes[1 << 20];
	size_t len, at;
	unsigned interrupts; /* that many reads are interrupted first */
	int error;           /* then this one */
	size_t most;         /* bytes that one read gives */
} disk;
static struct stream S;

static ssize_t
disk_read(int fd, void *data, size_t len)
{
	assert_int_equal(fd, 7);
	if (disk.interrupts > 0) {
		disk.interrupts--;
		errno = EINTR;
		return -1;
	}
	if (disk.error) {
		errno = disk.error;
		return -1;
	}
	if (len > disk.most)
		len = disk.most;
	if (len > disk.len - disk.at)
		len = disk.len - disk.at;
	memcpy(data, disk.bytes + disk.at, len);
	disk.at += len;
	return (ssize_t)len;
}

/* One more record behind what is there, following the chain. */
static size_t
append(struct ledger_chain *chain, enum ledger_kind kind, const char *const values[][2])
{
	struct ledger_entry e = {.kind = kind, .time = NOW};
	struct buf b = buf_over(disk.bytes + disk.len, sizeof(disk.bytes) - disk.len);

	for (size_t i = 0; values[i][0]; i++)
		e.fields[e.n_fields++] =
		    (struct ledger_field){values[i][0], values[i][1], strlen(values[i][1])};
	ledger_next(chain, &e);
	assert_true(ledger_encode(&e, &b));
	assert_int_equal(ledger_follow(chain, &e), LEDGER_OK);
	disk.len += b.len;
	return b.len;
}

static const char *const STOP[][2] = {{"reason", "a reason"}, {NULL, NULL}};

static size_t
stop(struct ledger_chain *chain)
{
	return append(chain, LEDGER_STOP, STOP);
}

static void
fresh(struct ledger_chain *chain, unsigned records)
{
	memset(&disk, 0, sizeof(disk));
	disk.most = sizeof(disk.bytes);
	*chain = (struct ledger_chain){0};
	while (records-- > 0)
		(void)stop(chain);
}

/* How it ends, and how many records came before that. */
static enum stream_event
read_all(unsigned *ret_n)
{
	enum stream_event event;

	*ret_n = 0;
	disk.at = 0;
	stream_open(&S, 7, disk_read);
	while ((event = stream_next(&S)) == STREAM_ENTRY)
		(*ret_n)++;
	return event;
}

static void
test_reads(void **state)
{
	struct ledger_chain chain;
	unsigned n;

	fresh(&chain, 3);
	assert_int_equal(read_all(&n), STREAM_END);
	assert_int_equal(n, 3);
	disk.most = 1; /* byte by byte, and interrupted */
	disk.interrupts = 5;
	assert_int_equal(read_all(&n), STREAM_END);
	assert_int_equal(n, 3);
	assert_int_equal(disk.interrupts, 0);
	disk.error = EIO;
	assert_int_equal(read_all(&n), STREAM_ERROR);
	assert_int_equal(n, 0);
	fresh(&chain, 0);
	assert_int_equal(read_all(&n), STREAM_END);
}

/* More than the window holds: it is filled again and again, and read to the end. */
static void
test_longer_than_the_window(void **state)
{
	struct ledger_chain chain;
	unsigned n, written = 0;

	fresh(&chain, 0);
	while (disk.len + 1000 < sizeof(disk.bytes)) {
		(void)stop(&chain);
		written++;
	}
	disk.most = 4096;
	assert_int_equal(read_all(&n), STREAM_END);
	assert_int_equal(n, written);
}

/* A tail that a torn record names by the wrong length, the wrong hash, or no hash at all is an edit. */
static void
test_torn_misnamed(void **state)
{
	static const struct {
		const char *length, *sha256;
	} rows[] = {
	    {"41", "0000000000000000000000000000000000000000000000000000000000000000"},
	    {"39", "0000000000000000000000000000000000000000000000000000000000000000"},
	    {"4", "0000000000000000000000000000000000000000000000000000000000000000"},
	    {"40", "0000000000000000000000000000000000000000000000000000000000000000"},
	    {"40", "no hash"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const values[][2] = {
		    {"length", rows[i].length}, {"sha256", rows[i].sha256}, {NULL, NULL}};
		struct ledger_chain chain, before;
		size_t at;
		unsigned n;

		fresh(&chain, 2);
		at = disk.len;
		before = chain;
		(void)stop(&chain);
		disk.len = at + 40; /* 40 bytes of it */
		chain = before;
		(void)append(&chain, LEDGER_TORN, values);
		(void)stop(&chain);
		assert_int_equal(read_all(&n), STREAM_BROKEN);
		assert_int_equal(n, 2);
		assert_string_equal(S.problem, "it is no ledger record");
	}
}

/* The right name for the tail, in a record that does not follow the chain. */
static void
test_torn_of_another_chain(void **state)
{
	char hex[2 * HASH_LEN + 1];
	struct buf out = buf_over(hex, sizeof(hex));
	const char *const values[][2] = {{"length", "40"}, {"sha256", hex}, {NULL, NULL}};
	struct ledger_chain chain, before;
	uint8_t digest[HASH_LEN];
	size_t at;
	unsigned n;

	fresh(&chain, 2);
	at = disk.len;
	before = chain;
	(void)stop(&chain);
	disk.len = at + 40;
	hash_sha256(disk.bytes + at, 40, digest);
	assert_true(buf_put_hex(&out, digest, sizeof(digest)) && buf_put_c(&out));
	chain = before;
	chain.number += 5;
	(void)append(&chain, LEDGER_TORN, values);
	assert_int_equal(read_all(&n), STREAM_BROKEN);
	disk.len = at + 40; /* the twin: one that follows */
	chain = before;
	(void)append(&chain, LEDGER_TORN, values);
	assert_int_equal(read_all(&n), STREAM_END);
	assert_int_equal(n, 3);
	assert_int_equal(S.torn_len, 0);
}

/* Any cut of the last record is a torn tail; with zeros behind it, too, and with the beginning of a naming record. */
static void
test_tails(void **state)
{
	struct ledger_chain chain;
	size_t whole, at;
	unsigned n;

	fresh(&chain, 2);
	at = disk.len;
	whole = stop(&chain);
	for (size_t cut = 1; cut < whole; cut++) {
		disk.len = at + cut;
		assert_int_equal(read_all(&n), STREAM_END);
		assert_int_equal(n, 2);
		assert_int_equal(S.torn_len, cut);
	}
	disk.len = at + 50;
	memset(disk.bytes + disk.len, 0, 300);
	disk.len += 300;
	assert_int_equal(read_all(&n), STREAM_END);
	assert_int_equal(S.torn_len, 350);
	disk.len = at + 50;
	for (size_t cut = 1; cut < strlen("ledger torn 3"); cut++) {
		memcpy(disk.bytes + at + 50, "ledger torn 3", cut);
		disk.len = at + 50 + cut;
		assert_int_equal(read_all(&n), STREAM_END);
		assert_int_equal(S.torn_len, 50 + cut);
	}
	memcpy(disk.bytes + at + 50, "\x01\n", 2); /* and bytes that stand in no record are not */
	disk.len = at + 52;
	assert_int_equal(read_all(&n), STREAM_BROKEN);
}

/* Longer than any record and what may stand behind one: nobody's torn tail. */
static void
test_too_long_a_tail(void **state)
{
	struct ledger_chain chain;
	unsigned n;

	fresh(&chain, 2);
	memset(disk.bytes + disk.len, 0, LEDGER_RECORD_MAX + TORN_MORE + 1);
	disk.len += LEDGER_RECORD_MAX + TORN_MORE;
	assert_int_equal(read_all(&n), STREAM_END);
	disk.len++;
	assert_int_equal(read_all(&n), STREAM_BROKEN);
}

/* Bytes that are no record, in the middle of a file that goes on for longer than the window. */
static void
test_broken_in_the_middle(void **state)
{
	struct ledger_chain chain;
	unsigned n;

	fresh(&chain, 0);
	while (disk.len + 1000 < sizeof(disk.bytes))
		(void)stop(&chain);
	disk.bytes[3] = '?';
	assert_int_equal(read_all(&n), STREAM_BROKEN);
	assert_int_equal(n, 0);
	assert_int_equal(S.offset, 0);
}

/* ---- rooms ---- */

/* In every room that is too small a record is refused, and in what is just enough it is not. */
static void
test_every_room(void **state)
{
	static char text[4096];
	struct ledger_entry e = {.kind = LEDGER_STOP, .time = NOW, .number = 1, .n_fields = 1};
	struct buf b = buf_over(text, sizeof(text));
	size_t len;

	e.fields[0] = (struct ledger_field){"reason", "a reason", 8};
	assert_true(ledger_encode(&e, &b));
	len = b.len;
	for (size_t room = 0; room < len; room++) {
		b = buf_over(text, room);
		assert_false(ledger_encode(&e, &b));
	}
	b = buf_over(text, len);
	assert_true(ledger_encode(&e, &b));
	e.time = INT64_MAX / 4; /* a time outside of the form's years */
	b = buf_over(text, sizeof(text));
	assert_false(ledger_encode(&e, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_longer_than_the_window),
	    cmocka_unit_test(test_torn_misnamed),
	    cmocka_unit_test(test_torn_of_another_chain),
	    cmocka_unit_test(test_tails),
	    cmocka_unit_test(test_too_long_a_tail),
	    cmocka_unit_test(test_broken_in_the_middle),
	    cmocka_unit_test(test_every_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
