/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden extend`, `refresh`, and what they share with `bulk`; see change.h. */
#include "change.h"

#include <string.h>

#include "table.h"

static void
put_line(const char *name, const char *text)
{
	if (!*text)
		return;
	printf("%-9s", name);
	out_vis(stdout, text, strlen(text), CLI_WIDTH - 9);
	putchar('\n');
}

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
	put_line("receipt", json_text(data, "receipt_id"));
	put_line("closes", json_text(data, "closes_at"));
}

int
change_run(const struct args *args, const char *tool, cJSON *arguments)
{
	struct mcp_client client;
	cJSON *envelope;
	int status = mcp_client_open(args, "mcp", &client);

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
	return change_run(args, "whitelist_extend", arguments);
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
	return change_run(args, "whitelist_refresh", arguments);
}
