/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the broker are shared: one of each kind is under way at a time. */
#include "broker.h"

#include <string.h>

#include <sgwarden/log.h>

#include "cache.h"
#include "lockdown.h"
#include "plans.h"
#include "reads.h"
#include "receipts.h"

void
broker_send(struct planner *p)
{
	if (chan_send(&p->broker, p->scratch, &p->out, -1, false) < 0) {
		log_error("the broker cannot be told anything");
		p->ending = true;
	}
}

static void
question_ask(struct planner *p, enum question_kind kind)
{
	struct question *q = &p->question[kind];

	q->first = q->asked ? q->first : p->now;
	q->asked = true;
	q->again = 0;
	q->request = ++p->last_request;
	q->deadline = p->now + (kind >= QUESTION_OWN_V4 ? QUESTION_OWN_TIMEOUT : QUESTION_TIMEOUT);
	switch (kind) {
	case QUESTION_STATUS:
		p->out.id = MSG_ASK_BROKER;
		p->out.ask_broker.request = q->request;
		break;
	case QUESTION_GRANTS:
		p->n_coming = 0;
		p->out.id = MSG_ASK_GRANTS;
		p->out.ask_grants.request = q->request;
		p->out.ask_grants.group_id[0] = 0;
		break;
	case QUESTION_KEYS:
		p->out.id = MSG_ASK_KEY_LIST;
		p->out.ask_key_list.request = q->request;
		break;
	default:
		p->out.id = MSG_ASK_OWN;
		p->out.ask_own.request = q->request;
		p->out.ask_own.family = kind == QUESTION_OWN_V4 ? IP_V4 : IP_V6;
		break;
	}
	broker_send(p);
}

enum question_state
question_ready(struct planner *p, enum question_kind kind, uint64_t tick, bool fresh)
{
	struct question *q = &p->question[kind];
	bool young = p->now - q->got < (int64_t)p->config.cache_ttl * 1000;

	if (q->valid && (q->got_tick > tick || (!fresh && young)))
		return QUESTION_READY;
	if (q->failed && q->got_tick > tick)
		return QUESTION_FAILED;
	if (!q->asked)
		question_ask(p, kind);
	return QUESTION_WAITING;
}

static void
question_answered(struct planner *p, enum question_kind kind)
{
	struct question *q = &p->question[kind];

	q->asked = false;
	q->failed = false;
	q->valid = true;
	q->got = p->now;
	q->got_tick = p->tick;
	p->stirred = true;
}

void
questions_turn(struct planner *p)
{
	for (unsigned kind = 0; kind < QUESTION_MAX; kind++) {
		struct question *q = &p->question[kind];

		if (q->asked && q->again != 0 && q->again <= p->now)
			question_ask(p, kind);
		if (!q->asked || q->deadline > p->now)
			continue;
		log_warning("the broker does not answer");
		q->asked = false;
		q->valid = false;
		q->failed = true;
		q->got_tick = ++p->tick;
		p->stirred = true;
	}
}

int64_t
questions_next(const struct planner *p)
{
	int64_t next = INT64_MAX;

	for (unsigned kind = 0; kind < QUESTION_MAX; kind++)
		if (p->question[kind].asked) {
			int64_t due = p->question[kind].again;

			due = due != 0 ? due : p->question[kind].deadline;
			next = due < next ? due : next;
		}
	return next;
}

static bool
is_answer(const struct planner *p, enum question_kind kind, uint32_t request)
{
	return p->question[kind].asked && p->question[kind].request == request;
}

/* The live ones first: the others are nobody's but a list's that asks for them. */
static void
grants_take(struct planner *p)
{
	p->n_grants = p->n_told = 0;
	for (unsigned live = 2; live-- > 0;) {
		for (size_t i = 0; i < p->n_coming; i++) {
			enum grant_state s = p->coming[i].state;

			if ((s != GRANT_CLOSED && s != GRANT_FOREIGN) == (live == 1))
				p->grants[p->n_told++] = p->coming[i];
		}
		if (live)
			p->n_grants = p->n_told;
	}
}

static void
on_grants(struct planner *p, const struct msg_grants *m)
{
	if (!is_answer(p, QUESTION_GRANTS, m->request))
		return;
	if (p->n_coming + m->n_grants > SGW_GRANTS_MAX) {
		log_error("the broker names more grants than there can be");
		p->ending = true;
		return;
	}
	memcpy(p->coming + p->n_coming, m->grants, m->n_grants * sizeof(m->grants[0]));
	p->n_coming += m->n_grants;
	if (m->more)
		return;
	grants_take(p);
	p->grants_generation++;
	question_answered(p, QUESTION_GRANTS);
}

/* The sources are asked a few times a minute, whoever wants it: who asks most shall not leave the others without. */
static bool
own_held(const struct planner *p, struct question *q, const struct msg_own *m)
{
	if (m->error != SGW_ERR_BUSY || p->now - q->first >= QUESTION_OWN_PATIENCE)
		return false;
	q->again = p->now + QUESTION_OWN_HELD;
	q->deadline = q->again + QUESTION_OWN_TIMEOUT;
	return true;
}

static void
on_own(struct planner *p, const struct msg_own *m)
{
	enum question_kind kind = m->family == IP_V4 ? QUESTION_OWN_V4 : QUESTION_OWN_V6;

	if (!is_answer(p, kind, m->request))
		return;
	if (own_held(p, &p->question[kind], m))
		return;
	p->own[m->family] = *m;
	question_answered(p, kind);
}

/* Grants change with what we write; an answer that is under way may be from before. */
static void
on_wrote(struct planner *p, const struct msg_wrote *m)
{
	cache_forget(p, m->profile, m->region, m->group_id);
	reads_restart(p, m->profile, m->region, m->group_id);
	plans_on_wrote(p, m);
	p->question[QUESTION_GRANTS].valid = false;
	if (p->question[QUESTION_GRANTS].asked)
		question_ask(p, QUESTION_GRANTS);
}

static void
on_profiles(struct planner *p, const struct msg_profiles *m)
{
	p->profiles = *m;
	for (size_t i = 0; i < p->config.n_profiles; i++)
		for (size_t k = 0; k < m->n_profiles; k++)
			if (strcmp(p->config.profiles[i].name, m->profiles[k].name) == 0 &&
			    m->profiles[k].account[0] != 0)
				FIELD_SET(p->account[i], m->profiles[k].account);
}

void
broker_on_message(struct planner *p, const struct msg *m)
{
	switch (m->id) {
	case MSG_READ_REFUSED:
		reads_on_refused(p, &m->read_refused);
		break;
	case MSG_STAGE:
		plans_on_stage(p, &m->stage);
		break;
	case MSG_RESULT:
		plans_on_result(p, &m->result);
		break;
	case MSG_BROKER_STATUS:
		if (is_answer(p, QUESTION_STATUS, m->broker_status.request)) {
			p->status = m->broker_status;
			question_answered(p, QUESTION_STATUS);
		}
		break;
	case MSG_GRANTS:
		on_grants(p, &m->grants);
		break;
	case MSG_KEY_LIST:
		if (is_answer(p, QUESTION_KEYS, m->key_list.request)) {
			p->keys = m->key_list;
			question_answered(p, QUESTION_KEYS);
		}
		break;
	case MSG_RECEIPT_LIST:
		receipts_on_list(p, &m->receipt_list);
		break;
	case MSG_RECEIPT_OF:
		receipts_on_one(p, &m->receipt_of);
		break;
	case MSG_SETTLED:
		receipts_on_settled(p, &m->settled);
		break;
	case MSG_OWN:
		on_own(p, &m->own);
		break;
	case MSG_WROTE:
		on_wrote(p, &m->wrote);
		break;
	case MSG_POLICY:
		p->config.policy = m->policy.policy;
		p->policy_origin = m->policy.origin;
		policy_digest(&p->config.policy, p->policy_digest);
		break;
	case MSG_LOCKDOWN_SET:
		lockdown_answered(p, &m->lockdown_set);
		break;
	case MSG_LOCKDOWNS:
		p->n_lockdowns = m->lockdowns.n_lockdowns;
		memcpy(p->lockdowns, m->lockdowns.lockdowns, sizeof(p->lockdowns));
		break;
	case MSG_PROFILES:
		on_profiles(p, &m->profiles);
		break;
	default: /* the wire's table lets nothing else come from there */
		p->ending = true;
		break;
	}
}
