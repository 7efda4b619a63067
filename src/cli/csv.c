/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists as CSV (RFC 4180, with plain line feeds), for spreadsheets: every text quoted and printable.  One that begins as a formula would (= + -
 * @) has an apostrophe before it: names and descriptions are words of others.
 */
#include "csv.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/vis.h>

#include "mcp_client.h"

#define COLUMNS_MAX 14

static const struct csv_list {
	const char *list; /* as the tool names it */
	const char *columns[COLUMNS_MAX];
} LISTS[] = {
    {"rules", {"rule_id", "direction", "protocol", "from_port", "to_port", "source", "own",
		  "receipt_id", "expires_at", "flags", "description", NULL}},
    {"grants",
	{"receipt_id", "state", "profile", "account_id", "region", "security_group_id", "protocol",
	    "from_port", "to_port", "source", "closes_at", "seconds_left", NULL}},
    {"receipts", {"receipt_id", "touched_at", "kind", "act", "subject", "state", "uid", "profile",
		     "account_id", "region", "effect", "closes_at", "operation_count", NULL}},
};

static void
put_text(const char *text)
{
	char printable[4096];

	(void)out_printable(printable, sizeof(printable), text, strlen(text));
	putchar('"');
	if (strchr("=+-@", printable[0]) && printable[0])
		putchar('\'');
	for (const char *p = printable; *p; p++) {
		if (*p == '"')
			putchar('"');
		putchar(*p);
	}
	putchar('"');
}

static void
put_texts(const cJSON *list)
{
	char all[1024] = "";
	const cJSON *v;

	cJSON_ArrayForEach(v, list)
	{
		size_t len = strlen(all);

		if (cJSON_IsString(v))
			snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? " " : "",
			    v->valuestring);
	}
	put_text(all);
}

static void
put_value(const cJSON *v)
{
	if (cJSON_IsNumber(v))
		printf("%.0f", v->valuedouble);
	else if (cJSON_IsBool(v))
		fputs(cJSON_IsTrue(v) ? "true" : "false", stdout);
	else if (cJSON_IsArray(v))
		put_texts(v);
	else if (cJSON_IsString(v))
		put_text(v->valuestring);
}

static void
put_row(const struct csv_list *list, const cJSON *entry)
{
	for (size_t i = 0; list->columns[i]; i++) {
		if (i > 0)
			putchar(',');
		if (entry)
			put_value(cJSON_GetObjectItemCaseSensitive(entry, list->columns[i]));
		else
			fputs(list->columns[i], stdout);
	}
	putchar('\n');
}

void
csv_print(const char *name, const cJSON *entries)
{
	const cJSON *entry;

	for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++) {
		if (strcmp(LISTS[i].list, name) != 0)
			continue;
		put_row(&LISTS[i], NULL);
		cJSON_ArrayForEach(entry, entries) put_row(&LISTS[i], entry);
	}
}
