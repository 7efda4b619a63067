/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's answers to typed records: what is taken, what spoils the whole, and that chunking does not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"

#define XMLNS " xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\""
#define RULES(inner)                                                                               \
	"<DescribeSecurityGroupRulesResponse" XMLNS "><requestId>r-1</requestId>"                  \
	"<securityGroupRuleSet>" inner                                                             \
	"</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>"
#define RULE_ID "<securityGroupRuleId>sgr-0123456789abcdef0</securityGroupRuleId>"
#define RULE_HEAD RULE_ID "<groupId>sg-0123456789abcdef0</groupId><isEgress>false</isEgress>"
#define TCP443 "<ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>"
#define V4 "<cidrIpv4>203.0.113.7/32</cidrIpv4>"
#define RULE "<item>" RULE_HEAD TCP443 V4 "</item>"

#define GROUPS(inner)                                                                              \
	"<DescribeSecurityGroupsResponse" XMLNS "><securityGroupInfo>" inner                       \
	"</securityGroupInfo></DescribeSecurityGroupsResponse>"
#define GROUP_HEAD                                                                                 \
	"<ownerId>123456789012</ownerId><groupId>sg-01234567</groupId><groupName>web</groupName>"  \
	"<groupDescription>for &lt;web&gt;</groupDescription><vpcId>vpc-0123456789abcdef0</vpcId>"
#define TAG(key, value) "<item><key>" key "</key><value>" value "</value></item>"

#define PAGES_MAX 64

struct kept {
	struct answer answer;
	struct answer_sink sink;
	struct msg pages[PAGES_MAX];
	size_t n_pages;
	bool refuse; /* the reader is gone */
};

static struct kept *kept;

static bool
keep_page(void *context, const struct msg *m)
{
	struct kept *k = context;

	assert_true(k->n_pages < PAGES_MAX);
	if (k->refuse)
		return false;
	k->pages[k->n_pages++] = *m;
	return true;
}

static int
setup(void **state)
{
	kept = calloc(1, sizeof(*kept));
	kept->sink = (struct answer_sink){keep_page, kept};
	return kept == NULL;
}

static int
teardown(void **state)
{
	free(kept);
	return 0;
}

/* Feeds the text in pieces of so many bytes. */
static bool
read_in(enum aws_op op, const char *text, size_t len, size_t piece)
{
	struct answer *a = &kept->answer;
	bool ok = true;

	kept->n_pages = 0;
	assert_true(answer_open(a, op, 7, 12345, &kept->sink));
	for (size_t at = 0; ok && at < len; at += piece)
		ok = answer_feed(a, text + at, len - at < piece ? len - at : piece);
	ok = answer_finish(a);
	answer_close(a);
	return ok;
}

static bool
read_all(enum aws_op op, const char *text)
{
	return read_in(op, text, strlen(text), strlen(text));
}

static void
expect_refused(enum aws_op op, const char *text, const char *why)
{
	if (read_all(op, text))
		fail_msg("taken: %s", text);
	assert_non_null(kept->answer.why);
	if (strstr(kept->answer.why, why) == NULL)
		fail_msg("refused because %s, not %s", kept->answer.why, why);
}

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

static void
test_identity(void **state)
{
	static const char text[] =
	    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
	    "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>A</UserId>"
	    "<Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata>"
	    "<RequestId>r-2</RequestId></ResponseMetadata></GetCallerIdentityResponse>";

	assert_true(read_all(AWS_CALLER_IDENTITY, text));
	assert_int_equal(kept->n_pages, 1);
	assert_int_equal(kept->pages[0].id, MSG_AWS_IDENTITY);
	assert_string_equal(kept->pages[0].aws_identity.account, "123456789012");
	assert_string_equal(kept->pages[0].aws_identity.arn, "arn:aws:iam::123456789012:user/x");
	assert_string_equal(kept->answer.request_id, "r-2");
	expect_refused(AWS_CALLER_IDENTITY,
	    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>12345678901x</Account>"
	    "</GetCallerIdentityResult></GetCallerIdentityResponse>",
	    "not whole");
	expect_refused(AWS_DESCRIBE_RULES, text, "no answer to this call");
}

static void
test_writes(void **state)
{
	assert_true(read_all(AWS_AUTHORIZE_INGRESS,
	    "<AuthorizeSecurityGroupIngressResponse><return>true</"
	    "return><securityGroupRuleSet>" RULE
	    "</securityGroupRuleSet></AuthorizeSecurityGroupIngressResponse>"));
	assert_int_equal(kept->pages[0].aws_rules.n_rules, 1);
	assert_true(read_all(AWS_REVOKE_INGRESS,
	    "<RevokeSecurityGroupIngressResponse><return>true</return><unknownIpPermissionSet/>"
	    "<revokedSecurityGroupRuleSet>" RULE
	    "</revokedSecurityGroupRuleSet></RevokeSecurityGroupIngressResponse>"));
	assert_int_equal(kept->answer.unknown, 0);
	assert_int_equal(kept->n_pages, 1);
	assert_true(read_all(AWS_REVOKE_INGRESS,
	    "<RevokeSecurityGroupIngressResponse><return>true</return><unknownIpPermissionSet>"
	    "<item><ipProtocol>tcp</ipProtocol></item></unknownIpPermissionSet>"
	    "</RevokeSecurityGroupIngressResponse>"));
	assert_int_equal(kept->answer.unknown, 1);
	expect_refused(AWS_AUTHORIZE_INGRESS,
	    "<AuthorizeSecurityGroupIngressResponse><return>false</return>"
	    "</AuthorizeSecurityGroupIngressResponse>",
	    "not whole");
	expect_refused(
	    AWS_AUTHORIZE_INGRESS, "<AuthorizeSecurityGroupIngressResponse/>", "not whole");
}

static void
test_errors(void **state)
{
	assert_true(
	    read_all(AWS_AUTHORIZE_INGRESS,
		"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not "
		"authorized.\x1b[2J Encoded authorization failure message: "
		"abcdef</Message></Error></Errors><RequestID>r-3</RequestID></Response>") == false);
	assert_true(read_all(AWS_AUTHORIZE_INGRESS,
	    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not "
	    "authorized.\xc2\x9b Encoded authorization failure message: "
	    "abcdef</Message></Error></Errors><RequestID>r-3</RequestID></Response>"));
	assert_true(kept->answer.shape->error);
	assert_string_equal(kept->answer.code, "UnauthorizedOperation");
	assert_string_equal(kept->answer.message, "You are not authorized.\\u{9b}");
	assert_string_equal(kept->answer.request_id, "r-3");
	assert_true(read_all(AWS_CALLER_IDENTITY,
	    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender"
	    "</Type><Code>ExpiredToken</Code><Message>m</Message></Error><RequestId>r-4</RequestId>"
	    "</ErrorResponse>"));
	assert_string_equal(kept->answer.code, "ExpiredToken");
	assert_string_equal(kept->answer.request_id, "r-4");
	expect_refused(AWS_DESCRIBE_RULES, "<Response><Errors/></Response>", "not whole");
}

/* The words of an error may be as long as they like; what travels is cut, and says so by its length alone. */
static void
test_long_error_message(void **state)
{
	static char text[40000];
	size_t at = (size_t)snprintf(
	    text, sizeof(text), "<Response><Errors><Error><Code>Blocked</Code><Message>");

	memset(text + at, 'm', 20000);
	snprintf(
	    text + at + 20000, sizeof(text) - at - 20000, "</Message></Error></Errors></Response>");
	assert_true(read_all(AWS_DESCRIBE_RULES, text));
	assert_int_equal(strlen(kept->answer.message), SGW_AWS_MESSAGE_MAX);
}

static void
test_hostile_xml(void **state)
{
	expect_refused(AWS_DESCRIBE_RULES, "<!DOCTYPE a>" RULES(""), "DOCTYPE");
	expect_refused(AWS_DESCRIBE_RULES,
	    "<!DOCTYPE a [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]>" RULES("&c;"), "DOCTYPE");
	expect_refused(AWS_DESCRIBE_RULES,
	    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" RULES(""), "not UTF-8");
	expect_refused(AWS_DESCRIBE_RULES, "<?xml version=\"1.0\" encoding=\"utf-7\"?>" RULES(""),
	    "not UTF-8");
	expect_refused(AWS_DESCRIBE_RULES, RULES("&nosuch;"), "entity");
	expect_refused(AWS_DESCRIBE_RULES, RULES("<item>"), "mismatched");
	expect_refused(AWS_DESCRIBE_RULES, RULES("") "<more/>", "junk");
	expect_refused(AWS_DESCRIBE_RULES, "", "no element");
	expect_refused(AWS_DESCRIBE_RULES, "<DescribeSecurityGroupRulesResponse>", "no element");
	expect_refused(AWS_DESCRIBE_RULES, RULES("\xff"), "not well-formed");
	expect_refused(
	    AWS_DESCRIBE_RULES, RULES("<a><b><c><d><e><f><g><h><i><j><k><l><m><n><o>"), "too deep");
	expect_refused(AWS_DESCRIBE_RULES,
	    RULES("<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/>"),
	    "name is too long");
}

/* UTF-16 is an encoding that expat knows, and one that AWS never sends. */
static void
test_utf16(void **state)
{
	static const char text[] = RULES("");
	static char wide[4 * sizeof(text)];
	size_t n = 0;

	wide[n++] = '\xff';
	wide[n++] = '\xfe';
	for (size_t i = 0; text[i] != 0; i++) {
		wide[n++] = text[i];
		wide[n++] = 0;
	}
	assert_false(read_in(AWS_DESCRIBE_RULES, wide, n, n));
}

/* A bound is a bound however it is reached; just below it all is well. */
static void
feed_many(const char *unit, size_t times, const char *why)
{
	struct answer *a = &kept->answer;
	bool ok;

	assert_true(answer_open(a, AWS_DESCRIBE_RULES, 7, 12345, &kept->sink));
	ok = answer_feed(a, "<DescribeSecurityGroupRulesResponse><x>", 39);
	for (size_t i = 0; ok && i < times; i++)
		ok = answer_feed(a, unit, strlen(unit));
	ok = ok && answer_feed(a, "</x></DescribeSecurityGroupRulesResponse>", 41) &&
	     answer_finish(a);
	answer_close(a);
	if (why == NULL)
		assert_true(ok);
	else {
		assert_false(ok);
		assert_non_null(strstr(a->why, why));
	}
}

static void
test_bounds(void **state)
{
	static char kilobyte[1025];

	memset(kilobyte, 'x', 1024);
	feed_many(kilobyte, 4, NULL);
	feed_many(kilobyte, 5, "text is too long");
	memcpy(kilobyte, "<y>", 3);
	memcpy(kilobyte + 1020, "</y>", 4);
	feed_many(kilobyte, (SGW_ANSWER_MAX >> 10) - 1, NULL);
	feed_many(kilobyte, (SGW_ANSWER_MAX >> 10), "too large");
	feed_many("<item/>", SGW_XML_ITEMS_MAX, NULL);
	feed_many("<item/>", SGW_XML_ITEMS_MAX + 1, "too many items");
}

/* Any prefix of an answer is no answer, wherever it is cut. */
static void
test_every_truncation(void **state)
{
	static const char text[] = RULES(RULE RULE);

	for (size_t len = 0; len < strlen(text); len++)
		assert_false(read_in(AWS_DESCRIBE_RULES, text, len, len + 1));
	assert_true(read_in(AWS_DESCRIBE_RULES, text, strlen(text), 1));
}

static void
test_namespace_prefix(void **state)
{
	assert_true(read_all(AWS_DESCRIBE_RULES,
	    "<n:DescribeSecurityGroupRulesResponse xmlns:n=\"urn:x\"><n:nextToken>t</n:nextToken>"
	    "</n:DescribeSecurityGroupRulesResponse>"));
	assert_string_equal(kept->answer.next_token, "t");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
	    T(test_identity),
	    T(test_writes),
	    T(test_errors),
	    T(test_long_error_message),
	    T(test_hostile_xml),
	    T(test_utf16),
	    T(test_bounds),
	    T(test_every_truncation),
	    T(test_namespace_prefix),
	};

	return cmocka_run_group_tests_name("net: answers", tests, NULL, NULL);
}
