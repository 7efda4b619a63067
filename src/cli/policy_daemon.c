/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `sgwarden policy` that ask the daemon: the policy in force, another in its place, and why. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/policy_diff.h>
#include <sgwarden/vis.h>

#include "admin.h"
#include "asks.h"
#include "policy.h"

/* ---- the policy in force ---- */

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
policy_from_hex(const char *hex, struct rec_policy *ret_policy)
{
	static uint8_t bytes[SGW_POLICY_MAX];
	size_t len = strlen(hex) / 2;
	struct cur c;

	if (strlen(hex) % 2 != 0 || len > sizeof(bytes))
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	c = cur_over(bytes, len);
	return rec_policy_decode(&c, ret_policy) && cur_done(&c);
}

/* 0, or the exit status; ret_from: "built in", "config.json", "loaded". */
static int
policy_in_force(const struct args *args, struct rec_policy *ret_policy, char ret_from[64])
{
	int status;
	cJSON *envelope = ask_once(args, "admin", "policy_show", cJSON_CreateObject(), &status);
	bool ok;

	if (!envelope)
		return status;
	ok = policy_from_hex(
	    json_text(cJSON_GetObjectItemCaseSensitive(envelope, "data"), "policy"), ret_policy);
	(void)snprintf(ret_from, 64, "in force: %.40s",
	    json_text(cJSON_GetObjectItemCaseSensitive(envelope, "data"), "origin"));
	cJSON_Delete(envelope);
	return ok ? 0
		  : out_error(args, SGW_ERR_INTERNAL, NULL,
			"the daemon's policy is of no form that this program knows");
}

int
policy_show_in_force(const struct args *args)
{
	static struct rec_policy policy;
	char from[64];
	int status = policy_in_force(args, &policy, from);

	if (status == 0)
		policy_print(args, &policy, from);
	return status;
}

/* ---- diff ---- */

static void
diff_print(const struct policy_diff *diff)
{
	char line[POLICY_LINE_MAX + 1];

	for (size_t i = 0; i < diff->n; i++)
		for (size_t at = 0; policy_change_line(&diff->change[i], &at, line);)
			puts(line);
	if (diff->n == 0)
		puts("the policy in force says the same");
}

static void
diff_json(const struct policy_diff *diff)
{
	static const char *const kinds[] = {
	    [POLICY_WIDER] = "wider",
	    [POLICY_NARROWER] = "narrower",
	    [POLICY_RESTATED] = "restated",
	    [POLICY_NAMED] = "named",
	};
	cJSON *tree = cJSON_CreateObject(), *list;

	cJSON_AddStringToObject(tree, "status", "ok");
	list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(tree, "data"), "changes");
	for (size_t i = 0; i < diff->n; i++) {
		cJSON *change = cJSON_CreateObject();

		cJSON_AddStringToObject(change, "kind", kinds[diff->change[i].kind]);
		cJSON_AddStringToObject(change, "text", diff->change[i].text);
		cJSON_AddItemToArray(list, change);
	}
	out_json(tree);
}

int
policy_diff_run(const struct args *args)
{
	static struct policy_file file;
	static struct rec_policy now;
	static struct policy_diff diff;
	char path[CLI_PATH_MAX], from[64];
	int status = policy_compile(args, &file, path);

	if (status == 0)
		status = policy_in_force(args, &now, from);
	if (status != 0)
		return status;
	policy_diff(&now, &file.policy, &diff);
	if (args->json)
		diff_json(&diff);
	else
		diff_print(&diff);
	return 0;
}

int
policy_is_loaded(const struct args *args, bool *ret_loaded)
{
	static struct policy_file file;
	static struct rec_policy now;
	static struct policy_diff diff;
	char dir[CLI_PATH_MAX], path[CLI_PATH_MAX], from[64];
	int status;

	*ret_loaded = true;
	if (!path_config_dir(args, dir) || !path_join(path, dir, "policy.json") ||
	    access(path, F_OK) < 0)
		return 0;
	status = policy_compile(args, &file, path);
	if (status == 0)
		status = policy_in_force(args, &now, from);
	if (status != 0)
		return status;
	policy_diff(&now, &file.policy, &diff);
	*ret_loaded = diff.n == 0;
	return 0;
}

/* ---- load ---- */

int
policy_load_run(const struct args *args)
{
	static struct policy_file file;
	static uint8_t bytes[SGW_POLICY_MAX];
	static char hex[2 * SGW_POLICY_MAX + 1];
	struct buf b = buf_over(bytes, sizeof(bytes)), text = buf_over(hex, sizeof(hex));
	char path[CLI_PATH_MAX];
	cJSON *arguments;
	int status = policy_compile_held(args, &file, path);

	if (status != 0)
		return status;
	if (!rec_policy_encode(&b, &file.policy) || !buf_put_hex(&text, bytes, b.len) ||
	    !buf_put_c(&text))
		return out_error(args, SGW_ERR_INTERNAL, NULL, "the policy has no compiled form");
	arguments = cJSON_CreateObject();
	cJSON_AddStringToObject(arguments, "policy", hex);
	return admin_act(args, "policy_load", arguments);
}

/* ---- explain ---- */

static cJSON *
explain_arguments(const struct args *args, int *ret_status)
{
	cJSON *arguments = ask_target(args);

	if (args->n_rest == 1) {
		cJSON_AddStringToObject(arguments, "plan_id", args->rest[0]);
		return arguments;
	}
	if (!args->from || !ask_ports(arguments, args->rest[1])) {
		cJSON_Delete(arguments);
		*ret_status = out_error(args, SGW_ERR_BAD_ARGUMENT, args->from ? "PORT" : "--from",
		    args->from ? "443, 8000-8010, either with /tcp or /udp behind it, icmp, "
				 "icmpv6 or a service's name"
			       : "say who may come in: an address or prefix");
		return NULL;
	}
	cJSON_AddStringToObject(arguments, "security_group_id", args->rest[0]);
	cJSON_AddStringToObject(arguments, "ip", args->from);
	if (args->lasts)
		cJSON_AddStringToObject(arguments, "expires_in", args->lasts);
	if (args->why)
		cJSON_AddStringToObject(arguments, "reason", args->why);
	return arguments;
}

static void
put_vis(const char *text, size_t most)
{
	out_vis(stdout, text, strlen(text), most);
}

static void
explain_print(const cJSON *data)
{
	const cJSON *line;

	cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(data, "trace"))
	{
		bool decided = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "decided"));
		char id[24];

		(void)snprintf(id, sizeof(id), "%s", json_text(line, "line"));
		fputs(decided ? "YES  " : "no   ", stdout);
		put_vis(id, 22);
		printf("%*s", (int)(22 - strlen(id)), "");
		put_vis(json_text(line, "about"), CLI_WIDTH - 27);
		putchar('\n');
	}
	fputs("class    ", stdout);
	put_vis(json_text(data, "effect"), 40);
	fputs("\nneeds    ", stdout);
	put_vis(json_text(data, "needs"), CLI_WIDTH - 9);
	fputs("\nbecause  ", stdout);
	out_words(stdout, 9, json_text(data, "policy_text"));
}

int
policy_explain_run(const struct args *args)
{
	cJSON *arguments, *envelope;
	const cJSON *data;
	int status = 0;

	arguments = explain_arguments(args, &status);
	if (!arguments)
		return status;
	envelope = ask_once(args, "mcp", "explain", arguments, &status);
	if (!envelope)
		return status;
	data = cJSON_GetObjectItemCaseSensitive(envelope, "data");
	status = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(data, "allowed"))
		     ? 0
		     : error_row(SGW_ERR_FORBIDDEN)->exit_status;
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else
		explain_print(data);
	cJSON_Delete(envelope);
	return status;
}
