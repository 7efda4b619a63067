/* SPDX-License-Identifier: Apache-2.0 */
/* A list's entries, collected in the call until the planner's last part is there. */
#ifndef FRONT_LIST_H
#define FRONT_LIST_H

#include "calls.h"

/* Will another part follow this one? */
bool list_goes_on(const struct msg *m);

/* Of grants: where the call's page begins, and how many entries it has at most; false: that is no cursor of theirs. */
bool list_grants_begin(struct call *c, uint16_t most);

/* GROUPS, RULES, OPENED, RECEIPTS or DRIFT, the last part or one before it. */
void list_part(struct call *c, const struct msg *m);

/*
 * `planners`: the cursor of the planner's next page, or empty; NULL where it has more and no cursor for it.  An empty
 * result: that was all.
 */
void list_next_cursor(
    const struct call *c, const char *planners, char ret_cursor[ARGS_CURSOR_MAX + 1]);

#endif
