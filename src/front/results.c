/* SPDX-License-Identifier: Apache-2.0 */
/* From the planner's answers to results, within SGW_REPLY_MAX. */
#include "results.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

#include "front.h"
#include "list.h"
#include "rpc.h"

#define FRAME_MAX 2048 /* bytes of a reply around the two copies of the result, ids included */
#define POLL_MS 2000   /* how soon a pending plan may be asked for again */

#define WARNINGS_MAX 4

struct result {
	enum status status;
	bool is_error;
	const char *profile, *account, *region; /* or NULL */
	uint16_t error;                         /* SGW_ERR_NONE: none */
	const char *field, *detail;             /* or NULL */
	const char *warnings[WARNINGS_MAX];
	unsigned n_warnings;
	void (*data)(struct jw *w, const void *view); /* or NULL */
	const void *view;
};

/* ---- the envelope ---- */

static void
maybe_text(struct jw *w, const char *key, const char *text)
{
	if (text != NULL && text[0] != 0)
		jw_key_text(w, key, text);
}

static void
put_error(struct jw *w, const struct result *r)
{
	const struct error_row *row = error_row(r->error);
	char message[SGW_DETAIL_MAX + 160];
	bool more = r->detail != NULL && r->detail[0] != 0;

	snprintf(message, sizeof(message), "%s%s%s", row->message, more ? ": " : "",
	    more ? r->detail : "");
	jw_key(w, "error");
	jw_open(w, '{');
	jw_key_text(w, "code", row->name);
	jw_key_text(w, "message", message);
	maybe_text(w, "field", r->field);
	jw_key_bool(w, "retryable", row->retryable);
	jw_key_text(w, "next_step", row->next_step);
	jw_close(w, '}');
}

static void
put_warnings(struct jw *w, const struct call *c, const struct result *r)
{
	jw_key(w, "warnings");
	jw_open(w, '[');
	if (c->narrowed) {
		char cidr[CIDR_TEXT_LEN], text[CIDR_TEXT_LEN + 64];

		cidr_format(&c->ip, cidr);
		snprintf(
		    text, sizeof(text), "bits behind the prefix were set: it is taken as %s", cidr);
		jw_text(w, text);
	}
	for (unsigned i = 0; i < r->n_warnings; i++)
		jw_text(w, r->warnings[i]);
	jw_close(w, ']');
}

/* The structured content into f->work; false where it would make the reply too long. */
static bool
build(struct front *f, const struct call *c, const struct result *r, struct buf *ret_b)
{
	char request_id[32];
	struct jw w;

	*ret_b = buf_over(f->work, sizeof(f->work));
	w = jw_over(ret_b);
	snprintf(request_id, sizeof(request_id), "c%u-%u", f->number, c->request);
	jw_open(&w, '{');
	jw_key_text(&w, "status", status_name(r->status));
	jw_key_text(&w, "request_id", request_id);
	maybe_text(&w, "profile", r->profile);
	maybe_text(&w, "account_id", r->account);
	maybe_text(&w, "region", r->region);
	if (r->data != NULL) {
		jw_key(&w, "data");
		r->data(&w, r->view);
	}
	put_warnings(&w, c, r);
	if (r->error != SGW_ERR_NONE)
		put_error(&w, r);
	jw_close(&w, '}');
	return !ret_b->failed && jw_fits_twice(ret_b->data, ret_b->len, SGW_REPLY_MAX - FRAME_MAX);
}

static void
send_built(struct front *f, const struct call *c, const struct buf *built, bool is_error)
{
	struct json_slice id = {c->id.text, c->id.len};
	const char *json = (const char *)built->data;
	struct reply reply;

	reply_open(f, &reply, id, c->modern ? ERA_MODERN : ERA_LEGACY);
	jw_key(&reply.w, "content");
	jw_open(&reply.w, '[');
	jw_open(&reply.w, '{');
	jw_key_text(&reply.w, "type", "text");
	jw_key(&reply.w, "text");
	jw_chars(&reply.w, json, built->len);
	jw_close(&reply.w, '}');
	jw_close(&reply.w, ']');
	jw_key(&reply.w, "structuredContent");
	jw_raw(&reply.w, json, built->len);
	jw_key_bool(&reply.w, "isError", is_error);
	reply_close(f, &reply);
}

static void
result_send(struct front *f, const struct call *c, const struct result *r)
{
	struct result too_long = {.status = STATUS_FAILED,
	    .is_error = true,
	    .error = SGW_ERR_INTERNAL,
	    .detail = "the answer is too long"};
	struct buf built;
	bool is_error = r->is_error;

	if (!build(f, c, r, &built)) {
		(void)build(f, c, &too_long, &built);
		is_error = true;
	}
	send_built(f, c, &built, is_error);
}

/* The status that goes with an error, by the exit code the command line gives it. */
static enum status
status_of(uint16_t error)
{
	switch (error_row(error)->exit_status) {
	case 3:
		return STATUS_REFUSED;
	case 4:
		return STATUS_DENIED;
	case 5:
		return STATUS_EXPIRED;
	case 6:
		return STATUS_AMBIGUOUS;
	default:
		return STATUS_FAILED;
	}
}

void
result_complaint(struct front *f, const struct call *c, const struct complaint *complaint)
{
	struct result r = {.status = status_of(complaint->error),
	    .is_error = true,
	    .error = complaint->error,
	    .field = complaint->field,
	    .detail = complaint->detail};

	result_send(f, c, &r);
}

/* ---- one function for each answer ---- */

#define DATA(name, type)                                                                           \
	static void data_##name(struct jw *w, const void *view)                                    \
	{                                                                                          \
		const type *v = view;                                                              \
                                                                                                   \
		out_##name(w, v);                                                                  \
	}

DATA(capabilities, struct view_capabilities)
DATA(health, struct msg_health)
DATA(profiles, struct msg_profile_views)
DATA(credentials, struct msg_credentials)
DATA(groups, struct view_page)
DATA(rules, struct view_page)
DATA(access, struct msg_access)
DATA(grants, struct view_page)
DATA(change, struct view_change)
DATA(plan_status, struct view_status)
DATA(withdrawn, struct msg_withdrawn)
DATA(keys, struct msg_keys)

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
	struct result r = {.data = data_profiles, .view = &m->profile_views};

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
		r.status = status_of(r.error);
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
	struct buf built;

	if (change->status == STATUS_OK && closes_something(change))
		r.warnings[r.n_warnings++] = "connections that are established already are not cut";
	/* What is to be said of a success or of a plan is no error. */
	if (change->error == SGW_ERR_NONE && change->detail[0] != 0)
		r.warnings[r.n_warnings++] = change->detail;
	if (build(f, c, &r, &built)) {
		send_built(f, c, &built, r.is_error);
		return;
	}
	view.preview = "";
	r.warnings[r.n_warnings++] =
	    "the preview of the consent text was left out: the answer would be too long";
	result_send(f, c, &r);
}

/* Asking where a plan stands succeeds even where the plan did not: what became of it is data here. */
static void
answer_plan_status(struct front *f, struct call *c, const struct msg *m)
{
	const struct msg_plan_status *status = &m->plan_status;
	bool pending = status->stage != STAGE_DONE;
	char space[160];
	struct view_status view = {.m = status,
	    .waiting_for =
		pending ? stage_sentence(status->stage, status->seconds_left, space, sizeof(space))
			: "",
	    .poll_after_ms = pending ? POLL_MS : 0};
	struct result r = {.status = pending ? STATUS_PENDING_CONSENT : status->status,
	    .error = pending ? SGW_ERR_NONE : status->error,
	    .detail = status->detail,
	    .data = data_plan_status,
	    .view = &view};

	result_send(f, c, &r);
}

/* ---- lists ---- */

static void
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
	struct view_page view = {.group_id = m->rules.group_id};
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
	struct view_page view = {0};
	struct result r = {.data = data_grants};
	bool more = m->opened.left_out > 0;

	list_part(c, m);
	/* Behind the planner's maximum there is no page. */
	if (more && c->page.skip + c->shown >= SGW_LIST_LIMIT_MAX) {
		view.left_out = m->opened.left_out;
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
	    {MSG_CREDENTIALS, answer_credentials},
	    {MSG_GROUPS, answer_groups},
	    {MSG_RULES, answer_rules},
	    {MSG_ACCESS, answer_access},
	    {MSG_OPENED, answer_grants},
	    {MSG_CHANGE, answer_change},
	    {MSG_PLAN_STATUS, answer_plan_status},
	    {MSG_WITHDRAWN, answer_withdrawn},
	    {MSG_KEYS, answer_keys},
	    {MSG_FAILED, answer_failed},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].id == m->id)
			rows[i].answer(f, c, m);
}
