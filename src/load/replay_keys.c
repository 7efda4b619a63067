/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of keys, and the acts that need one of them; see replay_keys.h. */
#include "replay_keys.h"

#include <string.h>

#include "replay_fields.h"

#define COUNTER_AT                                                                                 \
	33 /* authenticator data: 32 bytes rpIdHash, flags, then the counter (CTAP 2.1, 6.1) */

/* ---- counters ---- */

static struct replay_counter *
counter_find(struct replay *r, const uint8_t *id, size_t len)
{
	for (size_t i = 0; i < r->n_counters; i++)
		if (r->counters[i].cred_id_len == len &&
		    memcmp(r->counters[i].cred_id, id, len) == 0)
			return &r->counters[i];
	return NULL;
}

const char *
replay_counter_set(
    struct replay *r, const struct ledger_entry *entry, const char *key, uint32_t counter)
{
	uint8_t id[SGW_CRED_ID_MAX];
	struct replay_counter *to;
	uint16_t len = 0;

	if (!field_credential(entry, key, id, &len))
		return "its credential is none";
	to = counter_find(r, id, len);
	if (to == NULL && r->n_counters == REPLAY_COUNTERS_MAX)
		return "more security keys than this build can hold";
	if (to == NULL) {
		to = &r->counters[r->n_counters++];
		memcpy(to->cred_id, id, len);
		to->cred_id_len = len;
	}
	to->counter = counter;
	return NULL;
}

static bool
field_authdata_counter(const struct ledger_entry *entry, const char *key, uint32_t *ret_counter)
{
	const struct ledger_field *field = ledger_field(entry, key);
	uint8_t authdata[SGW_AUTHDATA_MAX];
	size_t len = field ? field->len / 2 : 0;
	const uint8_t *at = authdata + COUNTER_AT;

	if (len < COUNTER_AT + 4 || len > sizeof(authdata) ||
	    !hex_decode(field->value, field->len, authdata, len))
		return false;
	*ret_counter = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	return true;
}

/* A later key is enrolled by the touch of an earlier one, whose counter moved too. */
const char *
replay_enroll(struct replay *r, const struct ledger_entry *entry)
{
	const char *problem;
	uint32_t counter = 0;

	if (!field_digest(entry, "keys", r->keys_digest))
		return "its key list is no digest";
	if (!field_authdata_counter(entry, "authdata", &counter))
		return "its authenticator data are none";
	problem = replay_counter_set(r, entry, "credential", counter);
	if (problem != NULL || ledger_field(entry, "by") == NULL)
		return problem;
	if (!field_authdata_counter(entry, "by-authdata", &counter))
		return "its authenticator data are none";
	return replay_counter_set(r, entry, "by", counter);
}

/* Every administrative act was agreed to with an enrolled key, whose counter moved. */
const char *
replay_admin(struct replay *r, const struct ledger_entry *entry)
{
	uint64_t counter = 0;

	if (!ledger_field_number(entry, "counter", UINT32_MAX, &counter))
		return "its counter is none";
	return replay_counter_set(r, entry, "credential", (uint32_t)counter);
}

/* What was tried with what is sealed renewed its seal, as every use does. */
const char *
replay_test(struct replay *r, const struct ledger_entry *entry)
{
	const char *problem =
	    ledger_field(entry, "sealed") != NULL ? replay_sealed(r, entry) : NULL;

	return problem != NULL ? problem : replay_admin(r, entry);
}

const char *
replay_remove(struct replay *r, const struct ledger_entry *entry)
{
	const char *problem = replay_admin(r, entry);
	uint8_t id[SGW_CRED_ID_MAX];
	struct replay_counter *gone;
	uint16_t len = 0;

	if (problem != NULL)
		return problem;
	if (!field_digest(entry, "digest", r->keys_digest))
		return "its key list is no digest";
	if (!field_credential(entry, "removed", id, &len))
		return "its credential is none";
	gone = counter_find(r, id, len);
	if (gone != NULL)
		*gone = r->counters[--r->n_counters];
	return NULL;
}

/* The list holds the phrase and the recovery code's key too; whose keys they are is as before. */
const char *
replay_list(struct replay *r, const struct ledger_entry *entry)
{
	return field_digest(entry, "digest", r->keys_digest) ? replay_admin(r, entry)
							     : "its key list is no digest";
}

const char *
replay_policy(struct replay *r, const struct ledger_entry *entry)
{
	return field_digest(entry, "digest", r->policy_file_digest) ? replay_admin(r, entry)
								    : "its policy is no digest";
}

const char *
replay_sealed(struct replay *r, const struct ledger_entry *entry)
{
	return field_digest(entry, "sealed", r->sealed_digest) ? NULL
							       : "its sealed file is no digest";
}
