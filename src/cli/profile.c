/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden profile list`: what is configured, and whether it has credentials. */
#include <string.h>

#include "asks.h"
#include "table.h"

static void
regions_text(const cJSON *profile, char *ret_text, size_t size)
{
	const cJSON *region;
	size_t len = 0;

	ret_text[0] = 0;
	cJSON_ArrayForEach(region, cJSON_GetObjectItemCaseSensitive(profile, "regions"))
	{
		const char *name = cJSON_IsString(region) ? region->valuestring : "";
		int n = snprintf(ret_text + len, size - len, "%s%.32s", len > 0 ? " " : "", name);

		if (n < 0 || (size_t)n >= size - len)
			return;
		len += (size_t)n;
	}
}

static void
show_profiles(const cJSON *profiles)
{
	struct table t = {0};
	const cJSON *profile;

	table_column(&t, "PROFILE", 24);
	table_column(&t, "DEFAULT", 7);
	table_column(&t, "CREDENTIALS", 11);
	table_column(&t, "ACCOUNT", 12);
	table_column(&t, "REGIONS", 30);
	cJSON_ArrayForEach(profile, profiles)
	{
		bool is_default =
		    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(profile, "is_default"));
		bool has =
		    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(profile, "has_credentials"));
		char regions[33 * 33];

		regions_text(profile, regions, sizeof(regions));
		table_row(&t, (const char *[]){json_text(profile, "name"), is_default ? "yes" : "",
				  has ? "yes" : "no", json_text(profile, "account_id"), regions});
	}
	table_print(&t);
}

int
profile_list_run(const struct args *args)
{
	int status;
	cJSON *envelope = ask_once(args, "mcp", "list_profiles", cJSON_CreateObject(), &status);

	if (!envelope)
		return status;
	if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else
		show_profiles(ask_data(envelope, "profiles"));
	cJSON_Delete(envelope);
	return 0;
}
