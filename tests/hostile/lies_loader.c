/* SPDX-License-Identifier: Apache-2.0 */
/* An owned loader: a false story of the ledger and of the AWS files, once, at the start. */
#include "inplace.h"

#include <string.h>

/* Somebody else's rule, as if a touch had opened it and its time were over. */
static void
false_grant(struct chan *ch)
{
	static struct msg m;
	struct rec_grant *g = &m.loaded_grant.grant;

	m.id = MSG_LOADED_GRANT;
	FIELD_SET(g->receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	FIELD_SET(g->profile, "demo");
	FIELD_SET(g->account, "111122223333");
	FIELD_SET(g->region, "us-east-1");
	FIELD_SET(g->group_id, "sg-0123456789abcdef0");
	g->protocol = PROTO_TCP;
	g->from_port = g->to_port = 22;
	g->source = (struct rec_cidr){.family = 4, .prefix = 28, .addr = {198, 51, 100}};
	g->closes = g->sent = 1;
	hostile_say(ch, &m);
	hostile_told();
}

static void
head_lies(struct msg_loaded_head *m)
{
	if (hostile_lie() == LIE_LOADER_HEAD)
		m->head[0] ^= 1;
	else if (hostile_lie() == LIE_LOADER_KEYS)
		m->keys_digest[0] ^= 1;
	else
		return;
	hostile_told();
}

enum say
hostile_send(struct chan *ch, struct msg *m)
{
	if (ch->peer != ROLE_BROKER)
		return SAY_IT;
	if (m->id == MSG_LOADED && hostile_lie() == LIE_FOREIGN)
		hostile_foreign(ch, MSG_AGREED);
	else if (m->id == MSG_LOADED && hostile_lie() == LIE_GARBAGE)
		hostile_garbage(ch);
	else if (m->id == MSG_LOADED && hostile_lie() == LIE_LOADER_FALSE_GRANT)
		false_grant(ch);
	else if (m->id == MSG_LOADED_HEAD)
		head_lies(&m->loaded_head);
	else if (m->id == MSG_LOADED_PROFILE && hostile_lie() == LIE_LOADER_SECRET) {
		memset(m->loaded_profile.secret_key, 'x', strlen(m->loaded_profile.secret_key));
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
