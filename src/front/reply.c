/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes of what goes to the client: results, errors, notifications. */
#include "front.h"
#include "rpc.h"

static const struct json_slice NO_ID;

static void
open_message(struct front *f, struct reply *r, struct json_slice id)
{
	r->b = client_begin(&f->client);
	r->w = jw_over(&r->b);
	r->id = id;
	jw_open(&r->w, '{');
	jw_key_text(&r->w, "jsonrpc", "2.0");
	if (id.at == NULL)
		return;
	jw_key(&r->w, "id");
	jw_raw(&r->w, id.at, id.len);
}

static void
put_meta(struct jw *w, struct json_slice subscription)
{
	jw_key_text(w, "resultType", "complete");
	jw_key(w, "_meta");
	jw_open(w, '{');
	jw_key(w, META_SERVER);
	write_server_info(w);
	if (subscription.at != NULL) {
		jw_key(w, META_SUBSCRIPTION);
		jw_raw(w, subscription.at, subscription.len);
	}
	jw_close(w, '}');
}

void
reply_open(struct front *f, struct reply *r, struct json_slice id, unsigned era)
{
	open_message(f, r, id);
	jw_key(&r->w, "result");
	jw_open(&r->w, '{');
	if (era == ERA_MODERN)
		put_meta(&r->w, NO_ID);
}

void
reply_open_listen_end(struct front *f, struct reply *r, struct json_slice id)
{
	open_message(f, r, id);
	jw_key(&r->w, "result");
	jw_open(&r->w, '{');
	put_meta(&r->w, id);
}

void
reply_open_notification(struct front *f, struct reply *r, const char *method)
{
	open_message(f, r, NO_ID);
	jw_key_text(&r->w, "method", method);
	jw_key(&r->w, "params");
	jw_open(&r->w, '{');
}

void
reply_close(struct front *f, struct reply *r)
{
	jw_close(&r->w, '}');
	jw_close(&r->w, '}');
	if (!client_commit(&f->client, &r->b) && r->id.at != NULL)
		reply_error(f, r->id, RPC_INTERNAL, "Internal error: the answer is too long");
}

static void
open_error(struct front *f, struct reply *r, struct json_slice id, int code, const char *message)
{
	open_message(f, r, id);
	jw_key(&r->w, "error");
	jw_open(&r->w, '{');
	jw_key_int(&r->w, "code", code);
	jw_key_text(&r->w, "message", message);
}

/* An error is short: it does not fit only where the queue is full, and then the client has lost its turn. */
static void
close_error(struct front *f, struct reply *r)
{
	jw_close(&r->w, '}');
	jw_close(&r->w, '}');
	(void)client_commit(&f->client, &r->b);
}

void
reply_error(struct front *f, struct json_slice id, int code, const char *message)
{
	struct reply r;

	open_error(f, &r, id, code, message);
	close_error(f, &r);
}

void
reply_bad_version(struct front *f, struct json_slice id, const char *requested)
{
	struct reply r;

	open_error(f, &r, id, RPC_BAD_VERSION, "Unsupported protocol version");
	jw_key(&r.w, "data");
	jw_open(&r.w, '{');
	jw_key(&r.w, "supported");
	write_modern_versions(&r.w);
	jw_key(&r.w, "requested");
	jw_vis(&r.w, requested);
	jw_close(&r.w, '}');
	close_error(f, &r);
}
