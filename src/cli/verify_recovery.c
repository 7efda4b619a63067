/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery code: made and dropped by a touch, and what it agreed to by its own signature. */
#include "verify.h"

#include <string.h>

#include <sgwarden/mutate.h>

static bool
is_none(const uint8_t code[RECOVERY_KEY_LEN])
{
	static const uint8_t none[RECOVERY_KEY_LEN] = {0};

	return memcmp(code, none, sizeof(none)) == 0;
}

/* The record that was touched for names the code's public key: that is the act's subject. */
const char *
verify_code(struct verify *v, const struct ledger_entry *entry)
{
	const char *why = verify_admin(v, entry);
	uint8_t code[RECOVERY_KEY_LEN];

	if (why || v->alone)
		return why;
	if (!field_hex(entry, "subject", code, sizeof(code)) || is_none(code))
		return "its subject is no public key";
	if (ledger_field_is(entry, "act", RECORD_ACTS[ACT_DROP_CODE])) {
		if (memcmp(code, v->code, sizeof(code)) != 0)
			return "it drops a recovery code that there is not";
		memset(v->code, 0, sizeof(v->code));
		return NULL;
	}
	if (!is_none(v->code))
		return "it makes a recovery code beside another one";
	memcpy(v->code, code, sizeof(v->code));
	return NULL;
}

const char *
verify_recovery(struct verify *v, const struct ledger_entry *entry)
{
	static struct record record;
	uint8_t digest[HASH_LEN], code[RECOVERY_KEY_LEN], signature[RECOVERY_SIGNATURE_LEN];
	const char *why = verify_record(v, entry, RECORD_ENROLL, &record, digest);
	const struct ledger_field *text = ledger_field(entry, "text");

	if (why)
		return why;
	if (entry->time > record.expires + VERIFY_SLACK)
		return "the code was typed after its record had expired";
	if (!record.by_code)
		return "its record asks for no recovery code";
	if (!field_hex(entry, "code", code, sizeof(code)) || is_none(v->code) ||
	    memcmp(code, v->code, sizeof(code)) != 0)
		return "there is no such recovery code";
	if (!field_hex(entry, "code-signature", signature, sizeof(signature)) ||
	    (!recovery_verify(code, text->value, text->len, signature) && !MUTATE(VERIFY_CODE)))
		return "the recovery code's signature does not verify";
	record_receipt((const uint8_t *)text->value, text->len, v->recovered);
	return NULL;
}

const char *
verify_recovered(struct verify *v, const struct ledger_entry *entry)
{
	if (ledger_field(entry, "by") != NULL)
		return "the recovery code and a key have agreed to it";
	if ((v->recovered[0] == 0 || !ledger_field_is(entry, "receipt", v->recovered)) &&
	    !MUTATE(VERIFY_RECOVERED))
		return "no recovery code has agreed to it before it";
	memset(v->code, 0, sizeof(v->code));
	v->recovered[0] = 0;
	return NULL;
}
