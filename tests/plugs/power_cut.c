/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger cut after every byte: the reading of the loader in this process at each length, and the real, confined
 * loader at the borders of records and in between.
 *
 *     power_cut LEDGER
 *
 * Prints what is known to be open at each border, for the test to hold against what it knows itself:
 * `NUMBER receipt/op/state…`.
 */
#include "../unit/load_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <sgwarden/ledger_stream.h>

#include "replay.h"

#define BORDERS_MAX 512
#define STRIDE 509 /* bytes between the starts of the real loader */

static const char *path;
static struct {
	struct stream stream;
	struct replay replay;
	size_t at;
} cut;

static struct border {
	size_t at;
	size_t open; /* grants that the loader would report */
	uint8_t keys[HASH_LEN];
} borders[BORDERS_MAX];
static size_t n_borders;

static ssize_t
bytes_read(int end, void *data, size_t len)
{
	size_t left = (size_t)end - cut.at;

	if (len > left)
		len = left;
	memcpy(data, L.bytes + cut.at, len);
	cut.at += len;
	return (ssize_t)len;
}

static size_t
sent(void)
{
	size_t n = 0;

	for (size_t i = 0; i < cut.replay.n_grants; i++)
		n += cut.replay.grants[i].sent;
	return n;
}

/* The first n bytes, as the loader reads them. */
static enum stream_event
replay_cut(size_t n, void (*each)(void))
{
	enum stream_event event;

	cut.at = 0;
	memset(&cut.replay, 0, sizeof(cut.replay));
	stream_open(&cut.stream, (int)n, bytes_read);
	while ((event = stream_next(&cut.stream)) == STREAM_ENTRY) {
		const char *problem = replay_entry(&cut.replay, &cut.stream.entry);

		if (problem)
			fail_msg("cut at %zu: %s", n, problem);
		if (each)
			each();
	}
	return event;
}

static void
note_border(void)
{
	struct border *to = &borders[n_borders++];

	assert_in_range(n_borders, 1, BORDERS_MAX - 1);
	to->at = cut.stream.offset;
	to->open = sent();
	memcpy(to->keys, cut.replay.keys_digest, HASH_LEN);
	printf("%llu", (unsigned long long)cut.stream.chain.number);
	for (size_t i = 0; i < cut.replay.n_grants; i++)
		if (cut.replay.grants[i].sent)
			printf(" %s/%u/%d", cut.replay.grants[i].grant.receipt,
			    cut.replay.grants[i].op, (int)cut.replay.grants[i].grant.state);
	putchar('\n');
}

static void
take(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, L.bytes, sizeof(L.bytes));
	assert_in_range(n, 1, sizeof(L.bytes) - 1);
	close(fd);
	L.b.len = (size_t)n;
	n_borders = 1; /* the empty file is one */
	assert_int_equal(replay_cut(L.b.len, note_border), STREAM_END);
	assert_int_equal(cut.stream.torn_len, 0);
}

static void
every_byte(void **state)
{
	size_t border = 0;

	take();
	for (size_t n = 0; n <= L.b.len; n++) {
		if (border + 1 < n_borders && borders[border + 1].at == n)
			border++;
		assert_int_equal(replay_cut(n, NULL), STREAM_END);
		assert_int_equal(cut.stream.torn_len, n - borders[border].at);
		assert_int_equal(sent(), borders[border].open);
		assert_memory_equal(cut.replay.keys_digest, borders[border].keys, HASH_LEN);
	}
}

/* Blocks that the file system gave and never wrote. */
static void
zeros_behind_the_cut(void **state)
{
	take();
	for (size_t i = 1; i < n_borders; i++) {
		size_t n = borders[i].at - 11, whole = L.b.len;
		uint8_t kept[4096];

		if (n + sizeof(kept) > whole)
			continue;
		memcpy(kept, L.bytes + n, sizeof(kept));
		memset(L.bytes + n, 0, sizeof(kept));
		assert_int_equal(replay_cut(n + sizeof(kept), NULL), STREAM_END);
		assert_int_equal(cut.stream.torn_len, n + sizeof(kept) - borders[i - 1].at);
		memcpy(L.bytes + n, kept, sizeof(kept));
	}
}

static void
start_loader(size_t n, size_t border)
{
	size_t whole = L.b.len;

	heard_nothing();
	L.b.len = n;
	load();
	L.b.len = whole;
	if (!H.whole)
		fail_msg("cut at %zu: %s", n, H.problem.detail);
	assert_int_equal(H.head.torn_len, n - borders[border].at);
	assert_int_equal(H.n_grants, borders[border].open);
	assert_memory_equal(H.head.keys_digest, borders[border].keys, HASH_LEN);
}

static void
the_loader_itself(void **state)
{
	size_t border = 0, started = 0;

	take();
	for (size_t n = 0; n <= L.b.len; n++) {
		size_t next = border + 1 < n_borders ? borders[border + 1].at : SIZE_MAX;

		if (n == next)
			border++;
		if (n % STRIDE == 0 || n <= borders[border].at + 2 ||
		    (next != n && n + 2 >= next)) {
			start_loader(n, border);
			started++;
		}
	}
	fprintf(stderr, "%zu bytes, %zu records, the loader started %zu times\n", L.b.len,
	    n_borders - 1, started);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(every_byte, load_begin),
	    cmocka_unit_test_setup(zeros_behind_the_cut, load_begin),
	    cmocka_unit_test_setup(the_loader_itself, load_begin),
	};

	if (argc != 2)
		return 2;
	path = argv[1];
	return cmocka_run_group_tests_name("power cut", tests, NULL, NULL);
}
