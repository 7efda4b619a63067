/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's rules and groups to typed records: what is taken, and what spoils the whole. */
#include "answer_reader.h"

static void
test_rule(void **state)
{
	static const char text[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" RULES(
	    "<item>" RULE_HEAD TCP443 V4
	    "<description>caf\xc3\xa9 &amp; co</description><tagSet>" TAG("sgwarden:receipt",
		"sgw-abcdefghij234567abcd") TAG("sgwarden:expires", "2026-11-21T17:30:00Z")
		TAG("Name", "x") "</tagSet></item>");

	for (size_t piece = 1; piece < 400; piece += 13) {
		const struct rec_rule *rule = &kept->pages[0].aws_rules.rules[0];

		assert_true(read_in(AWS_DESCRIBE_RULES, text, strlen(text), piece));
		assert_int_equal(kept->n_pages, 1);
		assert_int_equal(kept->pages[0].id, MSG_AWS_RULES);
		assert_int_equal(kept->pages[0].aws_rules.request, 7);
		assert_int_equal(kept->pages[0].aws_rules.n_rules, 1);
		assert_string_equal(rule->rule_id, "sgr-0123456789abcdef0");
		assert_string_equal(rule->group_id, "sg-0123456789abcdef0");
		assert_false(rule->egress);
		assert_int_equal(rule->protocol, PROTO_TCP);
		assert_int_equal(rule->from_port, 443);
		assert_int_equal(rule->to_port, 443);
		assert_int_equal(rule->source_kind, SOURCE_CIDR);
		assert_int_equal(rule->source.prefix, 32);
		assert_int_equal(rule->source.addr[3], 7);
		assert_string_equal(rule->description, "caf\xc3\xa9 & co");
		assert_string_equal(rule->receipt, "sgw-abcdefghij234567abcd");
		assert_string_equal(rule->expires, "2026-11-21T17:30:00Z");
		assert_string_equal(kept->answer.request_id, "r-1");
	}
}

static const struct rec_rule *
one_rule(const char *text)
{
	if (!read_all(AWS_DESCRIBE_RULES, text))
		fail_msg("%s (%s)", kept->answer.why,
		    kept->answer.where != NULL ? kept->answer.where : "");
	assert_int_equal(kept->pages[0].aws_rules.n_rules, 1);
	return &kept->pages[0].aws_rules.rules[0];
}

#define PROTOCOL(p, from, to)                                                                      \
	"<ipProtocol>" p "</ipProtocol><fromPort>" from "</fromPort><toPort>" to "</toPort>"

static void
test_rule_protocols(void **state)
{
	const struct rec_rule *rule;

	rule = one_rule(RULES("<item>" RULE_HEAD PROTOCOL("icmp", "8", "-1") V4 "</item>"));
	assert_int_equal(rule->protocol, PROTO_ICMP);
	assert_int_equal(rule->from_port, 8);
	assert_int_equal(rule->to_port, -1);
	rule = one_rule(RULES("<item>" RULE_HEAD PROTOCOL("-1", "0", "65535") V4 "</item>"));
	assert_int_equal(rule->protocol, PROTO_ALL);
	assert_int_equal(rule->from_port, -1);
	rule = one_rule(RULES("<item>" RULE_HEAD "<ipProtocol>47</ipProtocol>" V4 "</item>"));
	assert_int_equal(rule->protocol, 47);
	assert_int_equal(rule->to_port, -1);
	/* by its number it is the same rule, ports and all */
	rule = one_rule(RULES("<item>" RULE_HEAD PROTOCOL("6", "20", "30") V4 "</item>"));
	assert_int_equal(rule->protocol, PROTO_TCP);
	assert_int_equal(rule->from_port, 20);
	assert_int_equal(rule->to_port, 30);
	rule = one_rule(RULES("<item>" RULE_HEAD PROTOCOL("58", "128", "0") V4 "</item>"));
	assert_int_equal(rule->protocol, PROTO_ICMPV6);
	assert_int_equal(rule->to_port, 0);
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD PROTOCOL("tcp", "443", "65536") V4 "</item>"), "does not fit");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD PROTOCOL("tcp", "444", "443") V4 "</item>"), "does not fit");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD PROTOCOL("sctp", "1", "2") V4 "</item>"), "does not fit");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD PROTOCOL("256", "-1", "-1") V4 "</item>"), "does not fit");
}

static void
test_rule_sources(void **state)
{
	const struct rec_rule *rule;

	rule =
	    one_rule(RULES("<item>" RULE_HEAD TCP443 "<cidrIpv6>2001:db8::/32</cidrIpv6></item>"));
	assert_int_equal(rule->source.family, 6);
	rule = one_rule(RULES(
	    "<item>" RULE_HEAD TCP443 "<prefixListId>pl-0123456789abcdef0</prefixListId></item>"));
	assert_int_equal(rule->source_kind, SOURCE_PREFIX_LIST);
	assert_string_equal(rule->source_id, "pl-0123456789abcdef0");
	assert_int_equal(rule->source.prefix, 0);
	rule =
	    one_rule(RULES("<item>" RULE_HEAD TCP443
			   "<referencedGroupInfo><groupId>sg-01234567</groupId><userId>1</userId>"
			   "</referencedGroupInfo></item>"));
	assert_int_equal(rule->source_kind, SOURCE_GROUP);
	assert_string_equal(rule->source_id, "sg-01234567");
	expect_refused(
	    AWS_DESCRIBE_RULES, RULES("<item>" RULE_HEAD TCP443 "</item>"), "does not fit");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD TCP443 V4 "<cidrIpv6>2001:db8::/32</cidrIpv6></item>"),
	    "does not fit");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD TCP443 "<cidrIpv4>2001:db8::/32</cidrIpv4></item>"),
	    "does not fit");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD TCP443 "<cidrIpv4>203.0.113.7/33</cidrIpv4></item>"),
	    "does not fit");
}

/* Tags that look like ours but have not our form are no receipt. */
static void
test_rule_foreign_tags(void **state)
{
	const struct rec_rule *rule = one_rule(RULES("<item>" RULE_HEAD TCP443 V4 "<tagSet>" TAG(
	    "sgwarden:receipt", "sgw-ABC") TAG("sgwarden:expires", "tomorrow") "</tagSet></item>"));

	assert_string_equal(rule->receipt, "");
	assert_string_equal(rule->expires, "");
}

static void
test_rule_refused(void **state)
{
	char text[4096], description[300];

	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item><groupId>sg-01234567</groupId><isEgress>false</isEgress>" TCP443 V4
		  "</item>"),
	    "missing");
	assert_string_equal(kept->answer.where, "securityGroupRuleSet/item/securityGroupRuleId");
	expect_refused(
	    AWS_DESCRIBE_RULES, RULES("<item>" RULE_HEAD RULE_ID TCP443 V4 "</item>"), "twice");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item><securityGroupRuleId>sgr-../etc</securityGroupRuleId><groupId>sg-01234567"
		  "</groupId><isEgress>false</isEgress>" TCP443 V4 "</item>"),
	    "does not fit");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<item>" RULE_HEAD TCP443 V4 "<description>a<b>c</b></description></item>"),
	    "inside a value");
	memset(description, 'd', 256);
	description[256] = 0;
	snprintf(text, sizeof(text),
	    RULES("<item>" RULE_HEAD TCP443 V4 "<description>%s</description></item>"),
	    description);
	expect_refused(AWS_DESCRIBE_RULES, text, "does not fit");
	description[255] = 0;
	snprintf(text, sizeof(text),
	    RULES("<item>" RULE_HEAD TCP443 V4 "<description>%s</description></item>"),
	    description);
	assert_int_equal(strlen(one_rule(text)->description), 255);
}

static void
test_pages(void **state)
{
	static char text[200 * 1024];
	size_t at = 0, total = 0;

	at += (size_t)snprintf(text, sizeof(text),
	    "<DescribeSecurityGroupRulesResponse><nextToken>more</nextToken>"
	    "<securityGroupRuleSet>");
	for (unsigned i = 0; i < 2 * SGW_RULES_PAGE + 1; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "<item><securityGroupRuleId>sgr-%017x</securityGroupRuleId><groupId>sg-01234567"
		    "</groupId><isEgress>true</isEgress>" TCP443 V4 "</item>",
		    i);
	snprintf(text + at, sizeof(text) - at,
	    "</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>");
	assert_true(read_all(AWS_DESCRIBE_RULES, text));
	assert_int_equal(kept->n_pages, 3);
	for (size_t p = 0; p < kept->n_pages; p++)
		total += kept->pages[p].aws_rules.n_rules;
	assert_int_equal(total, 2 * SGW_RULES_PAGE + 1);
	assert_string_equal(kept->answer.next_token, "more");
	kept->refuse = true;
	expect_refused(AWS_DESCRIBE_RULES, text, "nobody takes");
}

static const struct rec_group *
one_group(const char *text)
{
	if (!read_all(AWS_DESCRIBE_GROUPS, text))
		fail_msg("%s (%s)", kept->answer.why,
		    kept->answer.where != NULL ? kept->answer.where : "");
	assert_int_equal(kept->pages[0].aws_groups.n_groups, 1);
	return &kept->pages[0].aws_groups.groups[0];
}

static void
test_group(void **state)
{
	const struct rec_group *group = one_group(GROUPS("<item>" GROUP_HEAD "<tagSet>" TAG(
	    "sgwarden:managed",
	    "true") "</tagSet><ipPermissions>"
		    "<item><ipProtocol>tcp</ipProtocol><groups><item><userId>1</userId></item></"
		    "groups>"
		    "<ipRanges><item><cidrIp>1.2.3.4/32</cidrIp></item><item><cidrIp>1.2.3.5/32</"
		    "cidrIp></item>"
		    "</ipRanges><ipv6Ranges><item/></ipv6Ranges><prefixListIds><item/></"
		    "prefixListIds></item>"
		    "</ipPermissions><ipPermissionsEgress><item><ipRanges><item/></ipRanges></item>"
		    "</ipPermissionsEgress></item>"));

	assert_string_equal(group->group_id, "sg-01234567");
	assert_string_equal(group->name, "web");
	assert_string_equal(group->description, "for <web>");
	assert_string_equal(group->vpc_id, "vpc-0123456789abcdef0");
	assert_string_equal(group->owner, "123456789012");
	assert_true(group->managed);
	assert_false(group->iac);
	assert_int_equal(group->rules_in, 5);
	assert_int_equal(group->rules_out, 1);
}

static void
test_group_is_not_managed(void **state)
{
	static const char *const tags[] = {TAG("sgwarden:managed", "TRUE"),
	    TAG("sgwarden:managed", "false"), TAG("Sgwarden:managed", "true"),
	    TAG("sgwarden:managed ", "true"), ""};
	char text[1024];

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		snprintf(text, sizeof(text),
		    GROUPS("<item>" GROUP_HEAD "<tagSet>%s</tagSet></item>"), tags[i]);
		assert_false(one_group(text)->managed);
	}
}

static void
test_group_iac(void **state)
{
	static const char *const tags[] = {TAG("aws:cloudformation:stack-name", "web"),
	    TAG("Terraform", "true"), TAG("terraform", ""), TAG("ManagedBy", "Terraform 1.5"),
	    TAG("managed_by", "terraform")};
	char text[1024];

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		snprintf(text, sizeof(text),
		    GROUPS("<item>" GROUP_HEAD "<tagSet>%s</tagSet></item>"), tags[i]);
		assert_true(one_group(text)->iac);
	}
	assert_false(one_group(
	    GROUPS("<item>" GROUP_HEAD "<tagSet>" TAG("terraform", "false") "</tagSet></item>"))
			 ->iac);
}

/* Ours, the name and the owner's tool travel first; the rest is counted. */
static void
test_group_tags(void **state)
{
	char text[4096], more[2048] = "", longest[300];
	const struct rec_group *group;

	for (unsigned i = 0; i < 10; i++) {
		size_t at = strlen(more);

		snprintf(more + at, sizeof(more) - at, TAG("k%u", "v"), i);
	}
	memset(longest, 'v', 257);
	longest[257] = 0;
	snprintf(text, sizeof(text),
	    GROUPS("<item>" GROUP_HEAD "<tagSet>%s" TAG("long", "%s") TAG("terraform", "1")
		    TAG("Name", "n") TAG("sgwarden:managed", "true") "</tagSet></item>"),
	    more, longest);
	group = one_group(text);
	assert_int_equal(group->n_tags, SGW_TAGS_MAX);
	assert_int_equal(group->tags_left_out, 14 - SGW_TAGS_MAX);
	assert_string_equal(group->tags[0].key, "sgwarden:managed");
	assert_string_equal(group->tags[1].key, "Name");
	assert_string_equal(group->tags[2].key, "terraform");
	assert_string_equal(group->tags[3].key, "k0");
	assert_string_equal(group->tags[7].key, "k4");
	assert_true(group->managed && group->iac);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_rule),
	    T(test_rule_protocols),
	    T(test_rule_sources),
	    T(test_rule_foreign_tags),
	    T(test_rule_refused),
	    T(test_pages),
	    T(test_group),
	    T(test_group_is_not_managed),
	    T(test_group_iac),
	    T(test_group_tags),
	};

	return cmocka_run_group_tests_name("net: rules and groups", tests, NULL, NULL);
}
