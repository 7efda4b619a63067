/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden close`: finds the rules that are meant, asks for their closing, says what came of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/limits.h>

#include "change.h"

/* The rules to be closed: of one group, because a plan is. */
struct chosen {
	const cJSON *grant; /* whose group, profile and region they are; NULL: as the options say */
	cJSON *rule_ids;
	bool found[CLI_REST_MAX]; /* which words of the command line were */
};

static bool
is_rule_id(const char *word)
{
	return strncmp(word, "sgr-", 4) == 0;
}

/* --group and nothing but rules' ids: there is nothing to be looked for. */
static bool
is_exact(const struct args *args)
{
	for (size_t i = 0; i < args->n_rest; i++)
		if (!is_rule_id(args->rest[i]))
			return false;
	return args->group != NULL && args->n_rest > 0;
}

/* Is it one that the command line means?  Without words every one of our own is. */
static bool
is_meant(const struct args *args, const cJSON *rule, struct chosen *c)
{
	bool meant = args->n_rest == 0;

	for (size_t i = 0; i < args->n_rest; i++) {
		if (strcmp(args->rest[i], json_text(rule, "rule_id")) != 0 &&
		    strcmp(args->rest[i], json_text(rule, "receipt_id")) != 0)
			continue;
		c->found[i] = true;
		meant = true;
	}
	return meant;
}

static cJSON *
target_of(const struct args *args, const cJSON *grant)
{
	cJSON *arguments = cJSON_CreateObject();
	const char *group = grant ? json_text(grant, "security_group_id") : args->group;
	const char *profile = grant ? json_text(grant, "profile") : args->profile;
	const char *region = grant ? json_text(grant, "region") : args->region;

	cJSON_AddStringToObject(arguments, "security_group_id", group);
	if (profile)
		cJSON_AddStringToObject(arguments, "profile", profile);
	if (region)
		cJSON_AddStringToObject(arguments, "region", region);
	return arguments;
}

static bool
same_place(const cJSON *a, const cJSON *b)
{
	return strcmp(json_text(a, "security_group_id"), json_text(b, "security_group_id")) == 0 &&
	       strcmp(json_text(a, "profile"), json_text(b, "profile")) == 0 &&
	       strcmp(json_text(a, "region"), json_text(b, "region")) == 0;
}

/* Was the grant's group looked through with an earlier grant? */
static bool
seen_before(const cJSON *grants, const cJSON *grant)
{
	const cJSON *earlier;

	cJSON_ArrayForEach(earlier, grants)
	{
		if (earlier == grant)
			return false;
		if (same_place(earlier, grant))
			return true;
	}
	return false;
}

/* Our own rules in the grant's group.  0, or the exit status, having said what is wrong. */
static int
look_through(
    struct mcp_client *client, const struct args *args, const cJSON *grant, struct chosen *c)
{
	cJSON *arguments = target_of(args, grant), *envelope;
	cJSON *filter = cJSON_AddObjectToObject(arguments, "filter");
	const cJSON *rule;
	int status = 0;

	cJSON_AddBoolToObject(filter, "managed", true);
	envelope = ask_pages(client, args, "list_rules", arguments, "rules", &status);
	if (!envelope)
		return status;
	cJSON_ArrayForEach(rule, ask_data(envelope, "rules"))
	{
		if (status != 0 || !is_meant(args, rule, c))
			continue;
		if (c->grant && c->grant != grant)
			status = out_error(args, SGW_ERR_BAD_ARGUMENT, "RULE",
			    "these are rules of several groups: close one group's at a time");
		c->grant = grant;
		cJSON_AddItemToArray(c->rule_ids, cJSON_CreateString(json_text(rule, "rule_id")));
	}
	cJSON_Delete(envelope);
	return status;
}

static bool
in_scope(const struct args *args, const cJSON *grant)
{
	return (!args->profile || strcmp(args->profile, json_text(grant, "profile")) == 0) &&
	       (!args->region || strcmp(args->region, json_text(grant, "region")) == 0);
}

/* The exit status.  Where the daemon did not list all that is open, nobody knows that `word` is not. */
static int
not_found(const struct args *args, const cJSON *envelope, const char *word)
{
	int64_t left_out = ask_left_out(envelope);

	if (left_out > 0)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--group",
		    "%s is not among the %d that could be looked at, and %" PRId64
		    " more are open: name %s",
		    word ? word : "it", cJSON_GetArraySize(ask_data(envelope, "grants")), left_out,
		    args->group ? "the rules by their ids" : "its group");
	if (word)
		return out_error(args, SGW_ERR_NO_SUCH_RULE, word,
		    "nothing that is open through sgwarden; a rule that others made needs "
		    "--group");
	return out_error(
	    args, SGW_ERR_NO_SUCH_RULE, "--group", "nothing is open there through sgwarden");
}

/* A receipt may have opened more than was found, in groups that were not looked at. */
static void
warn_left_out(const struct args *args, const cJSON *envelope)
{
	bool receipt = false;

	for (size_t i = 0; i < args->n_rest; i++)
		receipt = receipt || !is_rule_id(args->rest[i]);
	if (!receipt || args->group || ask_left_out(envelope) == 0)
		return;
	fputs("note:     ", stderr);
	out_wrapped(stderr, 10,
	    "not all that is open could be looked at: what the receipt opened in a group that was "
	    "not stays open; `sgwarden receipts RECEIPT` shows it");
}

/* Among the rules that were opened through sgwarden, which are meant?  0, or the exit status. */
static int
choose(struct mcp_client *client, const struct args *args, const cJSON *envelope, struct chosen *c)
{
	const cJSON *grants = ask_data(envelope, "grants"), *grant;
	int status = 0;

	cJSON_ArrayForEach(grant, grants)
	{
		if (status == 0 && in_scope(args, grant) && !seen_before(grants, grant))
			status = look_through(client, args, grant, c);
	}
	for (size_t i = 0; i < args->n_rest && status == 0; i++)
		if (!c->found[i])
			status = not_found(args, envelope, args->rest[i]);
	if (status == 0 && cJSON_GetArraySize(c->rule_ids) == 0)
		status = not_found(args, envelope, NULL);
	if (status == 0)
		warn_left_out(args, envelope);
	return status;
}

static int
find_rules(struct mcp_client *client, const struct args *args, cJSON **ret_grants, struct chosen *c)
{
	cJSON *arguments = cJSON_CreateObject();
	int status = 0;

	if (args->group)
		cJSON_AddStringToObject(arguments, "security_group_id", args->group);
	*ret_grants = ask_pages(client, args, "list_grants", arguments, "grants", &status);
	return *ret_grants ? choose(client, args, *ret_grants, c) : status;
}

static void
show_closed(const cJSON *operations)
{
	const cJSON *op;

	cJSON_ArrayForEach(op, operations)
	{
		const char *id = json_text(op, "rule_id"), *source = json_text(op, "source");

		fputs("closed: ", stdout);
		out_vis(stdout, id, strlen(id), 24);
		fputs(" from ", stdout);
		out_vis(stdout, source, strlen(source), 44);
		putchar('\n');
	}
}

static int
close_chosen(struct mcp_client *client, const struct args *args, struct chosen *c)
{
	cJSON *arguments = target_of(args, c->grant), *envelope;
	int status = 0;

	cJSON_AddItemToObject(arguments, "rule_ids", cJSON_Duplicate(c->rule_ids, true));
	if (args->why)
		cJSON_AddStringToObject(arguments, "reason", args->why);
	if (args->plan)
		return plan_ask(client, args, "remove", arguments);
	envelope = ask_tool(client, args, "whitelist_remove", arguments, &status);
	if (!envelope)
		return status;
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else {
		ask_warnings(envelope);
		show_closed(ask_data(envelope, "operations"));
	}
	cJSON_Delete(envelope);
	return 0;
}

int
close_run(const struct args *args)
{
	struct mcp_client client;
	struct chosen chosen = {0};
	cJSON *grants = NULL;
	int status;

	if (args->n_rest == 0 && !args->group)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "RULE", "name rules, receipts or a --group");
	status = mcp_client_open(args, NULL, &client);
	if (status != 0)
		return status;
	chosen.rule_ids = cJSON_CreateArray();
	if (is_exact(args))
		for (size_t i = 0; i < args->n_rest; i++)
			cJSON_AddItemToArray(chosen.rule_ids, cJSON_CreateString(args->rest[i]));
	else
		status = find_rules(&client, args, &grants, &chosen);
	if (status == 0)
		status = close_chosen(&client, args, &chosen);
	mcp_client_close(&client);
	cJSON_Delete(chosen.rule_ids);
	cJSON_Delete(grants);
	return status;
}
