/* SPDX-License-Identifier: Apache-2.0 */
/* An owned front: it asks for what its client did not, and for what no client may. */
#include "inplace.h"

enum say
hostile_send(struct chan *ch, struct msg *m)
{
	if (ch->peer != ROLE_PLANNER || m->id != MSG_ASK_CHANGE)
		return SAY_IT;
	if (hostile_lie() == LIE_FOREIGN)
		hostile_foreign(ch, MSG_AGREED);
	else if (hostile_lie() == LIE_GARBAGE)
		hostile_garbage(ch);
	else if (hostile_lie() == LIE_FRONT_ADMIN)
		hostile_foreign(ch, MSG_ASK_ENROLL);
	else if (hostile_lie() == LIE_FRONT_WIDE) {
		m->ask_change.wanted[0].source = (struct rec_cidr){.family = 4};
		hostile_told();
	}
	return SAY_IT;
}

void
hostile_heard(struct chan *ch, struct msg *m)
{
	(void)ch;
	(void)m;
}
