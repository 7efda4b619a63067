/* SPDX-License-Identifier: Apache-2.0 */
/* Tools as the verbs use them; see asks.h. */
#include "asks.h"
#include "csv.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGES_MAX 1000 /* a daemon that never ends a list is broken */

cJSON *
ask_target(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject();

	if (args->profile)
		cJSON_AddStringToObject(arguments, "profile", args->profile);
	if (args->region)
		cJSON_AddStringToObject(arguments, "region", args->region);
	return arguments;
}

void
ask_show_progress(const char *message)
{
	fputs("... ", stderr);
	out_wrapped(stderr, 4, message);
}

cJSON *
ask_settled(struct mcp_client *client, const struct args *args, const char *tool, cJSON *arguments,
    int *ret_status)
{
	cJSON *envelope;

	for (;;) {
		envelope = mcp_call(client, args, tool, cJSON_Duplicate(arguments, true),
		    args->json ? NULL : ask_show_progress, ret_status);
		if (!envelope || strcmp(mcp_status(envelope), "pending_consent") != 0)
			break;
		cJSON_Delete(envelope);
		sleep(1); /* a daemon that answers at once is not asked in a circle */
	}
	cJSON_Delete(arguments);
	return envelope;
}

cJSON *
ask_tool(struct mcp_client *client, const struct args *args, const char *tool, cJSON *arguments,
    int *ret_status)
{
	cJSON *envelope = ask_settled(client, args, tool, arguments, ret_status);

	if (envelope && strcmp(mcp_status(envelope), "ok") != 0) {
		*ret_status = mcp_refused(args, envelope);
		cJSON_Delete(envelope);
		return NULL;
	}
	return envelope;
}

cJSON *
ask_once(
    const struct args *args, const char *name, const char *tool, cJSON *arguments, int *ret_status)
{
	struct mcp_client client;
	cJSON *envelope;

	*ret_status = mcp_client_open(args, name, &client);
	if (*ret_status != 0) {
		cJSON_Delete(arguments);
		return NULL;
	}
	envelope = ask_tool(&client, args, tool, arguments, ret_status);
	mcp_client_close(&client);
	return envelope;
}

const cJSON *
ask_data(const cJSON *envelope, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(envelope, "data"), key);
}

int64_t
ask_left_out(const cJSON *envelope)
{
	return json_number(cJSON_GetObjectItemCaseSensitive(envelope, "data"), "left_out");
}

/* Behind the "7" of "7:…" goes on what was cut, in the same groups; behind "0" nothing was told before. */
static bool
cursor_begins(const char *cursor)
{
	return strncmp(cursor, "0:", 2) == 0;
}

/* A count that stands beside a page's entries is one of all pages' then. */
static void
count_merge(cJSON *all, const cJSON *page, const char *key)
{
	int64_t sum = json_number(all, key) + json_number(page, key);

	if (sum == 0)
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(all, key);
	cJSON_AddNumberToObject(all, key, (double)sum);
}

/*
 * The entries of `page` behind those of `all`; the cursor of what follows, or NULL.  Frees the page.  `anew`: its groups
 * are others than those of the page before it.
 */
static char *
page_merge(cJSON *all, cJSON *page, const char *list, bool anew)
{
	cJSON *first = cJSON_GetObjectItemCaseSensitive(all, "data");
	cJSON *data = cJSON_GetObjectItemCaseSensitive(page, "data"), *item;
	const char *next = json_text(data, "next_cursor");
	char *cursor = *next ? strdup(next) : NULL;

	cJSON_DeleteItemFromObjectCaseSensitive(first, "next_cursor");
	if (page != all) {
		while ((item = cJSON_DetachItemFromArray(
			    cJSON_GetObjectItemCaseSensitive(data, list), 0)) != NULL)
			cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(first, list), item);
		if (anew)
			count_merge(first, data, "groups_looked_at");
		count_merge(first, data, "left_out"); /* the last page alone has it */
		cJSON_Delete(page);
	}
	return cursor;
}

cJSON *
ask_pages(struct mcp_client *client, const struct args *args, const char *tool, cJSON *arguments,
    const char *list, int *ret_status)
{
	cJSON *all = NULL, *page;
	char *cursor = NULL;

	cJSON_AddNumberToObject(arguments, "limit", 200);
	for (unsigned n = 0; n < PAGES_MAX; n++) {
		cJSON *these = cJSON_Duplicate(arguments, true);
		bool anew = !cursor || cursor_begins(cursor);

		if (cursor)
			cJSON_AddStringToObject(these, "cursor", cursor);
		free(cursor);
		cursor = NULL;
		page = ask_tool(client, args, tool, these, ret_status);
		if (!page) {
			cJSON_Delete(all);
			all = NULL;
			break;
		}
		all = all ? all : page;
		cursor = page_merge(all, page, list, anew);
		if (!cursor)
			break;
	}
	cJSON_Delete(arguments);
	if (cursor) {
		*ret_status =
		    out_error(args, SGW_ERR_INTERNAL, NULL, "the daemon's list does not end");
		free(cursor);
		cJSON_Delete(all);
		return NULL;
	}
	/* What is left of them concerns one page each. */
	if (all)
		cJSON_DeleteItemFromObjectCaseSensitive(all, "warnings");
	return all;
}

/* Where openings are off, below a list of what is open. */
static void
put_lockdown(const cJSON *lockdown)
{
	if (!cJSON_IsString(lockdown))
		return;
	fputs("note      ", stdout);
	out_words(stdout, 10, lockdown->valuestring);
}

/* Grants alone: the daemon lists no more than so many, whatever is asked for. */
static void
put_left_out(FILE *out, int64_t left_out, int listed)
{
	char text[200];

	if (left_out <= 0)
		return;
	snprintf(text, sizeof(text),
	    "this is not all: %d are listed and %" PRId64
	    " more are not; `sgwarden grants SG` lists those of one group, --state those in one "
	    "state",
	    listed, left_out);
	fputs("note      ", out);
	out_wrapped(out, 10, text);
}

int
ask_list(const struct args *args, const char *tool, cJSON *arguments, const char *list,
    void (*show)(const cJSON *entries))
{
	struct mcp_client client;
	cJSON *envelope;
	const cJSON *entries;
	int status = mcp_client_open(args, "mcp", &client);

	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	envelope = ask_pages(&client, args, tool, arguments, list, &status);
	mcp_client_close(&client);
	if (!envelope)
		return status;
	entries = ask_data(envelope, list);
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else if (args->csv)
		csv_print(list, entries);
	else {
		show(entries);
		put_lockdown(ask_data(envelope, "lockdown"));
	}
	if (!args->json)
		put_left_out(args->csv ? stderr : stdout, ask_left_out(envelope),
		    cJSON_GetArraySize(entries));
	cJSON_Delete(envelope);
	return 0;
}

void
ask_warnings(const cJSON *envelope)
{
	const cJSON *warning;

	cJSON_ArrayForEach(warning, cJSON_GetObjectItemCaseSensitive(envelope, "warnings"))
	{
		fputs("note:     ", stderr);
		out_words(stderr, 10, cJSON_IsString(warning) ? warning->valuestring : "");
	}
}

/* ---- ports ---- */

static bool
number_take(const char **p, int *ret_v)
{
	int v = 0;
	size_t digits = strspn(*p, "0123456789");

	if (digits == 0 || digits > 5)
		return false;
	for (; digits > 0; digits--)
		v = v * 10 + (*(*p)++ - '0');
	*ret_v = v;
	return true;
}

bool
ask_ports(cJSON *arguments, const char *word)
{
	const char *p = word;
	int from, to;

	if (strcmp(word, "icmp") == 0 || strcmp(word, "icmpv6") == 0) {
		cJSON_AddStringToObject(arguments, "protocol", word);
		return true;
	}
	if (*p < '0' || *p > '9') {
		cJSON_AddStringToObject(arguments, "service", word);
		return true;
	}
	if (!number_take(&p, &from))
		return false;
	to = from;
	if (*p == '-' && (p++, !number_take(&p, &to)))
		return false;
	if (strcmp(p, "/tcp") == 0 || strcmp(p, "/udp") == 0)
		cJSON_AddStringToObject(arguments, "protocol", p + 1);
	else if (*p)
		return false;
	if (from == to)
		cJSON_AddNumberToObject(arguments, "port", from);
	else {
		cJSON_AddNumberToObject(arguments, "from_port", from);
		cJSON_AddNumberToObject(arguments, "to_port", to);
	}
	return true;
}
