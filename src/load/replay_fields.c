/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger entry's fields, typed. */
#include "replay_fields.h"

#include <string.h>

#include <sgwarden/wire.h>

bool
field_is(const struct ledger_entry *entry, const char *key, const char *value)
{
	const struct ledger_field *field = ledger_field(entry, key);

	return field && field->len == strlen(value) && memcmp(field->value, value, field->len) == 0;
}

bool
field_text(const struct ledger_entry *entry, const char *key, char *ret, size_t size)
{
	const struct ledger_field *field = ledger_field(entry, key);

	return field && field_copy(ret, size, field->value, field->len);
}

bool
field_number(const struct ledger_entry *entry, const char *key, uint64_t most, uint64_t *ret)
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

bool
field_digest(const struct ledger_entry *entry, const char *key, uint8_t ret[HASH_LEN])
{
	const struct ledger_field *field = ledger_field(entry, key);

	return field && hex_decode(field->value, field->len, ret, HASH_LEN);
}

bool
field_credential(const struct ledger_entry *entry, const char *key, uint8_t ret_id[SGW_CRED_ID_MAX],
    uint16_t *ret_len)
{
	const struct ledger_field *field = ledger_field(entry, key);
	size_t len = field ? field->len / 2 : 0;

	if (len == 0 || len > SGW_CRED_ID_MAX || !hex_decode(field->value, field->len, ret_id, len))
		return false;
	*ret_len = (uint16_t)len;
	return true;
}
