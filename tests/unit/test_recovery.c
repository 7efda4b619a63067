/* SPDX-License-Identifier: Apache-2.0 */
/* A recovery code on paper and back, with every slip of one character; and the key that it is the seed of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <sgwarden/recovery.h>

static const char SYMBOLS[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static uint8_t code[SGW_CODE_LEN], parsed[SGW_CODE_LEN];
static char text[RECOVERY_TEXT_LEN + 1];

static int
written(void **state)
{
	uint8_t random[SGW_CODE_LEN];

	for (unsigned i = 0; i < SGW_CODE_LEN; i++)
		random[i] = (uint8_t)(i * 37 + 200);
	recovery_make(random, code);
	recovery_text(code, text);
	return 0;
}

static void
test_back(void **state)
{
	char as_typed[2 * RECOVERY_TEXT_LEN + 1];
	size_t n = 0;

	assert_int_equal(strlen(text), RECOVERY_TEXT_LEN);
	assert_true(recovery_parse(text, RECOVERY_TEXT_LEN, parsed));
	assert_memory_equal(parsed, code, sizeof(code));
	for (const char *c = text; *c; c++) {
		as_typed[n++] = ' ';
		as_typed[n++] = (char)(*c == '0'                ? 'o'
				       : *c == '1'              ? 'l'
				       : *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a'
								: *c);
	}
	memset(parsed, 0, sizeof(parsed));
	assert_true(recovery_parse(as_typed, n, parsed));
	assert_memory_equal(parsed, code, sizeof(code));
}

static void
test_every_slip(void **state)
{
	char slip[sizeof(text)];

	for (size_t at = 0; at < RECOVERY_TEXT_LEN; at++) {
		size_t next = at + (text[at + 1] == '-' ? 2 : 1);

		if (text[at] == '-')
			continue;
		memcpy(slip, text, sizeof(slip));
		for (const char *c = SYMBOLS; *c; c++) {
			slip[at] = *c;
			assert_int_equal(
			    recovery_parse(slip, RECOVERY_TEXT_LEN, parsed), *c == text[at]);
		}
		slip[at] = text[next];
		slip[next] = text[at];
		if (text[next])
			assert_int_equal(recovery_parse(slip, RECOVERY_TEXT_LEN, parsed),
			    text[at] == text[next]);
	}
}

static void
test_none(void **state)
{
	char other[sizeof(text) + 1];

	assert_false(recovery_parse("", 0, parsed));
	assert_false(recovery_parse(text, RECOVERY_TEXT_LEN - 1, parsed));
	(void)snprintf(other, sizeof(other), "%s0", text);
	assert_false(recovery_parse(other, RECOVERY_TEXT_LEN + 1, parsed));
	for (const char *c = "U!_\t\x7f\xff"; *c; c++) {
		other[3] = *c;
		assert_false(recovery_parse(other, RECOVERY_TEXT_LEN, parsed));
	}
	other[3] = 0;
	assert_false(recovery_parse(other, RECOVERY_TEXT_LEN, parsed));
}

static void
test_key(void **state)
{
	static const char record[] = "a record\n";
	uint8_t key[RECOVERY_KEY_LEN], elsewhere[RECOVERY_KEY_LEN],
	    signature[RECOVERY_SIGNATURE_LEN];

	assert_true(recovery_key(code, "abcdefghijklmnop", key));
	assert_true(recovery_key(code, "abcdefghijklmnoq", elsewhere));
	assert_memory_not_equal(key, elsewhere, sizeof(key));
	assert_true(recovery_sign(code, "abcdefghijklmnop", record, sizeof(record), signature));
	assert_true(recovery_verify(key, record, sizeof(record), signature));
	assert_false(recovery_verify(key, record, sizeof(record) - 1, signature));
	assert_false(recovery_verify(elsewhere, record, sizeof(record), signature));
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 4;
		assert_false(recovery_verify(key, record, sizeof(record), signature));
		signature[i] ^= 4;
	}
	memset(key, 0, sizeof(key)); /* no code's */
	assert_false(recovery_verify(key, record, sizeof(record), signature));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_back, written),
	    cmocka_unit_test_setup(test_every_slip, written),
	    cmocka_unit_test_setup(test_none, written),
	    cmocka_unit_test_setup(test_key, written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
