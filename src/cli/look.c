/* SPDX-License-Identifier: Apache-2.0 */
/* What changes nothing: `sgwarden rules`, `groups`, `check`, `grants`. */
#include <string.h>

#include <sgwarden/clock.h>

#include "asks.h"
#include "table.h"

/* ---- rules ---- */

/* "7h59m" of the rules that we opened; who else made one is not known. */
static void
closes_text(const cJSON *rule, char ret_text[LEFT_TEXT_LEN])
{
	const char *when = json_text(rule, "expires_at");
	int64_t expires;

	ret_text[0] = 0;
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(rule, "own")) &&
	    clock_parse(when, strlen(when), &expires) == 0)
		left_text(expires - clock_now(), ret_text);
}

static void
show_rules(const cJSON *rules)
{
	struct table t = {0};
	const cJSON *rule;

	table_column(&t, "PORTS", 15);
	table_column(&t, "FROM", 18);
	table_column(&t, "CLOSES", 6);
	table_column(&t, "RULE", 21);
	table_column(&t, "DESCRIPTION", 20);
	cJSON_ArrayForEach(rule, rules)
	{
		char ports[PORTS_TEXT_LEN], left[LEFT_TEXT_LEN];

		ports_text(rule, ports);
		closes_text(rule, left);
		table_row(&t, (const char *[]){ports, json_text(rule, "source"), left,
				  json_text(rule, "rule_id"), json_text(rule, "description")});
	}
	if (cJSON_GetArraySize(rules) == 0)
		puts("No ingress rules.");
	else
		table_print(&t);
}

int
rules_run(const struct args *args)
{
	cJSON *arguments = ask_target(args);

	cJSON_AddStringToObject(arguments, "security_group_id", args->rest[0]);
	return ask_list(args, "list_rules", arguments, "rules", show_rules);
}

/* ---- groups ---- */

static void
show_groups(const cJSON *groups)
{
	struct table t = {0};
	const cJSON *group;

	table_column(&t, "GROUP", 20);
	table_column(&t, "MANAGED", 7);
	table_column(&t, "RULES", 5);
	table_column(&t, "VPC", 21);
	table_column(&t, "NAME", 17);
	cJSON_ArrayForEach(group, groups)
	{
		bool managed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(group, "managed"));
		char rules[24];

		snprintf(rules, sizeof(rules), "%d", (int)json_number(group, "rules_in"));
		table_row(&t,
		    (const char *[]){json_text(group, "security_group_id"), managed ? "yes" : "",
			rules, json_text(group, "vpc_id"), json_text(group, "name")});
	}
	if (cJSON_GetArraySize(groups) == 0)
		puts("No such security group.");
	else
		table_print(&t);
}

int
groups_run(const struct args *args)
{
	cJSON *arguments = ask_target(args);

	if (args->n_rest == 0)
		return ask_list(args, "list_security_groups", arguments, "groups", show_groups);
	cJSON_AddStringToObject(arguments, "query", args->rest[0]);
	return ask_list(args, "find_security_group", arguments, "groups", show_groups);
}

/* ---- grants ---- */

static void
show_grants(const cJSON *grants)
{
	struct table t = {0};
	const cJSON *grant;

	table_column(&t, "CLOSES", 6);
	table_column(&t, "PORTS", 15);
	table_column(&t, "FROM", 18);
	table_column(&t, "GROUP", 20);
	table_column(&t, "RECEIPT", 24);
	table_column(&t, "WHERE", 30);
	cJSON_ArrayForEach(grant, grants)
	{
		char ports[PORTS_TEXT_LEN], left[LEFT_TEXT_LEN], where[160];
		const char *state = json_text(grant, "state");

		ports_text(grant, ports);
		left_text(json_number(grant, "seconds_left"), left);
		snprintf(where, sizeof(where), "%.64s %.32s", json_text(grant, "profile"),
		    json_text(grant, "region"));
		table_row(&t, (const char *[]){strcmp(state, "open") == 0 ? left : state, ports,
				  json_text(grant, "source"), json_text(grant, "security_group_id"),
				  json_text(grant, "receipt_id"), where});
	}
	table_print(&t);
}

static void
show_open(const cJSON *grants)
{
	if (cJSON_GetArraySize(grants) == 0)
		puts("Nothing is open through sgwarden.");
	else
		show_grants(grants);
}

static void
show_in_state(const cJSON *grants)
{
	if (cJSON_GetArraySize(grants) == 0)
		puts("Nothing of sgwarden's is in that state.");
	else
		show_grants(grants);
}

int
grants_run(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject();

	if (args->n_rest > 0)
		cJSON_AddStringToObject(arguments, "security_group_id", args->rest[0]);
	if (args->stands)
		cJSON_AddStringToObject(arguments, "state", args->stands);
	return ask_list(
	    args, "list_grants", arguments, "grants", args->stands ? show_in_state : show_open);
}

/* ---- check ---- */

static void
put_rules(const char *what, const cJSON *ids, int64_t left_out)
{
	const cJSON *id;

	if (cJSON_GetArraySize(ids) == 0)
		return;
	puts(what);
	cJSON_ArrayForEach(id, ids)
	{
		const char *text = cJSON_IsString(id) ? id->valuestring : "";

		fputs("  ", stdout);
		out_vis(stdout, text, strlen(text), 40);
		putchar('\n');
	}
	if (left_out > 0)
		printf("  and %d more\n", (int)left_out);
}

static void
show_access(const cJSON *data, bool allowed)
{
	const char *note = json_text(data, "note");

	puts(allowed ? "allowed" : "not allowed");
	put_rules(
	    "by", cJSON_GetObjectItemCaseSensitive(data, "by"), json_number(data, "by_left_out"));
	put_rules("not evaluated: the source of these is a prefix list or a group",
	    cJSON_GetObjectItemCaseSensitive(data, "undecided"),
	    json_number(data, "undecided_left_out"));
	out_vis(stdout, note, strlen(note), CLI_WIDTH);
	putchar('\n');
}

/* "443", "53/udp", "icmp": check_access takes no range and no service. */
static bool
access_arguments(const struct args *args, cJSON *arguments)
{
	cJSON_AddStringToObject(arguments, "security_group_id", args->rest[0]);
	cJSON_AddStringToObject(arguments, "ip", args->rest[1]);
	return args->n_rest < 3 ||
	       (ask_ports(arguments, args->rest[2]) && !cJSON_HasObjectItem(arguments, "service") &&
		   !cJSON_HasObjectItem(arguments, "from_port"));
}

int
check_run(const struct args *args)
{
	cJSON *arguments = ask_target(args), *envelope;
	int status;
	bool allowed;

	if (!access_arguments(args, arguments)) {
		cJSON_Delete(arguments);
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "PORT",
		    "a port such as 443 or 53/udp, or icmp, or icmpv6");
	}
	envelope = ask_once(args, "mcp", "check_access", arguments, &status);
	if (!envelope)
		return status;
	allowed = cJSON_IsTrue(ask_data(envelope, "allowed"));
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else
		show_access(cJSON_GetObjectItemCaseSensitive(envelope, "data"), allowed);
	cJSON_Delete(envelope);
	return allowed ? 0 : 1;
}
