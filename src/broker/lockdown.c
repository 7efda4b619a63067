/* SPDX-License-Identifier: Apache-2.0 */
/* See lockdown.h. */
#include "lockdown.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "broker.h"

#define RECORD_AGAIN 10 /* s */
#define LINE "deny.lockdown"

bool
lockdown_against(
    const struct broker *b, const struct rec_plan *plan, char ret_detail[SGW_DETAIL_MAX + 1])
{
	const struct rec_lockdown *l = lockdown_of(b->lockdowns.on, b->lockdowns.n, plan);

	ret_detail[0] = 0;
	if (l)
		lockdown_sentence(l, ret_detail);
	return l != NULL;
}

void
lockdown_refuse(struct broker *b, struct job *j)
{
	char detail[SGW_DETAIL_MAX + 1];

	(void)lockdown_against(b, &j->plan, detail);
	j->verdict.effect = CLASS_FORBIDDEN;
	(void)FIELD_SET(j->verdict.line, LINE);
	if (b->active != j) {
		(void)ledger_refusal(b, j, SGW_ERR_LOCKED_DOWN, detail);
		job_result(b, j, STATUS_REFUSED, SGW_ERR_LOCKED_DOWN, detail);
		return;
	}
	if (j->state >= JOB_SPAWNING)
		(void)ledger_denial(b, j, "lockdown");
	else
		(void)ledger_refusal(b, j, SGW_ERR_LOCKED_DOWN, detail);
	job_end(b, STATUS_REFUSED, SGW_ERR_LOCKED_DOWN, detail);
}

/* ---- what it does ---- */

/* The agreement on the screen was to turn on again what was off then: not what is off since. */
static bool
end_unlock(struct broker *b, struct job *j)
{
	if (j->kind != JOB_ADMIN || j->act != ACT_ENABLE || !job_may_leave(j))
		return false;
	if (b->active == j) {
		(void)ledger_denial(b, j, "another lockdown came");
		job_end(b, STATUS_REFUSED, SGW_ERR_STATE_CHANGED,
		    "another lockdown came: ask again, to read of all that is off");
		return true;
	}
	job_result(b, j, STATUS_REFUSED, SGW_ERR_STATE_CHANGED, "another lockdown came");
	return true;
}

/* Plans in its scope that nobody has touched for yet.  The active one comes last: the next in the queue follows it. */
static uint16_t
plans_end(struct broker *b)
{
	char detail[SGW_DETAIL_MAX + 1];
	uint16_t ended = 0;

	for (size_t i = 0; i <= SGW_PLANS_MAX; i++) {
		struct job *j = i < SGW_PLANS_MAX ? &b->jobs[i] : b->active;

		if (!j || (i < SGW_PLANS_MAX && (j->state != JOB_QUEUED || j == b->active)))
			continue;
		if (end_unlock(b, j) || j->kind != JOB_CHANGE || !job_may_leave(j) ||
		    !lockdown_against(b, &j->plan, detail) || MUTATE(LOCKDOWN_ENDS))
			continue;
		lockdown_refuse(b, j);
		ended++;
	}
	return ended;
}

static bool
is_covered(const struct broker *b, const struct rec_lockdown *l, const struct rec_grant *g)
{
	if (l)
		return lockdown_covers(l, g->profile, g->group_id);
	for (size_t i = 0; i < b->lockdowns.n; i++)
		if (lockdown_covers(&b->lockdowns.on[i], g->profile, g->group_id))
			return true;
	return false;
}

/*
 * What is ours in the scope of one, or of all that are on.  What is due already stays with its own next try: asking
 * again makes nobody's AWS answer sooner.
 */
static uint16_t
closings_begin(struct broker *b, const struct rec_lockdown *l)
{
	uint16_t open = 0;

	for (size_t i = 0; i < b->grants_top; i++) {
		struct grant *g = &b->grants[i];

		if (!grant_is_live(g) || !is_covered(b, l, &g->g))
			continue;
		open++;
		if (g->waiter || MUTATE(LOCKDOWN_CLOSES))
			continue;
		g->why = "lockdown";
		if (g->g.closes > clock_now() && g->closes_by > clock_monotonic())
			closing_due(g);
	}
	return open;
}

static void
tell(struct broker *b)
{
	struct msg_lockdowns *m = &b->out.lockdowns;

	b->out.id = MSG_LOCKDOWNS;
	m->n_lockdowns = (uint16_t)b->lockdowns.n;
	memcpy(m->lockdowns, b->lockdowns.on, sizeof(m->lockdowns));
	send_planner(b);
}

/* ---- asked for ---- */

static enum sgw_error
problem(struct broker *b, const struct msg_lockdown *m, const char **ret_detail)
{
	const struct client *c = client_find(b, m->client);

	*ret_detail = "";
	if (!c)
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "policy line deny.client-lockdown: the policy leaves lockdown to the person: "
		      "`sgwarden lockdown`";
	if (!c->admin && !b->config.policy.client_lockdown && !MUTATE(CLIENT_LOCKDOWN))
		return SGW_ERR_FORBIDDEN;
	*ret_detail = "";
	if (m->scope == LOCKDOWN_PROFILE && !profile_find(b, m->name))
		return SGW_ERR_UNKNOWN_PROFILE;
	if (m->scope == LOCKDOWN_GROUP && !group_id_ok(m->name))
		return SGW_ERR_BAD_ARGUMENT;
	return (m->scope == LOCKDOWN_ALL) == (m->name[0] == 0) ? SGW_ERR_NONE
							       : SGW_ERR_BAD_ARGUMENT;
}

/* The last place is that of all: whoever fills the others keeps nobody from it. */
static bool
has_room(const struct lockdowns *all, enum lockdown_scope scope)
{
	bool takes_last = scope == LOCKDOWN_ALL || MUTATE(LOCKDOWN_PLACE);

	return all->n < SGW_LOCKDOWNS_MAX - (size_t)!takes_last;
}

/* It is on from here on, recorded or not. */
static void
begin(struct broker *b, const struct rec_lockdown *l, char ret_receipt[SGW_RECEIPT_LEN + 1])
{
	struct lockdowns *all = &b->lockdowns;
	char text[LOCKDOWN_TEXT_MAX + 1];

	lockdown_text(l, text);
	log_write(LOG_LEVEL_ALERT, "lockdown of %s, asked for by uid %u%s: openings are off", text,
	    (unsigned)l->uid, l->client ? " over MCP" : "");
	all->on[all->n] = *l;
	all->unrecorded[all->n] = !ledger_lockdown(b, l, ret_receipt);
	if (all->unrecorded[all->n++])
		all->next_try = in_seconds(RECORD_AGAIN);
}

static void
answer(struct broker *b, uint32_t request, enum sgw_error error, const char *detail)
{
	b->out.id = MSG_LOCKDOWN_SET;
	b->out.lockdown_set =
	    (struct msg_lockdown_set){.request = request, .error = (uint16_t)error};
	(void)FIELD_SET(b->out.lockdown_set.detail, detail);
}

void
lockdown_take(struct broker *b, const struct msg_lockdown *m)
{
	struct lockdowns *all = &b->lockdowns;
	struct rec_lockdown l = {.scope = m->scope, .since = clock_now()};
	char receipt[SGW_RECEIPT_LEN + 1] = "";
	const char *detail;
	enum sgw_error error = problem(b, m, &detail);
	uint16_t ended = 0, open = 0;
	bool was_on;
	size_t at;

	(void)FIELD_SET(l.name, m->name);
	at = lockdown_find(all->on, all->n, &l);
	was_on = at < all->n;
	if (error == SGW_ERR_NONE && !was_on && !has_room(all, l.scope)) {
		error = SGW_ERR_QUOTA;
		detail = "too many lockdowns are on: ask for one of all";
	}
	if (error == SGW_ERR_NONE) {
		l.uid = client_find(b, m->client)->uid;
		l.client = !client_find(b, m->client)->admin;
		if (!was_on)
			begin(b, &l, receipt);
		ended = was_on ? 0 : plans_end(b);
		open = closings_begin(b, &l);
		tell(b);
		if (all->unrecorded[at]) {
			error = SGW_ERR_LEDGER_FAILED;
			detail = "the lockdown is on, but not recorded: a restart would forget it";
		}
	}
	answer(b, m->request, error, detail);
	b->out.lockdown_set.was_on = was_on;
	b->out.lockdown_set.still_open = open;
	b->out.lockdown_set.ended = ended;
	(void)FIELD_SET(b->out.lockdown_set.receipt, receipt);
	send_planner(b);
}

/* ---- over restarts ---- */

void
lockdown_loaded(struct broker *b, const struct rec_lockdown *l)
{
	struct lockdowns *all = &b->lockdowns;

	if (all->n == SGW_LOCKDOWNS_MAX)
		die("the ledger holds more lockdowns than fit");
	all->on[all->n++] = *l;
}

void
lockdowns_start(struct broker *b)
{
	if (b->lockdowns.n == 0)
		return;
	(void)closings_begin(b, NULL);
	tell(b);
}

void
lockdowns_run(struct broker *b)
{
	struct lockdowns *all = &b->lockdowns;
	char receipt[SGW_RECEIPT_LEN + 1];

	if (lockdowns_next(b) > clock_monotonic())
		return;
	for (size_t i = 0; i < all->n; i++)
		if (all->unrecorded[i])
			all->unrecorded[i] = !ledger_lockdown(b, &all->on[i], receipt);
	all->next_try = in_seconds(RECORD_AGAIN);
}

int64_t
lockdowns_next(const struct broker *b)
{
	for (size_t i = 0; i < b->lockdowns.n; i++)
		if (b->lockdowns.unrecorded[i])
			return b->lockdowns.next_try;
	return INT64_MAX;
}

/* ---- and off again ---- */

void
lockdowns_lift(struct broker *b, const struct rec_lockdown *only)
{
	struct lockdowns *all = &b->lockdowns;
	size_t left = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (!only || lockdown_equal(&all->on[i], only))
			continue;
		all->on[left] = all->on[i];
		all->unrecorded[left++] = all->unrecorded[i];
	}
	all->n = left;
	tell(b);
}
