/* SPDX-License-Identifier: Apache-2.0 */
/* Calls; see calls.h. */
#include "calls.h"

#include <string.h>

#include "access.h"
#include "broker.h"
#include "cache.h"
#include "cancel.h"
#include "change.h"
#include "clients.h"
#include "credentials.h"
#include "drift.h"
#include "lists.h"
#include "lockdown.h"
#include "own.h"
#include "plans.h"
#include "reads.h"
#include "receipts.h"
#include "snap.h"
#include "views.h"

/*
 * What each kind needs before it can be answered, and how it is then.  `run` says whether the call is over; if not
 * it has to wait, for room or for its plan, and is run again.
 */
struct kind_row {
	unsigned needs;
	bool (*run)(struct planner *p, struct call *call);
};

static const struct kind_row KINDS[CALL_KIND_MAX] = {
    [CALL_CAPABILITIES] = {NEED_STATUS | NEED_FRESH, run_capabilities},
    [CALL_HEALTH] = {NEED_STATUS | NEED_FRESH, run_health},
    [CALL_GROUPS] = {NEED_GROUPS | NEED_ACCOUNT_MAYBE, run_groups},
    [CALL_RULES] = {NEED_RULES | NEED_GRANTS | NEED_ACCOUNT_MAYBE, run_rules},
    [CALL_CHANGE] = {NEED_GRANTS | NEED_STATUS | NEED_FRESH, run_change}, /* and more: change.c */
    [CALL_KEYS] = {NEED_KEYS | NEED_FRESH, run_keys},
    [CALL_POLICY] = {0, run_policy},
    [CALL_ENROLL] = {0, run_enroll},
    [CALL_ADMIN] = {0, run_admin},
    [CALL_STATUS] = {0, run_status},
    [CALL_PROFILES] = {NEED_STATUS | NEED_FRESH, run_profiles},
    [CALL_ACCESS] = {NEED_RULES | NEED_ACCOUNT_MAYBE, run_access},
    [CALL_OPENED] = {NEED_GRANTS | NEED_FRESH, run_opened},
    [CALL_CANCEL] = {0, run_cancel},
    [CALL_CREDENTIALS] = {0, run_credentials},
    [CALL_IP] = {NEED_GRANTS | NEED_FRESH, run_ip},
    [CALL_RECEIPTS] = {0, run_receipts},
    [CALL_RECEIPT] = {0, run_receipt},
    [CALL_LOCKDOWN] = {0, run_lockdown},
    [CALL_RECONCILE] = {0, run_reconcile},
    [CALL_DRIFT] = {NEED_GRANTS | NEED_GROUPS | NEED_FRESH | NEED_ACCOUNT_MAYBE, run_drift},
};

struct call *
call_new(struct planner *p, struct client *c, enum call_kind kind, uint32_t request)
{
	struct call *call = NULL;

	if (c->calls >= CALLS_PER_CLIENT)
		return NULL;
	for (size_t i = 0; i < CALLS_MAX && call == NULL; i++) {
		if (p->calls[i].kind != CALL_FREE)
			continue;
		call = &p->calls[i];
		if (i >= p->calls_top)
			p->calls_top = i + 1;
	}
	if (call == NULL)
		return NULL;
	memset(call, 0, offsetof(struct call, ask));
	call->kind = kind;
	call->client = c;
	call->request = request;
	call->tick = p->tick;
	call->came = p->now;
	call->needs = KINDS[kind].needs;
	c->calls++;
	return call;
}

void
call_free(struct planner *p, struct call *call)
{
	for (unsigned what = 0; what < READ_KINDS; what++)
		snap_unref(p, call->got[what]);
	for (size_t i = 0; i < call->groups_read; i++) {
		snap_unref(p, call->groups[i].rules);
		snap_unref(p, call->groups[i].group);
	}
	call->client->calls--;
	call->kind = CALL_FREE;
	while (p->calls_top > 0 && p->calls[p->calls_top - 1].kind == CALL_FREE)
		p->calls_top--;
}

void
call_forget(struct planner *p, struct client *c, uint32_t request)
{
	for (size_t i = 0; i < p->calls_top; i++)
		if (p->calls[i].kind != CALL_FREE && p->calls[i].client == c &&
		    p->calls[i].request == request)
			call_free(p, &p->calls[i]);
}

const struct call_group *
call_group_find(const struct call *call, const char *id)
{
	for (size_t i = 0; i < call->groups_read; i++)
		if (strcmp(call->groups[i].id, id) == 0)
			return &call->groups[i];
	return NULL;
}

void
call_fail(struct call *call, uint16_t error, const char *field, const char *detail)
{
	call->error = error;
	FIELD_SET(call->field, field);
	FIELD_SET(call->detail, detail);
}

void
call_target(struct planner *p, struct call *call, const char *profile, const char *region)
{
	const struct rec_profile_conf *found = NULL;

	for (size_t i = 0; i < p->config.n_profiles && found == NULL; i++) {
		const struct rec_profile_conf *conf = &p->config.profiles[i];

		if (profile[0] != 0 ? strcmp(conf->name, profile) == 0 : conf->is_default)
			found = conf;
	}
	if (found == NULL && profile[0] == 0 && p->config.n_profiles == 1)
		found = &p->config.profiles[0];
	if (found == NULL) {
		call_fail(call, SGW_ERR_UNKNOWN_PROFILE, "profile",
		    profile[0] != 0 ? "" : "no profile is the default: name one");
		return;
	}
	call->profile = found;
	if (region[0] == 0)
		region = found->regions[0].name;
	for (size_t i = 0; i < found->n_regions; i++)
		if (strcmp(found->regions[i].name, region) == 0) {
			FIELD_SET(call->region, region);
			return;
		}
	call_fail(call, SGW_ERR_REGION_NOT_ALLOWED, "region", "");
}

const char *
call_account(const struct planner *p, const struct call *call)
{
	return call->profile ? p->account[call->profile - p->config.profiles] : "";
}

/* ---- needs ---- */

static const char *
call_group(const struct call *call)
{
	return call->kind == CALL_RULES    ? call->ask.rules.group_id
	       : call->kind == CALL_ACCESS ? call->ask.access.group_id
	       : call->kind == CALL_CHANGE || (call->kind == CALL_DRIFT && call->targeted)
		   ? call->groups[call->groups_read].id
		   : "";
}

/* Has it what AWS says?  If not, sees to it that it is read. */
static bool
read_ready(struct planner *p, struct call *call, enum aws_op what)
{
	bool fresh = call->needs & NEED_FRESH;
	struct read_key key = {.what = what};
	struct snap *s;

	if (call->got[what] != NULL)
		return true;
	if (call->read[what] != NULL)
		return false;
	FIELD_SET(key.profile, call->profile->name);
	FIELD_SET(key.region, call->region);
	if (what != AWS_CALLER_IDENTITY)
		FIELD_SET(key.group_id, call_group(call));
	s = fresh ? NULL : cache_get(p, &key);
	if (s != NULL) {
		call->got[what] = snap_ref(s);
		return true;
	}
	call->read[what] = read_want(p, &key, fresh);
	return false;
}

static bool
account_ready(struct planner *p, struct call *call)
{
	if (call_account(p, call)[0] != 0)
		return true;
	if ((call->needs & NEED_ACCOUNT_MAYBE) && (call->asked & NEED_ACCOUNT_MAYBE))
		return true; /* it could not be had */
	return read_ready(p, call, AWS_CALLER_IDENTITY);
}

static bool
asked_ready(struct planner *p, struct call *call, enum question_kind kind)
{
	switch (question_ready(p, kind, call->tick, call->needs & NEED_FRESH)) {
	case QUESTION_READY:
		return true;
	case QUESTION_FAILED:
		/* health is what tells of it */
		if (call->kind != CALL_HEALTH)
			call_fail(call, SGW_ERR_INTERNAL, "", "the broker does not answer");
		return true;
	default:
		return false;
	}
}

/* Starts everything that is missing at once; true: nothing is, or there is an error already. */
static bool
call_gather(struct planner *p, struct call *call)
{
	bool ready = true;

	if (call->needs & NEED_STATUS)
		ready = asked_ready(p, call, QUESTION_STATUS) && ready;
	if (call->needs & NEED_GRANTS)
		ready = asked_ready(p, call, QUESTION_GRANTS) && ready;
	if (call->needs & NEED_KEYS)
		ready = asked_ready(p, call, QUESTION_KEYS) && ready;
	if (call->needs & NEED_OWN_V4)
		ready = asked_ready(p, call, QUESTION_OWN_V4) && ready;
	if (call->needs & NEED_OWN_V6)
		ready = asked_ready(p, call, QUESTION_OWN_V6) && ready;
	if (call->needs & NEED_RULES)
		ready = read_ready(p, call, AWS_DESCRIBE_RULES) && ready;
	if (call->needs & (NEED_GROUP | NEED_GROUPS))
		ready = read_ready(p, call, AWS_DESCRIBE_GROUPS) && ready;
	if (call->needs & (NEED_ACCOUNT | NEED_ACCOUNT_MAYBE))
		ready = account_ready(p, call) && ready;
	return ready || call->error != SGW_ERR_NONE;
}

void
calls_read_done(
    struct planner *p, const struct read *r, struct snap *s, uint16_t error, const char *detail)
{
	for (size_t i = 0; i < p->calls_top; i++) {
		struct call *call = &p->calls[i];

		if (call->kind == CALL_FREE || call->read[r->key.what] != r)
			continue;
		call->read[r->key.what] = NULL;
		if (s != NULL) {
			call->got[r->key.what] = snap_ref(s);
			if (r->key.what == AWS_CALLER_IDENTITY)
				FIELD_SET(
				    p->account[call->profile - p->config.profiles], s->account);
		} else if (r->key.what == AWS_CALLER_IDENTITY && (call->needs & NEED_ACCOUNT_MAYBE))
			call->asked |= NEED_ACCOUNT_MAYBE;
		else if (call->kind == CALL_CREDENTIALS)
			credentials_failed(call, r->key.what, error, detail);
		else
			call_fail(call, error,
			    error == SGW_ERR_NO_SUCH_GROUP ? "security_group_id" : "", detail);
	}
}

/* ---- steps ---- */

static bool
answer_failed(struct planner *p, struct call *call)
{
	struct msg_failed *out = &p->out.failed;

	p->out.id = MSG_FAILED;
	out->request = call->request;
	out->error = call->error;
	FIELD_SET(out->field, call->field);
	FIELD_SET(out->detail, call->detail);
	return client_send(p, call->client) != SENT_BLOCKED;
}

void
call_step(struct planner *p, struct call *call)
{
	bool over;

	if (call->client->blocked || call->client->dead)
		return;
	if (call->error == SGW_ERR_NONE && call->plan == NULL && !call->told &&
	    !call_gather(p, call))
		return;
	over = call->error == SGW_ERR_NONE && KINDS[call->kind].run(p, call);
	/* a run may end in an error */
	if (!over && call->error != SGW_ERR_NONE)
		over = answer_failed(p, call);
	if (over)
		call_free(p, call);
}

void
calls_step_client(struct planner *p, struct client *c)
{
	for (size_t i = 0; i < p->calls_top; i++)
		if (p->calls[i].kind != CALL_FREE && p->calls[i].client == c)
			call_step(p, &p->calls[i]);
}

void
calls_turn(struct planner *p)
{
	size_t top = p->calls_top;
	bool all = p->stirred;

	p->stirred = false;
	if (top == 0)
		return;
	p->calls_from = (p->calls_from + 1) % top;
	for (size_t n = 0; n < top; n++) {
		struct call *call = &p->calls[(p->calls_from + n) % top];

		if (call->kind != CALL_FREE && (all || (call->until != 0 && call->until <= p->now)))
			call_step(p, call);
	}
}

int64_t
calls_next(const struct planner *p)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < p->calls_top; i++) {
		const struct call *call = &p->calls[i];

		if (call->kind != CALL_FREE && call->until != 0 && call->until < next &&
		    !call->client->blocked)
			next = call->until;
	}
	return next;
}

void
calls_drop(struct planner *p, struct client *c)
{
	for (size_t i = 0; i < p->calls_top; i++)
		if (p->calls[i].kind != CALL_FREE && p->calls[i].client == c)
			call_free(p, &p->calls[i]);
}
