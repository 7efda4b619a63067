/* SPDX-License-Identifier: Apache-2.0 */
/* From the planner's answers to results: one function for each. */
#include "results.h"

#include <string.h>

#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

#include "answers.h"
#include "front.h"
#include "list.h"

#define POLL_MS 2000 /* how soon a pending plan may be asked for again */
#define NOT_USABLE                                                                                 \
	"the sources see an address of a special range: whitelist_add does not take current for "  \
	"it"

DATA(capabilities, struct view_capabilities)
DATA(health, struct msg_health)
DATA(profiles, struct msg_profile_views)
DATA(custody, struct msg_profile_views)
DATA(ip, struct view_ip)
DATA(credentials, struct msg_credentials)
DATA(groups, struct view_page)
DATA(rules, struct view_page)
DATA(access, struct msg_access)
DATA(grants, struct view_page)
DATA(change, struct view_change)
DATA(explained, struct msg_explained)
DATA(plan_status, struct view_status)
DATA(policy_in_force, struct msg_policy_in_force)
DATA(withdrawn, struct msg_withdrawn)
DATA(keys, struct msg_keys)
DATA(locked, struct msg_locked)

static void
answer_capabilities(struct front *f, struct call *c, const struct msg *m)
{
	struct view_capabilities view = {&m->capabilities, f->admin};
	struct result r = {.data = data_capabilities, .view = &view};

	result_send(f, c, &r);
}

static void
answer_health(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.data = data_health, .view = &m->health};

	result_send(f, c, &r);
}

static void
answer_profiles(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {
	    .data = f->admin ? data_custody : data_profiles, .view = &m->profile_views};

	result_send(f, c, &r);
}

/*
 * One family that agrees is an answer: few machines have both.  Where none does, what each source said stands in the
 * data all the same.
 */
static void
answer_ip(struct front *f, struct call *c, const struct msg *m)
{
	struct view_ip view = {NULL, NULL};
	struct result r = {.data = data_ip, .view = &view, .error = SGW_ERR_ADDRESS_UNKNOWN};

	for (size_t i = 0; i < m->ip.n_addresses; i++) {
		const struct rec_own_address *own = &m->ip.addresses[i];

		*(own->family == IP_V4 ? &view.v4 : &view.v6) = own;
		if (own->agreed)
			r.error = SGW_ERR_NONE;
		if (own->agreed && !own->usable && r.n_warnings == 0)
			r.warnings[r.n_warnings++] = NOT_USABLE;
	}
	r.is_error = r.error != SGW_ERR_NONE;
	if (r.is_error)
		r.status = result_status(r.error);
	result_send(f, c, &r);
}

/* The first trouble is the call's: what worked before it stands in the data. */
static void
answer_credentials(struct front *f, struct call *c, const struct msg *m)
{
	const struct msg_credentials *v = &m->credentials;
	struct result r = {.profile = v->profile,
	    .account = v->account,
	    .region = v->region,
	    .data = data_credentials,
	    .view = v};

	for (size_t i = 0; i < v->n_permissions && !r.is_error; i++) {
		r.error = v->permissions[i].error;
		r.detail = v->permissions[i].detail;
		r.is_error = r.error != SGW_ERR_NONE;
	}
	if (r.is_error)
		r.status = result_status(r.error);
	result_send(f, c, &r);
}

static void
answer_access(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.profile = m->access.profile,
	    .account = m->access.account,
	    .region = m->access.region,
	    .data = data_access,
	    .view = &m->access};

	if (m->access.n_undecided > 0)
		r.warnings[r.n_warnings++] = "rules whose source is a prefix list or a security "
					     "group were not evaluated: see undecided";
	result_send(f, c, &r);
}

static void
answer_withdrawn(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.data = data_withdrawn, .view = &m->withdrawn};

	result_send(f, c, &r);
}

static void
answer_keys(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.data = data_keys, .view = &m->keys};

	result_send(f, c, &r);
}

/* Closing cuts nobody off who is in already: that is said where it matters most. */
static void
answer_locked(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.data = data_locked, .view = &m->locked};

	r.warnings[r.n_warnings++] = "connections that are established already are not cut";
	result_send(f, c, &r);
}

static void
answer_failed(struct front *f, struct call *c, const struct msg *m)
{
	struct complaint complaint = {.error = m->failed.error};

	(void)FIELD_SET(complaint.field, m->failed.field);
	(void)FIELD_SET(complaint.detail, m->failed.detail);
	result_complaint(f, c, &complaint);
}

static bool
closes_something(const struct msg_change *change)
{
	for (size_t i = 0; i < change->n_ops; i++)
		if (change->ops[i].op.action == ACTION_CLOSE)
			return true;
	return false;
}

/* What the openings have in common with the rules that are there: said while the change can still be thought over. */
static void
warn_overlaps(const struct msg_change *change, struct result *r)
{
	bool covered = false, encloses = false;

	for (size_t i = 0; i < change->n_ops; i++) {
		covered = covered || change->ops[i].covered_by[0] != 0;
		encloses = encloses || change->ops[i].encloses[0] != 0;
	}
	if (covered)
		r->warnings[r->n_warnings++] =
		    "another rule lets this in already, and goes on doing so: covered_by";
	if (encloses)
		r->warnings[r->n_warnings++] =
		    "this lets in all that another rule does, and more: encloses";
}

static void
answer_change(struct front *f, struct call *c, const struct msg *m)
{
	const struct msg_change *change = &m->change;
	bool pending = change->status == STATUS_PENDING_CONSENT;
	char space[160];
	struct view_change view = {.m = change,
	    .waiting_for =
		pending ? stage_sentence(change->stage, change->seconds_left, space, sizeof(space))
			: "",
	    .poll_after_ms = pending ? POLL_MS : 0,
	    .preview = change->preview};
	struct result r = {.status = change->status,
	    .is_error = change->error != SGW_ERR_NONE,
	    .profile = change->profile,
	    .account = change->account,
	    .region = change->region,
	    .error = change->error,
	    .field = change->field,
	    .detail = change->detail,
	    .data = data_change,
	    .view = &view};

	if (change->iac)
		r.warnings[r.n_warnings++] =
		    "CloudFormation or Terraform keeps a group of it: it may undo the change";
	if ((change->status == STATUS_OK || change->status == STATUS_PLANNED) &&
	    (change->closes != 0 || closes_something(change)))
		r.warnings[r.n_warnings++] =
		    "closing does not cut connections that are established by then";
	if (change->error == SGW_ERR_NONE)
		warn_overlaps(change, &r);
	/* What is to be said of a success or of a plan is no error. */
	if (change->error == SGW_ERR_NONE && change->detail[0] != 0)
		r.warnings[r.n_warnings++] = change->detail;
	if (result_try(f, c, &r))
		return;
	view.preview = "";
	r.warnings[r.n_warnings++] =
	    "the preview of the consent text was left out: the answer would be too long";
	result_send(f, c, &r);
}

/* Explaining succeeds, whatever the policy says. */
static void
answer_explained(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.profile = m->explained.profile,
	    .account = m->explained.account,
	    .region = m->explained.region,
	    .data = data_explained,
	    .view = &m->explained};

	result_send(f, c, &r);
}

static void
answer_policy_in_force(struct front *f, struct call *c, const struct msg *m)
{
	struct result r = {.data = data_policy_in_force, .view = &m->policy_in_force};

	result_send(f, c, &r);
}

/* Asking where a plan stands succeeds even where the plan did not: what became of it is data here. */
static void
answer_plan_status(struct front *f, struct call *c, const struct msg *m)
{
	const struct msg_plan_status *status = &m->plan_status;
	bool pending = status->status == STATUS_PENDING_CONSENT;
	char space[160];
	struct view_status view = {.m = status,
	    .waiting_for =
		pending ? stage_sentence(status->stage, status->seconds_left, space, sizeof(space))
			: "",
	    .poll_after_ms = pending ? POLL_MS : 0};
	struct result r = {.status = status->status,
	    .error = pending ? SGW_ERR_NONE : status->error,
	    .detail = status->detail,
	    .data = data_plan_status,
	    .view = &view};

	if (status->status == STATUS_PLANNED)
		r.warnings[r.n_warnings++] = "it is planned only: nobody has been asked yet";
	if (r.error == SGW_ERR_NONE && status->detail[0] != 0)
		r.warnings[r.n_warnings++] = status->detail;
	result_send(f, c, &r);
}

/* ---- lists ---- */

void
list_send(
    struct front *f, struct call *c, struct result *r, struct view_page *view, const char *planners)
{
	char cursor[ARGS_CURSOR_MAX + 1];

	list_next_cursor(c, planners, cursor);
	view->items = &c->part;
	view->next_cursor = cursor;
	r->view = view;
	if (c->cut)
		r->warnings[r->n_warnings++] =
		    "the list was cut to keep the answer short: go on with next_cursor";
	result_send(f, c, r);
}

static void
answer_groups(struct front *f, struct call *c, const struct msg *m)
{
	struct view_page view = {.group_id = ""};
	struct result r = {.profile = m->groups.profile,
	    .account = m->groups.account,
	    .region = m->groups.region,
	    .data = data_groups};

	list_part(c, m);
	list_send(f, c, &r, &view, m->groups.next_cursor);
}

static void
answer_rules(struct front *f, struct call *c, const struct msg *m)
{
	struct view_page view = {.group_id = m->rules.group_id, .lockdown = m->rules.lockdown};
	struct result r = {.profile = m->rules.profile,
	    .account = m->rules.account,
	    .region = m->rules.region,
	    .data = data_rules};

	list_part(c, m);
	list_send(f, c, &r, &view, m->rules.next_cursor);
}

static void
answer_grants(struct front *f, struct call *c, const struct msg *m)
{
	struct view_page view = {.lockdown = m->opened.lockdown};
	struct result r = {.data = data_grants};
	bool more;

	list_part(c, m);
	c->grants.left_out = (uint16_t)(c->grants.left_out + m->opened.left_out);
	more = c->grants.left_out > 0;
	/* Behind the planner's maximum there is no page, and behind one without an entry none that has any. */
	if (more && (c->shown == 0 || c->page.skip + c->shown >= SGW_LIST_LIMIT_MAX)) {
		view.left_out = c->grants.left_out;
		more = false;
	}
	list_send(f, c, &r, &view, more ? NULL : "");
}

void
result_answer(struct front *f, struct call *c, const struct msg *m)
{
	static const struct {
		enum msg_id id;
		void (*answer)(struct front *f, struct call *c, const struct msg *m);
	} rows[] = {
	    {MSG_CAPABILITIES, answer_capabilities},
	    {MSG_HEALTH, answer_health},
	    {MSG_PROFILE_VIEWS, answer_profiles},
	    {MSG_IP, answer_ip},
	    {MSG_CREDENTIALS, answer_credentials},
	    {MSG_GROUPS, answer_groups},
	    {MSG_RULES, answer_rules},
	    {MSG_ACCESS, answer_access},
	    {MSG_OPENED, answer_grants},
	    {MSG_RECEIPTS, answer_receipts},
	    {MSG_RECEIPT, answer_receipt},
	    {MSG_RECONCILED, answer_reconciled},
	    {MSG_DRIFT, answer_drift},
	    {MSG_CHANGE, answer_change},
	    {MSG_EXPLAINED, answer_explained},
	    {MSG_PLAN_STATUS, answer_plan_status},
	    {MSG_WITHDRAWN, answer_withdrawn},
	    {MSG_POLICY_IN_FORCE, answer_policy_in_force},
	    {MSG_KEYS, answer_keys},
	    {MSG_LOCKED, answer_locked},
	    {MSG_FAILED, answer_failed},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].id == m->id)
			rows[i].answer(f, c, m);
}
