/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden open`: asks for a rule, waits for the person, says what came of it. */
#include <string.h>

#include <sgwarden/limits.h>

#include "change.h"
#include "table.h"

/* The tool's arguments; NULL having said what is missing, and *ret_status. */
static cJSON *
open_arguments(const struct args *args, int *ret_status)
{
	cJSON *arguments;

	if (args->permanent && args->lasts) {
		*ret_status =
		    out_error(args, SGW_ERR_BAD_ARGUMENT, "--permanent", "either it or --for");
		return NULL;
	}
	if (!args->why) {
		*ret_status =
		    out_error(args, SGW_ERR_BAD_ARGUMENT, "--why", "say why: the person reads it");
		return NULL;
	}
	arguments = ask_target(args);
	if (!ask_ports(arguments, args->rest[1])) {
		cJSON_Delete(arguments);
		*ret_status = out_error(args, SGW_ERR_BAD_ARGUMENT, "PORT",
		    "443, 8000-8010, either with /tcp or /udp behind it, icmp, icmpv6 or a "
		    "service's name");
		return NULL;
	}
	cJSON_AddStringToObject(arguments, "security_group_id", args->rest[0]);
	cJSON_AddStringToObject(arguments, "ip", args->from ? args->from : "current");
	if (args->permanent)
		cJSON_AddTrueToObject(arguments, "permanent");
	else if (args->lasts) /* else the policy's */
		cJSON_AddStringToObject(arguments, "expires_in", args->lasts);
	cJSON_AddStringToObject(arguments, "reason", args->why);
	return arguments;
}

static void
show_opened(const cJSON *data)
{
	const cJSON *op =
	    cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(data, "operations"), 0);
	bool existed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(op, "already_existed"));
	const char *source = json_text(op, "source"), *closes = json_text(data, "closes_at");
	int seen_by = (int)json_number(data, "own_address_seen_by");
	const cJSON *id;
	char ports[PORTS_TEXT_LEN];

	ports_text(op, ports);
	fputs(existed ? "open already: " : "opened: ", stdout);
	out_vis(stdout, ports, strlen(ports), 20);
	fputs(" from ", stdout);
	out_vis(stdout, source, strlen(source), 44);
	putchar('\n');
	if (seen_by > 0)
		printf("%-9syour current address, as %d of %d sources say\n", "", seen_by,
		    (int)json_number(data, "own_address_sources"));
	out_line("group", json_text(op, "security_group_id"));
	cJSON_ArrayForEach(id, cJSON_GetObjectItemCaseSensitive(data, "rule_ids"))
	    out_line("rule", cJSON_IsString(id) ? id->valuestring : "");
	out_line("receipt", json_text(data, "receipt_id"));
	if (json_number(data, "lifetime_seconds") == SGW_LIFETIME_PERMANENT)
		closes = "never by itself: permanent";
	out_line("closes", *closes ? closes : "not by itself: others made the rule");
}

int
open_run(const struct args *args)
{
	struct mcp_client client;
	int status = 0;
	cJSON *arguments = open_arguments(args, &status), *envelope;

	if (!arguments)
		return status;
	if (args->plan)
		return plan_run(args, "add", arguments);
	status = mcp_client_open(args, NULL, &client);
	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	envelope = ask_tool(&client, args, "whitelist_add", arguments, &status);
	mcp_client_close(&client);
	if (!envelope)
		return status;
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else {
		ask_warnings(envelope);
		show_opened(cJSON_GetObjectItemCaseSensitive(envelope, "data"));
	}
	cJSON_Delete(envelope);
	return 0;
}
