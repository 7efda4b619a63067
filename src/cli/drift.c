/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden drift`: where AWS differs from the ledger, group by group. */
#include <stdio.h>
#include <string.h>

#include "asks.h"
#include "table.h"

static void
put(const char *text, size_t most)
{
	out_vis(stdout, text, strlen(text), most);
}

static void
put_rule(const char *what, const cJSON *rule)
{
	char ports[PORTS_TEXT_LEN];

	ports_text(rule, ports);
	fputs("  ", stdout);
	put(what, 16);
	putchar(' ');
	put(ports, PORTS_TEXT_LEN);
	fputs(" from ", stdout);
	put(json_text(rule, "source"), 44);
	putchar('\n');
}

static void
put_words(const char *text)
{
	fputs("      ", stdout);
	out_words(stdout, 6, text);
}

static void
show_finding(const cJSON *finding, const char *group_before)
{
	const char *group = json_text(finding, "security_group_id"),
		   *receipt = json_text(finding, "receipt_id"),
		   *rule = json_text(finding, "rule_id"), *kind = json_text(finding, "kind");
	const cJSON *now = cJSON_GetObjectItemCaseSensitive(finding, "at_aws");

	if (strcmp(group, group_before) != 0) {
		put(group, CLI_WIDTH);
		putchar('\n');
	}
	put_rule(kind, finding);
	if (strcmp(kind, "replaced") == 0)
		put_rule("    at AWS", now);
	fputs("      ", stdout);
	put(receipt, 40);
	putchar(' ');
	put(rule, 30);
	putchar('\n');
	put_words(json_text(finding, "says"));
	put_words(json_text(finding, "next_step"));
}

int
drift_run(const struct args *args)
{
	struct mcp_client client;
	cJSON *arguments = ask_target(args), *envelope;
	const cJSON *finding;
	const char *group = "";
	int status = mcp_client_open(args, "mcp", &client), found;

	if (args->n_rest > 0)
		cJSON_AddStringToObject(arguments, "security_group_id", args->rest[0]);
	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	envelope = ask_pages(&client, args, "drift", arguments, "findings", &status);
	mcp_client_close(&client);
	if (!envelope)
		return status;
	found = cJSON_GetArraySize(ask_data(envelope, "findings"));
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else if (found == 0)
		puts("AWS is as the ledger says.");
	else
		cJSON_ArrayForEach(finding, ask_data(envelope, "findings"))
		{
			show_finding(finding, group);
			group = json_text(finding, "security_group_id");
		}
	cJSON_Delete(envelope);
	return found > 0 ? 1 : 0;
}
