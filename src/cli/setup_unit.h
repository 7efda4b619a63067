/* SPDX-License-Identifier: Apache-2.0 */
/* Units of systemd, as far as setup must know them. */
#ifndef CLI_SETUP_UNIT_H
#define CLI_SETUP_UNIT_H

#include <stdbool.h>
#include <time.h>

#define DAEMON_UNIT "sgwarden.service"

/* Which systemd: the machine's or the user's. */
#define MANAGER_SYSTEM "--system"
#define MANAGER_USER "--user"

struct unit_state {
	bool loaded;           /* the manager knows its file */
	bool active;           /* it runs, and has said that it is ready */
	bool enabled;          /* it starts with the machine */
	struct timespec since; /* when its main process began, where there was one */
};

/* False: that systemd could not be asked. */
bool unit_look(const char *manager, const char *unit, struct unit_state *ret);

/*
 * When the daemon that answers began: for the machine's clock, a time that another daemon never has.  A socket that
 * systemd holds stays the same over the daemon's restarts, so then it is the unit that is looked at.  False: none runs.
 */
bool daemon_since(struct timespec *ret_since);

#endif
