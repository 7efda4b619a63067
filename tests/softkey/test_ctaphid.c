/* SPDX-License-Identifier: Apache-2.0 */
/* The software key's transport and its hand, report by report: what libfido2 never sends, and the waiting. */
#include "platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BROADCAST 0xffffffffU

static const char *exe;

static void
put(struct platform *p, uint32_t cid, uint8_t cmd, const uint8_t *data, size_t len, size_t claim)
{
	uint8_t r[64] = {(uint8_t)(cid >> 24), (uint8_t)(cid >> 16), (uint8_t)(cid >> 8),
	    (uint8_t)cid, cmd, (uint8_t)(claim >> 8), (uint8_t)claim};

	if (len > 0)
		memcpy(r + (cmd & 0x80 ? 7 : 5), data, len);
	assert_int_equal(send(p->fd, r, sizeof r, 0), sizeof r);
}

/* The next report that is no keepalive; false when none comes within a minute. */
static bool
get(struct platform *p, uint8_t ret[64])
{
	struct pollfd pfd = {.fd = p->fd, .events = POLLIN};

	while (poll(&pfd, 1, 60000) == 1) {
		assert_int_equal(recv(p->fd, ret, 64, 0), 64);
		if (ret[4] != 0xbb)
			return true;
	}
	return false;
}

static void
expect_error(struct platform *p, uint8_t code)
{
	uint8_t r[64];

	assert_true(get(p, r));
	assert_int_equal(r[4], 0xbf);
	assert_int_equal(r[7], code);
}

static uint32_t
init(struct platform *p)
{
	const uint8_t nonce[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t r[64];

	put(p, BROADCAST, 0x86, nonce, 8, 8);
	do
		assert_true(get(p, r));
	while (r[0] != 0xff); /* what an earlier platform left unread */
	assert_int_equal(r[4], 0x86);
	assert_memory_equal(r + 7, nonce, 8);
	return (uint32_t)r[15] << 24 | (uint32_t)r[16] << 16 | (uint32_t)r[17] << 8 | r[18];
}

static void
test_ping(void **state)
{
	uint8_t data[57 + 59], r[64];
	struct platform p;
	uint32_t a, b;

	platform_start(&p, exe, NULL);
	a = init(&p);
	b = init(&p);
	assert_int_not_equal(a, b);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	put(&p, a, 0x81, data, 57, sizeof data);
	put(&p, a, 0, data + 57, 59, 0);
	assert_true(get(&p, r));
	assert_memory_equal(r + 7, data, 57);
	assert_true(get(&p, r));
	assert_int_equal(r[4], 0);
	assert_memory_equal(r + 5, data + 57, 59);
	platform_stop(&p);
}

static void
test_errors(void **state)
{
	struct platform p;
	uint32_t a, b;

	platform_start(&p, exe, NULL);
	put(&p, 7, 0x81, NULL, 0, 0);
	expect_error(&p, 0x0b); /* a channel that nobody was given */
	a = init(&p);
	b = init(&p);
	put(&p, a, 0x83, NULL, 0, 0);
	expect_error(&p, 0x01); /* U2F messages are not spoken */
	put(&p, a, 0x81, NULL, 0, 7610);
	expect_error(&p, 0x03);
	put(&p, a, 0x81, NULL, 0, 100);
	put(&p, b, 0x81, NULL, 0, 0);
	expect_error(&p, 0x06); /* busy with the other channel's message */
	put(&p, a, 1, NULL, 0, 0);
	expect_error(&p, 0x04); /* 0 was due */
	put(&p, a, 0x81, NULL, 0, 100);
	expect_error(&p, 0x05); /* nothing followed */
	put(&p, a, 0x90, NULL, 0, 0);
	expect_error(&p, 0x03); /* no CBOR without a command */
	assert_int_equal(send(p.fd, "short", 5, 0), 5);
	assert_int_equal(init(&p), b + 1); /* alive */
	platform_stop(&p);
}

/* authenticatorGetAssertion needs a credential; makeCredential waits for a touch without one. */
static void
send_make(struct platform *p, uint32_t cid)
{
	static const uint8_t msg[] = {0x01, 0xa4, 0x01, 0x58, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* clientDataHash */
	    0x02, 0xa1, 0x62, 'i', 'd', 0x61, 'r',                         /* rp */
	    0x03, 0xa1, 0x62, 'i', 'd', 0x41, 'u',                         /* user */
	    0x04, 0x81, 0xa2, 0x63, 'a', 'l', 'g', 0x26, 0x64, 't', 'y', 'p', 'e', 0x6a, 'p', 'u',
	    'b', 'l', 'i', 'c', '-', 'k', 'e', 'y'};

	put(p, cid, 0x90, msg, 57, sizeof msg);
	put(p, cid, 0, msg + 57, sizeof msg - 57, 0);
}

static void
test_touch(void **state)
{
	struct platform p;
	uint8_t r[64];
	uint32_t cid;

	platform_start(&p, exe, NULL);
	cid = init(&p);
	platform_command(&p, "t\n");
	assert_true(platform_await(&p, "touch-ignored\n"));
	send_make(&p, cid);
	assert_true(platform_await(&p, "up-wait\n"));
	assert_null(strstr(p.events, "touched"));
	platform_command(&p, "t");
	assert_true(platform_await(&p, "touched\n"));
	assert_true(get(&p, r));
	assert_int_equal(r[4], 0x90);
	assert_int_equal(r[7], 0);
	assert_int_equal(platform_count(&p, "ctap 01"), 1);
	assert_int_equal(platform_count(&p, "frame "), 3);
	platform_stop(&p);
}

static void
test_cancel(void **state)
{
	struct platform p;
	uint8_t r[64];
	uint32_t cid;

	platform_start(&p, exe, NULL);
	cid = init(&p);
	send_make(&p, cid);
	assert_true(platform_await(&p, "up-wait\n"));
	put(&p, cid, 0x91, NULL, 0, 0);
	assert_true(get(&p, r));
	assert_int_equal(r[7], 0x2d);
	assert_true(platform_await(&p, "cancelled\n"));
	platform_stop(&p);
}

/* A platform dies while the key blinks; the next one starts with INIT and finds an idle key. */
static void
test_successor(void **state)
{
	struct platform p;
	uint8_t r[64];
	uint32_t cid;

	platform_start(&p, exe, NULL);
	cid = init(&p);
	send_make(&p, cid);
	assert_true(platform_await(&p, "up-wait\n"));
	cid = init(&p);
	assert_true(platform_await(&p, "reset\n"));
	platform_forget(&p);
	send_make(&p, cid);
	assert_true(platform_await(&p, "up-wait\n"));
	platform_command(&p, "t");
	assert_true(get(&p, r));
	assert_int_equal(r[7], 0);
	platform_stop(&p);
}

static void
test_no_touch(void **state)
{
	static const char *const args[] = {"--touch-seconds", "1", NULL};
	struct platform p;
	uint8_t r[64];

	platform_start(&p, exe, args);
	send_make(&p, init(&p));
	assert_true(get(&p, r));
	assert_int_equal(r[7], 0x2f);
	assert_true(platform_await(&p, "up-timeout\n"));
	platform_stop(&p);
}

static void
test_pulled(void **state)
{
	struct platform p;
	uint8_t r[64];
	int status;

	platform_start(&p, exe, NULL);
	send_make(&p, init(&p));
	assert_true(platform_await(&p, "up-wait\n"));
	platform_command(&p, "x");
	while (recv(p.fd, r, sizeof r, 0) > 0)
		;
	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	assert_int_equal(status, 0);
	assert_true(platform_await(&p, "pulled\n"));
	close(p.fd);
	close(p.control);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ping),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_touch),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_successor),
	    cmocka_unit_test(test_no_touch),
	    cmocka_unit_test(test_pulled),
	};

	if (argc != 2)
		return 2;
	exe = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
