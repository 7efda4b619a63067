/* SPDX-License-Identifier: Apache-2.0 */
#include "canned.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define EC2_NS "http://ec2.amazonaws.com/doc/2016-11-15/"
#define STS_NS "https://sts.amazonaws.com/doc/2011-06-15/"
#define REQUEST_ID "<requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>\n"
#define ACCOUNT "111122223333"

void
text_add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	if (t->size - t->len < 4096) {
		t->size = t->size * 2 + 8192;
		t->at = realloc(t->at, t->size);
		if (t->at == NULL)
			die("memory");
	}
	va_start(args, format);
	n = vsnprintf(t->at + t->len, t->size - t->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->size - t->len)
		die("an item too long");
	t->len += (size_t)n;
}

void
canned_rule(struct text *t, const char *group, unsigned number, const char *cidr)
{
	text_add(t,
	    "<item>\n<securityGroupRuleId>sgr-%017x</securityGroupRuleId>\n<groupId>%s</groupId>\n"
	    "<groupOwnerId>" ACCOUNT "</groupOwnerId>\n<isEgress>false</isEgress>\n"
	    "<ipProtocol>tcp</ipProtocol>\n<fromPort>443</fromPort>\n<toPort>443</toPort>\n"
	    "<cidrIpv4>%s</cidrIpv4>\n<description>rule %u, put there by somebody who said why"
	    "</description>\n<tagSet>\n<item>\n<key>Name</key>\n<value>office %u</value>\n</item>\n"
	    "<item>\n<key>team</key>\n<value>platform</value>\n</item>\n</tagSet>\n"
	    "<securityGroupRuleArn>arn:aws:ec2:us-east-1:" ACCOUNT
	    ":security-group-rule/sgr-%017x</securityGroupRuleArn>\n</item>\n",
	    number + 1, group, cidr, number, number, number + 1);
}

void
canned_rules(struct text *t, unsigned n, const char *extra)
{
	char group[24], cidr[24];

	(void)snprintf(group, sizeof(group), GROUP_FORM, n);
	text_add(t, PROLOG "<DescribeSecurityGroupRulesResponse xmlns=\"" EC2_NS "\">\n" REQUEST_ID
			   "<securityGroupRuleSet>\n");
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(cidr, sizeof(cidr), "10.%u.%u.0/24", i / 256, i % 256);
		canned_rule(t, group, i, cidr);
	}
	text_add(t, "%s</securityGroupRuleSet>\n</DescribeSecurityGroupRulesResponse>", extra);
}

static void
group_item(struct text *t, const char *id, unsigned number, unsigned rules)
{
	text_add(t,
	    "<item>\n<ownerId>" ACCOUNT "</ownerId>\n<groupId>%s</groupId>\n"
	    "<groupName>service-%05u</groupName>\n<groupDescription>what service %u is reached by"
	    "</groupDescription>\n<vpcId>vpc-0123456789abcdef0</vpcId>\n<tagSet>\n"
	    "<item>\n<key>sgwarden:managed</key>\n<value>true</value>\n</item>\n"
	    "<item>\n<key>Name</key>\n<value>service %u</value>\n</item>\n</tagSet>\n"
	    "<ipPermissions>\n<item>\n<ipProtocol>tcp</ipProtocol>\n<fromPort>443</fromPort>\n"
	    "<toPort>443</toPort>\n<groups/>\n<ipRanges>\n",
	    id, number, number, number);
	for (unsigned i = 0; i < rules; i++)
		text_add(t,
		    "<item>\n<cidrIp>10.%u.%u.0/24</cidrIp>\n<description>rule %u</description>\n"
		    "</item>\n",
		    number % 256, i, i);
	text_add(t, "</ipRanges>\n<ipv6Ranges/>\n<prefixListIds/>\n</item>\n</ipPermissions>\n"
		    "<ipPermissionsEgress/>\n</item>\n");
}

static void
groups_open(struct text *t)
{
	text_add(t, PROLOG "<DescribeSecurityGroupsResponse xmlns=\"" EC2_NS "\">\n" REQUEST_ID
			   "<securityGroupInfo>\n");
}

void
canned_group(struct text *t, const char *id)
{
	groups_open(t);
	group_item(t, id, 0, 1);
	text_add(t, "</securityGroupInfo>\n</DescribeSecurityGroupsResponse>");
}

void
canned_groups(struct text *t, unsigned first)
{
	unsigned last = first + CANNED_PAGE < CANNED_GROUPS ? first + CANNED_PAGE : CANNED_GROUPS;

	groups_open(t);
	for (unsigned i = first; i < last; i++) {
		char id[24];

		(void)snprintf(id, sizeof(id), "sg-1%011u%05u", i, CANNED_GROUP_RULES);
		group_item(t, id, i, CANNED_GROUP_RULES);
	}
	text_add(t, "</securityGroupInfo>\n");
	if (last < CANNED_GROUPS)
		text_add(t, "<nextToken>page%u</nextToken>\n", last);
	text_add(t, "</DescribeSecurityGroupsResponse>");
}

void
canned_identity(struct text *t)
{
	text_add(t,
	    PROLOG "<GetCallerIdentityResponse xmlns=\"" STS_NS "\">\n"
		   "<GetCallerIdentityResult>\n<UserId>AIDAEXAMPLE</UserId>\n<Account>" ACCOUNT
		   "</Account>\n<Arn>arn:aws:iam::" ACCOUNT
		   ":user/bench</Arn>\n</GetCallerIdentityResult>\n<ResponseMetadata>\n"
		   "<RequestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</RequestId>\n"
		   "</ResponseMetadata>\n</GetCallerIdentityResponse>");
}
