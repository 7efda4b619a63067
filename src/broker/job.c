/* SPDX-License-Identifier: Apache-2.0 */
/* A plan's way: queued, read, judged, shown; and its one end.  One plan is active at a time. */
#include "custody.h"
#include "recovery.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

static struct job *
job_find(struct broker *b, const char *plan_id)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++)
		if (b->jobs[i].state != JOB_FREE && strcmp(b->jobs[i].plan_id, plan_id) == 0)
			return &b->jobs[i];
	return NULL;
}

static void
tell_result(struct broker *b, const struct job *j, enum status status, enum sgw_error error,
    const char *detail)
{
	struct msg_result *m = &b->out.result;

	b->out.id = MSG_RESULT;
	*m = (struct msg_result){.status = status,
	    .effect = j->verdict.effect,
	    .error = (uint16_t)error,
	    .n_done = j->kind == JOB_CHANGE ? j->plan.n_ops : 0};
	(void)FIELD_SET(m->plan_id, j->plan_id);
	(void)FIELD_SET(m->policy_line, j->verdict.line);
	(void)FIELD_SET(m->detail, detail);
	(void)FIELD_SET(m->receipt, j->receipt);
	memcpy(m->done, j->done, sizeof(m->done));
	if (j->kind == JOB_CHANGE && plan_opens(&j->plan) && b->active == j &&
	    j->receipt[0]) /* the record is its own */
		m->closes = b->ceremony.record.closes;
	send_planner(b);
}

void
job_stage(struct broker *b, const struct job *j, enum stage stage, int64_t seconds_left)
{
	b->out.id = MSG_STAGE;
	(void)FIELD_SET(b->out.stage.plan_id, j->plan_id);
	b->out.stage.stage = stage;
	b->out.stage.seconds_left = (uint16_t)(seconds_left < 0       ? 0
					       : seconds_left > 65535 ? 65535
								      : seconds_left);
	send_planner(b);
}

void
job_end(struct broker *b, enum status status, enum sgw_error error, const char *detail)
{
	struct job *j = b->active;

	tell_result(b, j, status, error, detail);
	ceremony_show_outcome(b, status, error, detail);
	custody_wipe(b);
	b->calls[CALL_JOB].number = 0; /* whatever is still under way for it answers nobody */
	j->state = JOB_FREE;
	b->active = NULL;
	job_next(b);
}

void
job_result(
    struct broker *b, struct job *j, enum status status, enum sgw_error error, const char *detail)
{
	tell_result(b, j, status, error, detail);
	j->state = JOB_FREE;
}

/* ---- arrival ---- */

static void
counts(const struct broker *b, const struct client *c, uint64_t whose, unsigned *ret_of_client,
    unsigned *ret_of_uid)
{
	*ret_of_client = *ret_of_uid = 0;
	for (size_t i = 0; i < SGW_PLANS_MAX; i++) {
		if (b->jobs[i].state == JOB_FREE || b->jobs[i].state == JOB_CLOSE_OWN)
			continue;
		*ret_of_client += b->jobs[i].client == c->number;
		*ret_of_uid += job_whose(&b->jobs[i]) == whose;
	}
}

void
job_refuse(struct broker *b, const struct job *wanted, enum sgw_error error, const char *detail)
{
	tell_result(b, wanted, STATUS_REFUSED, error, detail);
}

bool
job_known(struct broker *b, const char *plan_id)
{
	return job_find(b, plan_id) != NULL;
}

bool
job_pending(const struct broker *b, enum job_kind kind)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++)
		if (b->jobs[i].state != JOB_FREE && b->jobs[i].kind == kind)
			return true;
	return false;
}

void
job_queue(struct broker *b, struct job *wanted, const struct client *c)
{
	char detail[SGW_DETAIL_MAX + 1] = "";
	unsigned of_client, of_uid;
	enum sgw_error error;
	struct job *j = NULL;

	wanted->client = c->number;
	wanted->uid = c->uid;
	wanted->person = c->admin;
	error = quota_problem(b, job_whose(wanted), detail);
	if (!quota_plan(b, job_whose(wanted))) {
		tell_result(
		    b, wanted, STATUS_REFUSED, SGW_ERR_RATE_LIMITED, "policy line limit.plans");
		return;
	}
	counts(b, c, job_whose(wanted), &of_client, &of_uid);
	for (size_t i = 0; i < SGW_PLANS_MAX && !j; i++)
		if (b->jobs[i].state == JOB_FREE)
			j = &b->jobs[i];
	if (error == SGW_ERR_NONE && wanted->kind == JOB_CHANGE &&
	    lockdown_against(b, &wanted->plan, detail) && !MUTATE(LOCKDOWN_QUEUE)) {
		lockdown_refuse(b, wanted);
		return;
	}
	if (error == SGW_ERR_NONE &&
	    (!j || (of_client >= 2 && !MUTATE(QUEUE)) || of_uid >= QUEUE_PER_UID))
		error = SGW_ERR_QUEUE_FULL;
	if (error != SGW_ERR_NONE) {
		(void)ledger_refusal(b, wanted, error, detail);
		tell_result(b, wanted, STATUS_REFUSED, error, detail);
		return;
	}
	wanted->order = ++b->last_order;
	wanted->state = JOB_QUEUED;
	*j = *wanted;
	job_next(b);
	if (j->state == JOB_QUEUED && j->order == wanted->order)
		job_stage(b, j, STAGE_QUEUED, 0);
}

void
job_plan(struct broker *b, const struct msg_plan *m)
{
	static struct job wanted;
	const struct client *c = client_find(b, m->client);
	const char *problem = plan_problem(&m->plan);
	uint8_t digest[HASH_LEN];

	wanted = (struct job){.kind = JOB_CHANGE, .plan = m->plan};
	if (!plan_digest(&m->plan, digest))
		return;
	receipt_id(digest, wanted.plan_id);
	if (job_find(b, wanted.plan_id))
		return; /* it is on its way */
	if (!c || problem) {
		tell_result(b, &wanted, STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT,
		    problem ? problem : "no such client");
		return;
	}
	wanted.client = c->number;
	wanted.uid = c->uid;
	if (!close_own_take(b, &wanted))
		job_queue(b, &wanted, c);
}

/* Asked when it comes and again when its turn does: another may have been enrolled in between. */
static enum sgw_error
enroll_problem(struct broker *b, const char *name)
{
	for (size_t i = 0; i < b->keys.n_keys; i++)
		if (strcmp(b->keys.keys[i].name, name) == 0)
			return SGW_ERR_KEY_EXISTS;
	return b->keys.n_keys == SGW_KEYS_MAX ? SGW_ERR_QUOTA : SGW_ERR_NONE;
}

void
job_enroll(struct broker *b, const struct msg_enroll *m)
{
	static struct job wanted;
	const struct client *c = client_find(b, m->client);
	enum sgw_error error = enroll_problem(b, m->name);

	wanted =
	    (struct job){.kind = JOB_ENROLL, .by_code = m->by_code, .verdict.needs_consent = true};
	(void)FIELD_SET(wanted.plan_id, m->plan_id);
	(void)FIELD_SET(wanted.key_name, m->name);
	(void)FIELD_SET(wanted.verdict.line, m->by_code ? "admin.recovery" : "admin.enroll");
	if (!receipt_id_ok(m->plan_id) || job_find(b, m->plan_id))
		return;
	if (!c || (!c->admin && !MUTATE(ADMIN_CLIENT)) || !m->name[0])
		error = SGW_ERR_BAD_ARGUMENT;
	if (error != SGW_ERR_NONE)
		tell_result(b, &wanted, STATUS_REFUSED, error, "");
	else
		job_queue(b, &wanted, c);
}

/* ---- leaving before the end ---- */

bool
job_may_leave(const struct job *j)
{
	return j->state <= JOB_KEYS; /* after that the assertion has been accepted */
}

static void
leave(struct broker *b, struct job *j, const char *why)
{
	if (!job_may_leave(j))
		return;
	if (b->active == j) {
		(void)ledger_denial(b, j, "withdrawn");
		job_end(b, STATUS_DENIED, SGW_ERR_CANCELLED, why);
		return;
	}
	tell_result(b, j, STATUS_DENIED, SGW_ERR_CANCELLED, why);
	j->state = JOB_FREE;
}

void
job_withdraw(struct broker *b, const char *plan_id)
{
	struct job *j = job_find(b, plan_id);

	if (j)
		leave(b, j, "");
}

void
job_client_gone(struct broker *b, uint32_t client)
{
	for (size_t i = 0; i < SGW_PLANS_MAX; i++)
		if (b->jobs[i].state != JOB_FREE && b->jobs[i].client == client)
			leave(b, &b->jobs[i], "the client went away");
}

/* ---- reads and judgement ---- */

void
job_fail(struct broker *b, enum sgw_error error, const char *detail)
{
	(void)ledger_refusal(b, b->active, error, detail);
	job_end(b, error_row((uint16_t)error)->exit_status == 3 ? STATUS_REFUSED : STATUS_FAILED,
	    error, detail);
}

static const char *
job_group(const struct job *j)
{
	return j->plan.groups[j->group].group_id;
}

void
job_read_group(struct broker *b)
{
	struct job *j = b->active;
	struct profile *p = profile_find(b, j->plan.profile);
	enum sgw_error error;

	if (strcmp(p->account, j->plan.account) != 0 && !MUTATE(ACCOUNT)) {
		job_fail(b, SGW_ERR_STATE_CHANGED,
		    "the profile belongs to another account than the plan says");
		return;
	}
	j->state = JOB_READ_GROUP;
	j->deadline = 0; /* each read has its own end */
	error = aws_read(b, CALL_JOB, AWS_DESCRIBE_GROUPS, p, j->plan.region, job_group(j));
	if (error != SGW_ERR_NONE)
		job_fail(b, error, "");
}

static void
enroll_restart(struct broker *b)
{
	struct job *j = b->active;
	char detail[SGW_DETAIL_MAX + 1] = "";
	enum sgw_error error = enroll_problem(b, j->key_name);

	if (error == SGW_ERR_NONE && j->by_code)
		error = recovery_problem(b, detail);
	if (error == SGW_ERR_NONE)
		error = quota_problem(b, job_whose(j), detail);
	if (error == SGW_ERR_NONE && !ledger_request(b, j))
		error = SGW_ERR_LEDGER_FAILED;
	if (error != SGW_ERR_NONE)
		job_fail(b, error, detail);
	else
		ceremony_begin(b);
}

void
job_restart(struct broker *b)
{
	struct job *j = b->active;
	struct profile *p;
	enum sgw_error error = SGW_ERR_NONE;

	j->deadline = 0;
	j->verdict.needs_consent = true;
	if (j->kind != JOB_CHANGE) {
		(j->kind == JOB_ENROLL ? enroll_restart : admin_restart)(b);
		return;
	}
	j->group = 0;
	j->verdict = (struct verdict){.needs_consent = true};
	seen_clear(b);
	p = profile_find(b, j->plan.profile);
	if (!p)
		error = SGW_ERR_UNKNOWN_PROFILE;
	else if (!profile_allows(p, j->plan.region))
		error = SGW_ERR_REGION_NOT_ALLOWED;
	else if (!p->has_keys)
		error = SGW_ERR_NO_CREDENTIALS;
	if (error != SGW_ERR_NONE)
		job_fail(b, error, "");
	else if (p->account[0])
		job_read_group(b);
	else {
		j->state = JOB_IDENTITY;
		j->deadline = clock_monotonic() + CALL_TIMEOUT + 2 * CALL_GRACE;
		p->asking = false;
		identity_next(b);
	}
}

/* The person at admin.sock before the machines at mcp.sock, then in the order of arrival. */
static bool
goes_before(const struct job *j, const struct job *other)
{
	bool person = job_is_persons(j), others_person = job_is_persons(other);

	return person != others_person ? person : j->order < other->order;
}

void
job_next(struct broker *b)
{
	struct job *first = NULL;

	if (b->active || !b->serving)
		return;
	for (size_t i = 0; i < SGW_PLANS_MAX; i++)
		if (b->jobs[i].state == JOB_QUEUED && (!first || goes_before(&b->jobs[i], first)))
			first = &b->jobs[i];
	if (!first)
		return;
	b->active = first;
	if (first->kind == JOB_CHANGE)
		job_stage(b, first, STAGE_PLANNING, 0);
	job_restart(b);
}

static void
read_rules_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	struct collected *c = &b->collected[CALL_JOB];

	if (r->next_token[0] && !c->overflow) {
		enum sgw_error error = aws_next_page(b, CALL_JOB, AWS_DESCRIBE_RULES,
		    profile_find(b, j->plan.profile), j->plan.region, job_group(j), r->next_token);

		if (error != SGW_ERR_NONE)
			job_fail(b, error, "");
		return;
	}
	if (c->overflow) {
		job_fail(b, SGW_ERR_AWS_BAD_ANSWER, "the group has more rules than can be judged");
		return;
	}
	ingress_only(c);
	job_judge(b);
}

static void
read_group_answer(struct broker *b)
{
	struct job *j = b->active;
	struct collected *c = &b->collected[CALL_JOB];
	enum sgw_error error;

	if (!c->has_group || c->overflow || strcmp(c->group.group_id, job_group(j)) != 0) {
		job_fail(b, SGW_ERR_NO_SUCH_GROUP, "");
		return;
	}
	j->state = JOB_READ_RULES;
	error = aws_read(b, CALL_JOB, AWS_DESCRIBE_RULES, profile_find(b, j->plan.profile),
	    j->plan.region, job_group(j));
	if (error != SGW_ERR_NONE)
		job_fail(b, error, "");
}

void
job_answer(struct broker *b, const struct aws_result *r)
{
	struct job *j = b->active;
	enum sgw_error error = aws_error(r);

	if (!j)
		return;
	if (j->state >= JOB_DRY_RUN) {
		execute_answer(b, r);
		return;
	}
	if (error == SGW_ERR_REQUEST_EXPIRED && j->tries++ == 0) {
		job_restart(b); /* AWS's clock is known now */
		return;
	}
	if (error != SGW_ERR_NONE) {
		job_fail(b, error, r->code);
		return;
	}
	if (j->state == JOB_IDENTITY)
		job_read_group(b);
	else if (j->state == JOB_READ_GROUP)
		read_group_answer(b);
	else if (j->state == JOB_READ_RULES)
		read_rules_answer(b, r);
}
