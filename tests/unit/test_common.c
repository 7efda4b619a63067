/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers, cursors, printable text, secrets, log and clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/buf.h>
#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/lookalike.h>
#include <sgwarden/secret.h>
#include <sgwarden/topology.h>
#include <sgwarden/vis.h>

#define HALF_TOKEN "FwoGZXIvYXdzEBYaDKjqVlKPWcMxQ1example1234567890abcdefghijABCDEFGHIJ"
#define LONG_TOKEN HALF_TOKEN HALF_TOKEN

static void
test_lookalikes(void **state)
{
	static const char *const bad[] = {"AKIAIOSFODNN7EXAMPLE",
	    "key ASIAIOSFODNN7EXAMPLE, please", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	    "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
	    "\xc3\xa4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\xc3\xa4",
	    "-----BEGIN PRIVATE KEY-----", LONG_TOKEN};
	static const char *const good[] = {"", "deploy of 3f786850e387550fdab836ed7e6dc881de23001b",
	    "AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLES", "Akiaiosfodnn7example",
	    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEYS",
	    "/srv/Shared2/Projects/Something/foo/barb", "sg-0123456789abcdef0", "2001:db8::/64",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(looks_like_credential(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_false(looks_like_credential(good[i]));
}

static void
test_buf_integers(void **state)
{
	static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t memory[15];
	struct buf b = buf_over(memory, sizeof(memory));
	struct cur c = cur_over(memory, sizeof(memory));
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;

	assert_true(buf_put_u8(&b, 1));
	assert_true(buf_put_u16(&b, 0x0203));
	assert_true(buf_put_u32(&b, 0x04050607));
	assert_true(buf_put_u64(&b, 0x08090a0b0c0d0e0f));
	assert_int_equal(b.len, 15);
	assert_memory_equal(memory, want, 15);
	assert_false(buf_put_u8(&b, 0));
	assert_true(cur_get_u8(&c, &u8) && u8 == 1);
	assert_true(cur_get_u16(&c, &u16) && u16 == 0x0203);
	assert_false(cur_done(&c));
	assert_true(cur_get_u32(&c, &u32) && u32 == 0x04050607);
	assert_true(cur_get_u64(&c, &u64) && u64 == 0x08090a0b0c0d0e0f);
	assert_true(cur_done(&c));
	assert_false(cur_get_u8(&c, &u8));
	assert_false(cur_done(&c));
}

static void
test_buf_refuses_whole_values(void **state)
{
	uint8_t memory[4] = {0};
	struct buf b = buf_over(memory, 3);

	assert_false(buf_put_u32(&b, 0x01020304));
	assert_int_equal(b.len, 0);
	assert_int_equal(memory[0], 0);
	/* Sticky: what would fit is refused as well. */
	assert_false(buf_put_u8(&b, 1));
	assert_true(b.failed);
}

static void
test_buf_cursor_sticky(void **state)
{
	uint8_t memory[3] = {1, 2, 3}, u8 = 77;
	struct cur c = cur_over(memory, sizeof(memory));
	uint32_t u32 = 77;

	assert_false(cur_get_u32(&c, &u32));
	assert_int_equal(u32, 77);
	assert_false(cur_get_u8(&c, &u8));
	assert_int_equal(u8, 77);
}

static void
test_buf_text(void **state)
{
	char memory[16];
	struct buf b = buf_over(memory, sizeof(memory));
	const uint8_t bytes[2] = {0xab, 0x0f};

	assert_true(buf_puts(&b, "ab"));
	assert_true(buf_printf(&b, "%d-%s", 12, "xy"));
	assert_true(buf_put_hex(&b, bytes, 2));
	assert_true(buf_put_c(&b));
	assert_string_equal(memory, "ab12-xyab0f");
	assert_int_equal(b.len, 11);
	/* Five bytes are left: four and the NUL fit, five do not. */
	assert_true(buf_printf(&b, "%s", "1234"));
	assert_false(buf_printf(&b, "%s", "5"));
	assert_int_equal(b.len, 15);
	assert_true(b.failed);
	assert_false(buf_put_c(&b));
	b = buf_over(memory, 3);
	assert_false(buf_put_hex(&b, bytes, 2));
}

static void
test_hex_decode(void **state)
{
	uint8_t bytes[2] = {0};

	assert_true(hex_decode("ab0f", 4, bytes, 2));
	assert_int_equal(bytes[0], 0xab);
	assert_int_equal(bytes[1], 0x0f);
	assert_false(hex_decode("AB0F", 4, bytes, 2));
	assert_false(hex_decode("ab0", 3, bytes, 2));
	assert_false(hex_decode("ab0f12", 6, bytes, 2));
	assert_false(hex_decode("ab0g", 4, bytes, 2));
}

struct vis_case {
	const char *text;
	size_t len;
	const char *want;
	bool utf8;
};

static const struct vis_case VIS[] = {
    {"plain ~", 7, "plain ~", true},
    {"a\\b", 3, "a\\\\b", true},
    {"\n\t\x1b[2J", 6, "\\x0a\\x09\\x1b[2J", true},
    {"a\0b", 3, "a\\x00b", false},
    {"\x7f", 1, "\\x7f", true},
    {"\xc3\xa9", 2, "\\u{e9}", true},
    {"\xe2\x80\xae", 3, "\\u{202e}", true},
    {"\xf4\x8f\xbf\xbf", 4, "\\u{10ffff}", true},
    {"\xf0\x9f\x98\x80!", 5, "\\u{1f600}!", true},
    {"\xc0\x80", 2, "\\xc0\\x80", false},                   /* overlong */
    {"\xe0\x9f\xbf", 3, "\\xe0\\x9f\\xbf", false},          /* overlong */
    {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80", false},          /* surrogate */
    {"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80", false}, /* beyond U+10FFFF */
    {"\xe2\x80", 2, "\\xe2\\x80", false},                   /* cut */
    {"\xff", 1, "\\xff", false},
    {"\x80", 1, "\\x80", false},
    {"\xe2\x28\xa1", 3, "\\xe2(\\xa1", false},
};

static void
test_vis(void **state)
{
	for (size_t i = 0; i < sizeof(VIS) / sizeof(VIS[0]); i++) {
		char out[64];

		assert_true(vis(out, sizeof(out), VIS[i].text, VIS[i].len));
		assert_string_equal(out, VIS[i].want);
		assert_true(strlen(out) < VIS_MAX(VIS[i].len));
		assert_int_equal(text_is_utf8(VIS[i].text, VIS[i].len), VIS[i].utf8);
	}
	assert_true(text_is_ascii("abc ~", 5));
	assert_false(text_is_ascii("abc\n", 4));
	assert_false(text_is_ascii("\x7f", 1));
	assert_false(text_is_ascii("\xc3\xa9", 2));
}

static void
test_vis_cuts_between_escapes(void **state)
{
	char out[8];

	assert_false(vis(out, sizeof(out), "ab\n\n", 4));
	assert_string_equal(out, "ab\\x0a");
	assert_true(vis(out, 7, "ab\n", 3));
	assert_false(vis(out, 6, "ab\n", 3));
	assert_string_equal(out, "ab");
	assert_false(vis(out, 0, "", 0));
}

static void
test_secret_life(void **state)
{
	struct secret s = {0};
	uint8_t *p;
	pid_t child;
	int status;

	assert_int_equal(secret_alloc(&s, 0), -1);
	assert_int_equal(secret_alloc(&s, 5000), 0);
	assert_true(s.size >= 5000 && s.size % (size_t)sysconf(_SC_PAGESIZE) == 0);
	p = s.data;
	for (size_t i = 0; i < s.size; i++)
		assert_int_equal(p[i], 0);
	memset(p, 0x5a, s.size);
	/* A forked child sees zeroes. */
	child = fork();
	if (child == 0)
		_exit(p[0] == 0 && p[s.size - 1] == 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	secret_erase(&s);
	for (size_t i = 0; i < s.size; i++)
		assert_int_equal(p[i], 0);
	secret_free(&s);
	assert_null(s.data);
	secret_free(&s);
}

/* Under AddressSanitizer mlock(2) does nothing and says that it did. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The VmFlags line of the mapping that begins at `address` (proc(5), smaps). */
static void
vm_flags(const void *address, char *ret_flags, size_t cap)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512], want[32];
	bool here = false;

	assert_non_null(f);
	ret_flags[0] = 0;
	snprintf(want, sizeof(want), "%lx-", (unsigned long)(uintptr_t)address);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmFlags:", 8) != 0)
			here = here || strncmp(line, want, strlen(want)) == 0;
		else if (here) {
			snprintf(ret_flags, cap, "%.*s", (int)cap - 1, line);
			break;
		}
	}
	fclose(f);
}

static void
test_secret_flags(void **state)
{
	struct secret s;
	char flags[512];

	assert_int_equal(secret_alloc(&s, 1), 0);
	vm_flags(s.data, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	assert_non_null(strstr(flags, " wf"));
#if !SANITIZED
	assert_int_equal(strstr(flags, " lo") != NULL, s.locked);
#endif
	secret_free(&s);
}

/* One byte before or behind the region kills. */
static void
test_secret_guards(void **state)
{
	for (int side = 0; side < 3; side++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			struct secret s;
			volatile uint8_t *p;

			/* cmocka catches faults: this child is to die of its own. */
			signal(SIGSEGV, SIG_DFL);
			if (secret_alloc(&s, 1) < 0)
				_exit(1);
			p = s.data;
			p[0] = 1;
			if (side == 1)
				p[-1] = 1;
			if (side == 2)
				p[s.size] = 1;
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (side == 0)
			assert_int_equal(status, 0);
		else
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

static void
test_memory_equal(void **state)
{
	assert_true(memory_equal("abc", "abc", 3));
	assert_false(memory_equal("abc", "abd", 3));
	assert_true(memory_equal("abc", "xyz", 0));
}

static void
test_log_line(void **state)
{
	int saved = dup(STDERR_FILENO), ends[2];
	char line[256] = {0};

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	log_open("front", LOG_LEVEL_INFO);
	log_debug("not seen");
	log_warning("peer said %s", "\x1b]0;x\n");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	close(ends[0]);
	assert_string_equal(line, "<4>front: peer said \\x1b]0;x\\x0a\n");
}

struct time_case {
	int64_t when;
	const char *text;
};

static const struct time_case TIMES[] = {
    {0, "1970-01-01T00:00:00Z"},
    {-1, "1969-12-31T23:59:59Z"},
    {951782400, "2000-02-29T00:00:00Z"},
    {1795282200, "2026-11-21T17:30:00Z"},
    {4107542400, "2100-03-01T00:00:00Z"},
    {253402300799, "9999-12-31T23:59:59Z"},
    {-62167219200, "0000-01-01T00:00:00Z"},
};

static const char *const NOT_TIMES[] = {
    "2026-11-21t17:30:00Z",
    "2026-11-21T17:30:00z",
    "2026-11-21T17:30:00",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-00T00:00:00Z",
    "+026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z ",
};

static void
test_clock_text(void **state)
{
	char text[CLOCK_TEXT_LEN];
	int64_t when = 77;

	for (size_t i = 0; i < sizeof(TIMES) / sizeof(TIMES[0]); i++) {
		clock_format(TIMES[i].when, text);
		assert_string_equal(text, TIMES[i].text);
		assert_int_equal(clock_parse(text, strlen(text), &when), 0);
		assert_true(when == TIMES[i].when);
	}
	/* Every day of four centuries, there and back. */
	for (int64_t day = 0; day < 146097; day += 1) {
		clock_format(day * 86400 + day % 86400, text);
		assert_int_equal(clock_parse(text, strlen(text), &when), 0);
		assert_true(when == day * 86400 + day % 86400);
	}
	when = 77;
	for (size_t i = 0; i < sizeof(NOT_TIMES) / sizeof(NOT_TIMES[0]); i++)
		assert_int_equal(clock_parse(NOT_TIMES[i], strlen(NOT_TIMES[i]), &when), -1);
	assert_true(when == 77);
	clock_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void
test_clock_offset(void **state)
{
	int64_t wall = clock_now(), mono = clock_monotonic();

	assert_true(wall > 1700000000 && mono > 0);
	assert_int_equal(clock_wait(-1), -1);
	assert_int_equal(clock_wait(70), 70);
	assert_int_equal(clock_wait(INT64_MAX), 0x7fffffff);
#if SGW_TESTCLOCK
	static const uint8_t hour[8] = {0x10, 0x0e};
	int fd = memfd_create("clock", MFD_CLOEXEC);

	assert_int_equal(write(fd, "\0\0\0\0\0\0\0\0", 8), 8);
	assert_int_equal(dup2(fd, FD_TESTCLOCK), FD_TESTCLOCK);
	clock_open();
	assert_true(clock_now() - wall < 100);
	assert_int_equal(pwrite(fd, hour, 8, 0), 8);
	assert_true(clock_now() - wall >= 3600);
	assert_true(clock_monotonic() - mono >= 3600000);
	assert_int_equal(clock_wait(-1), CLOCK_WAIT_MAX);
	assert_int_equal(clock_wait(5000), CLOCK_WAIT_MAX);
	assert_int_equal(clock_wait(7), 7);
	close(FD_TESTCLOCK);
	close(fd);
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lookalikes),
	    cmocka_unit_test(test_buf_integers),
	    cmocka_unit_test(test_buf_refuses_whole_values),
	    cmocka_unit_test(test_buf_cursor_sticky),
	    cmocka_unit_test(test_buf_text),
	    cmocka_unit_test(test_hex_decode),
	    cmocka_unit_test(test_vis),
	    cmocka_unit_test(test_vis_cuts_between_escapes),
	    cmocka_unit_test(test_secret_life),
	    cmocka_unit_test(test_secret_flags),
	    cmocka_unit_test(test_secret_guards),
	    cmocka_unit_test(test_memory_equal),
	    cmocka_unit_test(test_log_line),
	    cmocka_unit_test(test_clock_text),
	    cmocka_unit_test(test_clock_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
