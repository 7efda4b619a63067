/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden cred status`, `seal`, `rotate`, `test`: the tools of those names.  No credential comes here. */
#include <string.h>

#include "admin.h"
#include "table.h"

/* ---- status ---- */

static void
names_join(const cJSON *names, char *ret_text, size_t size)
{
	const cJSON *name;
	size_t len = 0;

	ret_text[0] = 0;
	cJSON_ArrayForEach(name, names)
	{
		int n = snprintf(ret_text + len, size - len, "%s%s", len ? ", " : "",
		    cJSON_IsString(name) ? name->valuestring : "?");

		if (n < 0 || (size_t)n >= size - len)
			return;
		len += (size_t)n;
	}
}

static const char *
place_of(const cJSON *tier)
{
	bool sealed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tier, "sealed"));
	bool plaintext = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tier, "plaintext"));

	if (sealed)
		return plaintext ? "both" : "sealed";
	return plaintext ? "plaintext" : "none";
}

static void
show_profile(const cJSON *profile)
{
	const char *name = json_text(profile, "name");
	struct table t = {0};
	const cJSON *tier;

	fputs("profile ", stdout);
	out_vis(stdout, name, strlen(name), 64);
	putchar('\n');
	table_column(&t, "TIER", 16);
	table_column(&t, "WHERE", 9);
	table_column(&t, "ACCESS KEY", 20);
	table_column(&t, "OPENED BY", 26);
	cJSON_ArrayForEach(tier, cJSON_GetObjectItemCaseSensitive(profile, "tiers"))
	{
		char keys[320];

		names_join(cJSON_GetObjectItemCaseSensitive(tier, "opened_by"), keys, sizeof(keys));
		table_row(&t, (const char *[]){json_text(tier, "tier"), place_of(tier),
				  json_text(tier, "access_key_id"), keys});
	}
	table_print(&t);
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(profile, "authorises_in_plaintext")))
		out_wrapped(stdout, 0,
		    "Whoever reads the AWS files can open ports without a touch. Seal the opener "
		    "(`sgwarden cred seal PROFILE`), take its secret key out of the AWS files, "
		    "restart the daemon.");
}

static void
show(const cJSON *envelope)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data"), *profile;

	cJSON_ArrayForEach(profile, cJSON_GetObjectItemCaseSensitive(data, "profiles"))
	    show_profile(profile);
}

int
cred_status_run(const struct args *args)
{
	int status;
	cJSON *envelope = mcp_once(args, "admin", "cred_status", NULL, &status);

	if (!envelope)
		return status;
	if (strcmp(mcp_status(envelope), "ok") != 0)
		status = mcp_refused(args, envelope);
	else if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else
		show(envelope);
	cJSON_Delete(envelope);
	return status;
}

/* ---- acts ---- */

static int
cred_act(const struct args *args, const char *tool)
{
	cJSON *arguments = cJSON_CreateObject();

	cJSON_AddStringToObject(arguments, "profile", args->rest[0]);
	if (args->n_rest > 1)
		cJSON_AddStringToObject(arguments, "tier", args->rest[1]);
	return admin_act(args, tool, arguments);
}

int
cred_seal_run(const struct args *args)
{
	return cred_act(args, "cred_seal");
}

int
cred_rotate_run(const struct args *args)
{
	return cred_act(args, "cred_rotate");
}

/* ---- a try ---- */

static void
show_permissions(const cJSON *data)
{
	const char *arn = json_text(data, "caller_arn");
	struct table t = {0};
	const cJSON *p;

	if (arn[0]) {
		fputs("reader  ", stdout);
		out_vis(stdout, arn, strlen(arn), 512);
		putchar('\n');
	}
	table_column(&t, "CALL", 36);
	table_column(&t, "RESULT", 20);
	table_column(&t, "DETAIL", 20);
	cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(data, "permissions"))
	    table_row(&t, (const char *[]){json_text(p, "action"), json_text(p, "result"),
			      json_text(p, "detail")});
	table_print(&t);
}

/* With the touch that the tier wants: AWS is asked for a trial run. */
static int
try_opener(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject();

	if (args->n_rest < 2 || !args->group) {
		cJSON_Delete(arguments);
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--group",
		    "an opener is tried on a group: cred test PROFILE TIER --group SG");
	}
	cJSON_AddStringToObject(arguments, "profile", args->rest[0]);
	cJSON_AddStringToObject(arguments, "tier", args->rest[1]);
	cJSON_AddStringToObject(arguments, "security_group_id", args->group);
	return admin_act(args, "cred_test", arguments);
}

static int
try_reader(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject(), *envelope;
	int status;

	if (args->n_rest > 0)
		cJSON_AddStringToObject(arguments, "profile", args->rest[0]);
	if (args->region)
		cJSON_AddStringToObject(arguments, "region", args->region);
	envelope = mcp_once(args, "mcp", "test_credentials", arguments, &status);
	if (!envelope)
		return status;
	if (!args->json)
		show_permissions(cJSON_GetObjectItemCaseSensitive(envelope, "data"));
	if (strcmp(mcp_status(envelope), "ok") != 0)
		status = mcp_refused(args, envelope);
	else if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	cJSON_Delete(envelope);
	return status;
}

int
cred_test_run(const struct args *args)
{
	return args->n_rest > 1 || args->group ? try_opener(args) : try_reader(args);
}
