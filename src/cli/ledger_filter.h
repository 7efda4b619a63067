/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a ledger's records are wanted: --since, --kind, --receipt. */
#ifndef CLI_LEDGER_FILTER_H
#define CLI_LEDGER_FILTER_H

#include "ledger.h"

struct ledger_filter {
	int64_t since;         /* seconds since 1970; a record of this second is taken */
	enum ledger_kind kind; /* LEDGER_KIND_MAX: any */
	const char *receipt;   /* NULL: any */
};

/* From the options; 0, or the exit status. */
int ledger_filter_read(const struct args *args, struct ledger_filter *ret_filter);
bool ledger_filter_takes(const struct ledger_filter *filter, const struct ledger_entry *entry);

/* Does the record speak of this receipt, or is it the closing that has it as its own? */
bool ledger_of_receipt(const struct ledger_entry *entry, const char *receipt);

#endif
