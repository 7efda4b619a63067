/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger that is being forged, and its entries, one behind the other: for ledger_forge.c alone. */
#ifndef LEDGER_FORGE_ENTRIES_H
#define LEDGER_FORGE_ENTRIES_H

#include "ledger_forge.h"

#include <sgwarden/record.h>

#include "forge_key.h"

#define APPLIANCE "abcdefghijklmn27"
#define RP "sgwarden:" APPLIANCE
#define HEX_MAX (2 * SGW_BODY_MAX)

struct world {
	enum forge_tweak tweak;
	struct buf out;
	struct ledger_chain chain;
	int64_t now;
	struct authenticator a, b;
	struct record record;
	char text[SGW_RECORD_MAX + 1];
	size_t text_len;
	char receipt[SGW_RECEIPT_LEN + 1];
	/* of the entry that is being made */
	struct ledger_entry e;
	char hex[8][HEX_MAX + 1];
	size_t n_hex;
	size_t *at; /* where segments end; NULL: there is one */
	unsigned n_at;
};

/* ---- entries ---- */

static inline void
begin(struct world *w, enum ledger_kind kind)
{
	w->e = (struct ledger_entry){.kind = kind, .time = w->now++};
	w->n_hex = 0;
}

static inline void
put(struct world *w, const char *key, const char *value)
{
	w->e.fields[w->e.n_fields++] = (struct ledger_field){key, value, strlen(value)};
}

static inline void
put_hex(struct world *w, const char *key, const uint8_t *data, size_t len)
{
	char *hex = w->hex[w->n_hex++];
	struct buf b = buf_over(hex, sizeof(w->hex[0]));

	MUST(buf_put_hex(&b, data, len) && buf_put_c(&b));
	put(w, key, hex);
}

static inline void
end(struct world *w)
{
	ledger_next(&w->chain, &w->e);
	MUST(ledger_encode(&w->e, &w->out));
	MUST(ledger_follow(&w->chain, &w->e) == LEDGER_OK);
}

#endif
