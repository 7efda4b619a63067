/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end: answers go in one piece where there is room, and never wait for a client that does not read. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include <sgwarden/topology.h>

#define ANSWER 60000 /* bytes: below a pipe's 64 KiB */

static struct client C;
static char got[CLIENT_QUEUE_MAX];

/* The front's output on `theirs`, its reader's end in return. */
static int
begin(bool polled, bool is_socket)
{
	int ends[2];

	if (is_socket)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	else
		assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], FD_FRONT_OUT), FD_FRONT_OUT);
	if (ends[1] != FD_FRONT_OUT)
		(void)close(ends[1]);
	memset(&C, 0, sizeof(C));
	C.out_polled = polled;
	return ends[0];
}

static void
queue(size_t len, char what)
{
	while (len > 0) {
		struct buf b = client_begin(&C);
		size_t n = len < ANSWER ? len : ANSWER;

		memset(b.data, what, n - 1);
		b.len = n - 1;
		assert_true(client_commit(&C, &b));
		len -= n;
	}
}

static size_t
drain(int from, size_t at, size_t most)
{
	ssize_t n = read(from, got + at, most);

	assert_true(n > 0);
	return (size_t)n;
}

static void
test_in_one_piece(void **state)
{
	int from = begin(false, false);

	queue(ANSWER, 'a');
	client_push(&C);
	if (C.out_polled) /* said, not hidden: an older kernel */
		print_message("this kernel's pipes know no RWF_NOWAIT\n");
	assert_false(client_has_output(&C));
	assert_int_equal(drain(from, 0, sizeof(got)), ANSWER);
	assert_int_equal(got[ANSWER - 1], '\n');
	assert_int_equal(fcntl(FD_FRONT_OUT, F_GETFL) & O_NONBLOCK, 0);
	(void)close(from);
	(void)close(FD_FRONT_OUT);
}

/* More than fits: what does not is kept, and comes in order once there is room.  Whoever waits here never ends. */
static void
fill(bool polled, bool is_socket)
{
	int from = begin(polled, is_socket);
	size_t all = 20 * ANSWER, at = 0;

	queue(all / 2, 'a');
	queue(all / 2, 'b');
	client_push(&C);
	assert_true(client_has_output(&C));
	assert_false(C.out_gone);
	while (at < all) {
		at += drain(from, at, 7000);
		client_push(&C);
	}
	assert_false(client_has_output(&C));
	for (size_t i = 0; i < all; i++)
		assert_int_equal(got[i], i % ANSWER == ANSWER - 1 ? '\n' : i < all / 2 ? 'a' : 'b');
	(void)close(from);
	(void)close(FD_FRONT_OUT);
}

static void
test_a_full_pipe(void **state)
{
	fill(false, false);
}

static void
test_a_full_socket(void **state)
{
	fill(false, true);
}

static void
test_a_full_pipe_of_an_older_kernel(void **state)
{
	fill(true, false);
}

static void
test_nobody_reads_any_more(void **state)
{
	for (int polled = 0; polled < 2; polled++) {
		int from = begin(polled, false);

		queue(ANSWER, 'a');
		(void)close(from);
		client_push(&C);
		assert_true(C.out_gone);
		(void)close(FD_FRONT_OUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in_one_piece),
	    cmocka_unit_test(test_a_full_pipe),
	    cmocka_unit_test(test_a_full_socket),
	    cmocka_unit_test(test_a_full_pipe_of_an_older_kernel),
	    cmocka_unit_test(test_nobody_reads_any_more),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
