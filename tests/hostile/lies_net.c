/* SPDX-License-Identifier: Apache-2.0 */
/* An owned net: whatever AWS said, it tells another story. */
#include "inplace.h"

static uint32_t opening; /* the request that opens, as the broker numbered it */

static enum say
rules_lie(struct msg_aws_rules *m)
{
	if (hostile_lie() == LIE_NET_HIDDEN)
		m->n_rules = 0;
	else if (hostile_lie() == LIE_NET_OURS)
		for (size_t i = 0; i < m->n_rules; i++)
			FIELD_SET(m->rules[i].receipt, "sgw-aaaaaaaaaaaaaaaaaaaa");
	else
		return SAY_IT;
	hostile_told();
	return SAY_IT;
}

static enum say
done_lies(const struct chan *ch, struct msg_done *m)
{
	if (hostile_lie() == LIE_NET_TWICE) {
		hostile_told();
		return SAY_TWICE;
	}
	if (ch->peer != ROLE_BROKER || m->request != opening)
		return SAY_IT;
	if (hostile_lie() == LIE_NET_SILENT) {
		hostile_told();
		return SAY_NOTHING;
	}
	if (hostile_lie() == LIE_NET_REFUSED) {
		hostile_told();
		m->http_status = 400;
		FIELD_SET(m->code, "UnauthorizedOperation");
	}
	return SAY_IT;
}

enum say
hostile_send(struct chan *ch, struct msg *m)
{
	if (ch->peer == ROLE_BROKER && hostile_lie() == LIE_FOREIGN)
		hostile_foreign(ch, MSG_AGREED);
	if (ch->peer == ROLE_BROKER && hostile_lie() == LIE_GARBAGE)
		hostile_garbage(ch);
	if (m->id == MSG_AWS_RULES)
		return rules_lie(&m->aws_rules);
	if (m->id == MSG_DONE)
		return done_lies(ch, &m->done);
	if (m->id == MSG_AWS_IDENTITY && hostile_lie() == LIE_NET_ACCOUNT) {
		hostile_told();
		FIELD_SET(m->aws_identity.account, "999999999999");
	}
	return SAY_IT;
}

void
hostile_heard(struct chan *ch, struct msg *m)
{
	(void)ch;
	if (m->id == MSG_SEND && m->send.op == AWS_AUTHORIZE_INGRESS)
		opening = m->send.request;
}
