/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, writes, errors; hostile documents, bounds, and that an answer cut anywhere is none. */
#include "answer_reader.h"

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

/* 175: with each piece expat reads anew what has not ended yet, so that a comment of 16 MB took half a minute or more. */
static void
test_one_comment(void **state)
{
	static char kilobyte[1025];
	struct answer *a = &kept->answer;
	size_t n = 0;

	memset(kilobyte, 'x', 1024);
	for (size_t most = XML_TOKEN_MAX >> 10; n < 2; n++) {
		bool ok, fits = n == 0;

		assert_true(answer_open(a, AWS_DESCRIBE_RULES, 7, 12345, &kept->sink));
		ok = answer_feed(a, "<DescribeSecurityGroupRulesResponse><!--", 40);
		for (size_t i = 0; ok && i < most - (fits ? 1 : 0); i++)
			ok = answer_feed(a, kilobyte, 1024);
		assert_int_equal(ok, fits);
		if (fits) {
			assert_true(answer_feed(a, "--></DescribeSecurityGroupRulesResponse>", 40));
			assert_true(answer_finish(a));
		} else
			assert_non_null(strstr(a->why, "comment of it is too large"));
		answer_close(a);
	}
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_identity),
	    T(test_writes),
	    T(test_errors),
	    T(test_long_error_message),
	    T(test_hostile_xml),
	    T(test_utf16),
	    T(test_bounds),
	    T(test_one_comment),
	    T(test_every_truncation),
	    T(test_namespace_prefix),
	};

	return cmocka_run_group_tests_name(
	    "net: other answers, and the XML underneath", tests, NULL, NULL);
}
