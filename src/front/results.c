/* SPDX-License-Identifier: Apache-2.0 */
/* The envelope around a result, within SGW_REPLY_MAX. */
#include "envelope.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

#include "front.h"
#include "results.h"
#include "rpc.h"

#define FRAME_MAX 2048 /* bytes of a reply around the two copies of the result, ids included */

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

static void
put_request_id(struct jw *w, uint32_t client, uint32_t request)
{
	char text[32];
	struct buf b = buf_over(text, sizeof(text));

	buf_put_u8(&b, 'c');
	buf_put_decimal(&b, client);
	buf_put_u8(&b, '-');
	buf_put_decimal(&b, request);
	jw_chars(w, text, b.len);
}

/* The structured content into f->work; false where it would make the reply too long. */
static bool
build(struct front *f, const struct call *c, const struct result *r, struct buf *ret_b)
{
	struct jw w;

	*ret_b = buf_over(f->work, sizeof(f->work));
	w = jw_over(ret_b);
	jw_open(&w, '{');
	jw_key_text(&w, "status", status_name(r->status));
	jw_key(&w, "request_id");
	put_request_id(&w, f->number, c->request);
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
	jw_json(&reply.w, json, built->len);
	jw_close(&reply.w, '}');
	jw_close(&reply.w, ']');
	jw_key(&reply.w, "structuredContent");
	jw_raw(&reply.w, json, built->len);
	jw_key_bool(&reply.w, "isError", is_error);
	reply_close(f, &reply);
}

bool
result_try(struct front *f, const struct call *c, const struct result *r)
{
	struct buf built;

	if (!build(f, c, r, &built))
		return false;
	send_built(f, c, &built, r->is_error);
	return true;
}

void
result_send(struct front *f, const struct call *c, const struct result *r)
{
	struct result too_long = {.status = STATUS_FAILED,
	    .is_error = true,
	    .error = SGW_ERR_INTERNAL,
	    .detail = "the answer is too long"};

	if (!result_try(f, c, r))
		(void)result_try(f, c, &too_long);
}

enum status
result_status(uint16_t error)
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
	struct result r = {.status = result_status(complaint->error),
	    .is_error = true,
	    .error = complaint->error,
	    .field = complaint->field,
	    .detail = complaint->detail};

	result_send(f, c, &r);
}
