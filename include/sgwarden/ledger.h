/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's grammar and chain, pure over bytes.
 *
 * Append-only text.  A record is a line `ledger <kind> <number>`, then `key value` lines in the fixed order of its
 * kind, printable ASCII, binary as lower-case hex, long text as repeated `text |…` lines, then
 * `previous <hash>` and `self <hash>`, then an empty line.  self = SHA-256 of everything before its own line.
 * The first record's `previous` is 64 zeros.
 */
#ifndef SGWARDEN_LEDGER_H
#define SGWARDEN_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/buf.h>
#include <sgwarden/hash.h>
#include <sgwarden/limits.h>

enum ledger_kind {
	LEDGER_START,
	LEDGER_POLICY,
	LEDGER_ENROLL,
	LEDGER_REMOVE,
	LEDGER_SEAL,
	LEDGER_TOUCH,    /* one of the several touches for a SEAL that follows */
	LEDGER_LOCKDOWN, /* openings are off, and what is ours is closed; nobody touches for it */
	LEDGER_ENABLE,   /* openings again */
	LEDGER_PHRASE,   /* another phrase in the key list: its digest, never the phrase */
	LEDGER_CODE,     /* a recovery code was made or taken away */
	LEDGER_RECOVERY, /* the recovery code agreed to the ENROLL that follows */
	LEDGER_TEST,     /* a key answered; nothing changed */
	LEDGER_REQUEST,
	LEDGER_REFUSAL,
	LEDGER_CONSENT, /* the record, the assertion: before anything is signed for AWS */
	LEDGER_DENIAL,
	LEDGER_TIMEOUT,
	LEDGER_INTENT, /* the request that is about to be signed and sent */
	LEDGER_OUTCOME,
	LEDGER_CLOSE,
	LEDGER_AMBIGUOUS,
	LEDGER_RECONCILE,
	LEDGER_DUE,
	LEDGER_TORN,
	LEDGER_SEGMENT, /* first in every file of the ledger but the first */
	LEDGER_STOP,
	LEDGER_KIND_MAX,
};

#define LEDGER_FIELDS_MAX 24
#define LEDGER_RECORD_MAX (SGW_RECORD_MAX * 2)

/* One `key value` of a record; for the key "text" the value holds line feeds and becomes several lines. */
struct ledger_field {
	const char *key;
	const char *value; /* not NUL-terminated after decoding: see len */
	size_t len;
};

struct ledger_entry {
	enum ledger_kind kind;
	uint64_t number; /* from 1 */
	int64_t time;    /* seconds since 1970 */
	uint8_t previous[HASH_LEN];
	uint8_t self[HASH_LEN]; /* set by encode and decode */
	size_t n_fields;
	struct ledger_field fields[LEDGER_FIELDS_MAX];
};

/* The kinds: name and keys in their order ('?' before a key: may be absent). */
struct ledger_kind_row {
	enum ledger_kind kind;
	const char *name;
	const char *keys[LEDGER_FIELDS_MAX + 1]; /* NULL ends */
};
extern const struct ledger_kind_row LEDGER_KINDS[LEDGER_KIND_MAX];

/* Appends the record's text to `b` and sets entry->self.  False: a field is not of this kind, or no room. */
bool ledger_encode(struct ledger_entry *entry, struct buf *b);

enum ledger_result {
	LEDGER_OK = 0,
	LEDGER_PARTIAL = 1, /* the data end inside a record: a torn tail, or read more */
	LEDGER_BAD = -1,    /* not the grammar */
	LEDGER_BAD_HASH = -2,
	LEDGER_BAD_CHAIN = -3, /* previous or number does not follow */
};

/*
 * Decodes the record at the start of data.  Values point into `data`, except for "text", which is unfolded into
 * `unfold` (LEDGER_RECORD_MAX bytes).
 */
enum ledger_result ledger_decode(
    const char *data, size_t len, char *unfold, struct ledger_entry *ret_entry, size_t *ret_used);

const struct ledger_field *ledger_field(
    const struct ledger_entry *entry, const char *key); /* NULL: absent */
/* Typed.  Each is false where the field is absent or not of its form. */
bool ledger_field_is(const struct ledger_entry *entry, const char *key, const char *value);
bool ledger_field_text(const struct ledger_entry *entry, const char *key, char *ret, size_t size);
/* Decimal, no leading zero, at most `most`. */
bool ledger_field_number(
    const struct ledger_entry *entry, const char *key, uint64_t most, uint64_t *ret);

/* The chain: where it stands, and whether an entry follows. */
struct ledger_chain {
	uint64_t number;
	uint8_t head[HASH_LEN];
	int64_t time;
};
enum ledger_result ledger_follow(struct ledger_chain *chain, const struct ledger_entry *entry);
/* Fills number and previous of an entry that is to come next. */
void ledger_next(const struct ledger_chain *chain, struct ledger_entry *entry);

#endif
