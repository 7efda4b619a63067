/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a receipt: refused, or one whose head encodes to exactly the bytes that stood there; and one that holds
 * is printable text, begins with a touch and shows a record whose receipt is its own.
 */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/render.h>
#include <sgwarden/vis.h>

#include "fuzz.h"
#include "receipt_file.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void
check_good(const struct receipt *r, const struct record *record, const char *text, size_t len)
{
	static char shown[SGW_RENDER_MAX + 1];
	static struct receipt_walk walk;
	struct buf b = buf_over(shown, SGW_RENDER_MAX);

	for (size_t i = 0; i < len; i++)
		MUST(text[i] == '\n' || text_is_ascii(text + i, 1));
	MUST(render_record(record, &b));
	MUST(strcmp(record->appliance, r->appliance) == 0);
	walk.of = r;
	walk.at = 0;
	MUST(receipt_next(&walk) && receipt_touched(walk.entry.kind));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct record record;
	const char *text = (const char *)data;
	char head[1024];
	struct buf b = buf_over(head, sizeof(head));
	struct receipt r;

	if (!receipt_decode(text, len, &r))
		return 0;
	MUST(receipt_head(&r, &b) && b.len + r.body_len == len && memcmp(head, text, b.len) == 0);
	MUST(r.n_records > 0 && r.n_records <= RECEIPT_RECORDS_MAX);
	if (receipt_check(&r, &record) == NULL)
		check_good(&r, &record, text, len);
	return 0;
}
