/* SPDX-License-Identifier: Apache-2.0 */
/* What `receipt show`, `export` and `verify` share. */
#ifndef CLI_RECEIPT_H
#define CLI_RECEIPT_H

#include "cli.h"
#include "receipt_file.h"

/*
 * Checks a receipt and says what it shows.  `outside`: a key list from elsewhere, or NULL.  Returns the exit status:
 * that of verify_failed where something does not hold.
 */
int receipt_tell(
    const struct args *args, const char *text, size_t len, const struct rec_key_list *outside);

#endif
