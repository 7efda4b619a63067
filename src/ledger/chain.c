/* SPDX-License-Identifier: Apache-2.0 */
/* Where the ledger's chain stands, and whether a record follows. */
#include <sgwarden/ledger.h>
#include <sgwarden/mutate.h>

#include <string.h>

const struct ledger_field *
ledger_field(const struct ledger_entry *entry, const char *key)
{
	for (size_t i = 0; i < entry->n_fields; i++)
		if (strcmp(entry->fields[i].key, key) == 0)
			return &entry->fields[i];
	return NULL;
}

/* The clock may go back, so time does not count: number and hash alone make the order. */
enum ledger_result
ledger_follow(struct ledger_chain *chain, const struct ledger_entry *entry)
{
	if ((entry->number != chain->number + 1 ||
		memcmp(entry->previous, chain->head, HASH_LEN) != 0) &&
	    !MUTATE(LEDGER_CHAIN))
		return LEDGER_BAD_CHAIN;
	chain->number = entry->number;
	chain->time = entry->time;
	memcpy(chain->head, entry->self, HASH_LEN);
	return LEDGER_OK;
}

void
ledger_next(const struct ledger_chain *chain, struct ledger_entry *entry)
{
	entry->number = chain->number + 1;
	memcpy(entry->previous, chain->head, HASH_LEN);
}
