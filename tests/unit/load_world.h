/* SPDX-License-Identifier: Apache-2.0 */
/* Ledgers as a test writes them, the real, confined loader over them, and what its broker hears. */
#ifndef LOAD_WORLD_H
#define LOAD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <sgwarden/ledger.h>
#include <sgwarden/receipts.h>
#include <sgwarden/wire.h>

#define NOW 1795278600
#define CRED "0102030405060708090a0b0c0d0e0f10"
#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

/* the ledger that a test writes */
struct load_ledger {
	uint8_t bytes[2 << 20];
	struct buf b;
	struct ledger_chain chain;
	struct ledger_entry e;
	char record[SGW_RECORD_MAX + 1];
	char receipt[SGW_RECEIPT_LEN + 1]; /* of the last consent */
	char ops[8];                       /* how many operations that has */
	int64_t later;                     /* s that the next entries come later */
	size_t at[8]; /* where segments end in it; behind the last of these stands the last one */
	unsigned n_at;
};
extern struct load_ledger L;

/* what the broker heard */
struct load_heard {
	struct chan broker;
	struct msg m;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	bool whole; /* LOADED came */
	int status;
	uint32_t records;
	struct msg_loaded_head head;
	size_t n_grants, n_counters, n_profiles, n_problems;
	struct rec_grant grants[256];
	int64_t latest[256]; /* of each */
	size_t n_lockdowns;
	struct rec_lockdown lockdowns[SGW_LOCKDOWNS_MAX];
	struct msg_loaded_counter counters[8];
	size_t n_limits;
	struct msg_loaded_limit limits[128];
	struct msg_loaded_profile profiles[8];
	struct msg_loaded_problem problem; /* the last */
	uint64_t n_receipts;               /* that the ledger is said to have */
	struct receipts receipts;
};
extern struct load_heard H;

void put(const char *key, const char *value); /* into the entry that is being written */
void entry(enum ledger_kind kind);
void append(void);
void put_start(const char *policy);
/* A touched record with this many openings, from port 8000 on; its receipt is L.receipt. */
void put_consent(unsigned ops, const char *counter);
void put_consent_as(const char *receipt, const char *counter); /* of the text in L.record */
void put_intent(const char *receipt, const char *action);
void put_foreign(unsigned ops, const char *counter); /* likewise with closings of others' rules */
void put_outcome(const char *status);
void put_outcome_of(const char *action, const char *status);
void put_reconcile(const char *op, const char *found);
void put_reconcile_of(const char *action, const char *op, const char *found);
void put_close(const char *op, const char *status);
void put_enroll(void);
void put_segment(void); /* here a segment ends and the next one begins */

int load_begin(void **state); /* cmocka set-up */
void heard_nothing(void);
int file_of(const void *data, size_t len);
void load_files(int credentials, int config);
void load(void);

#endif
