/* SPDX-License-Identifier: Apache-2.0 */
/* sd_watchdog_enabled(3): a sign of life in half the time that the unit's WatchdogSec= gives.  Without one no wake-up. */
#include "supervisor.h"

#include <systemd/sd-daemon.h>

#include <sgwarden/clock.h>

void
watchdog_open(struct supervisor *s)
{
	uint64_t microseconds = 0;

	if (sd_watchdog_enabled(1, &microseconds) <= 0)
		return;
	s->watchdog = (int64_t)(microseconds / 2000);
	s->watchdog_due = clock_monotonic() + s->watchdog;
}

int
watchdog_overdue(struct supervisor *s)
{
	int64_t now = clock_monotonic();

	if (s->watchdog == 0)
		return -1;
	if (s->watchdog_due <= now) {
		(void)sd_notify(0, "WATCHDOG=1");
		s->watchdog_due = now + s->watchdog;
	}
	return s->watchdog_due - now < INT_MAX ? (int)(s->watchdog_due - now) : INT_MAX;
}
