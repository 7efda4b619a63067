/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for the cell: its planner's end, and the canned answers. */
#ifndef FAKE_CELL_H
#define FAKE_CELL_H

#include <sgwarden/wire.h>

struct cell {
	struct chan planner; /* fd -1: the planner has "died" */
	struct msg msg;      /* the question, then the answer */
	uint8_t scratch[SGW_DATAGRAM_MAX];
};

/* Says the question on stderr and answers it. */
void answer(struct cell *c);

#endif
