/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's records, one function a kind.  Each is true once the record is durable. */
#ifndef BROKER_LEDGER_OUT_H
#define BROKER_LEDGER_OUT_H

#include <sgwarden/recovery.h>

#include "broker.h"

bool ledger_start(struct broker *b);
bool ledger_stop(struct broker *b, const char *reason);
bool ledger_request(struct broker *b, const struct job *j);
bool ledger_refusal(
    struct broker *b, const struct job *j, enum sgw_error error, const char *detail);
/* sealed: the digest of the renewed sealed file; NULL where nothing was unsealed. */
bool ledger_consent(struct broker *b, const struct job *j, const struct msg_assertion *a,
    uint32_t counter, const uint8_t sealed[HASH_LEN]);
/* One of the several touches over an act's record: the agreement, or one more key's for the secret that wraps. */
bool ledger_touch(
    struct broker *b, const struct job *j, const struct msg_assertion *a, uint32_t counter);
bool ledger_denial(struct broker *b, const struct job *j, const char *reason);
bool ledger_timeout(struct broker *b, const struct job *j, const char *stage);
bool ledger_intent(struct broker *b, const struct job *j, const struct buf *body);
bool ledger_outcome(struct broker *b, const struct job *j, enum sgw_error error,
    const struct aws_result *r, const char *detail);
bool ledger_ambiguous(struct broker *b, const struct job *j, int64_t until);
bool ledger_reconcile(struct broker *b, const struct grant *g, const char *action, bool open);
/* It was to be closed before its time and could not be yet: a start goes on with that. */
bool ledger_due(struct broker *b, const struct grant *g);
bool ledger_close(struct broker *b, struct grant *g, bool was_there,
    const char *request_id); /* sets its closing */
bool ledger_admin(
    struct broker *b, const struct job *j, enum ledger_kind kind, const struct admin *a);
/* Sets its receipt: that of the record's own hash. */
bool ledger_lockdown(
    struct broker *b, const struct rec_lockdown *l, char ret_receipt[SGW_RECEIPT_LEN + 1]);
/* The recovery code agrees to the record that is on the screen. */
bool ledger_recovery(
    struct broker *b, const struct job *j, const uint8_t signature[RECOVERY_SIGNATURE_LEN]);
bool ledger_enroll(struct broker *b, const struct job *j, const struct rec_key_entry *key,
    const struct msg_credential *m, const uint8_t keys_digest[HASH_LEN]);

#endif
