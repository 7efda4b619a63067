/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a consent record: refused, or a record that encodes to exactly these bytes, whose rendering fits, is
 * printable and at most as wide as promised, and whose word can be typed.
 */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/render.h>
#include <sgwarden/vis.h>

#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void
check_rendering(const struct record *record)
{
	static char text[SGW_RENDER_MAX + 1];
	struct buf b = buf_over(text, SGW_RENDER_MAX);
	char word[SGW_WORD_MAX + 1];

	MUST(render_record(record, &b));
	for (size_t at = 0; at < b.len;) {
		const char *end = memchr(text + at, '\n', b.len - at);
		size_t n = end ? (size_t)(end - text) - at : 0;

		MUST(end && n > 0 && n <= RENDER_WIDTH && text_is_ascii(text + at, n) &&
		     text[at] == ' ');
		at += n + 1;
	}
	record_word(record, word);
	MUST(strlen(word) >= 6 && text_is_ascii(word, strlen(word)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t again[SGW_RECORD_MAX];
	static struct record record;
	struct buf b = buf_over(again, sizeof(again));

	if (!record_decode(data, len, &record))
		return 0;
	MUST(record_encode(&record, &b) && b.len == len && memcmp(again, data, len) == 0);
	MUST(record.kind != RECORD_CHANGE || plan_problem(&record.plan) == NULL);
	check_rendering(&record);
	return 0;
}
