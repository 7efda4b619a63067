/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for the cell: its planner's end, and the canned answers. */
#ifndef FAKE_CELL_H
#define FAKE_CELL_H

#include <string.h>

#include <sgwarden/wire.h>

struct cell {
	struct chan planner; /* fd -1: the planner has "died" */
	struct msg msg;      /* the question, then the answer */
	uint8_t scratch[SGW_DATAGRAM_MAX];
};

#define ACCOUNT "111122223333"
#define PLAN_ID "sgw-abcdefghijklmnopqrst"
#define PLANNED_ID "sgw-pppppppppppppppppppp" /* nobody was asked about it */

/* The answer's struct, empty but for the call's number. */
#define BEGIN(c, NAME, name, number)                                                               \
	((c)->msg.id = MSG_##NAME, memset(&(c)->msg.name, 0, sizeof((c)->msg.name)),               \
	    (c)->msg.name.request = (number), &(c)->msg.name)

/* Sends c->msg. */
void reply(struct cell *c);
void refuse(
    struct cell *c, uint32_t request, uint16_t error, const char *field, const char *detail);

/* answers_reads.c */
void put_profile(struct rec_profile_info *p);
void answer_profiles(struct cell *c);
void answer_access(struct cell *c);
void answer_opened(struct cell *c);
void answer_drift(struct cell *c);
void answer_cancel(struct cell *c);
void answer_credentials(struct cell *c);
void answer_ip(struct cell *c);

/* Says the question on stderr and answers it. */
void answer(struct cell *c);

#endif
