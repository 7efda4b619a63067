/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a ledger true beyond its chain: every touched record was shown, signed by an enrolled key that was
 * touched, followed by exactly the request that it describes.  Works on what the entries say alone.
 */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include <sgwarden/ledger.h>
#include <sgwarden/record.h>
#include <sgwarden/recovery.h>

#define VERIFY_WHY_MAX 200
#define VERIFY_SLACK 5 /* s between the broker's look at the clock and its ledger record */

/*
 * So many records back may a touched one name the head that it was made after: 4 MiB of hashes, however long the ledger
 * is.  A record is touched for within SGW_RECORD_SECONDS_MAX of its making.
 */
#define VERIFY_HEADS 131072

struct verify_key {
	uint8_t id[SGW_CRED_ID_MAX];
	size_t id_len;
	uint8_t key[64];
	bool zero;   /* said 0 at its enrolment */
	bool listed; /* in the key list from outside, where there is one */
	uint32_t counter;
	char name[SGW_KEY_NAME_MAX + 1];
};

/* A record that was touched for, and how far what it allows has come. */
struct verify_touched {
	char receipt[SGW_RECEIPT_LEN + 1];
	uint16_t n_ops;
	uint64_t opens;   /* bit i: its operation i opens */
	uint64_t sent;    /* bit i: a request for it was signed */
	uint64_t extends; /* likewise */
};

struct verify {
	/* of the last `start` */
	char appliance[SGW_APPLIANCE_LEN + 1];
	char boot_id[37];
	uint8_t policy[HASH_LEN];
	bool started;

	struct verify_key key[SGW_KEYS_MAX];
	size_t n_keys;
	const struct rec_key_list *outside; /* NULL: the ledger's own keys are believed */
	unsigned unlisted; /* keys that were removed later and are not in that list */

	const uint8_t *anchor; /* HASH_LEN bytes, a head from outside; NULL: none */
	uint64_t anchored;     /* number of the record that has it; 0: none so far */
	/* A receipt: the records around it are not here, so nothing is compared with them, and the key is given. */
	bool alone;

	uint8_t (*head)
	    [HASH_LEN]; /* of the last VERIFY_HEADS records: of number n at [(n - 1) % VERIFY_HEADS] */
	size_t n_heads;                 /* records so far */
	struct verify_touched *touched; /* all of them: 32 bytes for each consent */
	size_t n_touched;
	uint64_t touches;    /* enrolments included */
	uint64_t last_touch; /* number of the record that holds it */
	uint64_t seen; /* the head that the last touched record names must not be before this */

	size_t n_lockdowns;
	struct rec_lockdown lockdowns[SGW_LOCKDOWNS_MAX]; /* that are on */

	uint8_t code[RECOVERY_KEY_LEN]; /* public key of the recovery code; zeros: there is none */
	char recovered[SGW_RECEIPT_LEN + 1]; /* of the enrolment that it agreed to; or empty */

	struct record record; /* the last that was touched for */
	char receipt[SGW_RECEIPT_LEN + 1];
	char agreed[SGW_RECEIPT_LEN + 1]; /* of the sealing that was agreed to last */

	char why[VERIFY_WHY_MAX];
};

/* One entry, after the chain has taken it.  NULL, or why it does not hold (printable). */
const char *verify_entry(struct verify *v, const struct ledger_entry *entry);
/* Behind the last entry: NULL, or which of the keys that are enrolled now the list from outside does not have. */
const char *verify_keys_end(struct verify *v);
void verify_end(struct verify *v);

/* ---- verify_touch.c: the kinds that hold a signature ---- */
const char *verify_enroll(struct verify *v, const struct ledger_entry *entry);
const char *verify_consent(struct verify *v, const struct ledger_entry *entry);
const char *verify_admin(struct verify *v, const struct ledger_entry *entry);
const char *verify_touch_more(struct verify *v, const struct ledger_entry *entry);
const char *verify_seal(struct verify *v, const struct ledger_entry *entry);

/* The record in an entry, of that kind, and its digest: NULL, or why it does not hold. */
const char *verify_record(const struct verify *v, const struct ledger_entry *entry,
    enum record_kind kind, struct record *ret_record, uint8_t ret_digest[HASH_LEN]);

/* ---- verify_recovery.c ---- */
const char *verify_code(struct verify *v, const struct ledger_entry *entry);
const char *verify_recovery(struct verify *v, const struct ledger_entry *entry);
/* NULL where the code has agreed to this enrolment, which uses it up. */
const char *verify_recovered(struct verify *v, const struct ledger_entry *entry);

/* Is this key in the list: its credential and its public key? */
bool verify_key_known(const struct rec_key_list *list, const struct verify_key *key);

/* ---- verify_lockdown.c ---- */
const char *verify_lockdown(struct verify *v, const struct ledger_entry *entry);
const char *verify_enable(struct verify *v, const struct ledger_entry *entry);
/* Is what the last touched record opens, or keeps open, off? */
bool verify_locked(const struct verify *v);

/* ---- verify_body.c: is this form body exactly that record's change? ---- */
/* Operations [first, first + n) of it. */
const char *verify_body(const struct record *record, size_t first, size_t n, const char *receipt,
    const uint8_t *body, size_t len);

/* ---- fields ---- */
bool field_hex(const struct ledger_entry *entry, const char *key, uint8_t *ret_data, size_t len);
/* At most `most` bytes. */
bool field_bytes(const struct ledger_entry *entry, const char *key, uint8_t *ret_data, size_t most,
    size_t *ret_len);

#endif
