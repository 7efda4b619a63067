/* SPDX-License-Identifier: Apache-2.0 */
/* What an opening has in common with the rules that are there: by protocol, ports or ICMP types, and source. */
#include "overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <sgwarden/cidr.h>

#define THERE "sgr-00000000000000001"

enum found { NOTHING, COVERED, ENCLOSES };

struct side {
	int protocol, from, to;
	const char *source;
};

static const struct {
	struct side there, wanted;
	enum found found;
} CASES[] = {
    {{PROTO_TCP, 443, 443, "203.0.113.0/24"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, COVERED},
    {{PROTO_TCP, 440, 450, "203.0.113.7/32"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, COVERED},
    {{PROTO_ALL, -1, -1, "203.0.0.0/16"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, COVERED},
    {{PROTO_TCP, 443, 443, "203.0.113.8/32"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, NOTHING},
    {{PROTO_TCP, 444, 450, "203.0.113.0/24"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, NOTHING},
    {{PROTO_TCP, 443, 443, "203.0.113.0/24"}, {PROTO_TCP, 443, 444, "203.0.113.7/32"}, NOTHING},
    {{PROTO_UDP, 443, 443, "203.0.113.0/24"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, NOTHING},
    {{47, -1, -1, "203.0.113.0/24"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, NOTHING},
    {{47, -1, -1, "203.0.113.0/24"}, {47, -1, -1, "203.0.113.7/32"}, COVERED},
    {{PROTO_TCP, 443, 443, "203.0.113.7/32"}, {PROTO_TCP, 443, 443, "203.0.113.0/24"}, ENCLOSES},
    {{PROTO_TCP, 443, 443, "203.0.113.7/32"}, {PROTO_TCP, 80, 443, "203.0.113.7/32"}, ENCLOSES},
    {{PROTO_TCP, 443, 443, "203.0.113.0/24"}, {PROTO_TCP, 80, 443, "203.0.113.7/32"}, NOTHING},
    {{PROTO_TCP, 443, 443, "::/0"}, {PROTO_TCP, 443, 443, "203.0.113.7/32"}, NOTHING},
    {{PROTO_TCP, 443, 443, "2001:db8::/48"}, {PROTO_TCP, 443, 443, "2001:db8::1/128"}, COVERED},
    {{PROTO_ICMP, -1, -1, "203.0.113.0/24"}, {PROTO_ICMP, 8, 0, "203.0.113.7/32"}, COVERED},
    {{PROTO_ICMP, 8, -1, "203.0.113.0/24"}, {PROTO_ICMP, 8, 0, "203.0.113.7/32"}, COVERED},
    {{PROTO_ICMP, 8, 0, "203.0.113.0/24"}, {PROTO_ICMP, 8, 0, "203.0.113.7/32"}, COVERED},
    {{PROTO_ICMP, 8, 1, "203.0.113.0/24"}, {PROTO_ICMP, 8, 0, "203.0.113.7/32"}, NOTHING},
    {{PROTO_ICMP, 3, -1, "203.0.113.0/24"}, {PROTO_ICMP, 8, 0, "203.0.113.7/32"}, NOTHING},
    {{PROTO_ICMPV6, -1, -1, "2001:db8::/48"}, {PROTO_ICMP, 8, 0, "203.0.113.7/32"}, NOTHING},
};

static struct rec_cidr
cidr(const char *text)
{
	struct rec_cidr c;

	assert_int_equal(cidr_parse(text, strlen(text), &c), CIDR_OK);
	return c;
}

static struct rec_op_view
look(const struct side *there, const struct side *wanted, bool egress, enum rule_source kind)
{
	static uint32_t order[1];
	static struct rec_rule rule;
	struct snap rules = {.rules = &rule, .order = order, .n = 1};
	struct rec_op_view v = {.op = {.action = ACTION_OPEN,
				    .protocol = (int16_t)wanted->protocol,
				    .from_port = wanted->from,
				    .to_port = wanted->to,
				    .source = cidr(wanted->source)}};

	rule = (struct rec_rule){.egress = egress,
	    .protocol = (int16_t)there->protocol,
	    .from_port = there->from,
	    .to_port = there->to,
	    .source_kind = kind,
	    .source = cidr(there->source)};
	FIELD_SET(rule.rule_id, THERE);
	overlap_find(&rules, &v);
	return v;
}

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct rec_op_view v = look(&CASES[i].there, &CASES[i].wanted, false, SOURCE_CIDR);

		if (strcmp(v.covered_by, CASES[i].found == COVERED ? THERE : "") != 0 ||
		    strcmp(v.encloses, CASES[i].found == ENCLOSES ? THERE : "") != 0)
			fail_msg("case %zu: covered_by \"%s\", encloses \"%s\"", i, v.covered_by,
			    v.encloses);
	}
}

/* What goes out, and what names no prefix, lets nobody in that is known here. */
static void
test_not_judged(void **state)
{
	assert_string_equal(
	    look(&CASES[0].there, &CASES[0].wanted, true, SOURCE_CIDR).covered_by, "");
	assert_string_equal(
	    look(&CASES[0].there, &CASES[0].wanted, false, SOURCE_GROUP).covered_by, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_not_judged),
	};

	return cmocka_run_group_tests_name("overlaps", tests, NULL, NULL);
}
