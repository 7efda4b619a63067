/* SPDX-License-Identifier: Apache-2.0 */
/* What has come of the active plan's steps: its grants, what is taken back, its last word. */
#include "execute.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

const struct aws_result NOTHING = {.outcome = NET_NOT_SENT};

/* The group may be another than the planner has in its cache. */
void
tell_wrote(struct broker *b)
{
	const struct job *j = b->active;

	b->out.id = MSG_WROTE;
	(void)FIELD_SET(b->out.wrote.profile, j->plan.profile);
	(void)FIELD_SET(b->out.wrote.region, j->plan.region);
	(void)FIELD_SET(b->out.wrote.group_id, j->plan.ops[j->at].group_id);
	send_planner(b);
}

/* ---- what is known to be under way: the grants of an opening, the unsettled closings of others' rules ---- */

void
grants_add(struct broker *b)
{
	const struct job *j = b->active;

	for (size_t i = j->at; i < j->at + j->n; i++) {
		const struct rec_op *op = &j->plan.ops[i];
		struct grant *added;
		struct rec_grant g = {.protocol = op->protocol,
		    .from_port = op->from_port,
		    .to_port = op->to_port,
		    .source = op->source,
		    .closes = b->ceremony.record.closes,
		    .sent = clock_now(),
		    .uid = b->ceremony.record.uid,
		    .state = step_opens(j) ? GRANT_AMBIGUOUS : GRANT_FOREIGN};

		(void)FIELD_SET(g.receipt, j->receipt);
		(void)FIELD_SET(g.profile, j->plan.profile);
		(void)FIELD_SET(g.account, j->plan.account);
		(void)FIELD_SET(g.region, j->plan.region);
		(void)FIELD_SET(g.group_id, op->group_id);
		added = grant_add(b, &g, (uint16_t)i);
		if (added && step_opens(j)) /* there was room */
			grant_closes(&b->ceremony, added);
	}
}

static bool
is_of_step(const struct job *j, const struct grant *g)
{
	return g->used && (g->g.state == GRANT_AMBIGUOUS || g->g.state == GRANT_FOREIGN) &&
	       strcmp(g->g.receipt, j->receipt) == 0 && g->op >= j->at && g->op < j->at + j->n;
}

void
grants_loosen(struct broker *b)
{
	for (size_t i = 0; i < b->grants_top; i++)
		if (is_of_step(b->active, &b->grants[i]))
			seen_loosen(b, &b->grants[i].g);
}

/* AWS has answered.  done: it has carried the request out. */
void
grants_settle(struct broker *b, bool done)
{
	const struct job *j = b->active;

	for (size_t i = 0; i < b->grants_top; i++) {
		struct grant *g = &b->grants[i];

		if (!is_of_step(j, g))
			continue;
		if (done)
			seen_loosen(b, &g->g);
		g->used = done && g->g.state == GRANT_AMBIGUOUS;
		g->g.state = GRANT_OPEN;
		if (g->used)
			closing_superseded(b, g);
	}
}

void
grants_unsettle(struct broker *b, const char *receipt)
{
	for (size_t i = 0; i < b->grants_top; i++)
		if (b->grants[i].used && b->grants[i].g.state == GRANT_OPEN &&
		    strcmp(b->grants[i].g.receipt, receipt) == 0)
			b->grants[i].g.state = GRANT_AMBIGUOUS;
}

bool
grants_room(const struct broker *b, size_t n)
{
	for (size_t i = 0; i < SGW_GRANTS_MAX && n; i++)
		n -= !b->grants[i].used;
	return n == 0;
}

/* ---- what AWS shows ---- */

/* Which of the rules that AWS answered with is each operation's; AWS promises no order. */
void
note_rule_ids(struct broker *b)
{
	struct job *j = b->active;
	const struct collected *c = &b->collected[CALL_JOB];

	for (size_t i = j->at; i < j->at + j->n; i++)
		for (size_t k = 0; k < c->n_rules; k++)
			if (op_equals_rule(&j->plan.ops[i], &c->rules[k]))
				(void)FIELD_SET(j->done[i].rule_id, c->rules[k].rule_id);
}

bool
some_were_gone(const struct job *j, const struct aws_result *r)
{
	return !step_opens(j) && r->http_status / 100 == 2 && aws_error(r) == SGW_ERR_NO_SUCH_RULE;
}

void
note_gone(struct job *j)
{
	for (size_t i = j->at; i < j->at + j->n; i++)
		if (!j->done[i].rule_id[0])
			j->done[i].error = SGW_ERR_NO_SUCH_RULE;
}

const char *
gone_text(const struct job *j)
{
	static char text[64];
	unsigned n = 0;

	for (size_t i = j->at; i < j->at + j->n; i++)
		n += j->done[i].error == SGW_ERR_NO_SUCH_RULE;
	if (n == 0)
		return "";
	(void)snprintf(text, sizeof(text), "%u of %zu rules %s gone already", n, j->n,
	    n == 1 ? "was" : "were");
	return text;
}

bool
carried_out(struct broker *b)
{
	const struct job *j = b->active;

	for (size_t i = j->at; i < j->at + j->n; i++) {
		const struct rec_op *op = &j->plan.ops[i];

		if (rules_have(&b->collected[CALL_JOB], op->protocol, op->from_port, op->to_port,
			&op->source) != step_opens(j) &&
		    !MUTATE(READ_BACK))
			return false;
	}
	return true;
}

/* ---- closing what is ours: as a step, or because another step failed ---- */

/* False: another request waits for its closing, and hears how that ends. */
static bool
close_grant(struct broker *b, struct grant *g, const char *why)
{
	if (g->waiter)
		return false;
	g->waiter = b->active;
	g->why = why;
	g->early = true;
	closing_due(g);
	b->active->n_waiting++;
	return true;
}

static void
own_busy(struct job *j, size_t op)
{
	j->done[op].state = OP_FAILED;
	j->done[op].error = SGW_ERR_BUSY;
	if (j->error != SGW_ERR_NONE)
		return;
	j->error = SGW_ERR_BUSY;
	(void)FIELD_SET(j->detail, "another request is closing it already");
}

void
own_step(struct broker *b)
{
	struct job *j = b->active;

	j->state = JOB_OWN_STEP;
	j->n_waiting = 0;
	for (size_t i = j->at; i < j->at + j->n; i++) {
		const struct rec_op *op = &j->plan.ops[i];
		struct grant *g = grant_of(b, op->receipt, op);

		if (!g) /* it closed by itself meanwhile */
			j->done[i].state = OP_CLOSED;
		else if (!close_grant(b, g, "plan"))
			own_busy(j, i);
	}
	if (j->n_waiting == 0) /* from the main loop, so that steps do not nest */
		j->deadline = clock_monotonic();
}

void
note_own(struct job *j, const struct grant *g, enum sgw_error error)
{
	for (size_t i = 0; i < j->plan.n_ops; i++) {
		const struct rec_op *op = &j->plan.ops[i];
		struct rec_op_done *done = &j->done[i];

		if (!op_equals_grant(op, op->group_id, &g->g))
			continue;
		done->error = (uint16_t)error;
		if (error == SGW_ERR_NONE)
			done->state = j->state == JOB_TAKE_BACK ? OP_TAKEN_BACK : OP_CLOSED;
		if (done->state == OP_CLOSED)
			done->error = (uint16_t)close_own_error(g, error);
		else if (j->state == JOB_OWN_STEP)
			done->state = OP_FAILED;
		(void)FIELD_SET(done->closing, g->closing);
	}
}

void
take_back(struct broker *b)
{
	struct job *j = b->active;

	j->state = JOB_TAKE_BACK;
	j->deadline = 0;
	j->n_waiting = 0;
	for (size_t i = 0; i < j->plan.n_ops; i++) {
		struct grant *g = grant_of(b, j->receipt, &j->plan.ops[i]);

		if (j->plan.ops[i].action != ACTION_OPEN || MUTATE(COMPENSATION) ||
		    (j->done[i].state != OP_OPEN && j->done[i].state != OP_AMBIGUOUS))
			continue;
		if (!g) /* a lockdown, a request or its time has closed it */
			j->done[i].state = OP_TAKEN_BACK;
		else
			(void)close_grant(b, g, "compensation");
	}
	if (j->n_waiting == 0)
		plan_over(b);
}

/* ---- the end ---- */

static unsigned
count(const struct job *j, enum op_state state)
{
	unsigned n = 0;

	for (size_t i = 0; i < j->plan.n_ops; i++)
		n += j->done[i].state == state;
	return n;
}

/* What happened to each kind, then why; a plan of one step says why alone. */
static void
over_text(const struct job *j, char ret_text[SGW_DETAIL_MAX + 1])
{
	static const struct {
		enum op_state state;
		const char *said;
	} rows[] = {
	    {OP_OPEN, "opened"},
	    {OP_CLOSED, "closed"},
	    {OP_TAKEN_BACK, "opened and closed again"},
	    {OP_FAILED, "failed"},
	    {OP_AMBIGUOUS, "unanswered"},
	    {OP_UNTRIED, "not tried"},
	};
	struct buf b = buf_over(ret_text, SGW_DETAIL_MAX + 1);

	if (plan_steps(&j->plan) > 1) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (count(j, rows[i].state))
				buf_printf(&b, "%s%u %s", b.len ? ", " : "",
				    count(j, rows[i].state), rows[i].said);
		if (j->error != SGW_ERR_NONE && !j->plan.best_effort && count(j, OP_CLOSED))
			buf_puts(&b, "; what was closed is NOT opened again");
		buf_puts(&b, j->detail[0] ? ": " : "");
	}
	buf_puts(&b, j->detail);
	if (!buf_put_c(&b))
		(void)snprintf(ret_text, SGW_DETAIL_MAX + 1, "%s", j->detail);
}

void
dry_run_failed(
    struct broker *b, enum sgw_error error, const struct aws_result *r, const char *detail)
{
	struct job *j = b->active;

	for (size_t i = j->at; i < j->at + j->n; i++) {
		j->done[i].state = OP_FAILED;
		j->done[i].error = (uint16_t)error;
	}
	j->error = error;
	(void)FIELD_SET(j->detail, detail);
	(void)ledger_outcome(b, j, error, r, detail);
	tell_wrote(b);
	plan_over(b);
}

void
plan_over(struct broker *b)
{
	struct job *j = b->active;
	char text[SGW_DETAIL_MAX + 1];

	over_text(j, text);
	if (j->error == SGW_ERR_NONE)
		job_end(b, STATUS_OK, SGW_ERR_NONE, plan_steps(&j->plan) > 1 ? text : j->detail);
	else if (j->error == SGW_ERR_AMBIGUOUS && count(j, OP_FAILED) == 0)
		job_end(b, STATUS_AMBIGUOUS, SGW_ERR_AMBIGUOUS, text);
	else
		job_end(b, STATUS_FAILED, j->error, text);
}
