/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as policy.json: refused with a place inside the text and a printable reason; or a policy that holds, that
 * encodes and comes back the same, whose JSON compiles to it again, and whose cases can be run. */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/vis.h>

#include "fuzz.h"
#include "policy_file.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void
check_error(const struct config_error *e, const char *text, size_t len)
{
	unsigned lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	MUST(e->at.line >= 1 && e->at.line <= lines && e->at.column >= 1);
	MUST(e->text[0] && text_is_ascii(e->text, strlen(e->text)));
	MUST(text_is_ascii(e->field, strlen(e->field)));
}

static void
check_digest(const struct rec_policy *policy, const struct rec_policy *again)
{
	uint8_t a[HASH_LEN], b[HASH_LEN];

	policy_digest(policy, a);
	policy_digest(again, b);
	MUST(memcmp(a, b, HASH_LEN) == 0);
}

static void
check_policy(const struct policy_file *file)
{
	static uint8_t bytes[SGW_POLICY_MAX];
	static struct policy_file again;
	static struct rec_policy back;
	struct buf b = buf_over(bytes, sizeof(bytes));
	struct config_error error;
	char why[POLICY_PROBLEM_MAX], *text;
	cJSON *tree = policy_json(&file->policy);
	struct cur c;

	MUST(!policy_problem(&file->policy, why) && rec_policy_encode(&b, &file->policy));
	c = cur_over(bytes, b.len);
	MUST(rec_policy_decode(&c, &back) && cur_done(&c));
	check_digest(&file->policy, &back);
	text = cJSON_Print(tree);
	MUST(text && policy_parse(text, strlen(text), &again, &error));
	check_digest(&file->policy, &again.policy);
	cJSON_Delete(tree);
	cJSON_free(text);
}

static void
check_cases(const struct policy_file *file)
{
	struct config_error error = {0};

	for (size_t i = 0; i < file->n_cases; i++) {
		struct case_result r;

		policy_case_run(file, &file->cases[i], &r);
		MUST(r.why[0] && r.verdict.line[0]);
	}
	if (!policy_cases_hold(file, &error))
		MUST(error.at.line >= 1 && error.text[0] &&
		     text_is_ascii(error.text, strlen(error.text)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct policy_file file;
	struct config_error error;
	char *text;

	if (len > CONFIG_FILE_MAX)
		return 0;
	text = malloc(len + 1);
	MUST(text);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = 0;
	if (policy_parse(text, len, &file, &error)) {
		check_policy(&file);
		check_cases(&file);
	} else
		check_error(&error, (const char *)data, len);
	free(text);
	return 0;
}
