/* SPDX-License-Identifier: Apache-2.0 */
/* One datagram on one edge: what is received only in the right direction, state and company, and what a violation
 * leaves behind (nothing: every descriptor that came is closed). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/log.h>

#include "../fuzz/wire_gen.h"

static struct msg sent, got;
static uint8_t scratch[SGW_DATAGRAM_MAX];

struct pair {
	struct chan near; /* the end under test */
	int far;          /* the peer, which may write anything */
};

static struct pair
pair_open(enum role self, enum role peer)
{
	int ends[2], size = 1 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	return (struct pair){.near = chan_open(ends[0], self, peer), .far = ends[1]};
}

static void
pair_close(struct pair *p)
{
	chan_close(&p->near);
	close(p->far);
}

static size_t
fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Writes one datagram with `n_fds` copies of a descriptor. */
static void
write_raw(int to, const void *data, size_t len, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * 8)];
	} control = {0};
	char copy[SGW_DATAGRAM_MAX + 8];
	struct iovec iov = {.iov_base = copy, .iov_len = len};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};

	assert_true(len <= sizeof(copy) && n_fds <= 8);
	memcpy(copy, data, len);
	if (n_fds > 0) {
		struct cmsghdr *c;

		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		for (size_t i = 0; i < n_fds; i++) {
			int fd = STDERR_FILENO;

			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(fd));
		}
	}
	assert_int_equal(sendmsg(to, &hdr, MSG_NOSIGNAL), (ssize_t)len);
}

static size_t
encode(const struct msg_row *row, uint8_t out[SGW_DATAGRAM_MAX])
{
	struct gen g = {.state = row->id, .small = true};
	struct buf b = buf_over(out, SGW_DATAGRAM_MAX);

	gen_msg(&g, (enum msg_id)row->id, &sent);
	assert_true(msg_encode(&b, &sent));
	return b.len;
}

static bool
fds_allowed(const struct msg_row *row, size_t n)
{
	return row->fds == MSG_ANY_FDS ? n <= 1 : n == row->fds;
}

/* Sends that message to `self` as if from `peer`; nothing but what is handed out may stay open. */
static enum chan_result
deliver(
    enum role self, enum role peer, enum chan_state in, const void *data, size_t len, size_t n_fds)
{
	struct pair p = pair_open(self, peer);
	struct chan_fds fds = {0};
	size_t before = fds_open();
	enum chan_result r;

	p.near.state = in;
	write_raw(p.far, data, len, n_fds);
	r = chan_recv(&p.near, scratch, &got, &fds);
	assert_int_equal(fds_open(), before + fds.n);
	if (r == CHAN_GOT)
		assert_int_equal(fds.n, n_fds);
	for (size_t i = 0; i < fds.n; i++) {
		assert_int_equal(fcntl(fds.fd[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(fds.fd[i]);
	}
	pair_close(&p);
	return r;
}

/* Every message, to every role, from every role, in every state, with none, one or two descriptors. */
static void
test_direction_state_fds(void **state)
{
	static uint8_t data[SGW_DATAGRAM_MAX];
	size_t passed = 0;

	for (size_t i = 0; i < MESSAGES_LEN; i++) {
		const struct msg_row *row = &MESSAGES[i];
		size_t len = encode(row, data);

		for (unsigned k = 0; k < ROLE_MAX * ROLE_MAX * CHAN_STATE_MAX * 3; k++) {
			enum role self = (enum role)(k % ROLE_MAX),
				  peer = (enum role)(k / ROLE_MAX % ROLE_MAX);
			enum chan_state in =
			    (enum chan_state)(k / ROLE_MAX / ROLE_MAX % CHAN_STATE_MAX);
			size_t n_fds = k / ROLE_MAX / ROLE_MAX / CHAN_STATE_MAX;
			bool right = (row->to & ROLE_BIT(self)) && (row->from & ROLE_BIT(peer)) &&
				     (row->states & (1u << in)) && fds_allowed(row, n_fds);

			/* All that is right, and a twelfth of the rest: it is the same line that refuses. */
			if (!right && (k + i) % 12 != 0)
				continue;
			assert_int_equal(deliver(self, peer, in, data, len, n_fds),
			    right ? CHAN_GOT : CHAN_VIOLATION);
			if (right) {
				assert_memory_equal(&got, &sent, offsetof(struct msg, ready));
				passed++;
			}
		}
	}
	assert_true(passed >= MESSAGES_LEN);
}

static void
test_no_room_for_fds(void **state)
{
	static uint8_t data[SGW_DATAGRAM_MAX];
	size_t len = encode(msg_row(MSG_CLIENT), data), before;
	struct pair p = pair_open(ROLE_PLANNER, ROLE_SUPERVISOR);

	/* This end takes none: a descriptor that comes along all the same is a violation, and closed. */
	write_raw(p.far, data, len, 1);
	before = fds_open();
	assert_int_equal(chan_recv(&p.near, scratch, &got, NULL), CHAN_VIOLATION);
	assert_int_equal(fds_open(), before);
	write_raw(p.far, data, len, 0);
	assert_int_equal(chan_recv(&p.near, scratch, &got, NULL), CHAN_GOT);
	pair_close(&p);
	/* More than a datagram may ever carry: MSG_CTRUNC or a list that is too long. */
	for (size_t n = SGW_DATAGRAM_FDS_MAX; n <= 8; n++)
		assert_int_equal(deliver(ROLE_PLANNER, ROLE_SUPERVISOR, CHAN_OPEN, data, len, n),
		    CHAN_VIOLATION);
	assert_int_equal(deliver(ROLE_PLANNER, ROLE_SUPERVISOR, CHAN_OPEN, data, len, 1), CHAN_GOT);
}

static void
test_not_a_message(void **state)
{
	static const char NONE[] = "SG\x7f\x7f";
	static uint8_t data[SGW_DATAGRAM_MAX + 8];
	size_t len = encode(msg_row(MSG_READY), data);

	assert_int_equal(
	    deliver(ROLE_SUPERVISOR, ROLE_FRONT, CHAN_STARTING, data, len, 0), CHAN_GOT);
	assert_int_equal(
	    deliver(ROLE_SUPERVISOR, ROLE_FRONT, CHAN_STARTING, data, len - 1, 0), CHAN_VIOLATION);
	assert_int_equal(
	    deliver(ROLE_SUPERVISOR, ROLE_FRONT, CHAN_STARTING, data, len + 1, 0), CHAN_VIOLATION);
	assert_int_equal(
	    deliver(ROLE_SUPERVISOR, ROLE_FRONT, CHAN_STARTING, NONE, 4, 0), CHAN_VIOLATION);
	assert_int_equal(
	    deliver(ROLE_SUPERVISOR, ROLE_FRONT, CHAN_STARTING, NONE, 4, 2), CHAN_VIOLATION);
	assert_int_equal(
	    deliver(ROLE_SUPERVISOR, ROLE_FRONT, CHAN_STARTING, "x", 1, 0), CHAN_VIOLATION);
	/* Nothing at all is an end; what came along with it is not kept for ever. */
	assert_int_equal(deliver(ROLE_PLANNER, ROLE_FRONT, CHAN_OPEN, "", 0, 0), CHAN_EOF);
	assert_int_equal(deliver(ROLE_PLANNER, ROLE_FRONT, CHAN_OPEN, "", 0, 2), CHAN_EOF);
	/* A byte past the maximum is cut by the kernel, which says so. */
	assert_int_equal(
	    deliver(ROLE_SUPERVISOR, ROLE_FRONT, CHAN_STARTING, data, SGW_DATAGRAM_MAX + 1, 0),
	    CHAN_VIOLATION);
}

static void
test_quiet_and_gone(void **state)
{
	struct pair p = pair_open(ROLE_PLANNER, ROLE_BROKER);

	assert_int_equal(chan_recv(&p.near, scratch, &got, NULL), CHAN_AGAIN);
	close(p.far);
	assert_int_equal(chan_recv(&p.near, scratch, &got, NULL), CHAN_EOF);
	sent = (struct msg){.id = MSG_ASK_BROKER};
	assert_int_equal(chan_send(&p.near, scratch, &sent, -1, false), -1);
	chan_close(&p.near);
	assert_int_equal(p.near.fd, -1);
	assert_int_equal(chan_send(&p.near, scratch, &sent, -1, false), -1);
}

/* Regression 080: a peer that closed with something of ours unread has its last words heard all the same. */
static void
test_last_word(void **state)
{
	static uint8_t bytes[SGW_DATAGRAM_MAX];
	const struct msg_row *row = msg_row(MSG_SHOW_OUTCOME);
	struct pair p = pair_open(ROLE_CONSENT, ROLE_BROKER);
	size_t len = encode(row, bytes);

	(void)state;
	assert_int_equal(send(p.near.fd, "unread", 6, MSG_NOSIGNAL), 6);
	write_raw(p.far, bytes, len, 0);
	close(p.far);
	p.far = -1;
	assert_int_equal(chan_recv(&p.near, scratch, &got, NULL), CHAN_GOT);
	assert_int_equal(got.id, MSG_SHOW_OUTCOME);
	assert_int_equal(chan_recv(&p.near, scratch, &got, NULL), CHAN_EOF);
	chan_close(&p.near);
}

static void
test_send(void **state)
{
	struct pair p = pair_open(ROLE_SUPERVISOR, ROLE_PLANNER);
	struct chan far = chan_open(p.far, ROLE_PLANNER, ROLE_SUPERVISOR);
	static uint8_t scratch2[SGW_DATAGRAM_MAX];
	struct chan_fds fds = {0};
	size_t n = 0;

	sent =
	    (struct msg){.id = MSG_CLIENT, .client = {.client = 7, .uid = 1000, .chain = "bash"}};
	assert_int_equal(chan_send(&p.near, scratch, &sent, STDERR_FILENO, true), 0);
	/* `secret` leaves nothing of it in the scratch memory. */
	for (size_t i = 0; i < sizeof(scratch); i++)
		assert_int_equal(scratch[i], 0);
	assert_int_equal(chan_recv(&far, scratch2, &got, &fds), CHAN_GOT);
	assert_int_equal(got.client.client, 7);
	assert_string_equal(got.client.chain, "bash");
	assert_int_equal(fds.n, 1);
	close(fds.fd[0]);
	/* A reader that does not read: an error at once, not a wait. */
	while (n < 100000 && chan_send(&p.near, scratch, &sent, -1, false) == 0)
		n++;
	assert_true(n > 0 && n < 100000);
	/* What does not encode is not sent. */
	memset(sent.client.chain, 1, sizeof(sent.client.chain));
	assert_int_equal(chan_send(&p.near, scratch, &sent, -1, false), -1);
	pair_close(&p);
}

static void
test_field_copy(void **state)
{
	struct rec_name r;

	memset(&r, 'x', sizeof(r));
	assert_true(FIELD_SET(r.name, "eu-west-1"));
	assert_string_equal(r.name, "eu-west-1");
	memset(scratch, 'a', sizeof(r.name) - 1);
	scratch[sizeof(r.name) - 1] = 0;
	assert_true(FIELD_SET(r.name, (const char *)scratch));
	scratch[sizeof(r.name) - 1] = 'a';
	scratch[sizeof(r.name)] = 0;
	assert_false(FIELD_SET(r.name, (const char *)scratch));
	assert_string_equal(r.name, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_direction_state_fds),
	    cmocka_unit_test(test_no_room_for_fds),
	    cmocka_unit_test(test_not_a_message),
	    cmocka_unit_test(test_quiet_and_gone),
	    cmocka_unit_test(test_last_word),
	    cmocka_unit_test(test_send),
	    cmocka_unit_test(test_field_copy),
	};

	log_open("test", LOG_LEVEL_ALERT); /* violations are logged: here they are the rule */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
