/* SPDX-License-Identifier: Apache-2.0 */
/* From a line to a method: the strict layer, JSON-RPC's shape, the era, the row of the method's table. */
#include "rpc.h"

#include <string.h>

#include "front.h"

static const struct json_slice NO_ID;

/*
 * 2025-03-26 is left out on purpose: it alone demands that batches be taken, and whoever asks for it is answered with
 * 2025-11-25.
 */
const struct version VERSIONS[] = {
    {"2026-07-28", ERA_MODERN},
    {"2025-11-25", ERA_LEGACY},
    {"2025-06-18", ERA_LEGACY},
    {"2024-11-05", ERA_LEGACY},
};
const size_t VERSIONS_LEN = sizeof(VERSIONS) / sizeof(VERSIONS[0]);

static const cJSON *
member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* The rule that is asked for each message anew; 0: neither era can be seen. */
static unsigned
era_of(const struct front *f, const struct request *r)
{
	if (r->meta != NULL && member(r->meta, META_VERSION) != NULL)
		return ERA_MODERN;
	if (strcmp(r->method, "server/discover") == 0 ||
	    strcmp(r->method, "subscriptions/listen") == 0)
		return ERA_MODERN;
	if (f->handshake || strcmp(r->method, "initialize") == 0 || strcmp(r->method, "ping") == 0)
		return ERA_LEGACY;
	return 0;
}

static void
run_request(struct front *f, struct request *r)
{
	const struct method *row;

	r->era = era_of(f, r);
	if (r->era == 0) {
		reply_error(f, r->id, RPC_BAD_PARAMS,
		    "Invalid params: params._meta lacks io.modelcontextprotocol/protocolVersion; "
		    "or send "
		    "initialize first");
		return;
	}
	if (r->era == ERA_MODERN && !modern_meta_ok(f, r))
		return;
	row = r->era == ERA_MODERN ? MODERN_METHODS : LEGACY_METHODS;
	while (row->name != NULL && strcmp(row->name, r->method) != 0)
		row++;
	if (row->name != NULL)
		row->run(f, r);
	else
		reply_error(f, r->id, RPC_NO_METHOD, "Method not found");
}

/* Notifications are never answered; those that mean nothing to us are ignored. */
static void
run_notification(struct front *f, const struct request *r)
{
	if (strcmp(r->method, "notifications/cancelled") == 0)
		calls_cancel(f, r->cancel);
}

static bool
id_ok(struct json_slice id)
{
	return json_slice_is_id(id) && id.len <= CALL_ID_MAX;
}

static void
run_message(struct front *f, const cJSON *root, const struct json_ids *ids)
{
	const cJSON *version = member(root, "jsonrpc"), *method = member(root, "method");
	const cJSON *params = member(root, "params");
	struct request r = {.id = ids->id, .cancel = ids->request_id, .token = ids->progress_token};
	struct json_slice known = id_ok(r.id) ? r.id : NO_ID;

	if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0) {
		reply_error(
		    f, known, RPC_INVALID_REQUEST, "Invalid request: jsonrpc must be \"2.0\"");
		return;
	}
	/* An answer: we never ask clients anything, so it is forged or late. */
	if (method == NULL && (member(root, "result") != NULL || member(root, "error") != NULL))
		return;
	if (!cJSON_IsString(method)) {
		reply_error(
		    f, known, RPC_INVALID_REQUEST, "Invalid request: method must be a string");
		return;
	}
	if (r.id.at != NULL && known.at == NULL) {
		reply_error(f, NO_ID, RPC_INVALID_REQUEST,
		    "Invalid request: id must be a string or an integer of at most 256 bytes");
		return;
	}
	r.method = method->valuestring;
	r.params = cJSON_IsObject(params) ? params : NULL;
	r.meta = r.params ? member(r.params, "_meta") : NULL;
	r.meta = cJSON_IsObject(r.meta) ? r.meta : NULL;
	if (r.id.at == NULL)
		run_notification(f, &r);
	else if (params != NULL && r.params == NULL)
		reply_error(f, r.id, RPC_BAD_PARAMS, "Invalid params: params must be an object");
	else if (calls_id_in_use(&f->calls, r.id))
		reply_error(
		    f, NO_ID, RPC_INVALID_REQUEST, "Invalid request: this id is under way already");
	else
		run_request(f, &r);
}

void
rpc_refuse_line(struct front *f, enum json_problem problem)
{
	reply_error(f, NO_ID, json_problem_code(problem), json_problem_text(problem));
}

void
rpc_line(struct front *f, const char *line, size_t len)
{
	struct json_ids ids;
	enum json_problem problem = json_check(line, len, &f->json, &ids);
	cJSON *root;

	if (problem != JSON_OK) {
		rpc_refuse_line(f, problem);
		return;
	}
	root = cJSON_ParseWithLengthOpts(line, len, NULL, 0);
	if (root == NULL)
		reply_error(f, NO_ID, RPC_INTERNAL, "Internal error: no memory for this line");
	else if (cJSON_IsArray(root))
		reply_error(
		    f, NO_ID, RPC_INVALID_REQUEST, "Invalid request: batches are not accepted");
	else if (!cJSON_IsObject(root))
		reply_error(
		    f, NO_ID, RPC_INVALID_REQUEST, "Invalid request: a message is an object");
	else
		run_message(f, root, &ids);
	cJSON_Delete(root);
}
