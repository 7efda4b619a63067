/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json: what it may say, what it becomes, and the cases in it that must hold. */
#ifndef CLI_POLICY_FILE_H
#define CLI_POLICY_FILE_H

#include <cjson/cJSON.h>

#include <sgwarden/policy.h>

#include "config.h"

#define POLICY_CASES_MAX 128
#define POLICY_CASE_RULES_MAX 16
#define POLICY_NAME_MAX 80

/* One draft and what must become of it. */
struct policy_case {
	struct jt_place at;
	bool must_allow;
	uint16_t number; /* in its list, from 0 */
	char name[POLICY_NAME_MAX + 1];
	struct rec_plan plan;
	bool lifetime_default; /* the plan's is the policy's, once all of it is known */
	struct rec_group group;
	struct rec_rule rules[POLICY_CASE_RULES_MAX]; /* open already */
	size_t n_rules;
	uint32_t uid;
	enum display_kind display;
	int effect;                     /* enum effect_class that it must have, or -1 */
	char line[SGW_LINE_ID_MAX + 1]; /* that must decide, or empty */
};

struct policy_file {
	struct rec_policy policy;
	struct policy_case cases[POLICY_CASES_MAX];
	size_t n_cases;
};

/*
 * Compiles the text of policy.json (changed by it, a NUL at [len]).  What the file does not say is as in the built-in
 * policy.  False: *ret_error says where and what is allowed.  The cases are not run.
 */
bool policy_parse(
    char *text, size_t len, struct policy_file *ret_file, struct config_error *ret_error);

/* ---- policy_cases.c ---- */

struct case_result {
	bool ok;
	struct verdict verdict;
	char why[SGW_DETAIL_MAX +
		 160]; /* printable: what the verdict was, and what it should have been */
};

void policy_case_run(
    const struct policy_file *file, const struct policy_case *c, struct case_result *ret_result);
/* Runs all; false: the first that does not hold, with its place. */
bool policy_cases_hold(const struct policy_file *file, struct config_error *ret_error);

/* ---- policy_json.c ---- */

/* The policy as policy.json says it in full: compiled again it is the same. */
cJSON *policy_json(const struct rec_policy *policy);

#endif
