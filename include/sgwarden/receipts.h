/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last receipts at hand: what each touch was for and what has become of it.  A bounded table that lives on the
 * ledger's entries alone: the loader feeds it what it reads, the broker what it writes, through the same function, so
 * that a restart changes nothing in it.  The oldest fall out; the ledger has them all.
 *
 *   consent                       a new receipt: its operations untried, extensions done
 *   policy, remove, enable, test  a new receipt of an administrative act
 *   intent, ambiguous             AWS's answer is not known     outcome ok|failed   it is
 *   reconcile                     a read has settled it         close               closed, whoever's operation that was
 *
 * Enrolments and sealings have no receipt: they rest on trust on first use, or on several touches.
 * Pure: no I/O, no allocation.  Nothing in it is secret.
 */
#ifndef SGWARDEN_RECEIPTS_H
#define SGWARDEN_RECEIPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/ledger.h>
#include <sgwarden/record.h>
#include <sgwarden/wire.h>

struct rcpt {
	struct rec_receipt head;
	size_t first; /* place of its first operation, counted on and on; see receipts_op() */
};

/* All zeros is an empty one. */
struct receipts {
	uint64_t count;  /* ever taken: the place of the next one */
	uint64_t older;  /* in the ledger, and not here any more */
	size_t n;        /* here: the last n of them */
	size_t ops_end;  /* operations ever taken: the place of the next one */
	size_t ops_used; /* here */
	struct rcpt entries[SGW_RECEIPTS_MAX];
	struct rec_receipt_op ops[SGW_RECEIPT_OPS_MAX];
};

/* Takes in what an entry says.  record: the entry's text, decoded, for a consent; else unused and may be NULL. */
void receipts_entry(
    struct receipts *r, const struct ledger_entry *entry, const struct record *record);

/* The loader's to the broker: one receipt as it stands, behind all that came before.  head->n_ops operations. */
void receipts_add(
    struct receipts *r, const struct rec_receipt *head, const struct rec_receipt_op *ops);

/* From the newest (0) to the oldest (r->n - 1); NULL: there are no more. */
const struct rcpt *receipts_newest(const struct receipts *r, size_t i);
/* By its id, or by that of the closing of one of its operations.  NULL: it is not here. */
const struct rcpt *receipts_find(const struct receipts *r, const char *id);
/* Operation i of its head.n_ops. */
const struct rec_receipt_op *receipts_op(
    const struct receipts *r, const struct rcpt *entry, size_t i);

#endif
