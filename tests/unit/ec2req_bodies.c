/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints one request body for ec2req_botocore.py, which compares it with what botocore sends for the same call.
 *
 *   ec2req_bodies authorize GROUP DESCRIPTION RECEIPT CLOSES DRY {PROTOCOL FROM TO CIDR}…
 *   ec2req_bodies revoke|revoke-plan GROUP DRY {PROTOCOL FROM TO CIDR}…
 *   ec2req_bodies rules|groups GROUP TOKEN
 *   ec2req_bodies identity
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ec2req.h"

static int
number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

/* The operations that follow on the command line, four words each. */
static bool
take_ops(char **args, const char *group, enum action action, struct rec_plan *ret_plan)
{
	memset(ret_plan, 0, sizeof(*ret_plan));
	for (; args[0] != NULL; args += 4) {
		struct rec_op *op = &ret_plan->ops[ret_plan->n_ops++];

		if (args[1] == NULL || args[2] == NULL || args[3] == NULL)
			return false;
		op->action = action;
		op->protocol = (int16_t)number(args[0]);
		op->from_port = number(args[1]);
		op->to_port = number(args[2]);
		snprintf(op->group_id, sizeof(op->group_id), "%s", group);
		if (cidr_parse(args[3], strlen(args[3]), &op->source) != CIDR_OK)
			return false;
	}
	return true;
}

static bool
body(int argc, char **argv, struct buf *b)
{
	static struct rec_plan plan;
	const char *what = argc > 1 ? argv[1] : "";
	const struct rec_op *op = &plan.ops[0];

	if (strcmp(what, "identity") == 0)
		return sts_identity_body(b);
	if (strcmp(what, "rules") == 0 && argc == 4)
		return ec2_describe_rules_body(argv[2], argv[3], b);
	if (strcmp(what, "groups") == 0 && argc == 4)
		return ec2_describe_groups_body(argv[2], argv[3], b);
	if (strcmp(what, "authorize") == 0 && argc > 7)
		return take_ops(argv + 7, argv[2], ACTION_OPEN, &plan) &&
		       ec2_authorize_body(&plan, argv[3], argv[4], strtoll(argv[5], NULL, 10),
			   number(argv[6]) != 0, b);
	if (strcmp(what, "revoke-plan") == 0 && argc > 4)
		return take_ops(argv + 4, argv[2], ACTION_CLOSE, &plan) &&
		       ec2_revoke_plan_body(&plan, number(argv[3]) != 0, b);
	if (strcmp(what, "revoke") == 0 && argc > 4)
		return take_ops(argv + 4, argv[2], ACTION_CLOSE, &plan) &&
		       ec2_revoke_body(op->group_id, op->protocol, op->from_port, op->to_port,
			   &op->source, number(argv[3]) != 0, b);
	return false;
}

int
main(int argc, char **argv)
{
	static char text[SGW_BODY_MAX];
	struct buf b = buf_over(text, sizeof(text));

	if (!body(argc, argv, &b))
		return 1;
	return fwrite(text, 1, b.len, stdout) == b.len ? 0 : 1;
}
