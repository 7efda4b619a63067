/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden receipts`: the last receipts, as the daemon has them at hand. */
#include <stdio.h>
#include <string.h>

#include "asks.h"
#include "table.h"

/* ---- the list ---- */

/* "opening", or what an administrative act was about. */
static void
what_text(const cJSON *receipt, char *ret_text, size_t size)
{
	const char *act = json_text(receipt, "act"), *subject = json_text(receipt, "subject");
	int n = (int)json_number(receipt, "operation_count");

	if (*act)
		snprintf(ret_text, size, "%.24s %.100s", act, subject);
	else if (n == 1)
		snprintf(ret_text, size, "%.24s", json_text(receipt, "kind"));
	else
		snprintf(ret_text, size, "%.24s of %d", json_text(receipt, "kind"), n);
}

static void
show_receipts(const cJSON *receipts)
{
	struct table t = {0};
	const cJSON *receipt;

	table_column(&t, "TOUCHED", 20);
	table_column(&t, "STATE", 11);
	table_column(&t, "RECEIPT", 24);
	table_column(&t, "WHAT", 19);
	cJSON_ArrayForEach(receipt, receipts)
	{
		char what[140];

		what_text(receipt, what, sizeof(what));
		table_row(
		    &t, (const char *[]){json_text(receipt, "touched_at"),
			    json_text(receipt, "state"), json_text(receipt, "receipt_id"), what});
	}
	if (cJSON_GetArraySize(receipts) == 0)
		puts("No such receipt of yours is at hand; `sgwarden ledger show` reads them all.");
	else
		table_print(&t);
}

/* ---- one ---- */

/* When and why it was closed, else why it failed, else when it will be closed. */
static void
since_text(const cJSON *op, char *ret_text, size_t size)
{
	const char *closed = json_text(op, "closed_at"), *error = json_text(op, "error"),
		   *due = json_text(op, "closes_at");

	if (*closed)
		snprintf(ret_text, size, "%.24s %.20s", closed, json_text(op, "closed_because"));
	else if (*error || !*due)
		snprintf(ret_text, size, "%.40s", error);
	else
		snprintf(ret_text, size, "until %.24s", due);
}

static void
show_operations(const cJSON *operations)
{
	struct table t = {0};
	const cJSON *op;

	table_column(&t, "ACTION", 6);
	table_column(&t, "PORTS", 15);
	table_column(&t, "FROM", 18);
	table_column(&t, "STATE", 10);
	table_column(&t, "GROUP", 20);
	table_column(&t, "SINCE", 40);
	cJSON_ArrayForEach(op, operations)
	{
		char ports[PORTS_TEXT_LEN], since[80];

		ports_text(op, ports);
		since_text(op, since, sizeof(since));
		table_row(
		    &t, (const char *[]){json_text(op, "action"), ports, json_text(op, "source"),
			    json_text(op, "state"), json_text(op, "security_group_id"), since});
	}
	if (cJSON_GetArraySize(operations) > 0)
		table_print(&t);
}

static void
show_receipt(const cJSON *data)
{
	const cJSON *head = cJSON_GetObjectItemCaseSensitive(data, "receipt");
	char what[140];

	what_text(head, what, sizeof(what));
	out_line("receipt", json_text(head, "receipt_id"));
	out_line("touched", json_text(head, "touched_at"));
	out_line("for", what);
	out_line("state", json_text(head, "state"));
	out_line("profile", json_text(head, "profile"));
	out_line("account", json_text(head, "account_id"));
	out_line("region", json_text(head, "region"));
	show_operations(cJSON_GetObjectItemCaseSensitive(data, "operations"));
}

static int
one_run(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject(), *envelope;
	int status;

	cJSON_AddStringToObject(arguments, "receipt_id", args->rest[0]);
	envelope = ask_once(args, "mcp", "get_receipt", arguments, &status);
	if (!envelope)
		return status;
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else
		show_receipt(cJSON_GetObjectItemCaseSensitive(envelope, "data"));
	cJSON_Delete(envelope);
	return 0;
}

int
receipts_run(const struct args *args)
{
	cJSON *arguments;

	if (args->n_rest > 0)
		return one_run(args);
	arguments = cJSON_CreateObject();
	if (args->since)
		cJSON_AddStringToObject(arguments, "since", args->since);
	if (args->group)
		cJSON_AddStringToObject(arguments, "security_group_id", args->group);
	if (args->stands)
		cJSON_AddStringToObject(arguments, "state", args->stands);
	return ask_list(args, "list_receipts", arguments, "receipts", show_receipts);
}
