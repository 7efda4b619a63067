/* SPDX-License-Identifier: Apache-2.0 */
/* What entries say of security keys: whose counter moved, which list, policy and sealed file count. */
#ifndef LOAD_REPLAY_KEYS_H
#define LOAD_REPLAY_KEYS_H

#include "replay.h"

/* NULL, or what does not hold, as replay_entry(). */
const char *replay_counter_set(
    struct replay *r, const struct ledger_entry *entry, const char *key, uint32_t counter);
const char *replay_enroll(struct replay *r, const struct ledger_entry *entry);
const char *replay_admin(struct replay *r, const struct ledger_entry *entry);
const char *replay_test(struct replay *r, const struct ledger_entry *entry);
const char *replay_remove(struct replay *r, const struct ledger_entry *entry);
const char *replay_list(struct replay *r, const struct ledger_entry *entry);
const char *replay_policy(struct replay *r, const struct ledger_entry *entry);
/* A sealing, or the use of what is sealed: the file is another one afterwards. */
const char *replay_sealed(struct replay *r, const struct ledger_entry *entry);

#endif
