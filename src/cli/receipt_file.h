/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt as a file that stands alone: printable text, in one form only.
 *
 *   sgwarden-receipt-1
 *   receipt sgw-…
 *   appliance <16 characters>
 *   credential <hex>
 *   key <hex: x and y>
 *   records <how many follow>
 *
 *   <the ledger's records of this receipt as they stand there, the touched one first>
 *
 * The first record holds the text that was shown, the authenticator data and the signature; each ends with its own
 * hash, so that a ledger or a journal can be held against it.
 */
#ifndef CLI_RECEIPT_FILE_H
#define CLI_RECEIPT_FILE_H

#include "verify.h"

#define RECEIPT_VERSION "sgwarden-receipt-1"
#define RECEIPT_FILE_MAX (4u << 20)
#define RECEIPT_RECORDS_MAX 4096

struct receipt {
	char receipt[SGW_RECEIPT_LEN + 1];
	char appliance[SGW_APPLIANCE_LEN + 1];
	struct verify_key key; /* id and public key: a name is in nothing that was signed */
	unsigned n_records;
	const char *body; /* the records, inside the text that was decoded */
	size_t body_len;
};

/* The lines before the records and the empty line; false: no room. */
bool receipt_head(const struct receipt *r, struct buf *b);

/* The head of a file; body and body_len are what follows.  False: not exactly what receipt_head() writes. */
bool receipt_decode(const char *text, size_t len, struct receipt *ret_receipt);

/* The next record of the body: its length, or 0 where none follows or it does not hold.  *at counts on. */
struct receipt_walk {
	const struct receipt *of;
	size_t at;
	struct ledger_entry entry;
	char unfold[LEDGER_RECORD_MAX];
};
bool receipt_next(struct receipt_walk *walk);

/*
 * Is this a record that one key was touched for, and that a receipt may begin with?  Not an enrolment or a sealing: what
 * they rest on is several touches, or the trust in a first key, and the ledger alone proves it.
 */
bool receipt_touched(enum ledger_kind kind);

/*
 * Everything that can be known from the file alone: every record's hash, the one form of the shown text with its
 * rendering, the touch over it by the key that the file names, and that the request to AWS is what was touched for.
 * NULL, or why it does not hold: printable, and valid until the next call.
 */
const char *receipt_check(const struct receipt *r, struct record *ret_record);

#endif
