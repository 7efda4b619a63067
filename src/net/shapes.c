/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers that are understood: one table per form, a line per element.  EC2 API reference 2016-11-15, STS
 * 2011-06-15; error forms of the ec2 and of the query protocol.
 */
#include "answer.h"

#include <sgwarden/plan.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define OP(op) (1u << AWS_##op)

#define AT(member)                                                                                 \
	.at = offsetof(struct answer, member), .size = sizeof(((struct answer *)0)->member)
#define LEAF(p, setter, member)                                                                    \
	{                                                                                          \
		.path = (p), .path_len = sizeof(p) - 1, .set = (setter), AT(member)                \
	}
#define NEEDED(p, setter, member)                                                                  \
	{                                                                                          \
		.path = (p), .path_len = sizeof(p) - 1, .set = (setter), AT(member),               \
		.required = true                                                                   \
	}
#define MESSAGE(p, setter, member)                                                                 \
	{                                                                                          \
		.path = (p), .path_len = sizeof(p) - 1, .set = (setter), AT(member), .cut = true   \
	}
#define NODE(p, begin_fn, end_fn)                                                                  \
	{                                                                                          \
		.path = (p), .path_len = sizeof(p) - 1, .begin = (begin_fn), .end = (end_fn)       \
	}

/* An item of securityGroupRuleSet or revokedSecurityGroupRuleSet. */
#define RULE_ROWS(list)                                                                            \
	NODE(list "/item", rule_begin, rule_end),                                                  \
	    NEEDED(list "/item/securityGroupRuleId", set_ascii, rule.rule_id),                     \
	    NEEDED(list "/item/groupId", set_ascii, rule.group_id),                                \
	    NEEDED(list "/item/isEgress", set_bool, rule.egress),                                  \
	    NEEDED(list "/item/ipProtocol", set_protocol, rule.protocol),                          \
	    LEAF(list "/item/fromPort", set_port, rule.from_port),                                 \
	    LEAF(list "/item/toPort", set_port, rule.to_port),                                     \
	    LEAF(list "/item/cidrIpv4", set_cidr4, rule.source),                                   \
	    LEAF(list "/item/cidrIpv6", set_cidr6, rule.source),                                   \
	    LEAF(list "/item/prefixListId", set_prefix_list, rule.source_id),                      \
	    LEAF(list "/item/referencedGroupInfo/groupId", set_source_group, rule.source_id),      \
	    LEAF(list "/item/referencedGroupId", set_source_group, rule.source_id),                \
	    LEAF(list "/item/description", set_utf8, rule.description),                            \
	    NODE(list "/item/tagSet/item", tag_begin, rule_tag_end),                               \
	    NEEDED(list "/item/tagSet/item/key", set_tag_text, tag.key),                           \
	    LEAF(list "/item/tagSet/item/value", set_tag_text, tag.value)

static const struct xml_row DESCRIBE_RULES[] = {
    LEAF("requestId", set_ascii, request_id),
    LEAF("nextToken", set_ascii, next_token),
    RULE_ROWS("securityGroupRuleSet"),
};

static const struct xml_row AUTHORIZE[] = {
    LEAF("requestId", set_ascii, request_id),
    LEAF("return", set_bool, returned),
    RULE_ROWS("securityGroupRuleSet"),
};

static const struct xml_row REVOKE[] = {
    LEAF("requestId", set_ascii, request_id),
    LEAF("return", set_bool, returned),
    NODE("unknownIpPermissionSet/item", NULL, unknown_permission),
    RULE_ROWS("revokedSecurityGroupRuleSet"),
};

/* Rules are counted here, one per source; what they are comes from DescribeSecurityGroupRules alone. */
#define PERMISSION_ROWS(list, count)                                                               \
	NODE("securityGroupInfo/item/" list "/item/groups/item", NULL, count),                     \
	    NODE("securityGroupInfo/item/" list "/item/ipRanges/item", NULL, count),               \
	    NODE("securityGroupInfo/item/" list "/item/ipv6Ranges/item", NULL, count),             \
	    NODE("securityGroupInfo/item/" list "/item/prefixListIds/item", NULL, count)

static const struct xml_row DESCRIBE_GROUPS[] = {
    LEAF("requestId", set_ascii, request_id),
    LEAF("nextToken", set_ascii, next_token),
    NODE("securityGroupInfo/item", group_begin, group_end),
    NEEDED("securityGroupInfo/item/ownerId", set_ascii, group.owner),
    NEEDED("securityGroupInfo/item/groupId", set_ascii, group.group_id),
    NEEDED("securityGroupInfo/item/groupName", set_utf8, group.name),
    LEAF("securityGroupInfo/item/groupDescription", set_utf8, group.description),
    LEAF("securityGroupInfo/item/vpcId", set_ascii, group.vpc_id),
    NODE("securityGroupInfo/item/tagSet/item", tag_begin, group_tag_end),
    NEEDED("securityGroupInfo/item/tagSet/item/key", set_tag_text, tag.key),
    LEAF("securityGroupInfo/item/tagSet/item/value", set_tag_text, tag.value),
    PERMISSION_ROWS("ipPermissions", group_rule_in),
    PERMISSION_ROWS("ipPermissionsEgress", group_rule_out),
};

static const struct xml_row IDENTITY[] = {
    LEAF("GetCallerIdentityResult/Account", set_ascii, account),
    LEAF("GetCallerIdentityResult/Arn", set_ascii, arn),
    LEAF("ResponseMetadata/RequestId", set_ascii, request_id),
};

static const struct xml_row EC2_ERROR[] = {
    LEAF("Errors/Error/Code", set_ascii, code),
    MESSAGE("Errors/Error/Message", set_message, message),
    LEAF("RequestID", set_ascii, request_id),
};

static const struct xml_row QUERY_ERROR[] = {
    LEAF("Error/Code", set_ascii, code),
    MESSAGE("Error/Message", set_message, message),
    LEAF("RequestId", set_ascii, request_id),
};

_Static_assert(N(DESCRIBE_RULES) <= 64 && N(REVOKE) <= 64 && N(DESCRIBE_GROUPS) <= 64,
    "answer.seen and answer.under have one bit per row");

/* AWS answers a failed write with an error; an answer without <return>true</return> is none that we know. */
static bool
write_finish(struct answer *a)
{
	return a->returned;
}

static bool
error_finish(struct answer *a)
{
	return a->code[0] != 0;
}

static bool
identity_finish(struct answer *a)
{
	a->page.id = MSG_AWS_IDENTITY;
	a->page.aws_identity.request = a->request;
	return account_ok(a->account) && FIELD_SET(a->page.aws_identity.account, a->account) &&
	       FIELD_SET(a->page.aws_identity.arn, a->arn);
}

#define EC2_OPS                                                                                    \
	(OP(DESCRIBE_GROUPS) | OP(DESCRIBE_RULES) | OP(AUTHORIZE_INGRESS) | OP(REVOKE_INGRESS))
#define ROWS(array) .rows = (array), .n_rows = N(array)

const struct xml_shape XML_SHAPES[] = {
    {"DescribeSecurityGroupRulesResponse", OP(DESCRIBE_RULES), ROWS(DESCRIBE_RULES)},
    {"DescribeSecurityGroupsResponse", OP(DESCRIBE_GROUPS), ROWS(DESCRIBE_GROUPS)},
    {"AuthorizeSecurityGroupIngressResponse", OP(AUTHORIZE_INGRESS), ROWS(AUTHORIZE),
	.finish = write_finish},
    {"RevokeSecurityGroupIngressResponse", OP(REVOKE_INGRESS), ROWS(REVOKE),
	.finish = write_finish},
    {"GetCallerIdentityResponse", OP(CALLER_IDENTITY), ROWS(IDENTITY), .finish = identity_finish},
    {"Response", EC2_OPS, .error = true, ROWS(EC2_ERROR), .finish = error_finish},
    {"ErrorResponse", EC2_OPS | OP(CALLER_IDENTITY), .error = true, ROWS(QUERY_ERROR),
	.finish = error_finish},
};
const size_t XML_SHAPES_LEN = N(XML_SHAPES);
