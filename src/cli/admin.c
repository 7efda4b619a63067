/* SPDX-License-Identifier: Apache-2.0 */
/* Administrative acts; see admin.h. */
#include "admin.h"
#include "asks.h"

#include <string.h>

static void
tell_done(const cJSON *envelope)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data"), *warning;
	const char *receipt = json_text(data, "receipt_id");

	fputs("done", stdout);
	if (receipt[0]) {
		fputs(", receipt ", stdout);
		out_vis(stdout, receipt, strlen(receipt), 40);
	}
	putchar('\n');
	cJSON_ArrayForEach(warning, cJSON_GetObjectItemCaseSensitive(envelope, "warnings"))
	{
		if (cJSON_IsString(warning)) {
			out_vis(stdout, warning->valuestring, strlen(warning->valuestring), 240);
			putchar('\n');
		}
	}
}

int
admin_act(const struct args *args, const char *tool, cJSON *arguments)
{
	struct mcp_client client;
	cJSON *envelope;
	int status = mcp_client_open(args, "admin", &client);

	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	if (!args->json)
		fputs("Read the consent screen, type the word it asks for, then touch the key.\n",
		    stderr);
	envelope = mcp_call(
	    &client, args, tool, arguments, args->json ? NULL : ask_show_progress, &status);
	mcp_client_close(&client);
	if (!envelope)
		return status;
	if (strcmp(mcp_status(envelope), "ok") != 0)
		status = mcp_refused(args, envelope);
	else if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else
		tell_done(envelope);
	cJSON_Delete(envelope);
	return status;
}
