/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lockdown in words, and what it takes in.  While one is on nothing is opened or kept open longer in its scope; what
 * was opened there is closed, for which nobody needs to touch.  Pure.
 */
#ifndef SGWARDEN_LOCKDOWN_H
#define SGWARDEN_LOCKDOWN_H

#include <stdbool.h>
#include <stddef.h>

#include <sgwarden/plan.h>

/* "all", "profile NAME", "group sg-...": its one form, in the ledger and on the screen. */
#define LOCKDOWN_TEXT_MAX (8 + SGW_PROFILE_MAX)
#define LOCKDOWN_EVERYTHING "everything" /* what an unlock without a scope lifts */

void lockdown_text(const struct rec_lockdown *l, char ret_text[LOCKDOWN_TEXT_MAX + 1]);
/* Total and exact: false for all that lockdown_text() does not write.  Sets scope and name alone. */
bool lockdown_parse(const char *text, size_t len, struct rec_lockdown *ret);

bool lockdown_equal(const struct rec_lockdown *a, const struct rec_lockdown *b); /* scope, name */
bool lockdown_covers(const struct rec_lockdown *l, const char *profile, const char *group_id);

/* The first that takes in an operation of the plan that opens or extends; NULL: none does. */
const struct rec_lockdown *lockdown_of(
    const struct rec_lockdown *list, size_t n, const struct rec_plan *plan);

/* "openings are off since ... (lockdown of ...)". */
void lockdown_sentence(const struct rec_lockdown *l, char ret_text[SGW_DETAIL_MAX + 1]);

/* The index of the one that is equal, or n. */
size_t lockdown_find(const struct rec_lockdown *list, size_t n, const struct rec_lockdown *l);

#endif
