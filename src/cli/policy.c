/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden policy check`, `test` and `show FILE`: the file alone, without a daemon. */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

int
policy_compile(const struct args *args, struct policy_file *ret_file, char ret_path[CLI_PATH_MAX])
{
	static struct config_source source;
	struct config_error error;
	int r = config_read(args, "policy.json", &source);
	bool ok;

	if (r != 0)
		return r;
	ok = policy_parse(source.text, source.len, ret_file, &error);
	free(source.text);
	memcpy(ret_path, source.path, sizeof(source.path));
	return ok ? 0 : config_refuse(args, source.path, &error);
}

int
policy_compile_held(
    const struct args *args, struct policy_file *ret_file, char ret_path[CLI_PATH_MAX])
{
	struct config_error error;
	int r = policy_compile(args, ret_file, ret_path);

	if (r != 0 || policy_cases_hold(ret_file, &error))
		return r;
	return config_refuse(args, ret_path, &error);
}

void
policy_digest_text(const struct rec_policy *policy, char ret_hex[2 * HASH_LEN + 1])
{
	uint8_t digest[HASH_LEN];
	struct buf b = buf_over(ret_hex, 2 * HASH_LEN + 1);

	policy_digest(policy, digest);
	(void)buf_put_hex(&b, digest, sizeof(digest));
	(void)buf_put_c(&b);
}

/* ---- check ---- */

int
policy_check_run(const struct args *args)
{
	static struct policy_file file;
	char path[CLI_PATH_MAX], digest[2 * HASH_LEN + 1];
	int r = policy_compile_held(args, &file, path);

	if (r != 0)
		return r;
	policy_digest_text(&file.policy, digest);
	if (args->json) {
		cJSON *tree = cJSON_CreateObject(), *data;

		cJSON_AddStringToObject(tree, "status", "ok");
		data = cJSON_AddObjectToObject(tree, "data");
		cJSON_AddStringToObject(data, "file", path);
		cJSON_AddNumberToObject(data, "cases", (double)file.n_cases);
		cJSON_AddStringToObject(data, "policy_digest", digest);
		out_json(tree);
		return 0;
	}
	out_vis(stdout, path, strlen(path), 1000);
	puts(" is acceptable");
	printf("cases    %zu hold\n", file.n_cases);
	printf("digest   %s\n", digest);
	return 0;
}

/* ---- test ---- */

static cJSON *
case_json(const struct policy_case *c, const struct case_result *r)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddBoolToObject(object, "ok", r->ok);
	cJSON_AddStringToObject(object, "must", c->must_allow ? "allow" : "deny");
	cJSON_AddNumberToObject(object, "number", c->number);
	cJSON_AddStringToObject(object, "name", c->name);
	cJSON_AddNumberToObject(object, "line", c->at.line);
	cJSON_AddNumberToObject(object, "column", c->at.column);
	cJSON_AddStringToObject(object, "policy_line", r->verdict.line);
	cJSON_AddStringToObject(object, "policy_text", r->verdict.text);
	cJSON_AddStringToObject(object, "effect", class_name(r->verdict.effect));
	cJSON_AddStringToObject(object, "why", r->why);
	return object;
}

static void
case_print(const char *path, const struct policy_case *c, const struct case_result *r)
{
	char text[sizeof(r->why) + POLICY_NAME_MAX + 64];

	(void)snprintf(text, sizeof(text), "%s[%u]%s%s: %s",
	    c->must_allow ? "must_allow" : "must_deny", (unsigned)c->number, c->name[0] ? " " : "",
	    c->name, r->why);
	fputs(r->ok ? "ok   " : "FAIL ", stdout);
	out_wrapped(stdout, 5, text);
	if (r->ok)
		return;
	fputs("     ", stdout);
	out_vis(stdout, path, strlen(path), 1000);
	printf(":%u:%u\n", c->at.line, c->at.column);
}

int
policy_test_run(const struct args *args)
{
	static struct policy_file file;
	char path[CLI_PATH_MAX];
	int r = policy_compile(args, &file, path);
	cJSON *tree, *data, *list;
	size_t failed = 0;

	if (r != 0)
		return r;
	tree = cJSON_CreateObject();
	data = cJSON_CreateObject();
	list = cJSON_CreateArray();
	for (size_t i = 0; i < file.n_cases; i++) {
		struct case_result result;

		policy_case_run(&file, &file.cases[i], &result);
		failed += !result.ok;
		if (args->json)
			cJSON_AddItemToArray(list, case_json(&file.cases[i], &result));
		else
			case_print(path, &file.cases[i], &result);
	}
	cJSON_AddStringToObject(tree, "status", failed ? "failed" : "ok");
	cJSON_AddItemToObject(tree, "data", data);
	cJSON_AddStringToObject(data, "file", path);
	cJSON_AddItemToObject(data, "cases", list);
	if (args->json)
		out_json(tree);
	else {
		cJSON_Delete(tree);
		printf(failed ? "%zu of %zu cases do not hold\n" : "%zu of %zu cases hold\n",
		    failed ? failed : file.n_cases, file.n_cases);
	}
	return failed ? 1 : 0;
}

/* ---- show ---- */

void
policy_print(const struct args *args, const struct rec_policy *policy, const char *from)
{
	char digest[2 * HASH_LEN + 1], *text;
	cJSON *tree = policy_json(policy);

	policy_digest_text(policy, digest);
	if (args->json) {
		cJSON *envelope = cJSON_CreateObject(), *data;

		cJSON_AddStringToObject(envelope, "status", "ok");
		data = cJSON_AddObjectToObject(envelope, "data");
		cJSON_AddStringToObject(data, "from", from);
		cJSON_AddStringToObject(data, "policy_digest", digest);
		cJSON_AddItemToObject(data, "policy", tree);
		out_json(envelope);
		return;
	}
	fputs("// ", stdout);
	out_vis(stdout, from, strlen(from), 1000);
	printf("\n// digest %s\n", digest);
	text = cJSON_Print(tree);
	cJSON_Delete(tree);
	puts(text ? text : "");
	cJSON_free(text);
}

int
policy_show_run(const struct args *args)
{
	static struct policy_file file;
	char path[CLI_PATH_MAX];
	int r;

	if (args->n_rest == 0)
		return policy_show_in_force(args);
	r = policy_compile(args, &file, path);
	if (r == 0)
		policy_print(args, &file.policy, path);
	return r;
}
