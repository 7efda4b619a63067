/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last receipts, for whoever asks and for what goes on from one (see <sgwarden/receipts.h>).  The table is fed by
 * ledger_write() and by the loader's replay, by nothing else: what stands in it stands in the ledger.
 */
#ifndef BROKER_RECEIPTS_H
#define BROKER_RECEIPTS_H

#include "broker.h"

/* By its id, or by that of the closing of something it opened; NULL: only the ledger may have it. */
const struct rcpt *receipt_find(const struct broker *b, const char *id);
/* From the newest (0) on; NULL: there are no more here. */
const struct rcpt *receipt_newest(const struct broker *b, size_t i);
/* Operation i of its head.n_ops, in the plan's order. */
const struct rec_receipt_op *receipt_op(const struct broker *b, const struct rcpt *r, size_t i);
/* As head.result, but RECEIPT_UNDER_WAY while its plan is still being carried out. */
enum receipt_result receipt_result(const struct broker *b, const struct rcpt *r);

/* May this client (NULL: none) see what was asked for by that uid? */
bool receipt_visible(const struct client *c, uint32_t uid);
/* Answers to the planner: of the client's own user's receipts, or for an administrator of all. */
void receipts_tell(struct broker *b, const struct msg_ask_receipt_list *m);
void receipt_tell(struct broker *b, const struct msg_ask_receipt_of *m);

#endif
