/* SPDX-License-Identifier: Apache-2.0 */
/* Request bodies: the exact bytes of each call, and what is refused.  ec2req_botocore.py holds them against AWS's client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ec2req.h"

#define GROUP "sg-0123456789abcdef0"
#define RECEIPT "sgw-abcdefghij234567abcd"

static struct rec_plan plan;
static char text[SGW_BODY_MAX];

static struct buf
fresh(void)
{
	return buf_over(text, sizeof(text));
}

static void
expect(const struct buf *b, const char *want)
{
	assert_false(b->failed);
	assert_int_equal(b->len, strlen(want));
	assert_memory_equal(b->data, want, b->len);
}

static struct rec_op
op_example(enum action action)
{
	return (struct rec_op){
	    .action = action,
	    .group_id = GROUP,
	    .protocol = PROTO_TCP,
	    .from_port = 443,
	    .to_port = 443,
	    .source = {.family = 4, .prefix = 32, .addr = {203, 0, 113, 7}},
	};
}

static int
setup(void **state)
{
	memset(&plan, 0, sizeof(plan));
	plan.n_ops = 1;
	plan.ops[0] = op_example(ACTION_OPEN);
	return 0;
}

static bool
authorize(struct buf *b)
{
	return ec2_authorize_body(&plan, "a b", RECEIPT, 1795282200, false, b);
}

static void
test_authorize(void **state)
{
	struct buf b = fresh();

	assert_true(authorize(&b));
	expect(&b, "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=" GROUP
		   "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=443"
		   "&IpPermissions.1.ToPort=443&IpPermissions.1.IpRanges.1.CidrIp=203.0.113.7%2F32"
		   "&IpPermissions.1.IpRanges.1.Description=a+b"
		   "&TagSpecification.1.ResourceType=security-group-rule"
		   "&TagSpecification.1.Tag.1.Key=sgwarden%3Areceipt"
		   "&TagSpecification.1.Tag.1.Value=" RECEIPT
		   "&TagSpecification.1.Tag.2.Key=sgwarden%3Aexpires"
		   "&TagSpecification.1.Tag.2.Value=2026-11-21T17%3A30%3A00Z");
}

static void
test_dry_run_only_adds_itself(void **state)
{
	static char with[SGW_BODY_MAX];
	struct buf b = fresh(), dry = buf_over(with, sizeof(with));

	assert_true(authorize(&b));
	assert_true(ec2_authorize_body(&plan, "a b", RECEIPT, 1795282200, true, &dry));
	assert_memory_equal(with, text, b.len);
	assert_int_equal(dry.len, b.len + strlen("&DryRun=true"));
	assert_memory_equal(with + b.len, "&DryRun=true", strlen("&DryRun=true"));
}

static void
test_revoke_never_names_an_id(void **state)
{
	struct buf b = fresh();

	plan.ops[0] = op_example(ACTION_CLOSE);
	memcpy(plan.ops[0].rule_id, "sgr-0123456789abcdef0", sizeof("sgr-0123456789abcdef0"));
	assert_true(ec2_revoke_plan_body(&plan, false, &b));
	expect(&b, "Action=RevokeSecurityGroupIngress&Version=2016-11-15&GroupId=" GROUP
		   "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=443"
		   "&IpPermissions.1.ToPort=443"
		   "&IpPermissions.1.IpRanges.1.CidrIp=203.0.113.7%2F32");
}

/* A plan of the other action, of two groups or of none never becomes a request. */
static void
test_plan_of_another_shape(void **state)
{
	struct buf b = fresh();

	plan.ops[0].action = ACTION_CLOSE;
	assert_false(authorize(&b));
	b = fresh();
	plan.ops[0].action = ACTION_OPEN;
	assert_false(ec2_revoke_plan_body(&plan, false, &b));
	b = fresh();
	plan.ops[1] = op_example(ACTION_OPEN);
	plan.ops[1].group_id[4] = 'f';
	plan.n_ops = 2;
	assert_false(authorize(&b));
	b = fresh();
	plan.n_ops = 0;
	assert_false(authorize(&b));
}

static void
test_values_without_canonical_form(void **state)
{
	struct buf b = fresh();

	plan.ops[0].source.prefix = 24;
	assert_false(authorize(&b));
	b = fresh();
	plan.ops[0] = op_example(ACTION_OPEN);
	plan.ops[0].to_port = 65536;
	assert_false(authorize(&b));
	b = fresh();
	plan.ops[0] = op_example(ACTION_OPEN);
	plan.ops[0].protocol = PROTO_ALL;
	assert_false(authorize(&b));
}

/* Nothing in a value can add a parameter. */
static void
test_encoding(void **state)
{
	struct buf b = fresh();

	assert_true(ec2_describe_rules_body(GROUP, "a&DryRun=false\xff%+ ~", &b));
	expect(&b,
	    "Action=DescribeSecurityGroupRules&Version=2016-11-15&Filter.1.Name=group-id"
	    "&Filter.1.Value.1=" GROUP "&MaxResults=1000&NextToken=a%26DryRun%3Dfalse%FF%25%2B+~");
}

static void
test_no_room(void **state)
{
	struct buf b = buf_over(text, 100);

	assert_false(authorize(&b));
	b = buf_over(text, 20);
	assert_false(sts_identity_body(&b));
	b = fresh();
	assert_true(sts_identity_body(&b));
	expect(&b, "Action=GetCallerIdentity&Version=2011-06-15");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_authorize, setup),
	    cmocka_unit_test_setup(test_dry_run_only_adds_itself, setup),
	    cmocka_unit_test_setup(test_revoke_never_names_an_id, setup),
	    cmocka_unit_test_setup(test_plan_of_another_shape, setup),
	    cmocka_unit_test_setup(test_values_without_canonical_form, setup),
	    cmocka_unit_test_setup(test_encoding, setup),
	    cmocka_unit_test_setup(test_no_room, setup),
	};

	return cmocka_run_group_tests_name("ec2req", tests, NULL, NULL);
}
