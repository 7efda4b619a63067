/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: forms, problems, ids, identity, state digest, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "plan_fixture.h"

static void
test_receipt_id(void **state)
{
	uint8_t digest[HASH_LEN];
	char id[SGW_RECEIPT_LEN + 1];

	/* SHA-256("abc"); base32 of its first bytes by coreutils' base32(1). */
	hash_sha256("abc", 3, digest);
	receipt_id(digest, id);
	assert_string_equal(id, "sgw-xj4bnp4pahh6uqkbidpf");
	assert_true(receipt_id_ok(id));
	assert_false(receipt_id_ok("sgw-xj4bnp4pahh6uqkbidp"));
	assert_false(receipt_id_ok("sgw-xj4bnp4pahh6uqkbidpff"));
	assert_false(receipt_id_ok("sgw-xj4bnp4pahh6uqkbidp1"));
	assert_false(receipt_id_ok("sgx-xj4bnp4pahh6uqkbidpf"));
	assert_false(receipt_id_ok(""));
}

static void
test_forms(void **state)
{
	assert_true(group_id_ok("sg-0123abcd") && group_id_ok(GROUP));
	assert_false(group_id_ok("sg-0123abc") || group_id_ok("sg-0123abcde") ||
		     group_id_ok("sg-0123ABCD") || group_id_ok("sgr-123abcd") || group_id_ok("") ||
		     group_id_ok("sg-0123456789abcdef01"));
	assert_true(rule_id_ok("sgr-0123456789abcdef0"));
	assert_false(
	    rule_id_ok("sgr-0123abcd") || rule_id_ok(GROUP) || rule_id_ok("sgr-0123456789abcdeg0"));
	assert_true(account_ok("012345678901"));
	assert_false(account_ok("01234567890") || account_ok("01234567890a") || account_ok(""));
	assert_true(region_ok("eu-west-1") && region_ok("us-gov-west-1") &&
		    region_ok("ap-southeast-12") && region_ok("us-isob-east-1") &&
		    region_ok("eusc-de-east-1"));
	assert_false(region_ok("") || region_ok("eu") || region_ok("eu-west") ||
		     region_ok("eu-west-") || region_ok("EU-west-1") || region_ok("eu-west-1a") ||
		     region_ok("eu-west-1.evil.example") || region_ok("-eu-west-1") ||
		     region_ok("eu--1") || region_ok("a-b-c-d-1") || region_ok("eu-west-1/"));
}

struct partition {
	const char *region, *partition, *suffix;
};

static const struct partition PARTITIONS[] = {
    {"eu-west-1", "aws", "amazonaws.com"},
    {"mx-central-1", "aws", "amazonaws.com"},
    {"cn-north-1", "aws-cn", "amazonaws.com.cn"},
    {"us-gov-west-1", "aws-us-gov", "amazonaws.com"},
    {"us-iso-east-1", "aws-iso", "c2s.ic.gov"},
    {"us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"},
    {"eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"},
    {"us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"},
    {"eusc-de-east-1", "aws-eusc", "amazonaws.eu"},
    {"xx-west-1", NULL, NULL},
    {"us-foo-west-1", NULL, NULL},
    {"eu-west-1.evil.example", NULL, NULL},
    {"eu-", NULL, NULL},
    {"", NULL, NULL},
};

static void
test_partitions(void **state)
{
	for (size_t i = 0; i < sizeof(PARTITIONS) / sizeof(PARTITIONS[0]); i++) {
		const struct partition *p = &PARTITIONS[i];

		if (p->partition == NULL) {
			assert_null(region_partition(p->region));
			assert_null(region_suffix(p->region));
			continue;
		}
		assert_string_equal(region_partition(p->region), p->partition);
		assert_string_equal(region_suffix(p->region), p->suffix);
	}
}

static void
test_problems(void **state)
{
	const struct rec_plan good =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7"));
	const struct rec_plan closing =
	    fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 0, 65535, "0.0.0.0/0"));
	struct rec_plan p;

	assert_null(plan_problem(&good));
	assert_null(plan_problem(&closing));
#define BAD(from, change)                                                                          \
	do {                                                                                       \
		p = (from);                                                                        \
		change;                                                                            \
		assert_non_null(plan_problem(&p));                                                 \
	} while (0)
	BAD(good, p.n_ops = 0);
	BAD(good, p.n_ops = SGW_OPS_MAX + 1);
	BAD(good, p.profile[0] = 0);
	BAD(good, p.account[11] = 0);
	BAD(good, p.region[0] = 'E');
	BAD(good, p.lifetime = 0);
	BAD(good, p.ops[0].group_id[4] = 'x');
	BAD(good, FIELD_SET(p.ops[0].rule_id, "sgr-0123456789abcdef0"));
	BAD(good, p.ops[0].from_port = 0);
	BAD(good, p.ops[0].to_port = 65536);
	BAD(good, p.ops[0].to_port = 442);
	BAD(good, p.ops[0].protocol = 47);
	BAD(good, p.ops[0].source.prefix = 24);
	BAD(good, p.ops[0].source.family = 5);
	BAD(good, p.n_ops = 2; p.ops[1] = p.ops[0]);
	BAD(good, p.n_ops = 2; p.ops[1] = p.ops[0]; p.ops[1].from_port = 442;
	    p.ops[1].group_id[5] ^= 1);
	BAD(good, memset(p.reason, 'a', 161); p.reason[161] = 0);
	BAD(closing, p.lifetime = 1);
	BAD(closing, p.ops[0].rule_id[0] = 0);
	BAD(closing, p.ops[0].rule_id[5] = 'x');
#undef BAD
	p = good;
	p.n_ops = 2;
	p.ops[1] = p.ops[0];
	p.ops[1].from_port = 442;
	assert_null(plan_problem(&p));
	/* 160 characters of three bytes each */
	for (size_t i = 0; i < 160; i++)
		memcpy(p.reason + 3 * i, "\xe2\x82\xac", 3);
	p.reason[480] = 0;
	assert_null(plan_problem(&p));
}

static void
test_digest(void **state)
{
	struct rec_plan a = fixture_plan(
			    fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7")),
			b = a;
	uint8_t da[HASH_LEN], db[HASH_LEN];

	assert_true(plan_digest(&a, da) && plan_digest(&b, db));
	assert_memory_equal(da, db, HASH_LEN);
	FIELD_SET(b.ticket, "2");
	assert_true(plan_digest(&b, db));
	assert_memory_not_equal(da, db, HASH_LEN);
	b.ops[0].source.prefix = 24;
	assert_false(plan_digest(&b, db));
	/* The longest plan fits. */
	for (size_t i = 0; i < SGW_OPS_MAX; i++) {
		a.ops[i] = fixture_op(ACTION_CLOSE, PROTO_TCP, (int32_t)i, 65535, "2001:db8::1");
		memset(a.ops[i].rule_id, 'f', SGW_RULE_ID_MAX);
	}
	a.n_ops = SGW_OPS_MAX;
	memset(a.profile, 'p', SGW_PROFILE_MAX);
	memset(a.reason, 'r', SGW_REASON_MAX);
	memset(a.claimed, 'c', SGW_CLAIMED_MAX);
	memset(a.ticket, 't', 20);
	assert_true(plan_digest(&a, da));
}

static void
test_identity(void **state)
{
	struct rec_op op = fixture_op(ACTION_CLOSE, PROTO_TCP, 22, 22, "203.0.113.7");
	struct rec_rule rule =
			    fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 22, 22, "203.0.113.7"),
			other;
	struct rec_grant grant = {.protocol = PROTO_TCP, .from_port = 22, .to_port = 22};

	grant.source = rule.source;
	FIELD_SET(grant.group_id, GROUP);
	assert_true(op_equals_rule(&op, &rule));
	assert_true(op_equals_grant(&op, GROUP, &grant));
	assert_false(op_equals_grant(&op, "sg-0123456789abcdef1", &grant));
	other = rule;
	other.egress = true;
	assert_false(op_equals_rule(&op, &other));
	other = rule;
	other.source_kind = SOURCE_GROUP;
	assert_false(op_equals_rule(&op, &other));
	other = rule;
	other.protocol = PROTO_UDP;
	assert_false(op_equals_rule(&op, &other));
	other = rule;
	other.to_port = 23;
	assert_false(op_equals_rule(&op, &other));
	other = rule;
	other.source = fixture_cidr("203.0.113.0/24");
	assert_false(op_equals_rule(&op, &other));
	grant.source = other.source;
	assert_false(op_equals_grant(&op, GROUP, &grant));
}

#define RULES 57

static void
rules_digest(const struct rec_rule *rules, size_t n, uint8_t ret_digest[HASH_LEN])
{
	uint32_t order[RULES + 1];

	state_digest(rules, n, order, ret_digest);
}

static void
test_state_digest(void **state)
{
	static struct rec_rule rules[RULES + 1], mixed[RULES + 1];
	uint8_t want[HASH_LEN], got[HASH_LEN], none[HASH_LEN], zero[HASH_LEN] = {0};

	for (size_t i = 0; i < RULES; i++) {
		char id[SGW_RULE_ID_MAX + 1];

		snprintf(id, sizeof(id), "sgr-%017zx", i * 7919 % 1009);
		rules[i] = fixture_rule(id, PROTO_TCP, 22, (int32_t)(22 + i % 3), "203.0.113.7");
	}
	rules_digest(rules, 0, none);
	assert_memory_equal(none, zero, HASH_LEN);
	rules_digest(rules, RULES, want);
	/* Any order gives the same digest. */
	for (size_t step = 1; step < RULES; step += 5) {
		for (size_t i = 0; i < RULES; i++)
			mixed[i] = rules[(i * 2 * step + step) % RULES];
		rules_digest(mixed, RULES, got);
		if (2 * step % 3 != 0 && 2 * step % 19 != 0)
			assert_memory_equal(want, got, HASH_LEN);
	}
	/* Outbound rules and hints from tags do not count. */
	memcpy(mixed, rules, sizeof(mixed));
	mixed[RULES] = rules[0];
	mixed[RULES].egress = true;
	FIELD_SET(mixed[3].receipt, "sgw-xj4bnp4pahh6uqkbidpf");
	rules_digest(mixed, RULES + 1, got);
	assert_memory_equal(want, got, HASH_LEN);
	/* Everything else does. */
#define DIFFERS(change)                                                                            \
	do {                                                                                       \
		memcpy(mixed, rules, sizeof(mixed));                                               \
		change;                                                                            \
		rules_digest(mixed, RULES, got);                                                   \
		assert_memory_not_equal(want, got, HASH_LEN);                                      \
	} while (0)
	DIFFERS(FIELD_SET(mixed[3].description, "x"));
	DIFFERS(mixed[3].rule_id[20] ^= 1);
	DIFFERS(mixed[3].from_port = 21);
	DIFFERS(mixed[3].to_port = 80);
	DIFFERS(mixed[3].protocol = PROTO_UDP);
	DIFFERS(mixed[3].source.addr[3] = 8);
	DIFFERS(mixed[3].source_kind = SOURCE_GROUP);
	DIFFERS(FIELD_SET(mixed[3].source_id, "sg-0123abcd"));
	DIFFERS(mixed[3] = mixed[4]);
#undef DIFFERS
	rules_digest(rules, RULES - 1, got);
	assert_memory_not_equal(want, got, HASH_LEN);
	/* One id twice: still no matter in which order. */
	memcpy(rules[1].rule_id, rules[0].rule_id, sizeof(rules[0].rule_id));
	FIELD_SET(rules[1].description, "second");
	rules_digest(rules, RULES, want);
	memcpy(mixed, rules, sizeof(mixed));
	mixed[0] = rules[1];
	mixed[1] = rules[0];
	rules_digest(mixed, RULES, got);
	assert_memory_equal(want, got, HASH_LEN);
}

struct ports {
	int16_t protocol;
	int32_t from, to;
	const char *text, *service;
};

static const struct ports PORTS[] = {
    {PROTO_TCP, 22, 22, "tcp/22", "ssh"},
    {PROTO_TCP, 20, 30, "tcp/20-30", NULL},
    {PROTO_UDP, 51820, 51820, "udp/51820", "wireguard"},
    {PROTO_UDP, 22, 22, "udp/22", NULL},
    {PROTO_TCP, 4711, 4711, "tcp/4711", NULL},
    {PROTO_ICMP, -1, -1, "icmp all types", NULL},
    {PROTO_ICMP, 8, -1, "icmp type 8", NULL},
    {PROTO_ICMPV6, 3, 4, "icmpv6 type 3 code 4", NULL},
    {PROTO_ALL, -1, -1, "all protocols", NULL},
    {47, -1, -1, "protocol 47", NULL},
};

static void
test_names(void **state)
{
	for (size_t i = 0; i < sizeof(PORTS) / sizeof(PORTS[0]); i++) {
		const struct ports *p = &PORTS[i];
		const char *service = port_service(p->protocol, p->from, p->to);
		char text[48];

		op_ports_text(p->protocol, p->from, p->to, text, sizeof(text));
		assert_string_equal(text, p->text);
		if (p->service == NULL)
			assert_null(service);
		else
			assert_string_equal(service, p->service);
	}
	for (int c = 0; c < CLASS_MAX; c++)
		assert_non_null(class_name((enum effect_class)c));
	for (int s = 0; s < STAGE_MAX; s++)
		assert_non_null(stage_name((enum stage)s));
	for (int s = 0; s < STATUS_MAX; s++)
		assert_non_null(status_name((enum status)s));
	assert_string_equal(class_name(CLASS_MAX), "?");
	assert_string_equal(status_name(STATUS_PENDING_CONSENT), "pending_consent");
	assert_string_equal(stage_name(STAGE_WAITING_FOR_KEY), "waiting_for_key");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_receipt_id),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_partitions),
	    cmocka_unit_test(test_problems),
	    cmocka_unit_test(test_digest),
	    cmocka_unit_test(test_identity),
	    cmocka_unit_test(test_state_digest),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
