/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own address: what a source may say, when sources agree, and what a record may say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <sgwarden/address.h>
#include <sgwarden/record.h>
#include <sgwarden/render.h>

#include "record_fixture.h"

static struct rec_cidr
address(const char *text)
{
	struct rec_cidr c;

	assert_int_equal(cidr_parse(text, strlen(text), &c), CIDR_OK);
	return c;
}

static struct rec_seen
says(const char *text)
{
	return (struct rec_seen){.state = SEEN_OK, .address = address(text)};
}

static const struct rec_seen SILENT = {.state = SEEN_UNREACHABLE, .address = {.family = 4}};

/* ---- answers ---- */

static void
test_answers(void **state)
{
	static const struct {
		const char *text;
		const char *v4, *v6; /* what is heard over each family; NULL: nothing */
	} ROWS[] = {
	    {"203.0.113.7", "203.0.113.7/32", NULL},
	    {"203.0.113.7\n", "203.0.113.7/32", NULL},
	    {" \t\r\n203.0.113.7 \t\r\n", "203.0.113.7/32", NULL},
	    {"2001:db8::7\n", NULL, "2001:db8::7/128"},
	    {"::", NULL, "::/128"},
	    {"", NULL, NULL},
	    {"\n", NULL, NULL},
	    {"203.0.113.7/32", NULL, NULL},
	    {"203.0.113.0/24", NULL, NULL},
	    {"203.0.113.7\n203.0.113.7", NULL, NULL},
	    {"203.0.113.7, 198.51.100.7", NULL, NULL},
	    {"203.0.113.07", NULL, NULL},
	    {"203.0.113", NULL, NULL},
	    {"0xcb.0.113.7", NULL, NULL},
	    {"3405803783", NULL, NULL},
	    {"::ffff:203.0.113.7", NULL, NULL},
	    {"2001:DB8::7", NULL, NULL},
	    {"2001:db8:0::7", NULL, NULL},
	    {"2001:0db8::7", NULL, NULL},
	    {"fe80::1%eth0", NULL, NULL},
	    {"[2001:db8::7]", NULL, NULL},
	    {"<p>203.0.113.7</p>", NULL, NULL},
	    {"\v203.0.113.7", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		for (unsigned f = IP_V4; f < IP_FAMILY_MAX; f++) {
			const char *want = f == IP_V4 ? ROWS[i].v4 : ROWS[i].v6;
			struct rec_cidr got;
			char text[CIDR_TEXT_LEN];

			print_message("%s over %u\n", ROWS[i].text, f);
			assert_int_equal(address_parse(ROWS[i].text, strlen(ROWS[i].text),
					     (enum ip_family)f, &got),
			    want != NULL);
			if (want != NULL) {
				cidr_format(&got, text);
				assert_string_equal(text, want);
			}
		}
}

static void
test_answer_lengths(void **state)
{
	char text[SGW_ADDRESS_ANSWER_MAX + 2] = "203.0.113.7\0";
	struct rec_cidr got;

	assert_false(address_parse(text, 12, IP_V4, &got)); /* the NUL counts */
	memset(text, '1', sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len++)
		assert_false(address_parse(text, len, IP_V4, &got));
}

/* ---- agreement ---- */

static void
test_agreement(void **state)
{
	const struct rec_seen a = says("203.0.113.7"), b = says("198.51.100.7");
	const struct rec_seen rows[][3] = {{a, a, a}, {a, a, SILENT}, {a, SILENT, a},
	    {SILENT, a, a}, {b, a, a}, {a, b, a}, {a, a, b}};
	const struct rec_seen none[][3] = {{a, b, SILENT}, {a, SILENT, SILENT}, {SILENT, SILENT, b},
	    {SILENT, SILENT, SILENT}, {a, b, says("192.0.2.1")}};
	struct rec_cidr got;
	unsigned votes;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(address_agreed(rows[i], 3, &got, &votes));
		assert_true(cidr_equal(&got, &a.address));
		assert_int_equal(votes, i == 0 ? 3 : 2);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(address_agreed(none[i], 3, &got, &votes));
	assert_false(address_agreed(rows[0], 1, &got, &votes));
	assert_true(address_agreed(rows[0], 2, &got, &votes));
}

/* What a source said beside a state that is no answer does not count. */
static void
test_silence_has_no_voice(void **state)
{
	struct rec_seen seen[2] = {says("203.0.113.7"), says("203.0.113.7")};
	struct rec_cidr got;
	unsigned votes;

	for (unsigned s = 0; s < SEEN_STATE_MAX; s++) {
		seen[1].state = (enum seen_state)s;
		assert_int_equal(address_agreed(seen, 2, &got, &votes), s == SEEN_OK);
	}
}

static void
test_usable(void **state)
{
	static const char *const never[] = {"10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
	    "100.127.255.255", "127.0.0.1", "169.254.1.1", "224.0.0.1", "0.0.0.1", "240.0.0.1",
	    "fd00::1", "fe80::1", "::1", "ff02::1", "2002::1", "64:ff9b::1"};
	static const char *const always[] = {
	    "8.8.8.8", "100.63.255.255", "100.128.0.0", "2606:4700::1"};
	static const char *const demo[] = {"203.0.113.7", "2001:db8::7"};
	struct rec_policy policy = {.allow_private = true, .allow_documentation = true};
	struct rec_cidr c;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		c = address(never[i]);
		assert_false(address_usable(&policy, &c));
	}
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		policy.allow_documentation = allowed;
		for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
			c = address(always[i]);
			assert_true(address_usable(&policy, &c));
		}
		for (size_t i = 0; i < sizeof(demo) / sizeof(demo[0]); i++) {
			c = address(demo[i]);
			assert_int_equal(address_usable(&policy, &c), allowed);
		}
	}
}

/* ---- records ---- */

static char text[SGW_RECORD_MAX + 1];

static bool
encodes(const struct record *r)
{
	struct buf b = buf_over(text, SGW_RECORD_MAX);

	if (!record_encode(r, &b))
		return false;
	text[b.len] = 0;
	return true;
}

static struct record
own_record(void)
{
	struct record r = fixture_record();

	r.plan.ops[0].source = address("203.0.113.7");
	r.seen_by = 2;
	r.seen_of = 3;
	return r;
}

static void
test_record_says_so(void **state)
{
	struct record r = own_record(), again;
	static uint8_t rendering[SGW_RENDER_MAX];
	struct buf b = buf_over(rendering, sizeof(rendering) - 1);

	assert_true(encodes(&r));
	assert_non_null(strstr(text, "\nown-address-seen-by 2\nown-address-sources 3\n"));
	assert_true(record_decode((const uint8_t *)text, strlen(text), &again));
	assert_int_equal(again.seen_by, 2);
	assert_int_equal(again.seen_of, 3);
	assert_true(render_record(&r, &b));
	rendering[b.len] = 0;
	assert_non_null(strstr((char *)rendering,
	    "FROM 203.0.113.7/32 (documentation range)\n"
	    "        2 of 3 sources say: your current address (not verified)\n"));
	r.seen_by = r.seen_of = 0;
	assert_true(encodes(&r));
	assert_null(strstr(text, "own-address"));
	b = buf_over(rendering, sizeof(rendering) - 1);
	assert_true(render_record(&r, &b));
	rendering[b.len] = 0;
	assert_null(strstr((char *)rendering, "current"));
}

/* It is said of one address, opened, and of a majority, or not at all. */
static void
test_record_says_nothing_else(void **state)
{
	static const uint16_t counts[][2] = {{1, 3}, {0, 3}, {2, 0}, {3, 2}, {2, 4}, {1, 1}};
	struct record r = own_record();

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		r.seen_by = counts[i][0];
		r.seen_of = counts[i][1];
		assert_false(encodes(&r));
	}
	r = own_record();
	r.plan.ops[0].source = address("203.0.113.0/24");
	assert_false(encodes(&r));
	r = own_record();
	r.plan.ops[1] = r.plan.ops[0];
	r.plan.ops[1].from_port = r.plan.ops[1].to_port = 8443;
	r.plan.n_ops = 2;
	assert_true(encodes(&r));
	r.plan.ops[1].source = address("203.0.113.8");
	assert_false(encodes(&r));
	r = fixture_close(1);
	r.plan.ops[0].source = address("203.0.113.7");
	assert_true(encodes(&r));
	r.seen_by = r.seen_of = 2;
	assert_false(encodes(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_answer_lengths),
	    cmocka_unit_test(test_agreement),
	    cmocka_unit_test(test_silence_has_no_voice),
	    cmocka_unit_test(test_usable),
	    cmocka_unit_test(test_record_says_so),
	    cmocka_unit_test(test_record_says_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
