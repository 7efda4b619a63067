/* SPDX-License-Identifier: Apache-2.0 */
/* An entry's fields, typed; see ledger.h. */
#include <sgwarden/ledger.h>

#include <string.h>

#include <sgwarden/wire.h>

bool
ledger_field_is(const struct ledger_entry *entry, const char *key, const char *value)
{
	const struct ledger_field *field = ledger_field(entry, key);

	return field && field->len == strlen(value) && memcmp(field->value, value, field->len) == 0;
}

bool
ledger_field_text(const struct ledger_entry *entry, const char *key, char *ret, size_t size)
{
	const struct ledger_field *field = ledger_field(entry, key);

	return field && field_copy(ret, size, field->value, field->len);
}

bool
ledger_field_number(const struct ledger_entry *entry, const char *key, uint64_t most, uint64_t *ret)
{
	const struct ledger_field *field = ledger_field(entry, key);
	uint64_t n = 0;

	if (field == NULL || field->len == 0 || (field->value[0] == '0' && field->len > 1))
		return false;
	for (size_t i = 0; i < field->len; i++) {
		if (field->value[i] < '0' || field->value[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(field->value[i] - '0');
		if (n > most)
			return false;
	}
	*ret = n;
	return true;
}
