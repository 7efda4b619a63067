/* SPDX-License-Identifier: Apache-2.0 */
/* An owned fido: other assertions than the key's, and earlier ones. */
#include "inplace.h"

#define FLAGS 32 /* of authenticator data, behind the hash of the relying party (WebAuthn, 6.1) */
#define FLAG_UP 1

static void
another_assertion(struct msg_assertion *m)
{
	switch (hostile_lie()) {
	case LIE_FIDO_FLIPPED:
		m->signature[m->signature_len / 2] ^= 1;
		break;
	case LIE_FIDO_UNTOUCHED:
		m->authdata[FLAGS] &= (uint8_t)~FLAG_UP;
		break;
	case LIE_FIDO_REPLAYED:
		*m = board->assertion;
		break;
	default:
		return;
	}
	hostile_told();
}

/* The first assertion that it ever had is kept, as a thief would. */
enum say
hostile_send(struct chan *ch, struct msg *m)
{
	if (ch->peer != ROLE_BROKER || m->id != MSG_ASSERTION)
		return SAY_IT;
	if (!board->kept)
		board->assertion = m->assertion;
	board->kept = 1;
	if (hostile_lie() == LIE_FOREIGN)
		hostile_foreign(ch, MSG_AGREED);
	else if (hostile_lie() == LIE_GARBAGE)
		hostile_garbage(ch);
	else
		another_assertion(&m->assertion);
	return SAY_IT;
}

void
hostile_heard(struct chan *ch, struct msg *m)
{
	static struct msg early;

	if (m->id != MSG_ASK_ASSERTION || hostile_lie() != LIE_FIDO_EARLY)
		return;
	early.id = MSG_ASSERTION;
	early.assertion = board->assertion;
	hostile_say(ch, &early);
	hostile_told();
}
