/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the touch, step by step: first the DryRun of every step's exact request, so that what can be known to fail
 * fails before anything is changed; then for each step the group read again (nothing may have changed but by us), the
 * intent into the ledger, the call, the read-back, the outcome.  No answer to a call is ambiguous: never success,
 * never a retry.  A step that closes what is ours is the closing machine's work.
 *
 * Where a step fails the plan ends and what it opened is closed again, or with best_effort the others go on.
 */
#include "custody.h"
#include "execute.h"

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

#include "ec2req.h"

static void step_begin(struct broker *b, size_t at);

/* ---- the step ---- */

static const struct rec_op *
step_op(const struct job *j)
{
	return &j->plan.ops[j->at];
}

bool
step_opens(const struct job *j)
{
	return step_op(j)->action == ACTION_OPEN;
}

static bool
is_own(const struct rec_op *op)
{
	return op->action == ACTION_CLOSE && op->receipt[0];
}

static void
step_set(struct job *j, size_t at)
{
	j->at = at;
	j->n = at < j->plan.n_ops ? plan_step(&j->plan, at) : 0;
	j->tries = 0;
}

static void
step_note(struct job *j, enum op_state state, enum sgw_error error)
{
	for (size_t i = j->at; i < j->at + j->n; i++) {
		j->done[i].state = state;
		j->done[i].error = (uint16_t)error;
	}
}

/* The request, from the plan that was shown; the placeholder of the description is filled in and nothing else. */
static bool
request_body(const struct broker *b, const struct job *j, bool dry_run, struct buf *body)
{
	static struct rec_plan step;
	char description[SGW_DESCRIPTION_MAX + 1];

	plan_slice(&j->plan, j->at, j->n, &step);
	if (!step_opens(j))
		return ec2_revoke_plan_body(&step, dry_run, body);
	if (!record_fill(
		b->ceremony.record.description, j->receipt, description, sizeof(description)))
		return false;
	return ec2_authorize_body(
	    &step, description, j->receipt, b->ceremony.record.closes, dry_run, body);
}

static enum sgw_error
send_request(struct broker *b, const struct buf *body, enum job_state state)
{
	struct job *j = b->active;

	j->state = state;
	j->began = clock_monotonic();
	return aws_change(b, CALL_JOB, step_opens(j) ? AWS_AUTHORIZE_INGRESS : AWS_REVOKE_INGRESS,
	    profile_find(b, j->plan.profile), j->plan.region, body);
}

static enum sgw_error
read_rules(struct broker *b, enum job_state state)
{
	struct job *j = b->active;

	j->state = state;
	j->deadline = 0;
	j->began = clock_monotonic();
	return aws_read(b, CALL_JOB, AWS_DESCRIBE_RULES, profile_find(b, j->plan.profile),
	    j->plan.region, step_op(j)->group_id);
}

/* ---- how a step ends ---- */

static void
step_next(struct broker *b)
{
	step_begin(b, b->active->at + b->active->n);
}

static void
step_failed(struct broker *b, enum sgw_error error, const struct aws_result *r, const char *detail)
{
	struct job *j = b->active;

	step_note(j, OP_FAILED, error);
	(void)ledger_outcome(b, j, error, r, detail);
	tell_wrote(b);
	if (j->error == SGW_ERR_NONE) {
		j->error = error;
		(void)FIELD_SET(j->detail, detail);
	}
	if (j->plan.best_effort)
		step_next(b);
	else
		take_back(b);
}

/* An outcome that cannot be recorded is one for the ledger to learn later, by reading. */
static void
step_done(struct broker *b, const struct aws_result *r, const char *detail)
{
	struct job *j = b->active;
	bool recorded = ledger_outcome(b, j, SGW_ERR_NONE, r, detail);

	if (!recorded) {
		grants_unsettle(b, j->receipt);
		if (!detail[0])
			detail = "done; the ledger cannot be written, and learns of it later";
	}
	if (detail[0] && !j->detail[0])
		(void)FIELD_SET(j->detail, detail);
	tell_wrote(b);
	if (recorded || j->at + j->n == j->plan.n_ops) {
		step_next(b);
		return;
	}
	j->error = SGW_ERR_LEDGER_FAILED; /* no durable record, no further request */
	take_back(b);
}

/* One step alone is settled by a read later on; in a plan of several it counts as failed. */
static void
step_ambiguous(struct broker *b)
{
	struct job *j = b->active;

	step_note(j, OP_AMBIGUOUS, SGW_ERR_AMBIGUOUS);
	grants_loosen(b);
	(void)ledger_ambiguous(b, j, clock_now() + SGW_SIGNATURE_WINDOW + SETTLE_MARGIN);
	tell_wrote(b);
	if (j->error == SGW_ERR_NONE)
		j->error = SGW_ERR_AMBIGUOUS;
	if (j->plan.best_effort)
		step_next(b);
	else if (plan_steps(&j->plan) > 1)
		take_back(b);
	else
		plan_over(b);
}

/* A lockdown that came after the touch: what the plan opened is closed again, whatever it was to do where a step fails. */
static bool
locked_down(struct broker *b)
{
	struct job *j = b->active;
	char detail[SGW_DETAIL_MAX + 1];

	if (!lockdown_against(b, &j->plan, detail) || MUTATE(LOCKDOWN_CALL))
		return false;
	if (j->at < j->plan.n_ops && !is_own(step_op(j))) {
		step_note(j, OP_FAILED, SGW_ERR_LOCKED_DOWN);
		(void)ledger_outcome(b, j, SGW_ERR_LOCKED_DOWN, &NOTHING, detail);
	}
	if (j->error == SGW_ERR_NONE) {
		j->error = SGW_ERR_LOCKED_DOWN;
		(void)FIELD_SET(j->detail, detail);
	}
	take_back(b);
	return true;
}

/* ---- the trial runs ---- */

static void
dry_run_from(struct broker *b, size_t at)
{
	static uint8_t memory[SGW_BODY_MAX];
	struct job *j = b->active;
	struct buf body = buf_over(memory, sizeof(memory));
	enum sgw_error error;

	while (at < j->plan.n_ops && is_own(&j->plan.ops[at]))
		at += plan_step(&j->plan, at);
	step_set(j, at);
	if (at == j->plan.n_ops) {
		step_begin(b, 0);
		return;
	}
	if (locked_down(b))
		return;
	error = request_body(b, j, true, &body) ? send_request(b, &body, JOB_DRY_RUN)
						: SGW_ERR_INTERNAL;
	if (error != SGW_ERR_NONE)
		dry_run_failed(b, error, &NOTHING, "");
}

/* DryRun succeeds as HTTP 412 with this code (EC2 API, "DryRun"). */
static void
dry_run_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	enum sgw_error error = aws_error(r);
	const char *late = job_late(b);

	if (late)
		dry_run_failed(b, SGW_ERR_AWS_UNREACHABLE, r, late);
	else if (r->outcome == NET_ANSWERED &&
		 (strcmp(r->code, "DryRunOperation") == 0 || MUTATE(DRY_RUN)))
		dry_run_from(b, j->at + j->n);
	else
		dry_run_failed(
		    b, error == SGW_ERR_NONE ? SGW_ERR_AWS_BAD_ANSWER : error, r, r->code);
}

void
execute_begin(struct broker *b)
{
	struct job *j = b->active;

	j->deadline = 0;
	ceremony_show_stage(b, STAGE_EXECUTING, 0);
	if (j->plan.ops[0].action == ACTION_EXTEND)
		extend_apply(b);
	else
		dry_run_from(b, 0);
}

/* ---- the call ---- */

static void
step_begin(struct broker *b, size_t at)
{
	struct job *j = b->active;
	enum sgw_error error;

	step_set(j, at);
	if (locked_down(b))
		return;
	if (at == j->plan.n_ops) {
		plan_over(b);
		return;
	}
	if (is_own(step_op(j))) {
		own_step(b);
		return;
	}
	error = read_rules(b, JOB_REREAD);
	if (error != SGW_ERR_NONE)
		step_failed(b, error, &NOTHING, "");
}

/* True once the whole group has been read; otherwise the next page is under way, or the step has ended. */
static bool
all_read(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	struct collected *c = &b->collected[CALL_JOB];
	enum sgw_error error;

	if (!r->next_token[0] && !c->overflow) {
		ingress_only(c);
		return true;
	}
	error = aws_next_page(b, CALL_JOB, AWS_DESCRIBE_RULES, profile_find(b, j->plan.profile),
	    j->plan.region, step_op(j)->group_id, r->next_token);
	if (error != SGW_ERR_NONE && j->state == JOB_REREAD)
		step_failed(b, error, &NOTHING, "");
	else if (error != SGW_ERR_NONE)
		step_done(b, r, "AWS accepted the call; reading it back failed");
	return false;
}

static void
reread_answer(struct broker *b, const struct aws_result *r)
{
	static uint8_t memory[SGW_BODY_MAX];
	struct job *j = b->active;
	struct buf body = buf_over(memory, sizeof(memory));
	char text[SGW_DETAIL_MAX + 1];
	enum sgw_error error = aws_error(r);
	const char *late = job_late(b);

	if (error != SGW_ERR_NONE) {
		step_failed(b, error, r, r->code);
		return;
	}
	if (!all_read(b, r))
		return;
	if (late) {
		step_failed(b, SGW_ERR_AWS_UNREACHABLE, r, late);
		return;
	}
	if (!seen_holds(b, step_op(j)->group_id, &b->collected[CALL_JOB], text) &&
	    !MUTATE(STATE_AGAIN)) {
		step_failed(b, SGW_ERR_STATE_CHANGED, &NOTHING, text);
		return;
	}
	if (locked_down(b))
		return;
	if (!grants_room(b, j->n)) {
		step_failed(
		    b, SGW_ERR_BUSY, &NOTHING, "too many rules are open or unsettled at once");
		return;
	}
	if (!request_body(b, j, false, &body) ||
	    (!ledger_intent(b, j, &body) && !MUTATE(INTENT_DURABLE))) {
		step_failed(
		    b, b->ledger_ok ? SGW_ERR_INTERNAL : SGW_ERR_LEDGER_FAILED, &NOTHING, "");
		return;
	}
	grants_add(b);
	error = send_request(b, &body, JOB_CALL);
	if (error != SGW_ERR_NONE) {
		grants_settle(b, false);
		step_failed(b, error, &NOTHING, "");
	}
}

static void
call_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	bool gone = some_were_gone(j, r);
	enum sgw_error error = gone ? SGW_ERR_NONE : aws_error(r);

	if (aws_unknown(r) && !MUTATE(AMBIGUOUS)) {
		step_ambiguous(b);
		return;
	}
	grants_settle(b, error == SGW_ERR_NONE);
	if (error != SGW_ERR_NONE) {
		step_failed(b, error, r, r->code);
		return;
	}
	step_note(j, step_opens(j) ? OP_OPEN : OP_CLOSED, SGW_ERR_NONE);
	note_rule_ids(b);
	if (gone)
		note_gone(j);
	if (read_rules(b, JOB_READ_BACK) != SGW_ERR_NONE)
		step_done(b, &NOTHING, "AWS accepted the call; reading it back failed");
}

static void
read_back_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;

	if (aws_error(r) != SGW_ERR_NONE) {
		step_done(b, r, "AWS accepted the call; reading it back failed");
		return;
	}
	if (!all_read(b, r))
		return;
	if (carried_out(b))
		step_done(b, r, gone_text(j));
	else if (++j->tries < READ_BACK_TRIES)
		j->deadline = clock_monotonic() + READ_BACK_PAUSE; /* job_timeouts() reads again */
	else if (step_opens(j))
		step_done(b, r, "AWS accepted the call; its reads do not show the rule yet");
	else
		step_failed(b, SGW_ERR_NOT_CLOSED, r, "");
}

static void
read_back_again(struct broker *b)
{
	if (read_rules(b, JOB_READ_BACK) != SGW_ERR_NONE)
		step_done(b, &NOTHING, "AWS accepted the call; reading it back failed");
}

void
execute_answer(struct broker *b, const struct aws_result *r)
{
	switch (b->active->state) {
	case JOB_DRY_RUN:
		dry_run_answer(b, r);
		return;
	case JOB_TRIAL:
		trial_answer(b, r);
		return;
	case JOB_REREAD:
		reread_answer(b, r);
		return;
	case JOB_CALL:
		call_answer(b, r);
		return;
	case JOB_READ_BACK:
		if (r)
			read_back_answer(b, r);
		else
			read_back_again(b);
		return;
	case JOB_OWN_STEP: /* nothing of it was open any more */
		step_next(b);
		return;
	default:
		return;
	}
}

/* ---- steps that close what is ours ---- */

void
execute_own_ended(struct broker *b, struct grant *g, enum sgw_error error)
{
	struct job *j = b->active;

	note_own(j, g, error);
	if (error != SGW_ERR_NONE && j->error == SGW_ERR_NONE) {
		j->error = close_own_why(error);
		(void)FIELD_SET(j->detail, "what was opened here is closed as soon as that can be");
	}
	if (j->n_waiting > 0)
		return;
	if (j->state == JOB_OWN_STEP)
		step_next(b);
	else
		plan_over(b);
}
