/* SPDX-License-Identifier: Apache-2.0 */
/* How a tool's question for the planner is begun. */
#ifndef FRONT_ASK_H
#define FRONT_ASK_H

#include <string.h>

#include "tools.h"

#define ASK(NAME, name)                                                                            \
	(ret_m->id = MSG_##NAME, memset(&ret_m->name, 0, sizeof(ret_m->name)), &ret_m->name)

/* The planner is asked for what is skipped too, within its own maximum. */
uint16_t page_limit(const struct args *a, const struct asker *who);

#endif
