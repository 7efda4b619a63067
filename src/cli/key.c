/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden key enroll` and `key list`: the admin tools of those names. */
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "asks.h"

static void
put_key(const cJSON *key)
{
	const char *name = json_text(key, "name"), *enrolled = json_text(key, "enrolled_at");
	const cJSON *clones = cJSON_GetObjectItemCaseSensitive(key, "clone_detection");

	out_vis(stdout, name, strlen(name), 40);
	fputs("\n  fingerprint ", stdout);
	out_fingerprint(14, json_text(key, "fingerprint"));
	fputs("  enrolled    ", stdout);
	out_vis(stdout, enrolled, strlen(enrolled), 40);
	if (cJSON_IsFalse(clones))
		fputs("\n  note        its counter is always 0: a copy of it would not be noticed",
		    stdout);
	putchar('\n');
}

static const cJSON *
keys_of(const cJSON *envelope)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(envelope, "data");

	return cJSON_GetObjectItemCaseSensitive(data, "keys");
}

/* Ever after, wherever the keys are listed. */
static void
put_recovery(const cJSON *data)
{
	const char *made = json_text(data, "recovery_code_made_at"),
		   *used = json_text(data, "recovery_code_used_at");

	if (made[0] != 0) {
		fputs("RECOVERY CODE: there is one since ", stdout);
		out_vis(stdout, made, strlen(made), 40);
		puts("\n  Whoever has it can enrol a key. `sgwarden recovery drop` takes it away.");
	}
	if (used[0] != 0) {
		fputs("A RECOVERY CODE enrolled a key ", stdout);
		out_vis(stdout, used, strlen(used), 40);
		putchar('\n');
	}
}

int
key_list_run(const struct args *args)
{
	struct mcp_client client;
	const cJSON *key;
	cJSON *envelope;
	int status = mcp_client_open(args, "admin", &client);

	if (status != 0)
		return status;
	envelope = mcp_call(&client, args, "key_list", NULL, NULL, &status);
	mcp_client_close(&client);
	if (!envelope)
		return status;
	if (strcmp(mcp_status(envelope), "ok") != 0)
		status = mcp_refused(args, envelope);
	else if (args->json)
		out_json(cJSON_Duplicate(envelope, true));
	else if (cJSON_GetArraySize(keys_of(envelope)) == 0)
		puts("No security key is enrolled. `sgwarden key enroll NAME` enrols one.");
	else {
		cJSON_ArrayForEach(key, keys_of(envelope)) put_key(key);
		put_recovery(cJSON_GetObjectItemCaseSensitive(envelope, "data"));
	}
	cJSON_Delete(envelope);
	return status;
}

/* ---- enrolment ---- */

static cJSON *
enroll_once(struct mcp_client *client, const struct args *args, const char *tool, int *ret_status)
{
	cJSON *arguments = cJSON_CreateObject();

	cJSON_AddStringToObject(arguments, "name", args->rest[0]);
	return mcp_call(
	    client, args, tool, arguments, args->json ? NULL : ask_show_progress, ret_status);
}

/* The call that is sent again attaches to the ceremony that is under way. */
static cJSON *
enroll(struct mcp_client *client, const struct args *args, const char *tool, int *ret_status)
{
	cJSON *envelope = enroll_once(client, args, tool, ret_status);

	while (envelope && strcmp(mcp_status(envelope), "pending_consent") == 0) {
		cJSON_Delete(envelope);
		sleep(1); /* a daemon that answers at once is not asked in a circle */
		envelope = enroll_once(client, args, tool, ret_status);
	}
	return envelope;
}

/* The key as the daemon lists it now; an item of *ret_list, which the caller frees. */
static const cJSON *
find_enrolled(struct mcp_client *client, const struct args *args, cJSON **ret_list, int *ret_status)
{
	const cJSON *key;

	*ret_list = mcp_call(client, args, "key_list", NULL, NULL, ret_status);
	cJSON_ArrayForEach(key,
	    keys_of(*ret_list)) if (strcmp(json_text(key, "name"), args->rest[0]) == 0) return key;
	return NULL;
}

static int
tell_enrolled(struct mcp_client *client, const struct args *args, cJSON *envelope)
{
	cJSON *list = NULL, *data = cJSON_GetObjectItemCaseSensitive(envelope, "data");
	int status = 1;
	const cJSON *key = find_enrolled(client, args, &list, &status);

	if (!key) {
		if (list)
			status = out_error(args, SGW_ERR_INTERNAL, NULL,
			    "the enrolment succeeded, but the key is not in the list");
	} else if (args->json) {
		cJSON_AddItemToObject(data, "key", cJSON_Duplicate(key, true));
		out_json(cJSON_Duplicate(envelope, true));
		status = 0;
	} else {
		fputs("enrolled: ", stdout);
		put_key(key);
		puts("Compare the fingerprint with the one that the consent screen showed.");
		status = 0;
	}
	cJSON_Delete(list);
	return status;
}

static bool
name_ok(const char *name)
{
	static const char ALLOWED[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= 32 && strspn(name, ALLOWED) == len && !strchr("._-", name[0]);
}

static int
enroll_by(const struct args *args, const char *tool, const char *say)
{
	struct mcp_client client;
	cJSON *envelope;
	int status;

	if (!name_ok(args->rest[0]))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "NAME",
		    "1 to 32 letters, digits, '.', '_' or '-', the first a letter or digit");
	status = mcp_client_open(args, "admin", &client);
	if (status != 0)
		return status;
	if (!args->json)
		out_wrapped(stderr, 0, say);
	envelope = enroll(&client, args, tool, &status);
	if (envelope)
		status = strcmp(mcp_status(envelope), "ok") == 0
			     ? tell_enrolled(&client, args, envelope)
			     : mcp_refused(args, envelope);
	cJSON_Delete(envelope);
	mcp_client_close(&client);
	return status;
}

int
key_enroll_run(const struct args *args)
{
	return enroll_by(args, "key_enroll",
	    "Read the consent screen, type the word it asks for, then touch the key.");
}

/* ---- the recovery code ---- */

int
recovery_make_run(const struct args *args)
{
	return admin_act(args, "recovery_make", NULL);
}

int
recovery_drop_run(const struct args *args)
{
	return admin_act(args, "recovery_drop", NULL);
}

int
recovery_use_run(const struct args *args)
{
	return enroll_by(args, "recovery_use",
	    "Read the consent screen, type the word it asks for, the code, then touch the new "
	    "key.");
}

/* ---- removal, and a try ---- */

static int
key_act(const struct args *args, const char *tool)
{
	cJSON *arguments = cJSON_CreateObject();

	if (args->n_rest > 0 && !name_ok(args->rest[0])) {
		cJSON_Delete(arguments);
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "NAME",
		    "1 to 32 letters, digits, '.', '_' or '-', the first a letter or digit");
	}
	if (args->n_rest > 0)
		cJSON_AddStringToObject(arguments, "name", args->rest[0]);
	return admin_act(args, tool, arguments);
}

int
key_remove_run(const struct args *args)
{
	return key_act(args, "key_remove");
}

int
key_test_run(const struct args *args)
{
	return key_act(args, "key_test");
}

/* The phrase is typed on the consent screen: it goes through no program of a client's, this one included. */
int
key_phrase_run(const struct args *args)
{
	return key_act(args, "key_phrase");
}
