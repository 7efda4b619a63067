/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ledger says is still open.  Entries come in their order, already held against the chain; what remains at
 * the end are the grants that no entry closed, the counters, and the digests that the broker compares.
 *
 *   consent                        its operations may be sent       intent                  sent, answer unknown
 *   outcome ok                     open; a foreign closing: none    outcome failed          none
 *   reconcile open|absent          open | none                      reconcile close         none: looked at, all is said
 *   lockdown                       what is in its scope is due
 *   close closed|gone              closed: looked at once more while AWS may still take a repeated opening, then none
 *
 * The last receipts come from the same entries; see receipts.h.
 *
 * Pure.  A ledger that contradicts itself is refused: it is our own file, and closings are built from it.
 */
#ifndef LOAD_REPLAY_H
#define LOAD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/ledger.h>
#include <sgwarden/receipts.h>
#include <sgwarden/record.h>
#include <sgwarden/wire.h>

#include "replay_limits.h"

/* Open grants, and those of the touched records that have no intent yet: one record's worth is enough for them. */
#define REPLAY_GRANTS_MAX (SGW_GRANTS_MAX + SGW_OPS_MAX)
#define REPLAY_COUNTERS_MAX 64 /* credentials ever accepted and not removed */

struct replay_grant {
	struct rec_grant grant;
	unsigned op;
	bool sent; /* false: touched for, and nothing more is known */
	int64_t
	    latest; /* greatest time of a record since it was sent, its own consent's creation included */
};

struct replay_counter {
	uint8_t cred_id[SGW_CRED_ID_MAX];
	uint16_t cred_id_len;
	uint32_t counter;
};

struct replay {
	size_t n_grants;
	struct replay_grant grants[REPLAY_GRANTS_MAX];
	size_t n_counters;
	struct replay_counter counters[REPLAY_COUNTERS_MAX];
	uint8_t keys_digest[HASH_LEN];        /* zero: none recorded */
	uint8_t policy_digest[HASH_LEN];      /* zero: none recorded */
	uint8_t policy_file_digest[HASH_LEN]; /* of the last load; zero: none */
	uint8_t sealed_digest[HASH_LEN];      /* zero: none recorded */
	size_t n_lockdowns;
	struct rec_lockdown lockdowns[SGW_LOCKDOWNS_MAX]; /* that nobody has lifted */
	struct replay_limits limits;
	struct receipts receipts;
	struct record record; /* scratch: of the last consent */
};

/* NULL, or what does not hold: a sentence without a byte of the entry. */
const char *replay_entry(struct replay *r, const struct ledger_entry *entry);

#endif
