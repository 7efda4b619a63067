/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing what is ours before its time: the touch that opened it covers that, so nobody is asked, no screen is waited
 * for and no read decides.  The closing machine does the work, beside whatever plan is active.
 */
#include "broker.h"

#include <stdio.h>

bool
close_own_is(struct broker *b, const struct rec_plan *plan)
{
	for (size_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].action != ACTION_CLOSE || !grant_find(b, plan, &plan->ops[i]))
			return false;
	return plan->n_ops > 0;
}

void
close_own_begin(struct broker *b, struct job *j)
{
	size_t busy = 0;

	j->state = JOB_CLOSE_OWN;
	j->deadline = 0;
	j->n_waiting = 0;
	job_stage(b, j, STAGE_EXECUTING, 0);
	for (size_t i = 0; i < j->plan.n_ops; i++) {
		struct grant *g = grant_find(b, &j->plan, &j->plan.ops[i]);

		if (!g || g->waiter) {
			j->done[i].state = g ? OP_FAILED : OP_CLOSED;
			j->done[i].error = g ? SGW_ERR_BUSY : SGW_ERR_NONE;
			busy += g != NULL;
			continue;
		}
		closing_asked(g);
		g->waiter = j;
		g->why = "request";
		g->asked = true;
		(void)FIELD_SET(j->receipt, g->g.receipt);
		j->n_waiting++;
	}
	if (j->n_waiting == 0)
		job_result(b, j, STATUS_FAILED, busy ? SGW_ERR_BUSY : SGW_ERR_NO_SUCH_RULE,
		    busy ? "it is being closed already" : "it is closed already");
	else if (busy) {
		j->error = SGW_ERR_BUSY;
		(void)snprintf(j->detail, sizeof(j->detail),
		    "%zu of %u %s being closed by another request", busy, (unsigned)j->plan.n_ops,
		    busy == 1 ? "is" : "are");
	}
}

/*
 * One record for each rule: nobody counts these requests, and while AWS refuses the closing every new one would cost two
 * more.  What another request is closing is turned away.
 */
static bool
is_news(struct broker *b, const struct rec_plan *plan)
{
	bool news = false;

	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct grant *g = grant_find(b, plan, &plan->ops[i]);

		news |= g && !g->waiter && !g->asked;
	}
	return news;
}

bool
close_own_take(struct broker *b, struct job *wanted)
{
	struct policy_facts facts = {.display = b->screen, .uid = wanted->uid};
	struct job *j = NULL;

	if (!close_own_is(b, &wanted->plan))
		return false;
	facts.grants = grants_list(b, &facts.n_grants);
	policy_evaluate(&b->config.policy, &wanted->plan, &facts, &wanted->verdict);
	if (wanted->verdict.effect != CLASS_CLOSE_OWN || wanted->verdict.error != SGW_ERR_NONE)
		return false;
	for (size_t i = 0; i < SGW_PLANS_MAX && !j; i++)
		if (b->jobs[i].state == JOB_FREE)
			j = &b->jobs[i];
	if (!j) {
		job_result(b, wanted, STATUS_FAILED, SGW_ERR_QUEUE_FULL, "");
		return true;
	}
	if (is_news(b, &wanted->plan))
		(void)ledger_request(
		    b, wanted); /* a closing goes on even where the ledger is full */
	*j = *wanted;
	close_own_begin(b, j);
	return true;
}

enum sgw_error
close_own_error(const struct grant *g, enum sgw_error error)
{
	return error == SGW_ERR_NONE && !g->was_there ? SGW_ERR_NO_SUCH_RULE : error;
}

/* Where the grant's operation stands in the plan that waits for it. */
static void
note_done(struct job *j, const struct grant *g, enum sgw_error error)
{
	for (size_t i = 0; i < j->plan.n_ops; i++) {
		const struct rec_op *op = &j->plan.ops[i];
		struct rec_op_done *done = &j->done[i];

		if (!op_equals_grant(op, op->group_id, &g->g))
			continue;
		done->state = error == SGW_ERR_NONE ? OP_CLOSED : OP_FAILED;
		done->error = (uint16_t)close_own_error(g, error);
		(void)FIELD_SET(done->rule_id, op->rule_id);
		(void)FIELD_SET(done->closing, g->closing);
	}
}

/* What the person must mend keeps its sentence. */
enum sgw_error
close_own_why(enum sgw_error error)
{
	return error == SGW_ERR_CREDENTIALS_EXPIRED || error == SGW_ERR_REQUEST_EXPIRED ||
		       error == SGW_ERR_OTHER_ACCOUNT || error == SGW_ERR_ACCOUNT_UNKNOWN
		   ? error
		   : SGW_ERR_NOT_CLOSED;
}

/* The first that cannot be closed now ends the waiting: what is left is tried again until it is closed, waited for or not. */
void
close_own_ended(struct broker *b, struct grant *g, enum sgw_error error)
{
	struct job *j = g->waiter;
	char detail[SGW_DETAIL_MAX + 1];

	g->waiter = NULL;
	j->n_waiting--;
	if (j == b->active) {
		execute_own_ended(b, g, error);
		return;
	}
	note_done(j, g, error);
	if (error == SGW_ERR_NONE && j->n_waiting > 0)
		return;
	for (size_t i = 0; i < b->grants_top; i++)
		if (b->grants[i].waiter == j)
			b->grants[i].waiter = NULL;
	(void)snprintf(detail, sizeof(detail),
	    "%zu of %u not closed yet: it is tried again until it is", j->n_waiting + 1,
	    (unsigned)j->plan.n_ops);
	if (error == SGW_ERR_NONE)
		job_result(b, j, j->error == SGW_ERR_NONE ? STATUS_OK : STATUS_FAILED, j->error,
		    j->detail);
	else
		job_result(b, j, STATUS_FAILED, close_own_why(error), detail);
}
