/* SPDX-License-Identifier: Apache-2.0 */
/* See lockdown.h. */
#include "lockdown.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/lockdown.h>

#include "broker.h"
#include "calls.h"
#include "clients.h"

static void
ask(struct planner *p, struct call *call)
{
	struct lockdown_call *of = &call->ask.lockdown;
	struct msg_lockdown *m = &p->out.lockdown;

	of->number = ++p->last_request;
	call->until = call->came + QUESTION_TIMEOUT;
	p->out.id = MSG_LOCKDOWN;
	m->request = of->number;
	m->client = call->client->number;
	m->scope = of->ask.scope;
	FIELD_SET(m->name, of->ask.name);
	broker_send(p);
}

static bool
answer(struct planner *p, struct call *call)
{
	const struct msg_lockdown_set *from = &call->ask.lockdown.answer;
	struct msg_locked *out = &p->out.locked;

	p->out.id = MSG_LOCKED;
	out->request = call->request;
	out->was_on = from->was_on;
	FIELD_SET(out->receipt, from->receipt);
	out->still_open = from->still_open;
	out->ended = from->ended;
	out->n_lockdowns = (uint16_t)p->n_lockdowns;
	memcpy(out->lockdowns, p->lockdowns, sizeof(out->lockdowns));
	return client_send(p, call->client) != SENT_BLOCKED;
}

bool
run_lockdown(struct planner *p, struct call *call)
{
	struct lockdown_call *of = &call->ask.lockdown;

	if (of->number == 0)
		ask(p, call);
	if (of->answered && of->answer.error == SGW_ERR_NONE)
		return answer(p, call);
	if (of->answered)
		call_fail(call, of->answer.error, "", of->answer.detail);
	else if (call->until <= p->now)
		call_fail(call, SGW_ERR_BUSY, "",
		    "the broker has not answered: ask again, or stop the daemon");
	return false;
}

void
lockdown_answered(struct planner *p, const struct msg_lockdown_set *m)
{
	for (size_t i = 0; i < p->calls_top; i++) {
		struct call *call = &p->calls[i];

		if (call->kind != CALL_LOCKDOWN || call->ask.lockdown.number != m->request)
			continue;
		call->ask.lockdown.answered = true;
		call->ask.lockdown.answer = *m;
		p->stirred = true;
	}
}

void
lockdown_note(const struct planner *p, const char *profile, const char *group_id,
    char ret_text[SGW_DETAIL_MAX + 1])
{
	size_t n = 0, len;

	ret_text[0] = 0;
	for (size_t i = 0; i < p->n_lockdowns; i++) {
		const struct rec_lockdown *l = &p->lockdowns[i];

		if (profile != NULL && !lockdown_covers(l, profile, group_id))
			continue;
		if (n++ == 0)
			lockdown_sentence(l, ret_text);
	}
	len = strlen(ret_text);
	if (n > 1)
		snprintf(ret_text + len, SGW_DETAIL_MAX + 1 - len, " and %zu more", n - 1);
}
