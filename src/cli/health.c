/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden health`: the tool of that name, as a table. */
#include <string.h>

#include "mcp_client.h"

static void
show(const cJSON *data)
{
	const cJSON *component;

	cJSON_ArrayForEach(component, cJSON_GetObjectItemCaseSensitive(data, "components"))
	{
		const char *name = json_text(component, "name"),
			   *state = json_text(component, "state");
		const char *detail = json_text(component, "detail");
		char text[1024];

		out_vis(stdout, state, strlen(state), 8);
		printf("%*s", (int)(strlen(state) < 10 ? 10 - strlen(state) : 1), "");
		snprintf(text, sizeof(text), "%s: %s", name, detail);
		out_words(stdout, 10, text);
	}
}

/* Of the first part that is down: what its error has in errors.def, where it has one. */
static int
status_of(const cJSON *data)
{
	const cJSON *c;
	int status = 0;

	cJSON_ArrayForEach(
	    c, cJSON_GetObjectItemCaseSensitive(data,
		   "components")) if (status == 0 && strcmp(json_text(c, "state"), "down") == 0)
	    status = mcp_exit_status(json_text(c, "error"));
	return status != 0 ? status : 1;
}

int
health_run(const struct args *args)
{
	int status;
	cJSON *envelope = mcp_once(args, "mcp", "health", NULL, &status);

	if (!envelope)
		return status;
	if (strcmp(mcp_status(envelope), "ok") != 0) {
		status = mcp_refused(args, envelope);
	} else {
		const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data");

		status = strcmp(json_text(data, "overall"), "down") == 0 ? status_of(data) : 0;
		if (!args->json)
			show(data);
		else
			out_json(cJSON_Duplicate(envelope, true));
	}
	cJSON_Delete(envelope);
	return status;
}
