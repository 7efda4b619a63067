/* SPDX-License-Identifier: Apache-2.0 */
/* The stateless era: 2026-07-28. */
#include <string.h>

#include "front.h"
#include "rpc.h"

static bool
version_supported(const char *requested)
{
	for (size_t i = 0; i < VERSIONS_LEN; i++)
		if (VERSIONS[i].era == ERA_MODERN && strcmp(VERSIONS[i].name, requested) == 0)
			return true;
	return false;
}

void
write_modern_versions(struct jw *w)
{
	jw_open(w, '[');
	for (size_t i = 0; i < VERSIONS_LEN; i++)
		if (VERSIONS[i].era == ERA_MODERN)
			jw_text(w, VERSIONS[i].name);
	jw_close(w, ']');
}

bool
modern_meta_ok(struct front *f, const struct request *r)
{
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(r->meta, META_VERSION);
	const cJSON *capabilities = cJSON_GetObjectItemCaseSensitive(r->meta, META_CAPABILITIES);

	if (!cJSON_IsString(version)) {
		reply_error(f, r->id, RPC_BAD_PARAMS,
		    "Invalid params: params._meta needs io.modelcontextprotocol/protocolVersion, a "
		    "string");
		return false;
	}
	if (!version_supported(version->valuestring)) {
		reply_bad_version(f, r->id, version->valuestring);
		return false;
	}
	if (!cJSON_IsObject(capabilities)) {
		reply_error(f, r->id, RPC_BAD_PARAMS,
		    "Invalid params: params._meta needs "
		    "io.modelcontextprotocol/clientCapabilities, an object");
		return false;
	}
	return true;
}

static void
run_discover(struct front *f, const struct request *r)
{
	struct reply reply;

	reply_open(f, &reply, r->id, r->era);
	jw_key(&reply.w, "supportedVersions");
	write_modern_versions(&reply.w);
	jw_key(&reply.w, "capabilities");
	write_capabilities(&reply.w);
	jw_key_int(&reply.w, "ttlMs", 3600000);
	jw_key_text(&reply.w, "cacheScope", "private");
	jw_key_text(&reply.w, "instructions", INSTRUCTIONS);
	reply_close(f, &reply);
}

/* Nothing here ever changes, so the honoured subset of what is asked for is empty; the stream stays open. */
static void
run_listen(struct front *f, const struct request *r)
{
	struct reply reply;

	if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(r->params, "notifications"))) {
		reply_error(
		    f, r->id, RPC_BAD_PARAMS, "Invalid params: notifications must be an object");
		return;
	}
	if (!calls_listen(f, r)) {
		reply_error(
		    f, r->id, RPC_BAD_PARAMS, "Invalid params: too many subscriptions are open");
		return;
	}
	reply_open_notification(f, &reply, "notifications/subscriptions/acknowledged");
	jw_key(&reply.w, "_meta");
	jw_open(&reply.w, '{');
	jw_key(&reply.w, META_SUBSCRIPTION);
	jw_raw(&reply.w, r->id.at, r->id.len);
	jw_close(&reply.w, '}');
	jw_key(&reply.w, "notifications");
	jw_open(&reply.w, '{');
	jw_close(&reply.w, '}');
	reply_close(f, &reply);
}

const struct method MODERN_METHODS[] = {
    {"server/discover", run_discover},
    {"subscriptions/listen", run_listen},
    {"tools/list", method_tools_list},
    {"tools/call", method_tools_call},
    {NULL, NULL},
};
