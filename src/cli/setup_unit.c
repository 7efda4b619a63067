/* SPDX-License-Identifier: Apache-2.0 */
/* Units, as `systemctl show` has them; see setup_unit.h. */
#include "setup_unit.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "run.h"

/* "Sun 2026-11-22 02:05:12.123456 UTC": --timestamp=us+utc of systemctl(1). */
static struct timespec
time_of(const char *text)
{
	struct tm tm = {0};
	long us = 0;
	time_t s;

	if (sscanf(text, "%*s %d-%d-%d %d:%d:%d.%6ld UTC", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&tm.tm_hour, &tm.tm_min, &tm.tm_sec, &us) != 7)
		return (struct timespec){0};
	tm.tm_year -= 1900;
	tm.tm_mon--;
	s = timegm(&tm);
	return (struct timespec){.tv_sec = s, .tv_nsec = us * 1000};
}

bool
unit_look(const char *manager, const char *unit, struct unit_state *ret)
{
	const char *const argv[] = {"systemctl", manager, "show", "--timestamp=us+utc",
	    "--property=LoadState,ActiveState,UnitFileState,ExecMainStartTimestamp", unit, NULL};
	char said[RUN_SAID_MAX], *rest = said, *line;

	*ret = (struct unit_state){0};
	if (run_program(argv, said) != 0)
		return false;
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *value = strchr(line, '=');

		if (!value)
			continue;
		value++;
		if (strncmp(line, "LoadState=", 10) == 0)
			ret->loaded = strcmp(value, "loaded") == 0;
		else if (strncmp(line, "ActiveState=", 12) == 0)
			ret->active = strcmp(value, "active") == 0;
		else if (strncmp(line, "UnitFileState=", 14) == 0)
			ret->enabled = strcmp(value, "enabled") == 0;
		else if (strncmp(line, "ExecMainStartTimestamp=", 23) == 0)
			ret->since = time_of(value);
	}
	return true;
}

bool
daemon_since(struct timespec *ret_since)
{
	enum listener held = daemon_listens(ret_since);
	struct unit_state unit;

	if (held == LISTENER_NONE || held == LISTENER_DAEMON)
		return held == LISTENER_DAEMON;
	if (!unit_look(held == LISTENER_SYSTEM ? MANAGER_SYSTEM : MANAGER_USER, DAEMON_UNIT, &unit))
		return false;
	*ret_since = unit.since;
	return unit.active;
}
