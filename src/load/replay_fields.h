/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger entry's fields, typed.  Each is false where the field is absent or not of its form. */
#ifndef LOAD_REPLAY_FIELDS_H
#define LOAD_REPLAY_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/ledger.h>

bool field_digest(const struct ledger_entry *entry, const char *key, uint8_t ret[HASH_LEN]);
bool field_credential(const struct ledger_entry *entry, const char *key,
    uint8_t ret_id[SGW_CRED_ID_MAX], uint16_t *ret_len);

#endif
