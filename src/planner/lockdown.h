/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdown as clients ask for it and hear of it.  The broker alone makes it. */
#ifndef PLANNER_LOCKDOWN_H
#define PLANNER_LOCKDOWN_H

#include "planner.h"

bool run_lockdown(struct planner *p, struct call *call);
void lockdown_answered(struct planner *p, const struct msg_lockdown_set *m);
/* Where openings are off, and since when, or empty.  profile and group_id NULL: anywhere. */
void lockdown_note(const struct planner *p, const char *profile, const char *group_id,
    char ret_text[SGW_DETAIL_MAX + 1]);

#endif
