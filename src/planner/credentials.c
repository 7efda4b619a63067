/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying out a profile's reader credentials: each kind of read once, past the cache.  AWS lists a group's rules by its
 * id, so the first group is asked for its rules; in a region without groups that stays untried.
 */
#include "credentials.h"

#include <string.h>

#include "calls.h"
#include "clients.h"
#include "reads.h"
#include "snap.h"

static const char *const ACTIONS[READ_KINDS] = {
    [AWS_DESCRIBE_GROUPS] = "ec2:DescribeSecurityGroups",
    [AWS_DESCRIBE_RULES] = "ec2:DescribeSecurityGroupRules",
    [AWS_CALLER_IDENTITY] = "sts:GetCallerIdentity",
};

void
credentials_begin(struct planner *p, struct call *call, const struct msg_ask_credentials *ask)
{
	memset(&call->ask.credentials, 0, sizeof(call->ask.credentials));
	call_target(p, call, ask->profile, ask->region);
}

void
credentials_failed(struct call *call, enum aws_op what, uint16_t error, const char *detail)
{
	struct credentials_tried *tried = &call->ask.credentials;

	tried->error[what] = error;
	FIELD_SET(tried->detail[what], detail);
}

/* Is it known how this read went?  If not, sees to it that it is sent, once. */
static bool
settled(struct planner *p, struct call *call, enum aws_op what, const char *group_id)
{
	struct credentials_tried *tried = &call->ask.credentials;
	struct read_key key = {.what = what};

	if (call->got[what] != NULL || tried->error[what] != SGW_ERR_NONE)
		return true;
	if (call->read[what] != NULL)
		return false;
	FIELD_SET(key.profile, call->profile->name);
	FIELD_SET(key.region, call->region);
	FIELD_SET(key.group_id, group_id);
	call->read[what] = read_want(p, &key, true);
	return false;
}

static void
put_check(const struct call *call, enum aws_op what, struct msg_credentials *out)
{
	const struct credentials_tried *tried = &call->ask.credentials;
	struct rec_permission *permission = &out->permissions[out->n_permissions++];

	FIELD_SET(permission->action, ACTIONS[what]);
	permission->tried = call->got[what] != NULL || tried->error[what] != SGW_ERR_NONE;
	permission->error = tried->error[what];
	FIELD_SET(permission->detail, tried->detail[what]);
}

bool
run_credentials(struct planner *p, struct call *call)
{
	bool who = settled(p, call, AWS_CALLER_IDENTITY, "");
	bool groups = settled(p, call, AWS_DESCRIBE_GROUPS, "");
	const struct snap *identity = call->got[AWS_CALLER_IDENTITY];
	const struct snap *list = call->got[AWS_DESCRIBE_GROUPS];
	struct msg_credentials *out = &p->out.credentials;

	if (!who || !groups)
		return false;
	if (list != NULL && list->n > 0 &&
	    !settled(p, call, AWS_DESCRIBE_RULES, list->groups[list->order[0]].id))
		return false;
	p->out.id = MSG_CREDENTIALS;
	*out = (struct msg_credentials){.request = call->request};
	FIELD_SET(out->profile, call->profile->name);
	FIELD_SET(out->region, call->region);
	FIELD_SET(out->account, identity != NULL ? identity->account : "");
	FIELD_SET(out->arn, identity != NULL ? identity->arn : "");
	put_check(call, AWS_CALLER_IDENTITY, out);
	put_check(call, AWS_DESCRIBE_GROUPS, out);
	put_check(call, AWS_DESCRIBE_RULES, out);
	return client_send(p, call->client) != SENT_BLOCKED;
}
