/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden ip`: from which address this machine is seen, and what is open to it. */
#include <string.h>

#include "asks.h"
#include "table.h"

/* "203.0.113.7 (2 of 3 sources)", or that they do not agree; and what that address is not good for. */
static void
show_address(const char *name, const cJSON *own)
{
	const char *address = json_text(own, "address"), *range = json_text(own, "special_range");
	int of = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(own, "sources"));

	printf("%s  ", name);
	if (!*address) {
		puts("not known: fewer than two sources say the same");
		return;
	}
	out_vis(stdout, address, strlen(address), 40);
	printf("  (%d of %d sources)\n", (int)json_number(own, "votes"), of);
	if (*range) {
		fputs("      in a range of its own kind: ", stdout);
		out_vis(stdout, range, strlen(range), 20);
		puts(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(own, "usable_as_current"))
			 ? ", which the policy opens"
			 : "; open does not take it as current");
	}
}

static void
show_sources(const cJSON *own, const char *name, struct table *t)
{
	const cJSON *source;

	cJSON_ArrayForEach(source, cJSON_GetObjectItemCaseSensitive(own, "sources"))
	{
		const char *address = json_text(source, "address");

		table_row(t, (const char *[]){name, json_text(source, "source"),
				 *address ? address : json_text(source, "said")});
	}
}

static void
show_grants(const cJSON *own)
{
	const cJSON *grants = cJSON_GetObjectItemCaseSensitive(own, "open_through_sgwarden"),
		    *grant;
	int left_out = (int)json_number(own, "left_out");
	struct table t = {0};

	if (cJSON_GetArraySize(grants) == 0)
		return;
	table_column(&t, "OPEN TO IT", 18);
	table_column(&t, "PORTS", 15);
	table_column(&t, "GROUP", 20);
	table_column(&t, "CLOSES", 6);
	cJSON_ArrayForEach(grant, grants)
	{
		char ports[PORTS_TEXT_LEN], left[LEFT_TEXT_LEN];

		ports_text(grant, ports);
		left_text(json_number(grant, "seconds_left"), left);
		table_row(&t, (const char *[]){json_text(grant, "source"), ports,
				  json_text(grant, "security_group_id"), left});
	}
	table_print(&t);
	if (left_out > 0)
		printf("and %d more: `sgwarden grants`\n", left_out);
}

static void
show(const cJSON *data)
{
	static const struct {
		const char *key, *name;
	} FAMILIES[] = {{"ipv4", "IPv4"}, {"ipv6", "IPv6"}};
	struct table t = {0};

	table_column(&t, "OVER", 4);
	table_column(&t, "SOURCE", 40);
	table_column(&t, "SAYS", 40);
	for (size_t i = 0; i < 2; i++) {
		const cJSON *own = cJSON_GetObjectItemCaseSensitive(data, FAMILIES[i].key);

		if (!own)
			continue;
		show_address(FAMILIES[i].name, own);
		show_sources(own, FAMILIES[i].name, &t);
	}
	table_print(&t);
	for (size_t i = 0; i < 2; i++)
		show_grants(cJSON_GetObjectItemCaseSensitive(data, FAMILIES[i].key));
}

int
ip_run(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject(), *envelope;
	int status;

	if (args->family)
		cJSON_AddStringToObject(arguments, "family", args->family);
	envelope = mcp_once(args, "mcp", "get_my_ip", arguments, &status);
	if (!envelope)
		return status;
	/* Where they disagree, who said what is what a person wants to see. */
	if (!args->json && cJSON_HasObjectItem(envelope, "data"))
		show(cJSON_GetObjectItemCaseSensitive(envelope, "data"));
	if (strcmp(mcp_status(envelope), "ok") != 0)
		status = mcp_refused(args, envelope);
	else if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	cJSON_Delete(envelope);
	return status;
}
