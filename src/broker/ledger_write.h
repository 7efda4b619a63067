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

#endif
