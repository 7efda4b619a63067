/* SPDX-License-Identifier: Apache-2.0 */
/* See timers.h. */
#include "timers.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/topology.h>

struct timer_row {
	int fd;
	clockid_t clock;
	int flags;
};

static const struct timer_row TIMERS[BROKER_TIMERS] = {
    {FD_BROKER_BOOT_TIMER, CLOCK_BOOTTIME, TFD_TIMER_ABSTIME},
    {FD_BROKER_WALL_TIMER, CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET},
};

int
timers_open(void)
{
	for (size_t i = 0; i < BROKER_TIMERS; i++) {
		int fd = timerfd_create(TIMERS[i].clock, TFD_CLOEXEC | TFD_NONBLOCK);

		if (fd < 0 || (fd != TIMERS[i].fd && dup3(fd, TIMERS[i].fd, O_CLOEXEC) < 0))
			return -1;
		if (fd != TIMERS[i].fd)
			(void)close(fd);
	}
	return 0;
}

/* ms from now, by that clock; ms < 0: never.  Zero would disarm it, so the past is one nanosecond. */
static struct itimerspec
timer_value(clockid_t clock, int64_t ms)
{
	struct itimerspec value = {0};
	struct timespec now;
	int64_t at;

	if (ms < 0)
		return value;
	(void)clock_gettime(clock, &now);
	at = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
	at = ms > INT64_MAX / 2 - at ? INT64_MAX / 2 : at + ms;
	value.it_value.tv_sec = at / 1000;
	value.it_value.tv_nsec = at % 1000 * 1000000;
	return value;
}

int
timers_arm(int64_t ms)
{
	for (size_t i = 0; i < BROKER_TIMERS; i++) {
		struct itimerspec value = timer_value(TIMERS[i].clock, ms);

		/* ECANCELED: the clock was set since the last time; the timer is armed all the same */
		if (timerfd_settime(TIMERS[i].fd, TIMERS[i].flags, &value, NULL) < 0 &&
		    errno != ECANCELED)
			return -1;
	}
	return 0;
}
