/* SPDX-License-Identifier: Apache-2.0 */
/* The consent text as it would be shown, for whitelist_plan: without nonce, so it can be signed by nobody. */
#ifndef PLANNER_PREVIEW_H
#define PLANNER_PREVIEW_H

#include "planner.h"

/* At most SGW_PREVIEW_MAX bytes of whole lines; where lines are left out the last one says how many. */
void preview_make(struct planner *p, const struct client *c, const struct plan *plan,
    char ret_preview[SGW_PREVIEW_MAX + 1]);

#endif
