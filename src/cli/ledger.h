/* SPDX-License-Identifier: Apache-2.0 */
/* What `ledger show` and `ledger verify` share. */
#ifndef CLI_LEDGER_H
#define CLI_LEDGER_H

#include <sgwarden/ledger_stream.h>

#include "cli.h"

/* Opens the ledger that the arguments mean.  0 with the stream at its start, or the exit status. */
int ledger_open(const struct args *args, struct stream *ret_stream, char ret_path[CLI_PATH_MAX]);

/* The value of a field as a C string, cut where it does not fit; "" where the field is absent. */
void ledger_text(const struct ledger_entry *entry, const char *key, char *ret_text, size_t size);

#endif
