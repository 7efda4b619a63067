/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals of one entry among several (whitelist_bulk): which it was, and what it asks for.  A request that is no list
 * is refused in the words that are given.
 */
#ifndef PLANNER_ENTRIES_H
#define PLANNER_ENTRIES_H

#include "resolve.h"

/* "port" becomes "entries[3].port", and before the detail stands what the entry asks for. */
void entries_name(const struct rec_wanted *w, struct refusal *r);
/* call_fail() about that entry; NULL: about none of them. */
void entries_fail(struct call *call, const struct rec_wanted *w, uint16_t error, const char *field,
    const char *detail);
/* The first entry that names the group, or NULL. */
const struct rec_wanted *entries_of_group(const struct msg_ask_change *ask, const char *group_id);

/* Do two entries ask for the same rule?  Then the refusal names both. */
bool entries_twice(const struct msg_ask_change *ask, const struct plan *plan, struct refusal *ret);
/*
 * The policy refuses the plan: is it for one entry, which would be refused alone and by the same line?  Then that is
 * noted in plan->blamed, and why in its own words in plan->verdict.text.
 */
void entries_blame(struct planner *p, const struct call *call, struct plan *plan);

#endif
