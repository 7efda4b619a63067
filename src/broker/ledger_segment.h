/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's files.  One that has grown to SGW_SEGMENT_BYTES is left for the next, which the supervisor opens; until
 * that is there, the full one goes on.  Only a file that ends whole and synced is left, and the first record of the next
 * one names the last of it.
 */
#ifndef LEDGER_SEGMENT_H
#define LEDGER_SEGMENT_H

#include "broker.h"

/* From the loader's head. */
void segment_loaded(struct broker *b, const struct msg_loaded_head *m);
/* After a durable record: asks for the next file where it is time. */
void segment_want(struct broker *b);
/* SEGMENT has come; fd is ours, -1: it cannot be had. */
void segment_come(struct broker *b, uint32_t number, int fd);
/* Writes the `segment` record where it is due.  True: the record that follows may be written. */
bool segment_begin(struct broker *b);

#endif
