/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden reconcile`: what AWS never answered, settled by reading. */
#include <stdio.h>
#include <string.h>

#include "asks.h"
#include "table.h"

static void
put(const char *before, const char *text, size_t most)
{
	fputs(before, stdout);
	out_vis(stdout, text, strlen(text), most);
}

static void
show_one(const cJSON *item)
{
	char ports[PORTS_TEXT_LEN];
	const char *known = json_text(item, "known_at");

	ports_text(item, ports);
	put("", json_text(item, "action"), 12);
	put(" ", ports, PORTS_TEXT_LEN);
	put(" from ", json_text(item, "source"), 40);
	put("\n    receipt ", json_text(item, "receipt_id"), 40);
	put(", ", json_text(item, "security_group_id"), 24);
	fputs("\n    ", stdout);
	out_words(stdout, 4, json_text(item, "says"));
	if (*known)
		put("    known_at ", known, 40);
	fputs(*known ? "\n" : "", stdout);
}

int
reconcile_run(const struct args *args)
{
	struct mcp_client client;
	cJSON *arguments = cJSON_CreateObject(), *envelope;
	const cJSON *item;
	int status = mcp_client_open(args, "mcp", &client);

	/* a plan's id has the same form as a receipt's, and the daemon knows both by it */
	if (args->n_rest > 0)
		cJSON_AddStringToObject(arguments, "receipt_id", args->rest[0]);
	if (status != 0) {
		cJSON_Delete(arguments);
		return status;
	}
	envelope = ask_settled(&client, args, "reconcile", arguments, &status);
	mcp_client_close(&client);
	if (!envelope)
		return status;
	if (!ask_data(envelope, "operations"))
		status = mcp_refused(args, envelope);
	else {
		bool all = ask_left_out(envelope) == 0; /* what is left out waits too */

		status = all && strcmp(mcp_status(envelope), "ok") == 0 ? 0 : 6;
		if (args->json)
			out_json(cJSON_Duplicate(envelope, true));
		else {
			ask_warnings(envelope);
			cJSON_ArrayForEach(item, ask_data(envelope, "operations"))
			{
				show_one(item);
			}
			if (!all)
				printf("and %d more: ask for one receipt's alone\n",
				    (int)ask_left_out(envelope));
		}
	}
	cJSON_Delete(envelope);
	return status;
}
