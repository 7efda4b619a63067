/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record onto the disk: one write, one fdatasync; true only once it is durable.  What a failed write left behind
 * is named by a `torn` record before anything else is written.  A record that was written whole and could not be
 * synced counts as not durable, yet it is in the file, and the next one follows it.  The supervisor may be told of it:
 * b->out is filled after this, not before.
 */
#ifndef LEDGER_WRITE_H
#define LEDGER_WRITE_H

#include "broker.h"

bool ledger_write(struct broker *b, struct ledger_entry *e);

/*
 * What a failed write of ours left is named without waiting for the next record, so that a ledger that nothing is
 * written to does not stand torn: a minute after the failure, and each minute until it can be.  The deadline is in ms of
 * clock_monotonic(), INT64_MAX: nothing is torn.
 */
int64_t ledger_next_deadline(const struct broker *b);
void ledger_timeouts(struct broker *b);

#endif
