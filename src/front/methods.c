/* SPDX-License-Identifier: Apache-2.0 */
/* What both eras have in common: tools/list, tools/call, who we are. */
#include <string.h>

#include "front.h"
#include "rpc.h"
#include "tools.h"

#define PAGE_BYTES 80000 /* of tools/list: a page ends behind the tool that passes it, none longer than 9,000 */

const char INSTRUCTIONS[] = "sgwarden asks a person before it opens anything in an AWS security "
			    "group. Changes are temporary: they are read on "
			    "a trusted screen and approved with a security key, never by this "
			    "client. Use whitelist_plan to see what would "
			    "happen, whitelist_add to ask, consent_status while it is pending. Do "
			    "not repeat a request that was denied.";

void
write_server_info(struct jw *w)
{
	jw_open(w, '{');
	jw_key_text(w, "name", "sgwarden");
	jw_key_text(w, "title", "sgwarden");
	jw_key_text(w, "version", SGW_VERSION);
	jw_close(w, '}');
}

void
write_capabilities(struct jw *w)
{
	jw_open(w, '{');
	jw_key(w, "tools");
	jw_open(w, '{');
	jw_close(w, '}');
	jw_close(w, '}');
}

/* Cut between two characters, so that it stays UTF-8. */
static void
append_claim(char *claimed, size_t size, const char *text)
{
	size_t at = strlen(claimed), len = strlen(text), room = size - 1 - at;

	if (len > room) {
		len = room;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(claimed + at, text, len);
	claimed[at + len] = 0;
}

void
client_claims(const cJSON *info, char *ret_claimed, size_t size)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(info, "name");
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(info, "version");

	ret_claimed[0] = 0;
	if (!cJSON_IsString(name))
		return;
	append_claim(ret_claimed, size, name->valuestring);
	if (!cJSON_IsString(version) || version->valuestring[0] == 0)
		return;
	append_claim(ret_claimed, size, " ");
	append_claim(ret_claimed, size, version->valuestring);
}

/* A cursor is the index of the next tool in the table; the empty one is the beginning. */
static bool
cursor_index(const struct front *f, const cJSON *params, size_t *ret_index)
{
	const cJSON *cursor = cJSON_GetObjectItemCaseSensitive(params, "cursor");
	size_t index = 0;

	*ret_index = 0;
	if (cursor == NULL)
		return true;
	if (!cJSON_IsString(cursor) || strlen(cursor->valuestring) > 3)
		return false;
	for (const char *p = cursor->valuestring; *p != 0; p++) {
		if (*p < '0' || *p > '9')
			return false;
		index = index * 10 + (size_t)(*p - '0');
	}
	*ret_index = index;
	if (cursor->valuestring[0] == 0)
		return true;
	return index > 0 && index < TOOLS_LEN && tool_visible(&TOOLS[index], f->admin);
}

void
method_tools_list(struct front *f, const struct request *r)
{
	struct reply reply;
	size_t i;

	if (!cursor_index(f, r->params, &i)) {
		reply_error(f, r->id, RPC_BAD_PARAMS,
		    "Invalid params: cursor is not one that this list gave");
		return;
	}
	reply_open(f, &reply, r->id, r->era);
	jw_key(&reply.w, "tools");
	jw_open(&reply.w, '[');
	for (; i < TOOLS_LEN && reply.b.len < PAGE_BYTES; i++)
		if (tool_visible(&TOOLS[i], f->admin))
			tool_describe(&reply.w, &TOOLS[i]);
	jw_close(&reply.w, ']');
	while (i < TOOLS_LEN && !tool_visible(&TOOLS[i], f->admin))
		i++;
	if (i < TOOLS_LEN) {
		jw_key(&reply.w, "nextCursor");
		buf_printf(&reply.b, "\"%zu\"", i);
		reply.w.comma = true;
	}
	if (r->era == ERA_MODERN) {
		jw_key_int(&reply.w, "ttlMs", 3600000);
		jw_key_text(&reply.w, "cacheScope", "private");
	}
	reply_close(f, &reply);
}

void
method_tools_call(struct front *f, const struct request *r)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(r->params, "name");
	const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(r->params, "arguments");
	const struct tool *tool;

	if (!cJSON_IsString(name)) {
		reply_error(f, r->id, RPC_BAD_PARAMS, "Invalid params: name must be a string");
		return;
	}
	tool = tool_find(name->valuestring, f->admin);
	if (tool == NULL) {
		reply_error(f, r->id, RPC_BAD_PARAMS, "Invalid params: unknown tool");
		return;
	}
	if (arguments != NULL && !cJSON_IsObject(arguments)) {
		reply_error(
		    f, r->id, RPC_BAD_PARAMS, "Invalid params: arguments must be an object");
		return;
	}
	if (r->token.at != NULL && (!json_slice_is_id(r->token) || r->token.len > CALL_ID_MAX)) {
		reply_error(f, r->id, RPC_BAD_PARAMS,
		    "Invalid params: progressToken must be a string or an integer of at most 256 "
		    "bytes");
		return;
	}
	calls_start(f, r, tool, arguments);
}
