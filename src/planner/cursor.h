/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors: the id after which a list goes on, and a check that binds it to the list that gave it.  Opaque to
 * clients; a forged one shows nothing that the list without it does not show.
 */
#ifndef PLANNER_CURSOR_H
#define PLANNER_CURSOR_H

#include <sgwarden/wire.h>

/* What makes a list this list: everything asked for but the page. */
struct cursor_of {
	uint8_t digest[32];
};

void cursor_of_groups(const struct msg_ask_groups *ask, struct cursor_of *ret);
void cursor_of_rules(const struct msg_ask_rules *ask, struct cursor_of *ret);
void cursor_of_drift(const struct msg_ask_drift *ask, struct cursor_of *ret);
void cursor_of_receipts(const struct msg_ask_receipts *ask, struct cursor_of *ret);

void cursor_make(const struct cursor_of *of, const char *id, char ret_cursor[SGW_CURSOR_MAX + 1]);
const char *cursor_read(
    const struct cursor_of *of, const char *cursor); /* the id in it; NULL: not ours */

#endif
