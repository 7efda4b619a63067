/* SPDX-License-Identifier: Apache-2.0 */
/* What each hostile part does in its own way; the rest is inplace.c. */
#ifndef HOSTILE_INPLACE_H
#define HOSTILE_INPLACE_H

#include "board.h"

enum say {
	SAY_IT, /* as it stands in `m` now */
	SAY_NOTHING,
	SAY_TWICE,
};

/* Each part's own: what becomes of a message that the genuine program wants to send. */
enum say hostile_send(struct chan *ch, struct msg *m);

/* And what it does when one came. */
void hostile_heard(struct chan *ch, struct msg *m);

uint32_t hostile_lie(void); /* which one is armed; 0: none */
void hostile_told(void);
void hostile_say(struct chan *ch, const struct msg *m);
void hostile_foreign(struct chan *ch, enum msg_id id);
void hostile_garbage(struct chan *ch);

#endif
