/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of answers: a reader that keeps the pages, and answers in parts. */
#ifndef TEST_ANSWER_READER_H
#define TEST_ANSWER_READER_H

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

extern struct kept *kept; /* of the test that runs */

int answer_setup(void **state);
int answer_teardown(void **state);
#define T(name) cmocka_unit_test_setup_teardown(name, answer_setup, answer_teardown)

bool read_in(
    enum aws_op op, const char *text, size_t len, size_t piece); /* in pieces of so many bytes */
bool read_all(enum aws_op op, const char *text);
void expect_refused(enum aws_op op, const char *text, const char *why);

#endif
