/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes: strict parser, canonical text, special ranges; held against inet_pton(3) and inet_ntop(3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include <sgwarden/cidr.h>
#include <sgwarden/wire.h>

static enum cidr_parse
parse(const char *text, struct rec_cidr *ret_cidr)
{
	return cidr_parse(text, strlen(text), ret_cidr);
}

static struct rec_cidr
cidr(const char *text)
{
	struct rec_cidr c = {0};

	assert_int_equal(parse(text, &c), CIDR_OK);
	return c;
}

struct good {
	const char *text;
	enum cidr_parse result;
	const char *canonical;
};

static const struct good GOOD[] = {
    {"203.0.113.7", CIDR_OK, "203.0.113.7/32"},
    {"203.0.113.0/24", CIDR_OK, "203.0.113.0/24"},
    {"100.68.0.18/18", CIDR_OK_HOST_BITS, "100.68.0.0/18"},
    {"0.0.0.0/0", CIDR_OK, "0.0.0.0/0"},
    {"8.8.8.8/0", CIDR_OK_HOST_BITS, "0.0.0.0/0"},
    {"255.255.255.255/1", CIDR_OK_HOST_BITS, "128.0.0.0/1"},
    {"::", CIDR_OK, "::/128"},
    {"::/0", CIDR_OK, "::/0"},
    {"2001:DB8:0:0:0:0:0:1", CIDR_OK, "2001:db8::1/128"},
    {"2001:0db8::0001/64", CIDR_OK_HOST_BITS, "2001:db8::/64"},
    {"2001:db8:0:1:1:1:1:1", CIDR_OK, "2001:db8:0:1:1:1:1:1/128"},
    {"2001:0:0:1:0:0:0:1", CIDR_OK, "2001:0:0:1::1/128"},
    {"2001:db8:0:0:1:0:0:1", CIDR_OK, "2001:db8::1:0:0:1/128"},
    {"1:2:3:4:5:6:7::", CIDR_OK, "1:2:3:4:5:6:7:0/128"},
    {"::2:3:4:5:6:7:8", CIDR_OK, "0:2:3:4:5:6:7:8/128"},
    {"1:2:3:4:5:6:7:8/128", CIDR_OK, "1:2:3:4:5:6:7:8/128"},
    {"1:2:3:4:5:6:192.0.2.1", CIDR_OK, "1:2:3:4:5:6:c000:201/128"},
    {"64:ff9b::192.0.2.1/96", CIDR_OK_HOST_BITS, "64:ff9b::/96"},
    {"fe80::/10", CIDR_OK, "fe80::/10"},
};

static void
test_good(void **state)
{
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		struct rec_cidr c, again;
		char text[CIDR_TEXT_LEN];

		assert_int_equal(parse(GOOD[i].text, &c), GOOD[i].result);
		assert_true(cidr_is_canonical(c.family, c.prefix, c.addr));
		cidr_format(&c, text);
		assert_string_equal(text, GOOD[i].canonical);
		assert_int_equal(parse(text, &again), CIDR_OK);
		assert_true(cidr_equal(&c, &again));
	}
}

static const char *const BAD[] = {
    "",
    " ",
    "1",
    "1.2",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4\n",
    "1..3.4",
    ".1.2.3",
    "1.2.3.",
    "1.2.3.-1",
    "+1.2.3.4",
    "0x1.2.3.4",
    "1.2.3.4a",
    "a.b.c.d",
    "localhost",
    "1.2.3.1000",
    ":",
    ":::",
    ":1",
    "1:",
    "1:2",
    "::1::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8:",
    "1:2:3:4:5:6:7:8::",
    "1::2:3:4:5:6:7:8",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "g::",
    "::1%eth0",
    "fe80::1%1",
    "[::1]",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1.2.3",
    "::01.2.3.4",
    "::1.2.3.256",
    "1 ::",
    "-::",
    "::-1",
};

static const char *const BAD_PREFIX[] = {
    "1.2.3.4/",
    "1.2.3.4/33",
    "1.2.3.4/032",
    "1.2.3.4/00",
    "1.2.3.4/+8",
    "1.2.3.4/-1",
    "1.2.3.4/8 ",
    "1.2.3.4/8/8",
    "1.2.3.4/255.255.255.0",
    "1.2.3.4/0x8",
    "1.2.3.4/1000",
    "::/129",
    "::/064",
    "::1/ 64",
    "::/",
    "::/4294967296",
};

static const char *const BAD_MAPPED[] = {
    "::ffff:203.0.113.7",
    "::ffff:0:0",
    "::ffff:0:0/96",
    "::FFFF:1.2.3.4/128",
    "::ffff:cb00:7107/120",
    "0:0:0:0:0:ffff:1.2.3.4",
    "::ffff:0:0/0",
    "::ffff:1.2.3.4/1",
};

static void
test_bad(void **state)
{
	struct rec_cidr c = {.family = 77};

	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		assert_int_equal(parse(BAD[i], &c), CIDR_BAD);
	for (size_t i = 0; i < sizeof(BAD_PREFIX) / sizeof(BAD_PREFIX[0]); i++)
		assert_int_equal(parse(BAD_PREFIX[i], &c), CIDR_BAD_PREFIX);
	for (size_t i = 0; i < sizeof(BAD_MAPPED) / sizeof(BAD_MAPPED[0]); i++)
		assert_int_equal(parse(BAD_MAPPED[i], &c), CIDR_BAD_MAPPED);
	assert_int_equal(cidr_parse("1.2.3.4\0", 8, &c), CIDR_BAD);
	assert_int_equal(cidr_parse("1.2.3.44", 7, &c), CIDR_OK);
	assert_int_equal(c.addr[3], 4);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Random near-addresses: we accept what inet_pton(3) accepts, and mean the same. */
static void
test_against_pton(void **state)
{
	static const char alphabet[] = "0123456789abcdefF::::....";
	uint32_t seed = 20261121;
	unsigned accepted = 0;

	for (unsigned i = 0; i < 400000; i++) {
		char text[48];
		size_t len = 2 + next_random(&seed) % 18;
		uint8_t want[16] = {0};
		struct rec_cidr c = {0};
		enum cidr_parse got;
		int family, ok;

		for (size_t k = 0; k < len; k++)
			text[k] = alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
		text[len] = 0;
		family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
		ok = inet_pton(family, text, want) == 1;
		got = cidr_parse(text, len, &c);
		if (got == CIDR_BAD_MAPPED) {
			assert_true(ok);
			continue;
		}
		assert_int_equal(got == CIDR_OK, ok);
		if (!ok)
			continue;
		accepted++;
		assert_memory_equal(c.addr, want, 16);
	}
	assert_true(accepted > 1000);
}

/* Random addresses with many zeros: text equal to inet_ntop(3)'s, but for ::/96, which that writes dotted. */
static void
test_against_ntop(void **state)
{
	uint32_t seed = 7;

	for (unsigned i = 0; i < 100000; i++) {
		struct rec_cidr c = {.family = 6, .prefix = 128}, again;
		char text[CIDR_TEXT_LEN], want[CIDR_TEXT_LEN + 8];

		for (size_t k = 0; k < 16; k += 2) {
			uint32_t r = next_random(&seed);

			c.addr[k] = r & 1 ? (uint8_t)(r >> 8) : 0;
			c.addr[k + 1] = r & 2 ? (uint8_t)(r >> 4) : 0;
		}
		c.addr[0] |= 0x20;
		assert_non_null(inet_ntop(AF_INET6, c.addr, want, sizeof(want)));
		strncat(want, "/128", sizeof(want) - strlen(want) - 1);
		cidr_format(&c, text);
		assert_string_equal(text, want);
		assert_int_equal(parse(text, &again), CIDR_OK);
		assert_true(cidr_equal(&c, &again));
	}
}

static void
test_contains(void **state)
{
	struct rec_cidr all = cidr("0.0.0.0/0"), half = cidr("128.0.0.0/1"),
			net = cidr("203.0.113.0/24"), host = cidr("203.0.113.7"),
			six = cidr("::/0");

	assert_true(cidr_contains(&all, &host) && cidr_contains(&half, &host) &&
		    cidr_contains(&net, &host));
	assert_true(cidr_contains(&host, &host));
	assert_false(cidr_contains(&host, &net));
	assert_false(cidr_contains(&six, &host));
	assert_false(cidr_contains(&all, &six));
	net = cidr("203.0.114.0/24");
	assert_false(cidr_contains(&net, &host));
}

struct special {
	const char *text;
	enum cidr_special special;
};

static const struct special SPECIAL[] = {
    {"8.8.8.8", CIDR_PUBLIC},
    {"0.0.0.0/0", CIDR_UNSPECIFIED},
    {"0.1.2.3", CIDR_UNSPECIFIED},
    {"10.1.2.3", CIDR_PRIVATE},
    {"11.0.0.0/8", CIDR_PUBLIC},
    {"8.0.0.0/6", CIDR_PRIVATE},
    {"172.16.0.0/12", CIDR_PRIVATE},
    {"172.32.0.0/16", CIDR_PUBLIC},
    {"172.31.255.255", CIDR_PRIVATE},
    {"192.168.0.1", CIDR_PRIVATE},
    {"192.169.0.1", CIDR_PUBLIC},
    {"100.64.0.1", CIDR_CGNAT},
    {"100.128.0.1", CIDR_PUBLIC},
    {"100.63.255.255", CIDR_PUBLIC},
    {"127.0.0.1", CIDR_LOOPBACK},
    {"169.254.169.254", CIDR_LINK_LOCAL},
    {"203.0.113.7", CIDR_DOCUMENTATION},
    {"203.0.112.0/23", CIDR_DOCUMENTATION},
    {"192.0.0.0/16", CIDR_RESERVED},
    {"192.0.2.0/24", CIDR_DOCUMENTATION},
    {"198.51.100.1", CIDR_DOCUMENTATION},
    {"198.19.255.255", CIDR_RESERVED},
    {"192.88.99.1", CIDR_TUNNEL},
    {"224.0.0.1", CIDR_MULTICAST},
    {"240.0.0.1", CIDR_RESERVED},
    {"255.255.255.255", CIDR_RESERVED},
    {"::/0", CIDR_MAPPED},
    {"::", CIDR_UNSPECIFIED},
    {"::1", CIDR_LOOPBACK},
    {"::2", CIDR_RESERVED},
    {"::/90", CIDR_UNSPECIFIED},
    {"::/80", CIDR_MAPPED},
    {"64:ff9b::1", CIDR_TUNNEL},
    {"64:ff9b:1::1", CIDR_TUNNEL},
    {"100::1", CIDR_RESERVED},
    {"2001::1", CIDR_TUNNEL},
    {"2001:1::1", CIDR_RESERVED},
    {"2001:20::1", CIDR_RESERVED},
    {"2001:200::1", CIDR_PUBLIC},
    {"2002::1", CIDR_TUNNEL},
    {"2003::1", CIDR_PUBLIC},
    {"2001:db8::1", CIDR_DOCUMENTATION},
    {"2001:db9::1", CIDR_PUBLIC},
    {"3fff::1", CIDR_DOCUMENTATION},
    {"3fff:1000::", CIDR_PUBLIC},
    {"2000::/3", CIDR_TUNNEL},
    {"4000::", CIDR_RESERVED},
    {"5f00::1", CIDR_RESERVED},
    {"fc00::1", CIDR_PRIVATE},
    {"fd12::1", CIDR_PRIVATE},
    {"fe00::1", CIDR_RESERVED},
    {"fe80::1", CIDR_LINK_LOCAL},
    {"fec0::1", CIDR_RESERVED},
    {"ff02::1", CIDR_MULTICAST},
    {"2a00::1", CIDR_PUBLIC},
};

static void
test_special(void **state)
{
	for (size_t i = 0; i < sizeof(SPECIAL) / sizeof(SPECIAL[0]); i++) {
		struct rec_cidr c = cidr(SPECIAL[i].text);

		if (cidr_special(&c) != SPECIAL[i].special)
			fail_msg("%s is %s", SPECIAL[i].text, cidr_special_name(cidr_special(&c)));
	}
	for (unsigned first = 0; first < 256; first++) {
		struct rec_cidr c = {.family = 6, .prefix = 8, .addr = {(uint8_t)first}};

		if (first < 0x20 || first > 0x3f)
			assert_int_not_equal(cidr_special(&c), CIDR_PUBLIC);
	}
}

/* No prefix that touches two ranges which a policy may allow goes by the name of one of them. */
static void
test_special_no_mix(void **state)
{
	static const char *const soft[] = {
	    "10.0.0.0/8",
	    "172.16.0.0/12",
	    "192.168.0.0/16",
	    "100.64.0.0/10",
	    "192.0.2.0/24",
	    "198.51.100.0/24",
	    "203.0.113.0/24",
	    "fc00::/7",
	    "2001:db8::/32",
	    "3fff::/20",
	};

	for (size_t i = 0; i < sizeof(soft) / sizeof(soft[0]); i++) {
		for (size_t k = 0; k < sizeof(soft) / sizeof(soft[0]); k++) {
			struct rec_cidr a = cidr(soft[i]), b = cidr(soft[k]);
			enum cidr_special special;

			if (a.family != b.family || i == k)
				continue;
			while (!cidr_contains(&a, &b)) {
				a.prefix--;
				a.addr[a.prefix / 8] &= (uint8_t) ~(0x80u >> (a.prefix % 8));
			}
			special = cidr_special(&a);
			assert_true(special != CIDR_PUBLIC && special != CIDR_PRIVATE &&
				    special != CIDR_CGNAT && special != CIDR_DOCUMENTATION);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_against_pton),
	    cmocka_unit_test(test_against_ntop),
	    cmocka_unit_test(test_contains),
	    cmocka_unit_test(test_special),
	    cmocka_unit_test(test_special_no_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
