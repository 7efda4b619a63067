/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a ledger: each record that is taken encodes to exactly the bytes it was read from, and nothing behind
 * the end was looked at.
 */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/ledger.h>

#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static char unfold[LEDGER_RECORD_MAX], again[2 * LEDGER_RECORD_MAX];

/* What a crash could have left of this record is partial, never anything else: the cut is chosen by its own bytes. */
static void
check_cut(const char *data, size_t used)
{
	static char other[LEDGER_RECORD_MAX];
	struct ledger_entry entry;
	size_t at = used > 2 ? (unsigned char)data[used - 3] % used : 0, n;

	MUST(ledger_decode(data, at, other, &entry, &n) == LEDGER_PARTIAL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *data = (const char *)bytes;
	struct ledger_chain chain = {0};

	while (len > 0) {
		struct buf b = buf_over(again, sizeof(again));
		struct ledger_entry entry;
		uint8_t self[HASH_LEN];
		size_t used = 0;

		if (ledger_decode(data, len, unfold, &entry, &used) != LEDGER_OK)
			break;
		MUST(used > 0 && used <= len);
		memcpy(self, entry.self, sizeof(self));
		MUST(ledger_encode(&entry, &b) && b.len == used && memcmp(again, data, used) == 0);
		MUST(memcmp(self, entry.self, sizeof(self)) == 0);
		check_cut(data, used);
		(void)ledger_follow(&chain, &entry);
		data += used;
		len -= used;
	}
	return 0;
}
