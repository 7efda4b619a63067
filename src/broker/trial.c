/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying an opener out: by the touch that its tier wants AWS is asked for a trial run (EC2 API, "DryRun") of opening a
 * port of one group to a documentation address, tags included.  Whatever AWS says, nothing is opened: no other body is
 * built here.
 */
#include "admin.h"

#include <stdio.h>

#include <sgwarden/clock.h>

#include "ec2req.h"

#define TRIAL_PORT 9 /* discard */

/* 192.0.2.1/32 of TEST-NET-1 (RFC 5737): nobody is there. */
static const struct rec_cidr NOBODY = {.family = 4, .prefix = 32, .addr = {192, 0, 2, 1}};

/* "PROFILE TIER", and the group in the act's data; into the job, as if it were a plan. */
static bool
trial_take(struct broker *b, struct job *j)
{
	const char *blank = strrchr(j->subject, ' ');
	struct rec_op *op = &j->plan.ops[0];
	struct profile *p;

	j->plan = (struct rec_plan){.n_ops = 1};
	if (!blank || !field_copy(j->plan.profile, sizeof(j->plan.profile), j->subject,
			  (size_t)(blank - j->subject)))
		return false;
	p = profile_find(b, j->plan.profile);
	j->verdict.needs_pin = strcmp(blank + 1, TIER_NAMES[TIER_OPENER_SENSITIVE]) == 0;
	if (!p || (!j->verdict.needs_pin && strcmp(blank + 1, TIER_NAMES[TIER_OPENER]) != 0))
		return false;
	(void)FIELD_SET(j->plan.region, p->conf->regions[0].name);
	*op = (struct rec_op){.action = ACTION_OPEN,
	    .protocol = PROTO_TCP,
	    .from_port = TRIAL_PORT,
	    .to_port = TRIAL_PORT,
	    .source = NOBODY};
	return field_copy(op->group_id, sizeof(op->group_id), (const char *)b->admin->data,
		   b->admin->data_len) &&
	       group_id_ok(op->group_id);
}

enum sgw_error
trial_prepare(struct broker *b, const char **ret_detail)
{
	struct job *j = b->active;
	enum sgw_error error;

	*ret_detail = "it takes a configured profile, opener or opener-sensitive, and a group's id";
	if (!trial_take(b, j))
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "";
	error = custody_problem(b, j, ret_detail);
	admin_say(b->admin, "profile     %s", j->plan.profile);
	admin_say(b->admin, "group       %s, %s", j->plan.ops[0].group_id, j->plan.region);
	admin_say(b->admin, "tries       ec2:AuthorizeSecurityGroupIngress, ec2:CreateTags");
	return error;
}

void
trial_begin(struct broker *b)
{
	static uint8_t memory[SGW_BODY_MAX];
	struct job *j = b->active;
	struct buf body = buf_over(memory, sizeof(memory));
	enum sgw_error error = SGW_ERR_INTERNAL;

	j->state = JOB_TRIAL;
	ceremony_show_stage(b, STAGE_EXECUTING, 0);
	if (ec2_authorize_body(&j->plan, "sgwarden: a trial run", j->receipt,
		clock_now() + SGW_LIFETIME_DEFAULT, true, &body))
		error = aws_change(b, CALL_JOB, AWS_AUTHORIZE_INGRESS,
		    profile_find(b, j->plan.profile), j->plan.region, &body);
	if (error != SGW_ERR_NONE)
		job_end(b, STATUS_FAILED, error, "");
}

void
trial_agreed(struct broker *b)
{
	if (ledger_admin(b, b->active, LEDGER_TEST, b->admin))
		trial_begin(b);
	else
		job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
}

/* A trial run that would succeed ends as HTTP 412 with this code. */
void
trial_answer(struct broker *b, const struct aws_result *r)
{
	char detail[SGW_DETAIL_MAX + 1];
	enum sgw_error error = aws_error(r);

	if (r->outcome == NET_ANSWERED && strcmp(r->code, "DryRunOperation") == 0) {
		(void)snprintf(detail, sizeof(detail), "AWS would let it open ports in %s",
		    b->active->plan.ops[0].group_id);
		job_end(b, STATUS_OK, SGW_ERR_NONE, detail);
		return;
	}
	job_end(b, STATUS_FAILED, error == SGW_ERR_NONE ? SGW_ERR_AWS_BAD_ANSWER : error, r->code);
}
