/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request that was signed, read back from its form body: its pairs must be those of the touched record, one by
 * one and in order, with the receipt where the placeholder stood and nothing more.  Written apart from the broker's
 * encoder, so that a mistake there is not repeated here.
 */
#include "verify.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

struct form {
	const uint8_t *at, *end;
	bool bad;
};

/* Encoded bytes up to `stop` or the end: %XX, '+' for a space.  Compared as they are decoded. */
static bool
decoded_is(struct form *f, uint8_t stop, const char *text)
{
	for (; f->at < f->end && *f->at != stop; f->at++) {
		uint8_t byte = *f->at;

		if (byte == '+')
			byte = ' ';
		else if (byte == '%') {
			static const char HEX[] = "0123456789ABCDEF";
			const char *high, *low;

			if (f->end - f->at < 3 || !f->at[1] || !f->at[2])
				return false;
			high = strchr(HEX, f->at[1]);
			low = strchr(HEX, f->at[2]);
			if (!high || !low)
				return false;
			byte = (uint8_t)((high - HEX) << 4 | (low - HEX));
			f->at += 2;
		}
		if (byte == 0 || (uint8_t)*text != byte)
			return false;
		text++;
	}
	return *text == 0;
}

/* The next pair is name=value. */
static void
expect(struct form *f, const char *name, const char *value)
{
	if (f->bad || !decoded_is(f, '=', name) || f->at == f->end) {
		f->bad = true;
		return;
	}
	f->at++;
	f->bad = !decoded_is(f, '&', value);
	if (f->at < f->end) {
		f->at++;
		f->bad = f->bad || f->at == f->end; /* "&" with nothing behind it */
	}
}

static void
expect_number(struct form *f, const char *name, int32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)value);
	expect(f, name, text);
}

static const char *
protocol_name(int16_t protocol, char space[8])
{
	switch (protocol) {
	case PROTO_TCP:
		return "tcp";
	case PROTO_UDP:
		return "udp";
	case PROTO_ICMP:
		return "icmp";
	case PROTO_ICMPV6:
		return "icmpv6";
	default:
		snprintf(space, 8, "%d", protocol);
		return space;
	}
}

static void
expect_op(struct form *f, unsigned n, const struct rec_op *op, const char *description)
{
	bool v6 = op->source.family == 6,
	     ports = op->protocol == PROTO_TCP || op->protocol == PROTO_UDP ||
		     op->protocol == PROTO_ICMP || op->protocol == PROTO_ICMPV6;
	char name[80], space[8], source[CIDR_TEXT_LEN];

	snprintf(name, sizeof(name), "IpPermissions.%u.IpProtocol", n);
	expect(f, name, protocol_name(op->protocol, space));
	if (ports) {
		snprintf(name, sizeof(name), "IpPermissions.%u.FromPort", n);
		expect_number(f, name, op->from_port);
		snprintf(name, sizeof(name), "IpPermissions.%u.ToPort", n);
		expect_number(f, name, op->to_port);
	}
	cidr_format(&op->source, source);
	snprintf(name, sizeof(name), "IpPermissions.%u.%s", n,
	    v6 ? "Ipv6Ranges.1.CidrIpv6" : "IpRanges.1.CidrIp");
	expect(f, name, source);
	if (!description)
		return;
	snprintf(name, sizeof(name), "IpPermissions.%u.%s.1.Description", n,
	    v6 ? "Ipv6Ranges" : "IpRanges");
	expect(f, name, description);
}

static void
expect_tags(struct form *f, const struct record *record, const char *receipt)
{
	char expires[CLOCK_TEXT_LEN];

	expect(f, "TagSpecification.1.ResourceType", "security-group-rule");
	expect(f, "TagSpecification.1.Tag.1.Key", "sgwarden:receipt");
	expect(f, "TagSpecification.1.Tag.1.Value", receipt);
	if (record->closes == 0)
		return;
	clock_format(record->closes, expires);
	expect(f, "TagSpecification.1.Tag.2.Key", "sgwarden:expires");
	expect(f, "TagSpecification.1.Tag.2.Value", expires);
}

const char *
verify_body(const struct record *record, size_t first, size_t n, const char *receipt,
    const uint8_t *body, size_t len)
{
	const struct rec_op *ops = record->plan.ops + first;
	bool opens = ops[0].action == ACTION_OPEN;
	char description[SGW_DESCRIPTION_MAX + 1];
	struct form f = {.at = body, .end = body + len};

	if (opens && !record_fill(record->description, receipt, description, sizeof(description)))
		return "its record has no place for the receipt";
	expect(
	    &f, "Action", opens ? "AuthorizeSecurityGroupIngress" : "RevokeSecurityGroupIngress");
	expect(&f, "Version", "2016-11-15");
	expect(&f, "GroupId", ops[0].group_id);
	for (unsigned i = 0; i < n; i++)
		expect_op(&f, i + 1, &ops[i], opens ? description : NULL);
	if (opens)
		expect_tags(&f, record, receipt);
	if ((f.bad || f.at != f.end) && !MUTATE(VERIFY_BODY))
		return "its request is not what was touched for";
	return NULL;
}
