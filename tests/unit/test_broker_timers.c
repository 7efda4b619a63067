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
#include <sys/timerfd.h>
#include <time.h>

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
	};

	return cmocka_run_group_tests(tests, open_once, NULL);
}
