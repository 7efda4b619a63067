/* SPDX-License-Identifier: Apache-2.0 */
/* An owned consent: it agrees by itself, and has another record signed. */
#include "inplace.h"

#include <string.h>

/* Another address: the same length, a record like any other. */
static void
another_record(char *record)
{
	char *digit = strstr(record, "8.8.9.");

	if (!digit)
		return;
	*digit = '9';
	hostile_told();
}

enum say
hostile_send(struct chan *ch, struct msg *m)
{
	if (m->id == MSG_SIGN && hostile_lie() == LIE_CONSENT_OTHER)
		another_record(m->sign.record);
	return SAY_IT;
}

void
hostile_heard(struct chan *ch, struct msg *m)
{
	const struct msg agreed = {.id = MSG_AGREED};

	if (m->id != MSG_SHOW)
		return;
	if (hostile_lie() == LIE_FOREIGN)
		hostile_foreign(ch, MSG_ASSERTION);
	else if (hostile_lie() == LIE_GARBAGE)
		hostile_garbage(ch);
	else if (hostile_lie() == LIE_CONSENT_UNSEEN) {
		hostile_say(ch, &agreed);
		hostile_told();
	}
}
