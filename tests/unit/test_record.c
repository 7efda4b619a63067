/* SPDX-License-Identifier: Apache-2.0 */
/* The consent record: one text for one record, its word, its receipt, its description. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <sgwarden/render.h>

#include "record_fixture.h"

static uint8_t text[SGW_RECORD_MAX], other[SGW_RECORD_MAX + 1];

static size_t
encode(const struct record *r)
{
	struct buf b = buf_over(text, sizeof(text));

	assert_true(record_encode(r, &b));
	return b.len;
}

static void
roundtrip(const struct record *r)
{
	size_t len = encode(r);
	struct record again;

	assert_true(record_decode(text, len, &again));
	assert_memory_equal(&again.plan, &r->plan, sizeof(r->plan));
	assert_memory_equal(&again.nonce, &r->nonce, sizeof(r->nonce));
	assert_string_equal(again.reason, r->reason);
	assert_true(
	    again.created == r->created && again.closes == r->closes && again.effect == r->effect);
	/* And all the rest: the struct that came back has the same text. */
	memcpy(other, text, len);
	assert_int_equal(encode(&again), len);
	assert_memory_equal(text, other, len);
}

static void
test_roundtrip(void **state)
{
	struct record r = fixture_record();

	roundtrip(&r);
	memset(r.tty, 0, sizeof(r.tty));
	memset(r.chain, 0, sizeof(r.chain));
	memset(r.claimed, 0, sizeof(r.claimed));
	memset(r.reason, 0, sizeof(r.reason));
	memset(r.groups[0].name, 0, sizeof(r.groups[0].name));
	memset(r.groups[0].vpc_id, 0, sizeof(r.groups[0].vpc_id));
	r.display = DISPLAY_SHARED;
	r.groups[0].iac = true;
	roundtrip(&r);
	r = fixture_close(1);
	roundtrip(&r);
	r = fixture_close(SGW_OPS_MAX);
	roundtrip(&r);
	r = fixture_enroll();
	roundtrip(&r);
	r = fixture_longest();
	roundtrip(&r);
	r = fixture_record();
	r.plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_ICMP, -1, -1, "2001:db8::1");
	r.plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_ALL, -1, -1, "2001:db8::1");
	r.plan.n_ops = 2;
	roundtrip(&r);
}

/* The rules of a group that count by a list's maximum stand behind the number of all, and zero of them nowhere. */
static void
test_lists_of_a_quota(void **state)
{
	struct record r = fixture_record(), back;
	static const char *const bad[] = {
	    "12+0", "12+", "+2", "12+02", "12+65536", "12+2+2", "12 +2"};
	char *at;
	size_t len;

	r.groups[0].quota_lists = 2;
	roundtrip(&r);
	len = encode(&r);
	assert_true(record_decode(text, len, &back));
	assert_int_equal(back.groups[0].quota_used, 12);
	assert_int_equal(back.groups[0].quota_lists, 2);
	at = memmem(text, len, " 12+2 ", 6);
	assert_non_null(at);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t before = (size_t)(at + 1 - (char *)text), word = strlen(bad[i]);

		memcpy(other, text, before);
		memcpy(other + before, bad[i], word);
		memcpy(other + before + word, at + 5, len - before - 4);
		assert_false(record_decode(other, len - 4 + word, &back));
	}
}

static const char *const WANT =
    "record sgwarden-record-1\n"
    "kind change\n"
    "appliance abcdefghijklmn27\n"
    "nonce 00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9\n"
    "boot 01234567-89ab-cdef-0123-456789abcdef\n"
    "created 2026-11-21T16:30:00Z\n"
    "expires 2026-11-21T16:32:00Z\n"
    "ledger-number 41\n"
    "ledger-head 010c17222d38434e59646f7a85909ba6b1bcc7d2dde8f3fe09141f2a35404b56\n"
    "policy 020f1c293643505d6a7784919eabb8c5d2dfecf90613202d3a4754616e7b8895\n"
    "class open-sensitive\n"
    "pin yes\n"
    "display trusted\n"
    "tty tty3\n"
    "uid 1000\n"
    "pid 4312\n"
    "chain-verified yes\n"
    "chain claude-code <- zsh <- foot\n"
    "claimed claude-code 2.1\n"
    "ask 031425364758697a8b9cadbecfe0f102132435465768798a9bacbdcedff00112\n"
    "profile prod\n"
    "account 111122223333\n"
    "region eu-west-1\n"
    "partition aws\n"
    "group sg-0123456789abcdef0 12 no vpc-0123456789abcdef0 bastion\n"
    "state 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n"
    "quota-limit 60\n"
    "op open sg-0123456789abcdef0 6 22 22 203.0.113.7/32\n"
    "best-effort no\n"
    "lifetime 3600\n"
    "closes 2026-11-21T17:30:00Z\n"
    "description uid1000 debug deploy, TICKET-123 exp=2026-11-21T17:30:00Z #{receipt}\n"
    "render ";

static void
test_text(void **state)
{
	struct record r = fixture_record();
	size_t len = encode(&r), n = strlen(WANT);
	uint8_t rendered[SGW_RENDER_MAX], digest[HASH_LEN];
	struct buf b = buf_over(rendered, sizeof(rendered)), hex = buf_over(other, sizeof(other));

	assert_true(len > n + 65);
	text[len] = 0;
	assert_memory_equal(text, WANT, n);
	assert_string_equal((char *)text + n + 64, "\nreason debug deploy, TICKET-123\n");
	assert_true(render_record(&r, &b));
	hash_sha256(rendered, b.len, digest);
	buf_put_hex(&hex, digest, sizeof(digest));
	assert_memory_equal(text + n, other, 64);
}

/* The line that position `at` of the text is on. */
static const uint8_t *
line_start(size_t at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return text + at;
}

/* Lines that the rendering leaves out: hashes and numbers that only a machine compares. */
static bool
on_silent_line(size_t at)
{
	static const char *const silent[] = {
	    "nonce ",
	    "boot ",
	    "ledger-head ",
	    "policy ",
	    "ask ",
	    "state ",
	    "chain-verified ",
	};

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		if (strncmp((const char *)line_start(at), silent[i], strlen(silent[i])) == 0)
			return true;
	return false;
}

static void
must_refuse(const uint8_t *bytes, size_t len, size_t at)
{
	struct record again;

	if (!record_decode(bytes, len, &again))
		return;
	/* Another record, then, with a text of its own: only where the screen shows no difference. */
	if (!on_silent_line(at))
		fail_msg("byte %zu: %.30s", at, (const char *)line_start(at));
}

static void
mutate(const struct record *r)
{
	size_t len = encode(r);

	for (size_t at = 0; at < len; at++) {
		static const uint8_t others[] = {0, '\n', ' ', '0', '9', 'a', 0x7f, 0xff};

		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(other, text, len);
			other[at] ^= (uint8_t)(1u << bit);
			must_refuse(other, len, at);
		}
		for (size_t i = 0; i < sizeof(others); i++) {
			memcpy(other, text, len);
			if (other[at] != others[i]) {
				other[at] = others[i];
				must_refuse(other, len, at);
			}
			memcpy(other, text, at);
			other[at] = others[i];
			memcpy(other + at + 1, text + at, len - at);
			must_refuse(other, len + 1, at);
		}
		memcpy(other, text, at);
		memcpy(other + at, text + at + 1, len - at - 1);
		must_refuse(other, len - 1, at);
		must_refuse(text, at, len - 1);
	}
}

static void
test_every_byte(void **state)
{
	struct record r = fixture_record();

	mutate(&r);
	r = fixture_close(2);
	mutate(&r);
	r = fixture_enroll();
	mutate(&r);
}

/* Lines doubled, dropped or swapped. */
static void
test_lines(void **state)
{
	struct record r = fixture_close(2), again;
	size_t len = encode(&r);

	for (size_t at = 0; at < len;) {
		size_t n = (size_t)((uint8_t *)memchr(text + at, '\n', len - at) - (text + at)) + 1;
		size_t m = 0;

		memcpy(other, text, at);
		memcpy(other + at, text + at + n, len - at - n);
		assert_false(record_decode(other, len - n, &again));
		memcpy(other, text, at + n);
		memcpy(other + at + n, text + at, len - at);
		assert_false(record_decode(other, len + n, &again));
		if (at + n < len) {
			m = (size_t)((uint8_t *)memchr(text + at + n, '\n', len - at - n) -
				     (text + at + n)) +
			    1;
			memcpy(other, text, len);
			memcpy(other + at, text + at + n, m);
			memcpy(other + at + m, text + at, n);
			assert_false(record_decode(other, len, &again));
		}
		at += n;
	}
}

static void
test_refusals(void **state)
{
	uint8_t room[SGW_RECORD_MAX];

#define REFUSED(from, change)                                                                      \
	do {                                                                                       \
		struct record r = (from);                                                          \
		struct buf b = buf_over(room, sizeof(room));                                       \
		change;                                                                            \
		assert_false(record_encode(&r, &b));                                               \
	} while (0)
	REFUSED(fixture_record(), r.kind = RECORD_KIND_MAX);
	REFUSED(fixture_record(), r.effect = CLASS_FORBIDDEN);
	REFUSED(fixture_record(), r.effect = CLASS_CLOSE_OWN);
	REFUSED(fixture_record(), r.display = DISPLAY_NONE);
	REFUSED(fixture_record(), r.display = DISPLAY_MAX);
	REFUSED(fixture_record(), r.appliance[15] = 0);
	REFUSED(fixture_record(), r.appliance[0] = 'A');
	REFUSED(fixture_record(), r.boot_id[0] = 0);
	REFUSED(fixture_record(), r.expires = r.created);
	REFUSED(fixture_record(), r.created = -1);
	REFUSED(fixture_record(), r.expires = INT64_MAX);
	REFUSED(fixture_record(), r.closes = 0);
	REFUSED(fixture_record(), r.closes = INT64_MAX);
	REFUSED(fixture_record(), r.reason[3] = '\n');
	REFUSED(fixture_record(), r.reason[3] = (char)0xc3);
	REFUSED(fixture_record(), r.claimed[3] = 0x1b);
	REFUSED(fixture_record(), memset(r.chain, 'c', sizeof(r.chain)));
	REFUSED(fixture_record(), r.plan.profile[0] = 0);
	REFUSED(fixture_record(), r.plan.n_ops = 0);
	REFUSED(fixture_record(), r.plan.reason[0] = 'x');
	REFUSED(fixture_record(), r.plan.claimed[0] = 'x');
	REFUSED(fixture_record(), r.plan.ticket[0] = 'x');
	REFUSED(fixture_record(), r.plan.ops[0].source.prefix = 24);
	REFUSED(fixture_record(), r.description[0] = 0);
	REFUSED(fixture_record(), FIELD_SET(r.description, "no placeholder"));
	REFUSED(fixture_record(), FIELD_SET(r.description, "#{receipt} #{receipt}"));
	REFUSED(fixture_record(), memset(r.description, 'x', 231));
	REFUSED(fixture_close(1), r.closes = 1);
	REFUSED(fixture_close(1), FIELD_SET(r.description, "#{receipt}"));
	REFUSED(fixture_enroll(), r.key_name[0] = 0);
#undef REFUSED
	{
		struct record r = fixture_record();
		struct buf b = buf_over(room, encode(&r) - 1);

		assert_false(record_encode(&r, &b));
	}
}

static void
word(const struct record *r, const char *want)
{
	char got[SGW_WORD_MAX + 1];

	record_word(r, got);
	assert_string_equal(got, want);
}

static void
test_word(void **state)
{
	struct record r = fixture_record();

	word(&r, "22-def0");
	r.plan.ops[0].to_port = 30;
	word(&r, "22-30-def0");
	r.plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_ICMP, 8, -1, "203.0.113.7");
	word(&r, "icmp-def0");
	r.plan.ops[0].protocol = PROTO_ICMPV6;
	word(&r, "icmp-def0");
	r.plan.ops[0] = fixture_op(ACTION_OPEN, PROTO_ALL, -1, -1, "203.0.113.7");
	word(&r, "all-def0");
	r.plan.ops[0].protocol = 47;
	word(&r, "all-def0");
	r = fixture_close(1);
	memcpy(r.plan.ops[0].rule_id + 17, "be0f", 4);
	word(&r, "close-be0f");
	r.plan.ops[0].action = ACTION_EXTEND;
	word(&r, "extend-def0");
	r = fixture_record();
	r.plan.ops[0].protocol = PROTO_UDP;
	word(&r, "22-def0");
	r = fixture_close(50);
	word(&r, "bulk-50-def0");
	r = fixture_enroll();
	word(&r, "enroll-mn27");
}

static void
test_receipt(void **state)
{
	char id[SGW_RECEIPT_LEN + 1], filled[64];

	record_receipt((const uint8_t *)"abc", 3, id);
	assert_string_equal(id, "sgw-xj4bnp4pahh6uqkbidpf");
	assert_true(record_fill("a #{receipt} b", id, filled, sizeof(filled)));
	assert_string_equal(filled, "a #sgw-xj4bnp4pahh6uqkbidpf b");
	assert_false(record_fill("a #{receipt} b", id, filled, 29));
	assert_true(record_fill("a #{receipt} b", id, filled, 30));
	assert_false(record_fill("a b", id, filled, sizeof(filled)));
	assert_false(record_fill("#{receipt}#{receipt}", id, filled, sizeof(filled)));
	assert_false(record_fill("#{receipt}", "sgw-", filled, sizeof(filled)));
}

static void
test_description(void **state)
{
	char long_text[700], d[SGW_DESCRIPTION_MAX + 1], filled[SGW_DESCRIPTION_MAX + 1];

	record_description("carol@box", "debug deploy", CREATED, d);
	assert_string_equal(d, "carol@box debug deploy exp=2026-11-21T16:30:00Z #{receipt}");
	/* A reason cannot bring a placeholder, a control, or anything that EC2 refuses. */
	record_description(
	    "a", "#{receipt} \x1b[2J \xc3\xa9\xe2\x82\xac <b> \"q\" 'x' %|~`^?\\", CREATED, d);
	assert_string_equal(
	    d, "a #_receipt_ _[2J __ _b_ _q_ _x_ _______ exp=2026-11-21T16:30:00Z #{receipt}");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	record_description(long_text, long_text, CREATED, d);
	assert_true(record_fill(d, "sgw-xj4bnp4pahh6uqkbidpf", filled, sizeof(filled)));
	assert_int_equal(strlen(filled), SGW_DESCRIPTION_MAX);
	assert_non_null(strstr(d, "x exp=2026-11-21T16:30:00Z #{receipt}"));
	record_description("", "", CREATED, d);
	assert_string_equal(d, "  exp=2026-11-21T16:30:00Z #{receipt}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_roundtrip),
	    cmocka_unit_test(test_lists_of_a_quota),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_word),
	    cmocka_unit_test(test_receipt),
	    cmocka_unit_test(test_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
