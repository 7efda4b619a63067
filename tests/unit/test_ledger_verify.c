/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The truth of a ledger beyond its chain: an honest one verifies, one with a single thing wrong is refused at that
 * record, whoever made its hashes and signatures fit; and no other byte may stand where one stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include <sgwarden/ledger_stream.h>

#include "ec2req.h"
#include "ledger_forge.h"
#include "record_fixture.h"
#include "verify.h"

static char ledger[FORGE_BYTES], changed[FORGE_BYTES];
static size_t ledger_len;
static struct rec_key_list keys;
static struct stream stream;
static struct verify verify;

/* The stream reads from memory: where, and how much is left. */
static const char *source;
static size_t source_left;

static ssize_t
read_memory(int fd, void *data, size_t len)
{
	size_t n = len < source_left ? len : source_left;

	(void)fd;
	memcpy(data, source, n);
	source += n;
	source_left -= n;
	return (ssize_t)n;
}

/* The number of the first record that does not hold, and why; 0: all hold. */
static uint64_t
judge(
    const char *data, size_t len, const struct rec_key_list *outside, char ret_why[VERIFY_WHY_MAX])
{
	enum stream_event event;
	uint64_t bad = 0;

	source = data;
	source_left = len;
	verify = (struct verify){.outside = outside};
	stream_open(&stream, -1, read_memory);
	while (bad == 0 && (event = stream_next(&stream)) == STREAM_ENTRY) {
		const char *why = verify_entry(&verify, &stream.entry);

		if (why) {
			bad = stream.entry.number;
			snprintf(ret_why, VERIFY_WHY_MAX, "%s", why);
		}
	}
	if (bad == 0 && (event != STREAM_END || stream.torn_len > 0)) {
		bad = stream.chain.number + 1;
		snprintf(
		    ret_why, VERIFY_WHY_MAX, "%s", event == STREAM_BROKEN ? stream.problem : "cut");
	}
	verify_end(&verify);
	return bad;
}

static void
test_tweaks(void **state)
{
	static const struct {
		const char *name;
		uint64_t number;
		const char *why;
	} TWEAKS[] = {
#define X(name, number, why) {#name, number, why},
	    FORGE_TWEAKS(X)
#undef X
	};

	for (unsigned t = 0; t < TWEAK_MAX; t++) {
		char why[VERIFY_WHY_MAX] = "";
		size_t len = forge_ledger((enum forge_tweak)t, ledger, &keys);
		uint64_t bad = judge(ledger, len, NULL, why);

		if (bad != TWEAKS[t].number || !strstr(why, TWEAKS[t].why))
			fail_msg(
			    "%s: record %llu: %s", TWEAKS[t].name, (unsigned long long)bad, why);
	}
}

static void
test_what_is_known(void **state)
{
	char why[VERIFY_WHY_MAX] = "";

	ledger_len = forge_ledger(TWEAK_NONE, ledger, &keys);
	assert_int_equal(judge(ledger, ledger_len, &keys, why), 0);
	assert_int_equal(verify.n_heads, 12);
	assert_int_equal(verify.n_keys, 2);
	assert_int_equal(verify.touches, 3); /* the second enrolment, two consents */
	assert_int_equal(verify.last_touch, 9);
	assert_int_equal(verify.n_touched, 2);
}

static void
test_keys_from_outside(void **state)
{
	char why[VERIFY_WHY_MAX] = "";
	struct rec_key_list other;

	ledger_len = forge_ledger(TWEAK_NONE, ledger, &keys);
	other = keys;
	other.n_keys = 1;
	assert_int_equal(judge(ledger, ledger_len, &other, why), 0);
	assert_non_null(
	    strstr(verify_keys_end(&verify), "the key \"second\" is not in the key list given"));
	other = keys;
	other.keys[0].public_key[63] ^= 1;
	assert_int_equal(judge(ledger, ledger_len, &other, why), 0);
	assert_non_null(strstr(verify_keys_end(&verify), "\"first\""));
	assert_int_equal(judge(ledger, ledger_len, &keys, why), 0);
	assert_null(verify_keys_end(&verify));
	other = keys;
	other.code_key[7] = 1; /* from before the code was used, or of one that no touch made */
	assert_int_equal(judge(ledger, ledger_len, &other, why), 0);
	assert_non_null(strstr(verify_keys_end(&verify), "the recovery code"));
	other = keys;
	other.appliance[0] = 'z';
	assert_int_equal(judge(ledger, ledger_len, &other, why), 1);
}

/* One byte of three, changed in one bit or another: always noticed, never blamed on a record before it. */
static void
any_byte(enum forge_tweak honest, uint64_t records)
{
	uint64_t number = 1;
	char why[VERIFY_WHY_MAX];

	ledger_len = forge_ledger(honest, ledger, &keys);
	for (size_t at = 0; at < ledger_len; at++) {
		uint64_t bad;

		if (at > 1 && ledger[at - 1] == '\n' && ledger[at - 2] == '\n')
			number++;
		if (at % 3 != 0)
			continue;
		memcpy(changed, ledger, ledger_len);
		changed[at] ^= (char)(1 << (at % 7));
		bad = judge(changed, ledger_len, NULL, why);
		/* The empty line behind a record ends it: without it the record is not whole. */
		if (bad != number && bad != number + 1)
			fail_msg("byte %zu of record %llu: %llu: %s", at,
			    (unsigned long long)number, (unsigned long long)bad, why);
	}
	assert_int_equal(number, records);
}

static void
test_any_byte(void **state)
{
	any_byte(TWEAK_NONE, 12);
	any_byte(TWEAK_CODE_USED, 6);
}

static void
test_cut(void **state)
{
	char why[VERIFY_WHY_MAX];
	size_t whole = 0;

	ledger_len = forge_ledger(TWEAK_NONE, ledger, &keys);
	for (size_t len = 0; len < ledger_len; len++)
		whole += judge(ledger, len, NULL, why) == 0;
	/* Between records nothing shows but a head from outside. */
	assert_int_equal(whole, 12);
}

/* ---- the request against the record ---- */

static struct record
record_of(int16_t protocol, int32_t from, int32_t to, const char *cidr, size_t n)
{
	struct record r = fixture_record();

	for (size_t i = 0; i < n; i++)
		r.plan.ops[i] = fixture_op(ACTION_OPEN, protocol, from, to, cidr);
	r.plan.n_ops = (uint16_t)n;
	return r;
}

static void
check_body(const struct record *r)
{
	static const char RECEIPT[] = "sgw-abcdefghijklmnopqrst";
	static uint8_t memory[SGW_BODY_MAX + 1];
	struct buf body = buf_over(memory, SGW_BODY_MAX);
	char description[SGW_DESCRIPTION_MAX + 1];
	bool opens = r->plan.ops[0].action == ACTION_OPEN;

	if (opens) {
		assert_true(record_fill(r->description, RECEIPT, description, sizeof(description)));
		assert_true(
		    ec2_authorize_body(&r->plan, description, RECEIPT, r->closes, false, &body));
	} else {
		assert_true(ec2_revoke_plan_body(&r->plan, false, &body));
	}
	assert_null(verify_body(r, 0, r->plan.n_ops, RECEIPT, memory, body.len));
	for (size_t at = 0; at < body.len; at += 1 + body.len / 2048) {
		uint8_t was = memory[at];

		for (unsigned bit = 0; bit < 8; bit++) {
			memory[at] = (uint8_t)(was ^ (1u << bit));
			/* "%2F" and "/" are two forms of one value, and only one of them is ours. */
			if (!verify_body(r, 0, r->plan.n_ops, RECEIPT, memory, body.len))
				assert_true(was == '+' || was == '%' || memory[at] == '+');
		}
		memory[at] = was;
		assert_non_null(verify_body(r, 0, r->plan.n_ops, RECEIPT, memory, at));
	}
	for (unsigned more = 0; more < 256; more++) {
		memory[body.len] = (uint8_t)more;
		assert_non_null(verify_body(r, 0, r->plan.n_ops, RECEIPT, memory, body.len + 1));
	}
}

static void
test_bodies(void **state)
{
	struct record r;

	r = record_of(PROTO_TCP, 22, 22, "203.0.113.7", 1);
	check_body(&r);
	r = record_of(PROTO_UDP, 5000, 5010, "2001:db8::/64", 1);
	check_body(&r);
	r = record_of(PROTO_ICMP, -1, -1, "203.0.113.0/24", 1);
	check_body(&r);
	r = record_of(PROTO_ICMPV6, 128, 0, "2001:db8::1", 2);
	check_body(&r);
	r = record_of(PROTO_ALL, -1, -1, "203.0.113.7", 1);
	check_body(&r);
	r = record_of(47, -1, -1, "203.0.113.7", 3);
	check_body(&r);
	r = record_of(PROTO_TCP, 1, 65535, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", SGW_OPS_MAX);
	check_body(&r);
	r = record_of(PROTO_TCP, 443, 443, "203.0.113.7", 1);
	r.closes = 0;
	check_body(&r);
	r = fixture_close(3);
	check_body(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tweaks),
	    cmocka_unit_test(test_what_is_known),
	    cmocka_unit_test(test_keys_from_outside),
	    cmocka_unit_test(test_any_byte),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
