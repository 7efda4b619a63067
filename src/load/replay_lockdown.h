/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdowns and what lifts them, from the ledger's entries. */
#ifndef LOAD_REPLAY_LOCKDOWN_H
#define LOAD_REPLAY_LOCKDOWN_H

#include "replay.h"

/* As replay_entry(), for LEDGER_LOCKDOWN and LEDGER_ENABLE. */
const char *replay_lockdown(struct replay *r, const struct ledger_entry *entry);
const char *replay_enable(struct replay *r, const struct ledger_entry *entry);

#endif
