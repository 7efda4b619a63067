/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls under way: made by the client, answered by the planner, forgotten on request. */
#include "calls.h"

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/errors.h>
#include <sgwarden/log.h>

#include "front.h"
#include "list.h"
#include "results.h"
#include "rpc.h"

#define PROGRESS_MS 1000 /* between two notifications of one stage */

static struct json_slice
slice_of(const struct call_id *id)
{
	return (struct json_slice){id->text, id->len};
}

static struct call_id
id_of(struct json_slice slice)
{
	struct call_id id = {0};

	if (slice.len > 0 && slice.len <= sizeof(id.text)) {
		memcpy(id.text, slice.at, slice.len);
		id.len = slice.len;
	}
	return id;
}

static size_t
count(const struct calls *calls, enum call_kind kind, bool changes_only)
{
	size_t n = 0;

	for (size_t i = 0; i < calls->top; i++) {
		const struct call *c = &calls->rows[i];

		n += c->kind == kind && (!changes_only || c->tool->change);
	}
	return n;
}

bool
calls_have_room(const struct calls *calls)
{
	return calls->top < CALLS_MAX || count(calls, CALL_FREE, false) > 0;
}

bool
calls_pending(const struct calls *calls)
{
	return count(calls, CALL_TOOL, false) > 0;
}

bool
calls_reads_pending(const struct calls *calls)
{
	return count(calls, CALL_TOOL, false) > count(calls, CALL_TOOL, true);
}

static const struct call *
by_id(const struct calls *calls, struct json_slice id)
{
	for (size_t i = 0; i < calls->top; i++) {
		const struct call *c = &calls->rows[i];

		if (c->kind != CALL_FREE && json_slice_equal(slice_of(&c->id), id))
			return c;
	}
	return NULL;
}

bool
calls_id_in_use(const struct calls *calls, struct json_slice id)
{
	return by_id(calls, id) != NULL;
}

/* The main loop reads no line while there is no room, so there is some.  The id and the token have been looked at. */
static struct call *
call_new(struct front *f, const struct request *r, enum call_kind kind, struct json_slice token)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct call *c = &f->calls.rows[i];

		if (c->kind != CALL_FREE)
			continue;
		if (i >= f->calls.top)
			f->calls.top = i + 1;
		c->kind = kind;
		c->request = ++f->calls.last;
		c->modern = r->era == ERA_MODERN;
		c->tool = NULL;
		c->id = id_of(r->id);
		c->token = id_of(token);
		c->progress = 0;
		c->narrowed = false;
		c->page = (struct page){0};
		c->skip = 0;
		c->shown = 0;
		c->cut = false;
		c->cost = 0;
		c->costed = 0;
		c->part = buf_over(f->calls.items[i], sizeof(f->calls.items[i]));
		return c;
	}
	return NULL;
}

static void
call_free(struct calls *calls, struct call *c)
{
	c->kind = CALL_FREE;
	while (calls->top > 0 && calls->rows[calls->top - 1].kind == CALL_FREE)
		calls->top--;
}

/* ---- beginning ---- */

/* One change more: the bucket fills by one in CALLS_REFILL_MS. */
static bool
bucket_take(struct calls *calls)
{
	int64_t now = clock_monotonic(), earned = (now - calls->tokens_time) / CALLS_REFILL_MS;

	if (earned >= CALLS_BURST - (int64_t)calls->tokens) {
		calls->tokens = CALLS_BURST;
		calls->tokens_time = now;
	} else if (earned > 0) {
		calls->tokens += (unsigned)earned;
		calls->tokens_time += earned * CALLS_REFILL_MS;
	}
	if (calls->tokens == 0)
		return false;
	calls->tokens--;
	return true;
}

/*
 * "12:abc": how many entries of the planner's page at "abc" were shown already.  Such a page has no more of them than
 * the call's limit; that of drift, which counts groups, has as many as their rules.
 */
static bool
page_parse(const struct tool *tool, const char *cursor, struct page *ret_page)
{
	unsigned skip_max = tool->answer == MSG_DRIFT ? UINT16_MAX : SGW_LIST_LIMIT_MAX - 1;
	size_t digits = strspn(cursor, "0123456789");
	unsigned skip = 0;

	*ret_page = (struct page){0};
	if (cursor[0] == 0)
		return true;
	if (digits == 0 || digits > 5 || cursor[digits] != ':')
		return false;
	for (size_t i = 0; i < digits; i++)
		skip = skip * 10 + (unsigned)(cursor[i] - '0');
	ret_page->skip = (uint16_t)skip;
	return skip <= skip_max && FIELD_SET(ret_page->cursor, cursor + digits + 1);
}

/* The question for the planner in f->msg, or what is wrong with the arguments. */
static bool
question(struct front *f, const struct request *r, struct call *c, const cJSON *arguments,
    struct complaint *complaint)
{
	char claimed[SGW_CLAIMED_MAX + 1];
	struct args args;
	struct asker who = {
	    .request = c->request, .progress = c->token.len > 0, .claimed = f->claimed};

	if (!args_decode(c->tool->uses, arguments, &args, complaint))
		return false;
	if (!page_parse(c->tool, args.cursor, &who.page))
		return complain(complaint, SGW_ERR_BAD_CURSOR, "");
	if (c->modern) {
		client_claims(cJSON_GetObjectItemCaseSensitive(r->meta, META_CLIENT), claimed,
		    sizeof(claimed));
		who.claimed = claimed;
	}
	c->page = who.page;
	c->skip = who.page.skip;
	if (c->tool->answer == MSG_OPENED && !list_grants_begin(c, args.limit))
		return complain(complaint, SGW_ERR_BAD_CURSOR, "");
	c->narrowed = args.ip_host_bits;
	c->ip = args.ip;
	if (!c->tool->ask(&args, &who, &f->msg, complaint)) {
		if (complaint->error == SGW_ERR_NONE)
			complain(complaint, SGW_ERR_BAD_ARGUMENT, "an argument is too long");
		return false;
	}
	return true;
}

static bool
may_change(struct front *f, struct complaint *complaint)
{
	if (count(&f->calls, CALL_TOOL, true) > CALLS_CHANGES_MAX)
		return complain(
		    complaint, SGW_ERR_BUSY, "too many changes of this client wait already");
	if (!bucket_take(&f->calls))
		return complain(complaint, SGW_ERR_RATE_LIMITED, "");
	return true;
}

void
calls_start(
    struct front *f, const struct request *r, const struct tool *tool, const cJSON *arguments)
{
	struct complaint complaint = {0};
	struct call *c = call_new(f, r, CALL_TOOL, r->token);

	if (c == NULL) {
		reply_error(f, r->id, RPC_INTERNAL, "Internal error: too many calls");
		return;
	}
	c->tool = tool;
	if (question(f, r, c, arguments, &complaint) &&
	    (!tool->change || may_change(f, &complaint))) {
		if (chan_send(&f->planner, f->scratch, &f->msg, -1, false) == 0)
			return;
		complain(&complaint, SGW_ERR_RESTARTED, "");
	}
	result_complaint(f, c, &complaint);
	call_free(&f->calls, c);
}

/* It never ends by itself, so there is no progress to tell, whatever token there is. */
bool
calls_listen(struct front *f, const struct request *r)
{
	if (count(&f->calls, CALL_LISTEN, false) >= CALLS_LISTENS_MAX)
		return false;
	return call_new(f, r, CALL_LISTEN, (struct json_slice){0}) != NULL;
}

/* ---- ending ---- */

static struct call *
by_request(struct calls *calls, uint32_t request)
{
	for (size_t i = 0; i < calls->top; i++)
		if (calls->rows[i].kind == CALL_TOOL && calls->rows[i].request == request)
			return &calls->rows[i];
	return NULL;
}

void
calls_cancel(struct front *f, struct json_slice id)
{
	for (size_t i = 0; i < f->calls.top; i++) {
		struct call *c = &f->calls.rows[i];

		if (c->kind == CALL_FREE || !json_slice_equal(slice_of(&c->id), id))
			continue;
		if (c->kind == CALL_TOOL) {
			f->msg.id = MSG_ASK_FORGET;
			f->msg.ask_forget = (struct msg_ask_forget){.request = c->request};
			(void)chan_send(&f->planner, f->scratch, &f->msg, -1, false);
		}
		call_free(&f->calls, c);
		return;
	}
}

static void
progress(struct front *f, struct call *c, const struct msg_progress *m)
{
	int64_t now = clock_monotonic();
	char space[160];
	struct reply reply;

	if (c->token.len == 0)
		return;
	if (c->progress > 0 && c->stage == m->stage && now - c->stage_time < PROGRESS_MS)
		return;
	c->stage = m->stage;
	c->stage_time = now;
	c->progress++;
	reply_open_notification(f, &reply, "notifications/progress");
	jw_key(&reply.w, "progressToken");
	jw_raw(&reply.w, c->token.text, c->token.len);
	jw_key_int(&reply.w, "progress", c->progress);
	jw_key_text(
	    &reply.w, "message", stage_sentence(m->stage, m->seconds_left, space, sizeof(space)));
	reply_close(f, &reply);
}

int
calls_answer(struct front *f, const struct msg *m)
{
	/* Every message from planner to front begins with the call's number. */
	struct call *c = by_request(&f->calls, m->failed.request);

	if (c == NULL)
		return 0; /* cancelled a moment ago */
	if (m->id == MSG_PROGRESS) {
		progress(f, c, &m->progress);
		return 0;
	}
	if (m->id != MSG_FAILED && m->id != c->tool->answer) {
		log_error(
		    "the planner answered %s with message 0x%04x", c->tool->name, (unsigned)m->id);
		return -1;
	}
	if (list_goes_on(m)) {
		list_part(c, m);
		return 0;
	}
	result_answer(f, c, m);
	call_free(&f->calls, c);
	return 0;
}

void
calls_end(struct front *f)
{
	struct complaint complaint = {.error = SGW_ERR_RESTARTED};

	for (size_t i = 0; i < f->calls.top; i++) {
		struct call *c = &f->calls.rows[i];
		struct reply reply;

		if (c->kind == CALL_TOOL) {
			result_complaint(f, c, &complaint);
		} else if (c->kind == CALL_LISTEN) {
			reply_open_listen_end(f, &reply, slice_of(&c->id));
			reply_close(f, &reply);
		}
		c->kind = CALL_FREE;
	}
	f->calls.top = 0;
}
