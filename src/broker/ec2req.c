/* SPDX-License-Identifier: Apache-2.0 */
/* Form bodies for EC2 and STS from typed values; encoded like HTML forms: a space is '+', RFC 3986's unreserved stay. */
#include "ec2req.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/cidr.h>
#include <sgwarden/clock.h>

#define EC2_VERSION "2016-11-15"
#define STS_VERSION "2011-06-15"
#define PAGE "1000" /* the most that EC2's describes give at once */

static void
put_encoded(struct buf *b, const char *text)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != 0; text++) {
		if (*text == ' ')
			buf_puts(b, "+");
		else if (strchr(plain, *text) != NULL)
			buf_put_u8(b, (uint8_t)*text);
		else
			buf_printf(b, "%%%02X", (unsigned)(uint8_t)*text);
	}
}

static void
put_action(struct buf *b, const char *action, const char *version)
{
	buf_printf(b, "Action=%s&Version=%s", action, version);
}

/* "&name=value"; names are our own constants and need no encoding. */
static void
put_param(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "&%s=", name);
	put_encoded(b, value);
}

/* "&IpPermissions.N.name=value" */
static void
put_permission_text(struct buf *b, unsigned index, const char *name, const char *value)
{
	buf_printf(b, "&IpPermissions.%u.%s=", index, name);
	put_encoded(b, value);
}

/* EC2 names four protocols and takes every other by its number. */
static void
put_protocol(struct buf *b, unsigned index, int16_t protocol)
{
	static const struct {
		int16_t number;
		const char *name;
	} names[] = {
	    {PROTO_TCP, "tcp"},
	    {PROTO_UDP, "udp"},
	    {PROTO_ICMP, "icmp"},
	    {PROTO_ICMPV6, "icmpv6"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == protocol) {
			put_permission_text(b, index, "IpProtocol", names[i].name);
			return;
		}
	}
	buf_printf(b, "&IpPermissions.%u.IpProtocol=%d", index, protocol);
}

/* Ports travel for the protocols that have them (ICMP: type and code); EC2 reads the rest as all ports. */
static bool
has_ports(int16_t protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_ICMP ||
	       protocol == PROTO_ICMPV6;
}

struct permission {
	int16_t protocol;
	int32_t from, to;
	const struct rec_cidr *source;
	const char *description; /* NULL: none travels */
};

/* One entry of IpPermissions with exactly one source. */
static bool
put_permission(struct buf *b, unsigned index, const struct permission *p)
{
	bool v6 = p->source->family == 6;
	char cidr[CIDR_TEXT_LEN];

	if (!op_is_canonical(p->protocol, p->from, p->to) ||
	    !cidr_is_canonical(p->source->family, p->source->prefix, p->source->addr))
		return false;
	cidr_format(p->source, cidr);
	put_protocol(b, index, p->protocol);
	if (has_ports(p->protocol))
		buf_printf(b, "&IpPermissions.%u.FromPort=%d&IpPermissions.%u.ToPort=%d", index,
		    (int)p->from, index, (int)p->to);
	put_permission_text(b, index, v6 ? "Ipv6Ranges.1.CidrIpv6" : "IpRanges.1.CidrIp", cidr);
	if (p->description)
		put_permission_text(b, index,
		    v6 ? "Ipv6Ranges.1.Description" : "IpRanges.1.Description", p->description);
	return true;
}

/* GroupId and every operation of the plan; all of them in one group and of the action asked for. */
static bool
put_operations(
    struct buf *b, const struct rec_plan *plan, enum action action, const char *description)
{
	if (plan->n_ops == 0 || plan->n_ops > SGW_OPS_MAX)
		return false;
	put_param(b, "GroupId", plan->ops[0].group_id);
	for (unsigned i = 0; i < plan->n_ops; i++) {
		const struct rec_op *op = &plan->ops[i];
		struct permission p = {
		    .protocol = op->protocol,
		    .from = op->from_port,
		    .to = op->to_port,
		    .source = &op->source,
		    .description = description,
		};

		if (op->action != action || strcmp(op->group_id, plan->ops[0].group_id) != 0)
			return false;
		if (!put_permission(b, i + 1, &p))
			return false;
	}
	return true;
}

static void
put_tag(struct buf *b, unsigned index, const char *key, const char *value)
{
	buf_printf(b, "&TagSpecification.1.Tag.%u.Key=", index);
	put_encoded(b, key);
	buf_printf(b, "&TagSpecification.1.Tag.%u.Value=", index);
	put_encoded(b, value);
}

static void
put_dry_run(struct buf *b, bool dry_run)
{
	if (dry_run)
		put_param(b, "DryRun", "true");
}

bool
ec2_authorize_body(const struct rec_plan *plan, const char *description, const char *receipt,
    int64_t closes, bool dry_run, struct buf *b)
{
	char expires[CLOCK_TEXT_LEN];

	put_action(b, "AuthorizeSecurityGroupIngress", EC2_VERSION);
	if (!put_operations(b, plan, ACTION_OPEN, description))
		return false;
	put_param(b, "TagSpecification.1.ResourceType", "security-group-rule");
	put_tag(b, 1, "sgwarden:receipt", receipt);
	if (closes > 0) {
		clock_format(closes, expires);
		put_tag(b, 2, "sgwarden:expires", expires);
	}
	put_dry_run(b, dry_run);
	return !b->failed;
}

bool
ec2_revoke_body(const char *group_id, int16_t protocol, int32_t from, int32_t to,
    const struct rec_cidr *source, bool dry_run, struct buf *b)
{
	struct permission p = {.protocol = protocol, .from = from, .to = to, .source = source};

	put_action(b, "RevokeSecurityGroupIngress", EC2_VERSION);
	put_param(b, "GroupId", group_id);
	if (!put_permission(b, 1, &p))
		return false;
	put_dry_run(b, dry_run);
	return !b->failed;
}

bool
ec2_revoke_plan_body(const struct rec_plan *plan, bool dry_run, struct buf *b)
{
	put_action(b, "RevokeSecurityGroupIngress", EC2_VERSION);
	if (!put_operations(b, plan, ACTION_CLOSE, NULL))
		return false;
	put_dry_run(b, dry_run);
	return !b->failed;
}

static void
put_page(struct buf *b, const char *next_token)
{
	put_param(b, "MaxResults", PAGE);
	if (next_token[0] != 0)
		put_param(b, "NextToken", next_token);
}

bool
ec2_describe_rules_body(const char *group_id, const char *next_token, struct buf *b)
{
	put_action(b, "DescribeSecurityGroupRules", EC2_VERSION);
	put_param(b, "Filter.1.Name", "group-id");
	put_param(b, "Filter.1.Value.1", group_id);
	put_page(b, next_token);
	return !b->failed;
}

bool
ec2_describe_groups_body(const char *group_id, const char *next_token, struct buf *b)
{
	put_action(b, "DescribeSecurityGroups", EC2_VERSION);
	if (group_id[0] != 0)
		put_param(b, "GroupId.1", group_id);
	else
		put_page(b, next_token);
	return !b->failed;
}

bool
sts_identity_body(struct buf *b)
{
	put_action(b, "GetCallerIdentity", STS_VERSION);
	return !b->failed;
}
