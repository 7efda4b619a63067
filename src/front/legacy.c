/* SPDX-License-Identifier: Apache-2.0 */
/* The era of initialize: 2024-11-05 to 2025-11-25. */
#include <string.h>

#include "front.h"
#include "rpc.h"

/* The version asked for where it is one of this era's, else the newest of this era. */
static const char *
version_for(const char *requested)
{
	const char *newest = NULL;

	for (size_t i = 0; i < VERSIONS_LEN; i++) {
		if (VERSIONS[i].era != ERA_LEGACY)
			continue;
		if (strcmp(VERSIONS[i].name, requested) == 0)
			return VERSIONS[i].name;
		if (newest == NULL)
			newest = VERSIONS[i].name;
	}
	return newest;
}

static bool
implementation_ok(const cJSON *info)
{
	return cJSON_IsObject(info) &&
	       cJSON_IsString(cJSON_GetObjectItemCaseSensitive(info, "name")) &&
	       cJSON_IsString(cJSON_GetObjectItemCaseSensitive(info, "version"));
}

static void
run_initialize(struct front *f, const struct request *r)
{
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(r->params, "protocolVersion");
	const cJSON *info = cJSON_GetObjectItemCaseSensitive(r->params, "clientInfo");
	const cJSON *capabilities = cJSON_GetObjectItemCaseSensitive(r->params, "capabilities");
	struct reply reply;

	if (!cJSON_IsString(version) || !cJSON_IsObject(capabilities) || !implementation_ok(info)) {
		reply_error(f, r->id, RPC_BAD_PARAMS,
		    "Invalid params: initialize needs protocolVersion, capabilities and clientInfo "
		    "with name and "
		    "version");
		return;
	}
	f->handshake = true;
	client_claims(info, f->claimed, sizeof(f->claimed));
	reply_open(f, &reply, r->id, r->era);
	jw_key_text(&reply.w, "protocolVersion", version_for(version->valuestring));
	jw_key(&reply.w, "capabilities");
	write_capabilities(&reply.w);
	jw_key(&reply.w, "serverInfo");
	write_server_info(&reply.w);
	jw_key_text(&reply.w, "instructions", INSTRUCTIONS);
	reply_close(f, &reply);
}

static void
run_ping(struct front *f, const struct request *r)
{
	struct reply reply;

	reply_open(f, &reply, r->id, r->era);
	reply_close(f, &reply);
}

const struct method LEGACY_METHODS[] = {
    {"initialize", run_initialize},
    {"ping", run_ping},
    {"tools/list", method_tools_list},
    {"tools/call", method_tools_call},
    {NULL, NULL},
};
