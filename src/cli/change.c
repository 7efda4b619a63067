/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden extend`, `undo`, `refresh`, and what they share with `bulk`; see change.h. */
#include "change.h"

#include <string.h>

#include "table.h"

static void
show_operations(const cJSON *operations)
{
	struct table t = {0};
	const cJSON *op;

	table_column(&t, "RESULT", 10);
	table_column(&t, "PORTS", 15);
	table_column(&t, "FROM", 18);
	table_column(&t, "GROUP", 20);
	table_column(&t, "RULE", 21);
	table_column(&t, "CLOSED BY", 24);
	cJSON_ArrayForEach(op, operations)
	{
		char ports[PORTS_TEXT_LEN];

		ports_text(op, ports);
		table_row(&t, (const char *[]){json_text(op, "result"), ports,
				  json_text(op, "source"), json_text(op, "security_group_id"),
				  json_text(op, "rule_id"), json_text(op, "closing_receipt_id")});
	}
	table_print(&t);
}

static void
show(const cJSON *envelope)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data"),
		    *operations = cJSON_GetObjectItemCaseSensitive(data, "operations");

	ask_warnings(envelope);
	if (cJSON_GetArraySize(operations) > 0)
		show_operations(operations);
	out_line("receipt", json_text(data, "receipt_id"));
	out_line("closes", json_text(data, "closes_at"));
}

/* The preview's lines, as wide as the screen's own. */
static void
put_preview(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		out_vis(stdout, text, len, CLI_WIDTH);
		putchar('\n');
		text += len + (text[len] != 0);
	}
}

static void
show_plan(const cJSON *envelope)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data");
	const char *preview = json_text(data, "consent_preview");

	ask_warnings(envelope);
	out_line("plan", json_text(data, "plan_id"));
	out_line("policy", json_text(data, "policy_line"));
	printf("%-9s", "");
	out_words(stdout, 9, json_text(data, "policy_text"));
	out_line("needs", json_text(data, "needs"));
	if (*preview)
		puts("\nWhat the person would read:\n");
	put_preview(preview);
	puts("\nNobody was asked, and nothing was changed.");
}

int
plan_ask(struct mcp_client *client, const struct args *args, const char *action, cJSON *arguments)
{
	cJSON *envelope;
	int status = 0;

	if (action)
		cJSON_AddStringToObject(arguments, "action", action);
	envelope = ask_settled(client, args, "whitelist_plan", arguments, &status);
	if (!envelope)
		return status;
	if (strcmp(mcp_status(envelope), "planned") != 0 &&
	    strcmp(mcp_status(envelope), "ok") != 0) /* which is there already */
		status = mcp_refused(args, envelope);
	else if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else
		show_plan(envelope);
	cJSON_Delete(envelope);
	return status;
}

int
plan_run(const struct args *args, const char *action, cJSON *arguments)
{
	struct mcp_client client;
	int status = mcp_client_open(args, NULL, &client);

	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	status = plan_ask(&client, args, action, arguments);
	mcp_client_close(&client);
	return status;
}

int
change_run(const struct args *args, const char *tool, cJSON *arguments)
{
	struct mcp_client client;
	cJSON *envelope;
	int status = mcp_client_open(args, NULL, &client);

	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	envelope = ask_settled(&client, args, tool, arguments, &status);
	mcp_client_close(&client);
	if (!envelope)
		return status;
	if (!args->json)
		show(envelope);
	if (strcmp(mcp_status(envelope), "ok") != 0)
		status = mcp_refused(args, envelope);
	else if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	cJSON_Delete(envelope);
	return status;
}

int
extend_run(const struct args *args)
{
	cJSON *arguments;

	if (!args->lasts)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "--for", "say how long from now: 90m, 8h or 7d");
	arguments = cJSON_CreateObject();
	cJSON_AddStringToObject(arguments, "grant_id", args->rest[0]);
	cJSON_AddStringToObject(arguments, "expires_in", args->lasts);
	if (args->why)
		cJSON_AddStringToObject(arguments, "reason", args->why);
	return args->plan ? plan_run(args, "extend", arguments)
			  : change_run(args, "whitelist_extend", arguments);
}

int
undo_run(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject();

	cJSON_AddStringToObject(arguments, "receipt_id", args->rest[0]);
	if (args->lasts)
		cJSON_AddStringToObject(arguments, "expires_in", args->lasts);
	if (args->why)
		cJSON_AddStringToObject(arguments, "reason", args->why);
	return change_run(args, "undo", arguments);
}

/* RECEIPT, or SG and PORT. */
int
refresh_run(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject();
	bool known = true;

	if (args->n_rest == 1)
		cJSON_AddStringToObject(arguments, "grant_id", args->rest[0]);
	else {
		cJSON_AddStringToObject(arguments, "security_group_id", args->rest[0]);
		known = ask_ports(arguments, args->rest[1]) &&
			!cJSON_HasObjectItem(arguments, "from_port") &&
			!cJSON_HasObjectItem(arguments, "service");
	}
	if (!known) {
		cJSON_Delete(arguments);
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "PORT",
		    "a port such as 443 or 53/udp, or icmp, or icmpv6");
	}
	if (args->from)
		cJSON_AddStringToObject(arguments, "ip", args->from);
	if (args->lasts)
		cJSON_AddStringToObject(arguments, "expires_in", args->lasts);
	if (args->why)
		cJSON_AddStringToObject(arguments, "reason", args->why);
	return args->plan ? plan_run(args, "refresh", arguments)
			  : change_run(args, "whitelist_refresh", arguments);
}
