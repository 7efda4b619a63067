/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger entry's fields, typed. */
#include "replay_fields.h"

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
