/* SPDX-License-Identifier: Apache-2.0 */
/* What is done eight bytes at once is what one byte at a time gives, wherever a special byte stands and text ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sgwarden/vis.h>

#include "json_out.h"

#define LEN_MAX 27
#define OUT_MAX (6 * LEN_MAX + 16)

/* Each byte at each place of a text of each length. */
static void
each_text(void (*check)(const char *text, size_t len))
{
	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (size_t at = 0; at <= len; at++) {
			for (unsigned byte = 0; byte < 256; byte++) {
				char text[LEN_MAX + 1];

				memset(text, 'a', sizeof(text));
				text[at] = (char)byte; /* at == len: behind it */
				check(text, len);
				if (at > 0)
					text[at - 1] = '"';
				check(text, len);
			}
		}
	}
}

static void
check_kind(const char *text, size_t len)
{
	bool ascii = true, plain = true;

	for (size_t i = 0; i < len; i++) {
		ascii = ascii && text[i] >= 0x20 && text[i] <= 0x7e;
		plain = plain && (uint8_t)text[i] < 0x80 && text[i] != 0;
	}
	assert_int_equal(text_is_ascii(text, len), ascii);
	assert_int_equal(
	    text_is_utf8(text, len), plain); /* one byte beyond ASCII is no character */
}

static void
test_kinds(void **state)
{
	char text[LEN_MAX + 3];

	each_text(check_kind);
	for (size_t len = 2; len <= LEN_MAX; len++) {
		for (size_t at = 0; at + 2 <= len; at++) {
			memset(text, 'a', sizeof(text));
			memcpy(text + at, "\xc3\xa9", 2);
			assert_true(text_is_utf8(text, len));
			assert_false(text_is_utf8(text, at + 1)); /* cut in half */
		}
	}
}

/* The value as it must come out; its length. */
static size_t
escaped(char *to, const char *text, size_t len, bool json)
{
	size_t n = 0;

	to[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (byte == '"' || byte == '\\')
			n += (size_t)snprintf(to + n, OUT_MAX - n, "\\%c", byte);
		else if (byte == '\n' && !json)
			n += (size_t)snprintf(to + n, OUT_MAX - n, "\\n");
		else if ((byte < 0x20 || byte == 0x7f) && !json)
			n += (size_t)snprintf(to + n, OUT_MAX - n, "\\u%04x", byte);
		else
			to[n++] = text[i];
	}
	to[n++] = '"';
	return n;
}

typedef void (*writer)(struct jw *w, const char *text, size_t len);

/* Into ample room, into exactly enough, into a byte less: never a byte behind what there is. */
static void
check_written(writer write, const char *text, size_t len, bool json)
{
	char want[OUT_MAX];
	size_t need = escaped(want, text, len, json);

	for (size_t cap = need - 1; cap <= OUT_MAX; cap = cap <= need ? cap + 1 : cap + 61) {
		uint8_t out[OUT_MAX + 1];
		struct buf b = buf_over(out, cap);
		struct jw w = jw_over(&b);

		out[cap] = 0xa5;
		write(&w, text, len);
		assert_int_equal(b.failed, cap < need);
		assert_int_equal(out[cap], 0xa5);
		if (cap >= need) {
			assert_int_equal(b.len, need);
			assert_memory_equal(out, want, need);
		}
	}
}

static void
check_chars(const char *text, size_t len)
{
	check_written(jw_chars, text, len, false);
}

/* What of ours is escaped has no control character in it. */
static void
check_json(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
			return;
	check_written(jw_json, text, len, true);
}

static void
test_escapes(void **state)
{
	each_text(check_chars);
	each_text(check_json);
	check_json("\"\\\"\"\"\\\\\\\"\"\\\"a\"\"\"\"\"\"\"\"\"", 22);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
