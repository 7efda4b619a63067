/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's two timers: which clocks, when they expire, and that the wall clock's hears of being set. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <sgwarden/topology.h>

#include "timers.h"

static const int FDS[BROKER_TIMERS] = {FD_BROKER_BOOT_TIMER, FD_BROKER_WALL_TIMER};

/* A line of /proc/self/fdinfo/FD ("timerfd_create(2)", proc_pid_fdinfo(5)) as a number; -1: there is none. */
static long
fdinfo(int fd, const char *name)
{
	char path[64], line[128];
	long value = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			(void)sscanf(line + strlen(name), "%lo", (unsigned long *)&value);
	(void)fclose(f);
	return value;
}

static bool
expired(int fd, int wait)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, wait) == 1;
}

static int64_t
left(int fd)
{
	struct itimerspec value;

	assert_int_equal(timerfd_gettime(fd, &value), 0);
	return value.it_value.tv_sec;
}

static void
test_clocks(void **state)
{
	assert_int_equal(timers_arm(3600000), 0);
	assert_int_equal(fdinfo(FD_BROKER_BOOT_TIMER, "clockid:"), CLOCK_BOOTTIME);
	assert_int_equal(fdinfo(FD_BROKER_WALL_TIMER, "clockid:"), CLOCK_REALTIME);
	assert_int_equal(fdinfo(FD_BROKER_WALL_TIMER, "settime flags:"),
	    TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
}

static void
test_sleeps_until_then(void **state)
{
	assert_int_equal(timers_arm(INT64_C(3600000)), 0);
	for (int i = 0; i < BROKER_TIMERS; i++) {
		assert_false(expired(FDS[i], 0));
		assert_in_range(left(FDS[i]), 3000, 3600);
		assert_int_equal(fcntl(FDS[i], F_GETFD), FD_CLOEXEC);
	}
}

static void
test_expires_and_is_set_anew(void **state)
{
	assert_int_equal(timers_arm(0), 0);
	for (int i = 0; i < BROKER_TIMERS; i++)
		assert_true(expired(FDS[i], -1));
	assert_int_equal(timers_arm(3600000), 0); /* nobody has read them: setting is enough */
	for (int i = 0; i < BROKER_TIMERS; i++)
		assert_false(expired(FDS[i], 0));
}

static void
test_never_and_absurdly_far(void **state)
{
	assert_int_equal(timers_arm(-1), 0);
	for (int i = 0; i < BROKER_TIMERS; i++) {
		assert_int_equal(left(FDS[i]), 0);
		assert_false(expired(FDS[i], 0));
	}
	assert_int_equal(timers_arm(INT64_MAX - 1), 0);
	for (int i = 0; i < BROKER_TIMERS; i++)
		assert_false(expired(FDS[i], 0));
}

/* What timers_open() says where no descriptor from `most` on may be had. */
static int
open_below(int most)
{
	struct rlimit was, less;
	int r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	less = was;
	less.rlim_cur = (rlim_t)most;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	r = timers_open();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	return r;
}

static void
test_no_descriptors(void **state)
{
	int next = dup(STDERR_FILENO); /* the number that the next one gets */

	assert_in_range(next, 3, FD_BROKER_BOOT_TIMER - 1);
	assert_int_equal(close(next), 0);
	assert_int_equal(open_below(0), -1);        /* none at all */
	assert_int_equal(open_below(next + 1), -1); /* one, and not in its place */
	assert_int_equal(close(next), 0);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(timers_arm(3600000), 0);
}

/* One that is there already where it belongs is left there. */
static void
test_in_its_place(void **state)
{
	int at, held[FD_BROKER_BOOT_TIMER], n = 0;

	assert_int_equal(close(FD_BROKER_BOOT_TIMER), 0);
	while ((at = dup(STDERR_FILENO)) != FD_BROKER_BOOT_TIMER) {
		assert_in_range(at, 3, FD_BROKER_BOOT_TIMER - 1);
		held[n++] = at;
	}
	assert_int_equal(close(at), 0);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(fdinfo(FD_BROKER_BOOT_TIMER, "clockid:"), CLOCK_BOOTTIME);
	while (n > 0)
		assert_int_equal(close(held[--n]), 0);
}

static void
test_gone(void **state)
{
	for (int i = 0; i < BROKER_TIMERS; i++) {
		assert_int_equal(close(FDS[i]), 0);
		assert_int_equal(timers_arm(1000), -1);
		assert_int_equal(timers_open(), 0);
		assert_int_equal(timers_arm(1000), 0);
	}
}

static int
open_once(void **state)
{
	return timers_open();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_clocks),
	    cmocka_unit_test(test_sleeps_until_then),
	    cmocka_unit_test(test_expires_and_is_set_anew),
	    cmocka_unit_test(test_never_and_absurdly_far),
	    cmocka_unit_test(test_no_descriptors),
	    cmocka_unit_test(test_in_its_place),
	    cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, open_once, NULL);
}
