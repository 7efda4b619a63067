/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden lockdown` and `unlock`: the admin tools of those names. */
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "asks.h"
#include "table.h"

#define WAIT_SECONDS 60 /* for the closings; the daemon goes on with them in any case */

/* 0, or the exit status: one scope at most. */
static int
scope_arguments(const struct args *args, cJSON *arguments, bool all)
{
	if (args->profile && args->group)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--group",
		    "either --profile or --group; without both: everything");
	if (args->profile || args->group || all)
		cJSON_AddStringToObject(arguments, "scope",
		    args->profile ? "profile"
		    : args->group ? "group"
				  : "all");
	if (args->profile)
		cJSON_AddStringToObject(arguments, "profile", args->profile);
	if (args->group)
		cJSON_AddStringToObject(arguments, "security_group_id", args->group);
	return 0;
}

static int64_t
still_open(const cJSON *envelope)
{
	return json_number(cJSON_GetObjectItemCaseSensitive(envelope, "data"), "still_open");
}

/* Asking once more changes nothing and says how far the closings are. */
static int64_t
wait_for_closings(
    struct mcp_client *client, const struct args *args, const cJSON *arguments, int64_t open)
{
	for (unsigned n = 0; n < WAIT_SECONDS && open > 0; n++) {
		cJSON *envelope;
		int status;

		sleep(1);
		envelope = mcp_call(
		    client, args, "lockdown", cJSON_Duplicate(arguments, true), NULL, &status);
		if (!envelope || strcmp(mcp_status(envelope), "ok") != 0) {
			cJSON_Delete(envelope);
			break;
		}
		open = still_open(envelope);
		cJSON_Delete(envelope);
	}
	return open;
}

static void
show(const cJSON *envelope, int64_t began_with, int64_t left)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data"), *lockdown;
	const char *receipt = json_text(data, "receipt_id");

	cJSON_ArrayForEach(lockdown, cJSON_GetObjectItemCaseSensitive(data, "lockdowns"))
	{
		const char *scope = json_text(lockdown, "scope"),
			   *since = json_text(lockdown, "since");

		fputs("locked    ", stdout);
		out_vis(stdout, scope, strlen(scope), 48);
		fputs(", since ", stdout);
		out_vis(stdout, since, strlen(since), 24);
		putchar('\n');
	}
	if (*receipt) {
		fputs("receipt   ", stdout);
		out_vis(stdout, receipt, strlen(receipt), 40);
		putchar('\n');
	}
	printf("ended     %d requests for openings\n", (int)json_number(data, "requests_ended"));
	printf("closed    %d of %d rules\n", (int)(began_with - left), (int)began_with);
	puts("Openings are off until `sgwarden unlock`. Established connections are not cut.");
}

static int
locked(struct mcp_client *client, const struct args *args, const cJSON *arguments, cJSON *envelope)
{
	int64_t began_with = still_open(envelope);
	int64_t left = wait_for_closings(client, args, arguments, began_with);

	if (args->json) {
		cJSON_ReplaceItemInObjectCaseSensitive(
		    cJSON_GetObjectItemCaseSensitive(envelope, "data"), "still_open",
		    cJSON_CreateNumber((double)left));
		out_json(cJSON_Duplicate(envelope, true));
	} else
		show(envelope, began_with, left);
	if (left == 0)
		return 0;
	if (!args->json)
		fprintf(stderr,
		    "%d rules are not closed yet: the daemon tries until they are; "
		    "`sgwarden health` says why.\n",
		    (int)left);
	return 1;
}

int
lockdown_run(const struct args *args)
{
	struct mcp_client client;
	cJSON *arguments = cJSON_CreateObject(), *envelope;
	int status = scope_arguments(args, arguments, true);

	cJSON_AddStringToObject(arguments, "confirm", "LOCKDOWN"); /* the verb was typed */
	if (status == 0)
		status = mcp_client_open(args, "admin", &client);
	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	envelope =
	    mcp_call(&client, args, "lockdown", cJSON_Duplicate(arguments, true), NULL, &status);
	if (envelope)
		status = strcmp(mcp_status(envelope), "ok") == 0
			     ? locked(&client, args, arguments, envelope)
			     : mcp_refused(args, envelope);
	cJSON_Delete(envelope);
	cJSON_Delete(arguments);
	mcp_client_close(&client);
	return status;
}

int
unlock_run(const struct args *args)
{
	cJSON *arguments = cJSON_CreateObject();
	int status = scope_arguments(args, arguments, false);

	if (status == 0)
		return admin_act(args, "unlock", arguments);
	cJSON_Delete(arguments);
	return status;
}
