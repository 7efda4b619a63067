/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC lines to and from a front, through two pipes that are handed to it as `sgwarden mcp` hands its own. */
#include "mcp_client.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/limits.h>

#define PROTOCOL "2026-07-28"
#define RPC_INTERNAL (-32603) /* JSON-RPC's code for what is not the caller's fault */
#define SILENCE_MS                                                                                 \
	300000 /* longer than any ceremony: a front that says nothing for so long is stuck */

int
mcp_client_open(const struct args *args, const char *name, struct mcp_client *ret_client)
{
	struct mcp_client c = {.connection = -1};
	int in[2], out[2], handed[2], status = 0;

	c.connection =
	    name ? daemon_connect(args, name, &status) : daemon_connect_person(args, &status);
	if (c.connection < 0)
		return status;
	signal(SIGPIPE, SIG_IGN);
	c.line = malloc(SGW_JSON_LINE_MAX);
	if (!c.line || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return out_error(args, SGW_ERR_INTERNAL, NULL, "%s", strerror(errno));
	handed[0] = in[0];
	handed[1] = out[1];
	c.to = in[1];
	c.from = out[0];
	if (daemon_hand_over(c.connection, 'm', handed, 2) < 0)
		status =
		    out_error(args, SGW_ERR_RESTARTED, NULL, "the daemon closed the connection");
	close(in[0]);
	close(out[1]);
	*ret_client = c;
	if (status != 0)
		mcp_client_close(ret_client);
	return status;
}

void
mcp_client_close(struct mcp_client *client)
{
	close(client->to);
	close(client->from);
	close(client->connection);
	free(client->line);
}

const char *
json_text(const cJSON *object, const char *key)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsString(member) ? member->valuestring : "";
}

const char *
mcp_status(const cJSON *envelope)
{
	return json_text(envelope, "status");
}

/* ---- one line out ---- */

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static cJSON *
request(int id, const char *tool, cJSON *arguments, bool progress)
{
	cJSON *r = cJSON_CreateObject(), *params = cJSON_AddObjectToObject(r, "params");
	cJSON *meta = cJSON_AddObjectToObject(params, "_meta"), *info;

	cJSON_AddStringToObject(r, "jsonrpc", "2.0");
	cJSON_AddNumberToObject(r, "id", id);
	cJSON_AddStringToObject(r, "method", "tools/call");
	cJSON_AddStringToObject(params, "name", tool);
	cJSON_AddItemToObject(params, "arguments", arguments ? arguments : cJSON_CreateObject());
	cJSON_AddStringToObject(meta, "io.modelcontextprotocol/protocolVersion", PROTOCOL);
	cJSON_AddObjectToObject(meta, "io.modelcontextprotocol/clientCapabilities");
	info = cJSON_AddObjectToObject(meta, "io.modelcontextprotocol/clientInfo");
	cJSON_AddStringToObject(info, "name", "sgwarden");
	cJSON_AddStringToObject(info, "version", SGW_VERSION);
	if (progress)
		cJSON_AddNumberToObject(meta, "progressToken", id);
	return r;
}

static bool
send_line(struct mcp_client *client, cJSON *tree)
{
	char *text = cJSON_PrintUnformatted(tree);
	bool ok =
	    text && write_all(client->to, text, strlen(text)) && write_all(client->to, "\n", 1);

	cJSON_Delete(tree);
	cJSON_free(text);
	return ok;
}

/* ---- one line in ---- */

/* More bytes behind those there are; false: the front has ended, is silent, or its line is too long. */
static bool
receive(struct mcp_client *client)
{
	struct pollfd in = {.fd = client->from, .events = POLLIN};
	ssize_t n;
	int r;

	if (client->done > 0) {
		client->len -= client->done;
		memmove(client->line, client->line + client->done, client->len);
		client->done = 0;
	}
	if (client->len == SGW_JSON_LINE_MAX)
		return false;
	do
		r = poll(&in, 1, SILENCE_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return false;
	n = read(client->from, client->line + client->len, SGW_JSON_LINE_MAX - client->len);
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	client->len += (size_t)n;
	return true;
}

/* The next line as a tree; NULL: there will be none. */
static cJSON *
receive_line(struct mcp_client *client)
{
	for (;;) {
		char *from = client->line + client->done, *end;

		end = memchr(from, '\n', client->len - client->done);
		if (end) {
			client->done = (size_t)(end + 1 - client->line);
			return cJSON_ParseWithLength(from, (size_t)(end - from));
		}
		if (!receive(client))
			return NULL;
	}
}

static void
tell_progress(const cJSON *message, mcp_progress *progress)
{
	const cJSON *params = cJSON_GetObjectItemCaseSensitive(message, "params");
	const char *text = json_text(params, "message");
	char printable[512];

	if (strcmp(json_text(message, "method"), "notifications/progress") != 0 || !progress ||
	    !*text)
		return;
	out_printable(printable, sizeof(printable), text, strlen(text));
	progress(printable);
}

static const cJSON *
id_of(const cJSON *message)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(message, "id");

	return cJSON_IsNull(id) ? NULL : id;
}

/*
 * An error without an id is about a line that the front could not read to its id.  One call is under way at a time, so
 * it was the call's.
 */
static bool
is_answer(const cJSON *message, int id)
{
	const cJSON *its_id = id_of(message);

	if (!its_id)
		return cJSON_HasObjectItem(message, "error");
	return cJSON_IsNumber(its_id) && its_id->valueint == id;
}

/* What JSON-RPC itself refuses has no envelope.  Where it is the whole line, something that was given is why. */
static int
rpc_error(const struct args *args, const cJSON *message)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(message, "error");
	const char *text = json_text(error, "message");

	if (error && !id_of(message) && json_number(error, "code") != RPC_INTERNAL)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, args->file ? "--file" : NULL,
		    "the daemon does not take what was given (%s)", text);
	return out_error(
	    args, SGW_ERR_INTERNAL, NULL, "the daemon does not understand this program (%s)", text);
}

cJSON *
mcp_call(struct mcp_client *client, const struct args *args, const char *tool, cJSON *arguments,
    mcp_progress *progress, int *ret_status)
{
	int id = ++client->last_id;
	cJSON *message = NULL, *envelope = NULL;
	const cJSON *result;

	if (!send_line(client, request(id, tool, arguments, progress != NULL)))
		goto ended;
	for (;;) {
		cJSON_Delete(message);
		message = receive_line(client);
		if (!cJSON_IsObject(message)) {
			cJSON_Delete(message);
			goto ended;
		}
		if (is_answer(message, id))
			break;
		tell_progress(message, progress);
	}
	result = cJSON_GetObjectItemCaseSensitive(message, "result");
	envelope = cJSON_DetachItemFromObjectCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(message, "result"), "structuredContent");
	if (!result || !envelope)
		*ret_status = rpc_error(args, message);
	cJSON_Delete(message);
	return envelope;
ended:
	*ret_status = out_error(args, SGW_ERR_RESTARTED, NULL,
	    "the daemon ended the connection, or what it said is no answer");
	return NULL;
}

cJSON *
mcp_once(
    const struct args *args, const char *name, const char *tool, cJSON *arguments, int *ret_status)
{
	struct mcp_client client;
	cJSON *envelope;

	*ret_status = mcp_client_open(args, name, &client);
	if (*ret_status != 0) {
		cJSON_Delete(arguments);
		return NULL;
	}
	envelope = mcp_call(&client, args, tool, arguments, NULL, ret_status);
	mcp_client_close(&client);
	return envelope;
}

/* ---- envelopes ---- */

/* The row whose name is `code`; the daemon may be newer than this program. */
static const struct error_row *
row_named(const char *code)
{
	return error_row(error_number(code, strlen(code)));
}

int
mcp_exit_status(const char *code)
{
	return *code ? row_named(code)->exit_status : 0;
}

int
mcp_refused(const struct args *args, cJSON *envelope)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(envelope, "error");
	int status = row_named(json_text(error, "code"))->exit_status;
	const char *message = json_text(error, "message"), *next = json_text(error, "next_step");

	if (status == 0)
		status = 1;
	if (args->held) {
		*args->held = row_named(json_text(error, "code"))->number;
		return status;
	}
	if (args->json) {
		out_json(cJSON_Duplicate(envelope, true));
		return status;
	}
	fputs("sgwarden: ", stderr);
	out_words(stderr, 10, *message ? message : mcp_status(envelope));
	if (*next) {
		fputs("next:     ", stderr);
		out_words(stderr, 10, next);
	}
	return status;
}
