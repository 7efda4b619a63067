/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the touch: intent into the ledger; DryRun of the exact request; the group read again (its digest must be the
 * record's); the call; the read-back; the outcome.  No answer to the call is ambiguous: never success, never a retry.
 */
#include "custody.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "ec2req.h"

#define READ_BACK_TRIES 3
#define READ_BACK_PAUSE 1000 /* ms: AWS's reads lag behind its writes */

static const struct aws_result NOTHING = {.outcome = NET_NOT_SENT};

static bool
opens(const struct job *j)
{
	return j->plan.ops[0].action == ACTION_OPEN;
}

/* The request, from the plan that was shown; the placeholder of the description is filled in and nothing else. */
static bool
request_body(const struct broker *b, const struct job *j, bool dry_run, struct buf *body)
{
	char description[SGW_DESCRIPTION_MAX + 1];

	if (!opens(j))
		return ec2_revoke_plan_body(&j->plan, dry_run, body);
	if (!record_fill(
		b->ceremony.record.description, j->receipt, description, sizeof(description)))
		return false;
	return ec2_authorize_body(
	    &j->plan, description, j->receipt, b->ceremony.record.closes, dry_run, body);
}

static enum sgw_error
send_request(struct broker *b, bool dry_run)
{
	static uint8_t memory[SGW_BODY_MAX];
	struct job *j = b->active;
	struct buf body = buf_over(memory, sizeof(memory));

	if (!request_body(b, j, dry_run, &body))
		return SGW_ERR_INTERNAL;
	j->state = dry_run ? JOB_DRY_RUN : JOB_CALL;
	return aws_change(b, CALL_JOB, opens(j) ? AWS_AUTHORIZE_INGRESS : AWS_REVOKE_INGRESS,
	    profile_find(b, j->plan.profile), j->plan.region, &body);
}

/* The group may be another than the planner has in its cache. */
static void
tell_wrote(struct broker *b)
{
	const struct rec_plan *plan = &b->active->plan;

	b->out.id = MSG_WROTE;
	(void)FIELD_SET(b->out.wrote.profile, plan->profile);
	(void)FIELD_SET(b->out.wrote.region, plan->region);
	(void)FIELD_SET(b->out.wrote.group_id, plan->ops[0].group_id);
	send_planner(b);
}

static void
grants_unsettle(struct broker *b, const char *receipt)
{
	for (size_t i = 0; i < b->grants_top; i++)
		if (b->grants[i].used && b->grants[i].g.state == GRANT_OPEN &&
		    strcmp(b->grants[i].g.receipt, receipt) == 0)
			b->grants[i].g.state = GRANT_AMBIGUOUS;
}

/* An outcome that cannot be recorded is one for the ledger to learn later, by reading. */
static void
finish(struct broker *b, enum sgw_error error, const struct aws_result *r, const char *detail)
{
	if (!ledger_outcome(b, b->active, error, r, detail)) {
		grants_unsettle(b, b->active->receipt);
		if (error == SGW_ERR_NONE && !detail[0])
			detail = "done; the ledger cannot be written, and learns of it later";
	}
	tell_wrote(b);
	job_end(b, error == SGW_ERR_NONE ? STATUS_OK : STATUS_FAILED, error, detail);
}

void
execute_begin(struct broker *b)
{
	static uint8_t memory[SGW_BODY_MAX];
	struct job *j = b->active;
	struct buf body = buf_over(memory, sizeof(memory));
	enum sgw_error error;

	j->deadline = 0;
	j->began = clock_monotonic();
	ceremony_show_stage(b, STAGE_EXECUTING, 0);
	if (!request_body(b, j, false, &body) ||
	    (!ledger_intent(b, j, &body) && !MUTATE(INTENT_DURABLE))) {
		job_end(
		    b, STATUS_FAILED, b->ledger_ok ? SGW_ERR_INTERNAL : SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	error = send_request(b, true);
	if (error != SGW_ERR_NONE)
		finish(b, error, &NOTHING, "");
}

/* ---- what is known to be under way: the grants of an opening, the unsettled closings of others' rules ---- */

static void
grants_add(struct broker *b)
{
	const struct job *j = b->active;

	for (size_t i = 0; i < j->plan.n_ops; i++) {
		const struct rec_op *op = &j->plan.ops[i];
		struct rec_grant g = {.protocol = op->protocol,
		    .from_port = op->from_port,
		    .to_port = op->to_port,
		    .source = op->source,
		    .closes = b->ceremony.record.closes,
		    .sent = clock_now(),
		    .uid = b->ceremony.record.uid,
		    .state = opens(j) ? GRANT_AMBIGUOUS : GRANT_FOREIGN};

		(void)FIELD_SET(g.receipt, j->receipt);
		(void)FIELD_SET(g.profile, j->plan.profile);
		(void)FIELD_SET(g.account, j->plan.account);
		(void)FIELD_SET(g.region, j->plan.region);
		(void)FIELD_SET(g.group_id, op->group_id);
		(void)grant_add(b, &g, (uint16_t)i);
	}
}

static void
grants_settle(struct broker *b, bool open)
{
	const struct job *j = b->active;

	for (size_t i = 0; i < b->grants_top; i++) {
		struct grant *g = &b->grants[i];

		if (!g->used || (g->g.state != GRANT_AMBIGUOUS && g->g.state != GRANT_FOREIGN) ||
		    strcmp(g->g.receipt, j->receipt) != 0)
			continue;
		g->used = open && g->g.state == GRANT_AMBIGUOUS;
		g->g.state = GRANT_OPEN;
		if (g->used)
			closing_superseded(b, g);
	}
}

static bool
grants_room(const struct broker *b, size_t n)
{
	for (size_t i = 0; i < SGW_GRANTS_MAX && n; i++)
		n -= !b->grants[i].used;
	return n == 0;
}

/* ---- the steps ---- */

/* DryRun succeeds as HTTP 412 with this code (EC2 API, "DryRun"). */
static void
dry_run_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	enum sgw_error error;

	if ((r->outcome != NET_ANSWERED || strcmp(r->code, "DryRunOperation") != 0) &&
	    !MUTATE(DRY_RUN)) {
		error = aws_error(r);
		finish(b, error == SGW_ERR_NONE ? SGW_ERR_AWS_BAD_ANSWER : error, r, r->code);
		return;
	}
	j->state = JOB_REREAD;
	error = aws_read(b, CALL_JOB, AWS_DESCRIBE_RULES, profile_find(b, j->plan.profile),
	    j->plan.region, j->plan.ops[0].group_id);
	if (error != SGW_ERR_NONE)
		finish(b, error, r, "");
}

/* True once the whole group has been read; otherwise the next page is under way, or the plan has ended. */
static bool
all_read(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	struct collected *c = &b->collected[CALL_JOB];
	enum sgw_error error;

	if (!r->next_token[0] && !c->overflow)
		return true;
	error = aws_next_page(b, CALL_JOB, AWS_DESCRIBE_RULES, profile_find(b, j->plan.profile),
	    j->plan.region, j->plan.ops[0].group_id, r->next_token);
	if (error != SGW_ERR_NONE && j->state == JOB_REREAD)
		finish(b, error, r, "");
	else if (error != SGW_ERR_NONE)
		finish(b, SGW_ERR_NONE, r, "AWS accepted the call; reading it back failed");
	return false;
}

static size_t
ingress_count(const struct rec_rule *rules, size_t n)
{
	size_t in = 0;

	for (size_t i = 0; i < n; i++)
		in += !rules[i].egress;
	return in;
}

/* What changed, in one sentence for the person and the client. */
static void
change_text(const struct broker *b, const struct job *j, char *ret_text, size_t size)
{
	const struct collected *c = &b->collected[CALL_JOB];

	(void)snprintf(ret_text, size,
	    "%s had %u ingress rules of that family when it was shown, and has %zu in all now",
	    j->plan.ops[0].group_id, j->verdict.quota_used, ingress_count(c->rules, c->n_rules));
}

static void
reread_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	struct collected *c = &b->collected[CALL_JOB];
	uint8_t digest[HASH_LEN];
	char text[SGW_DETAIL_MAX + 1];
	enum sgw_error error = aws_error(r);

	if (error != SGW_ERR_NONE) {
		finish(b, error, r, r->code);
		return;
	}
	if (!all_read(b, r))
		return;
	ingress_only(c);
	state_digest(c->rules, c->n_rules, b->order_scratch, digest);
	if (memcmp(digest, b->ceremony.record.plan.state_digest, sizeof(digest)) != 0 &&
	    !MUTATE(STATE_AGAIN)) {
		change_text(b, j, text, sizeof(text));
		finish(b, SGW_ERR_STATE_CHANGED, &NOTHING, text);
		return;
	}
	/* a start that finds the intent alone takes its time for that of the call: see SETTLE_MARGIN */
	if (clock_monotonic() - j->began > SETTLE_MARGIN * 1000 && !MUTATE(SLOW_TRIAL)) {
		finish(b, SGW_ERR_AWS_UNREACHABLE, &NOTHING,
		    "AWS took more than a minute for the trial run and the read");
		return;
	}
	if (!grants_room(b, j->plan.n_ops)) {
		finish(b, SGW_ERR_BUSY, &NOTHING, "too many rules are open or unsettled at once");
		return;
	}
	grants_add(b);
	error = send_request(b, false);
	if (error != SGW_ERR_NONE) {
		grants_settle(b, false);
		finish(b, error, &NOTHING, "");
	}
}

static void
ambiguous(struct broker *b)
{
	struct job *j = b->active;
	int64_t until = clock_now() + SGW_SIGNATURE_WINDOW + SETTLE_MARGIN;

	for (size_t i = 0; i < j->plan.n_ops; i++)
		j->done[i].state = OP_AMBIGUOUS;
	(void)ledger_ambiguous(b, j->receipt, opens(j) ? "open" : "close", 0, until);
	tell_wrote(b);
	job_end(b, STATUS_AMBIGUOUS, SGW_ERR_AMBIGUOUS, "");
}

static void
read_back(struct broker *b)
{
	struct job *j = b->active;

	j->state = JOB_READ_BACK;
	j->deadline = 0;
	if (aws_read(b, CALL_JOB, AWS_DESCRIBE_RULES, profile_find(b, j->plan.profile),
		j->plan.region, j->plan.ops[0].group_id) != SGW_ERR_NONE)
		finish(b, SGW_ERR_NONE, &NOTHING, "AWS accepted the call; reading it back failed");
}

/* Which of the rules that AWS answered with is this operation's; AWS promises no order. */
static void
note_done(struct job *j, size_t i, const struct collected *c)
{
	struct rec_op_done *done = &j->done[i];

	done->state = opens(j) ? OP_OPEN : OP_CLOSED;
	for (size_t k = 0; k < c->n_rules; k++)
		if (op_equals_rule(&j->plan.ops[i], &c->rules[k]))
			(void)FIELD_SET(done->rule_id, c->rules[k].rule_id);
}

static void
call_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	const struct collected *c = &b->collected[CALL_JOB];
	enum sgw_error error = aws_error(r);

	if (aws_unknown(r) && !MUTATE(AMBIGUOUS)) {
		ambiguous(b);
		return;
	}
	grants_settle(b, error == SGW_ERR_NONE);
	if (error != SGW_ERR_NONE) {
		finish(b, error, r, r->code);
		return;
	}
	for (size_t i = 0; i < j->plan.n_ops; i++)
		note_done(j, i, c);
	j->tries = 0;
	read_back(b);
}

/* Every operation as it should be now: there after an opening, gone after a closing. */
static bool
carried_out(const struct job *j, const struct collected *c)
{
	for (size_t i = 0; i < j->plan.n_ops; i++) {
		const struct rec_op *op = &j->plan.ops[i];

		if (rules_have(c, op->protocol, op->from_port, op->to_port, &op->source) !=
		    opens(j))
			return false;
	}
	return true;
}

static void
read_back_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;

	if (aws_error(r) != SGW_ERR_NONE) {
		finish(b, SGW_ERR_NONE, r, "AWS accepted the call; reading it back failed");
		return;
	}
	if (!all_read(b, r))
		return;
	if (carried_out(j, &b->collected[CALL_JOB]))
		finish(b, SGW_ERR_NONE, r, "");
	else if (++j->tries < READ_BACK_TRIES)
		j->deadline = clock_monotonic() + READ_BACK_PAUSE; /* job_timeouts() reads again */
	else if (opens(j))
		finish(b, SGW_ERR_NONE, r,
		    "AWS accepted the call; its reads do not show the rule yet");
	else
		finish(b, SGW_ERR_NOT_CLOSED, r, "");
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
			read_back(b);
		return;
	default:
		return;
	}
}
