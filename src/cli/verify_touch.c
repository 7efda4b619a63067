/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolments and consents: the record, and the touch over it. */
#include "verify.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/assertion.h>
#include <sgwarden/mutate.h>

#define FLAG_ED 0x80 /* WebAuthn, 6.1: extension data are there */
#define FLAGS_AT 32

/* ---- the record ---- */

/*
 * The record was made here: by this appliance, in this run of the broker, under this policy, after everything that
 * was touched for before it, and at a point of this very chain.
 */
static const char *
record_fits(const struct verify *v, const struct ledger_entry *entry, const struct record *r)
{
	if (v->alone)
		return NULL;
	if (!v->started)
		return "nothing was started before it";
	if (strcmp(r->appliance, v->appliance) != 0)
		return "its record is another appliance's";
	if (strcmp(r->boot_id, v->boot_id) != 0)
		return "its record names another boot than the last start";
	if (memcmp(r->policy_digest, v->policy, HASH_LEN) != 0 && !MUTATE(VERIFY_POLICY))
		return "its record names another policy than the last start";
	if (r->ledger_number >= entry->number || r->ledger_number > v->n_heads ||
	    r->ledger_number == 0)
		return "its record names a ledger head that did not exist";
	if (v->n_heads - r->ledger_number >= VERIFY_HEADS)
		return "its record names a ledger head that is too far back";
	if (memcmp(r->ledger_head, v->head[(r->ledger_number - 1) % VERIFY_HEADS], HASH_LEN) != 0 &&
	    !MUTATE(VERIFY_HEAD))
		return "its record names another ledger head than this chain has there";
	if (r->ledger_number < v->seen)
		return "its record is older than the touch before it: a replay";
	return NULL;
}

/* Decodes the shown text, whose one form includes the digest of its rendering. */
const char *
verify_record(const struct verify *v, const struct ledger_entry *entry, enum record_kind kind,
    struct record *ret_record, uint8_t ret_digest[HASH_LEN])
{
	const struct ledger_field *text = ledger_field(entry, "text");
	char receipt[SGW_RECEIPT_LEN + 1];

	if (!record_decode((const uint8_t *)text->value, text->len, ret_record))
		return "its text is no consent record, or not what was rendered on the screen";
	if (ret_record->kind != kind)
		return "its text is a consent record of another kind";
	record_receipt((const uint8_t *)text->value, text->len, receipt);
	if (!ledger_field_is(entry, "receipt", receipt))
		return "its receipt is not that of its text";
	hash_sha256(text->value, text->len, ret_digest);
	return record_fits(v, entry, ret_record);
}

static void
rp_hash(const struct record *record, uint8_t ret_hash[HASH_LEN])
{
	char rp_id[SGW_APPLIANCE_LEN + 16];
	int n = snprintf(rp_id, sizeof(rp_id), "sgwarden:%s", record->appliance);

	hash_sha256(rp_id, (size_t)n, ret_hash);
}

/* ---- the touch ---- */

static struct verify_key *
key_find(struct verify *v, const uint8_t *id, size_t len)
{
	for (size_t i = 0; i < v->n_keys; i++)
		if (v->key[i].id_len == len && memcmp(v->key[i].id, id, len) == 0)
			return &v->key[i];
	return NULL;
}

struct touch_keys {
	const char *credential, *authdata, *signature; /* names of fields */
	bool
	    secret; /* asked for the secret that unseals: with the PIN or without, as the tier has it */
};

/* The assertion in these fields, by an enrolled key, over this record. */
static const char *
touch_holds(struct verify *v, const struct ledger_entry *entry, const struct touch_keys *names,
    const struct record *record, const uint8_t digest[HASH_LEN], uint32_t *ret_counter)
{
	uint8_t id[SGW_CRED_ID_MAX], authdata[SGW_AUTHDATA_MAX], signature[SGW_SIGNATURE_MAX],
	    rp[HASH_LEN];
	size_t id_len, authdata_len, signature_len;
	struct verify_expect expect = {
	    .rp_id_hash = rp, .client_data_hash = digest, .want_uv = record->pin};
	struct verify_key *key;
	int r;

	if (!field_bytes(entry, names->credential, id, sizeof(id), &id_len) ||
	    !field_bytes(entry, names->authdata, authdata, sizeof(authdata), &authdata_len) ||
	    !field_bytes(entry, names->signature, signature, sizeof(signature), &signature_len))
		return "its assertion is not there or too long";
	key = key_find(v, id, id_len);
	if (!key)
		return "its credential was not enrolled before it";
	rp_hash(record, rp);
	expect.pubkey = key->key;
	expect.last_counter = key->counter;
	/* A key that counts from 0 says 0 until its first count; afterwards never again. */
	expect.zero_counter = key->zero && key->counter == 0 && authdata_len >= FLAGS_AT + 5 &&
			      memcmp(authdata + FLAGS_AT + 1, "\0\0\0\0", 4) == 0;
	expect.hmac_secret_asked = names->secret;
	if (entry->kind == LEDGER_TOUCH && names->secret)
		expect.want_uv =
		    false; /* the tier has it in its hands: another secret would not open */
	r = assertion_verify(
	    &expect, authdata, authdata_len, signature, signature_len, ret_counter);
	if (r != 0)
		return verify_strerror(r);
	key->counter = *ret_counter;
	v->touches++;
	v->last_touch = entry->number;
	return NULL;
}

/* ---- enrolments ---- */

bool
verify_key_known(const struct rec_key_list *list, const struct verify_key *key)
{
	for (size_t i = 0; i < list->n_keys; i++)
		if (list->keys[i].cred_id_len == key->id_len &&
		    memcmp(list->keys[i].cred_id, key->id, key->id_len) == 0 &&
		    memcmp(list->keys[i].public_key, key->key, sizeof(key->key)) == 0)
			return true;
	return false;
}

/* The new credential is what the entry says of it. */
static const char *
credential_take(
    const struct ledger_entry *entry, const struct record *record, struct verify_key *ret_key)
{
	uint8_t authdata[SGW_AUTHDATA_MAX], aaguid[16], rp[HASH_LEN];
	struct credential made;
	size_t authdata_len;

	rp_hash(record, rp);
	if (!field_bytes(entry, "authdata", authdata, sizeof(authdata), &authdata_len) ||
	    credential_parse(authdata, authdata_len, rp, &made) != 0)
		return "its authenticator data hold no new credential of this appliance";
	if (!field_bytes(entry, "credential", ret_key->id, sizeof(ret_key->id), &ret_key->id_len) ||
	    ret_key->id_len != made.id_len || memcmp(ret_key->id, made.id, made.id_len) != 0 ||
	    !field_hex(entry, "key", ret_key->key, sizeof(ret_key->key)) ||
	    memcmp(ret_key->key, made.pubkey, sizeof(made.pubkey)) != 0 ||
	    !field_hex(entry, "aaguid", aaguid, sizeof(aaguid)) ||
	    memcmp(aaguid, made.aaguid, sizeof(aaguid)) != 0 ||
	    !ledger_field_is(entry, "zero", made.counter == 0 ? "yes" : "no"))
		return "it does not name the credential that its authenticator data hold";
	ret_key->counter = made.counter;
	ret_key->zero = made.counter == 0;
	memcpy(ret_key->name, record->key_name, sizeof(ret_key->name));
	return NULL;
}

/* The first key is trust on first use; every later one needs the touch of an earlier one, or the recovery code. */
static const char *
enroll_allowed(struct verify *v, const struct ledger_entry *entry, const struct record *record,
    const uint8_t digest[HASH_LEN])
{
	static const struct touch_keys BY = {"by", "by-authdata", "by-signature", false};
	uint32_t counter;

	if (record->by_code)
		return verify_recovered(v, entry);
	if (v->n_keys > 0)
		return touch_holds(v, entry, &BY, record, digest, &counter);
	return ledger_field(entry, "by") ? "the first key is enrolled by another one" : NULL;
}

const char *
verify_enroll(struct verify *v, const struct ledger_entry *entry)
{
	static struct record record;
	struct verify_key key = {0};
	uint8_t digest[HASH_LEN];
	const char *why = verify_record(v, entry, RECORD_ENROLL, &record, digest);

	if (!why)
		why = credential_take(entry, &record, &key);
	if (why)
		return why;
	if (!ledger_field_is(entry, "name", record.key_name))
		return "it names another key than its record";
	if (record.keys_enrolled != v->n_keys)
		return "its record counts other keys than those enrolled before it";
	if (v->n_keys == SGW_KEYS_MAX || key_find(v, key.id, key.id_len))
		return "this key is enrolled already, or too many are";
	why = enroll_allowed(v, entry, &record, digest);
	if (why)
		return why;
	key.listed = !v->outside || verify_key_known(v->outside, &key);
	v->key[v->n_keys++] = key;
	v->seen = entry->number;
	return NULL;
}

/* ---- consents ---- */

static const char *
display_name(enum display_kind kind)
{
	static const char *const NAMES[DISPLAY_MAX] = {"none", "shared", "trusted"};

	return NAMES[kind];
}

/* Of the touches for a sealing the agreement is the one without a secret. */
static bool
secret_was_asked(const struct ledger_entry *entry)
{
	uint8_t authdata[SGW_AUTHDATA_MAX];
	size_t len;

	if (entry->kind != LEDGER_TOUCH)
		return ledger_field(entry, "sealed") != NULL;
	return field_bytes(entry, "authdata", authdata, sizeof(authdata), &len) && len > FLAGS_AT &&
	       (authdata[FLAGS_AT] & FLAG_ED);
}

/* The touch over a record that is no enrolment, its counter, and where in the chain it stands. */
static const char *
touched_in_time(struct verify *v, const struct ledger_entry *entry, const struct record *record,
    const uint8_t digest[HASH_LEN])
{
	const struct touch_keys names = {
	    "credential", "authdata", "signature", secret_was_asked(entry)};
	const char *why;
	uint64_t named;
	uint32_t counter;

	if (entry->time > record->expires + VERIFY_SLACK)
		return "it was touched for after its record had expired";
	why = touch_holds(v, entry, &names, record, digest, &counter);
	if (why)
		return why;
	if (!ledger_field_number(entry, "counter", UINT32_MAX, &named) || named != counter)
		return "its counter is not that of its authenticator data";
	if (entry->kind != LEDGER_TOUCH) /* its act's own record is still to come */
		v->seen = entry->number;
	return NULL;
}

const char *
verify_consent(struct verify *v, const struct ledger_entry *entry)
{
	struct record *record = &v->record;
	uint8_t digest[HASH_LEN];
	const char *why = verify_record(v, entry, RECORD_CHANGE, record, digest);

	if (why)
		return why;
	if (!ledger_field_is(entry, "class", class_name(record->effect)) ||
	    !ledger_field_is(entry, "display", display_name(record->display)))
		return "its class or display is not its record's";
	why = touched_in_time(v, entry, record, digest);
	if (why)
		return why;
	record_receipt((const uint8_t *)ledger_field(entry, "text")->value,
	    ledger_field(entry, "text")->len, v->receipt);
	return NULL;
}

/* ---- administration ---- */

static const enum ledger_kind ACT_KINDS[ACT_MAX] = {
    [ACT_REMOVE_KEY] = LEDGER_REMOVE,
    [ACT_TEST_KEY] = LEDGER_TEST,
    [ACT_POLICY] = LEDGER_POLICY,
    [ACT_SEAL] = LEDGER_SEAL,
    [ACT_ROTATE] = LEDGER_SEAL,
    [ACT_TEST_OPENER] = LEDGER_TEST,
    [ACT_ENABLE] = LEDGER_ENABLE,
    [ACT_PHRASE] = LEDGER_PHRASE,
    [ACT_MAKE_CODE] = LEDGER_CODE,
    [ACT_DROP_CODE] = LEDGER_CODE,
};

/* The key that is gone is the one that the record named; its removal is agreed to before it counts. */
static const char *
key_removed(struct verify *v, const struct ledger_entry *entry, const struct record *record)
{
	uint8_t id[SGW_CRED_ID_MAX];
	size_t len;
	struct verify_key *key =
	    field_bytes(entry, "removed", id, sizeof(id), &len) ? key_find(v, id, len) : NULL;

	if (!key)
		return "it removes a key that was not enrolled";
	if (strcmp(key->name, record->subject) != 0)
		return "it removes another key than its record says";
	if (v->n_keys == 1)
		return "it removes the last key";
	v->unlisted += !key->listed;
	*key = v->key[--v->n_keys];
	return NULL;
}

/* The entry says what its record says. */
static const char *
act_fits(const struct ledger_entry *entry, const struct record *record)
{
	uint8_t named[HASH_LEN];

	if (ACT_KINDS[record->act] != entry->kind ||
	    !ledger_field_is(entry, "act", RECORD_ACTS[record->act]))
		return "its record is of another act";
	if (record->subject[0] ? !ledger_field_is(entry, "subject", record->subject)
			       : ledger_field(entry, "subject") != NULL)
		return "it is about something else than its record";
	if (!field_hex(entry, "digest", named, sizeof(named)) ||
	    memcmp(named, record->digest, sizeof(named)) != 0)
		return "its digest is not its record's";
	return NULL;
}

const char *
verify_admin(struct verify *v, const struct ledger_entry *entry)
{
	static struct record record;
	uint8_t digest[HASH_LEN];
	const char *why = verify_record(v, entry, RECORD_ADMIN, &record, digest);

	if (!why)
		why = act_fits(entry, &record);
	if (why)
		return why;
	why = touched_in_time(v, entry, &record, digest);
	if (why || entry->kind != LEDGER_REMOVE || v->alone)
		return why;
	return key_removed(v, entry, &record);
}

/*
 * A sealing: first an enrolled key agrees to the record, then each enrolled key is touched over it once more, for its
 * secret; the seal's own record names what came of it.
 */
const char *
verify_touch_more(struct verify *v, const struct ledger_entry *entry)
{
	static struct record record;
	uint8_t digest[HASH_LEN];
	const char *why = verify_record(v, entry, RECORD_ADMIN, &record, digest);
	bool agreement = !secret_was_asked(entry);

	if (why)
		return why;
	if (ACT_KINDS[record.act] != LEDGER_SEAL)
		return "its record seals nothing";
	if (!agreement && !ledger_field_is(entry, "receipt", v->agreed))
		return "nobody has agreed to its record before it";
	why = touched_in_time(v, entry, &record, digest);
	if (!why && agreement)
		record_receipt((const uint8_t *)ledger_field(entry, "text")->value,
		    ledger_field(entry, "text")->len, v->agreed);
	return why;
}

const char *
verify_seal(struct verify *v, const struct ledger_entry *entry)
{
	static struct record record;
	uint8_t digest[HASH_LEN];
	const char *why = verify_record(v, entry, RECORD_ADMIN, &record, digest);

	if (!why)
		why = act_fits(entry, &record);
	if (why)
		return why;
	if (!ledger_field_is(entry, "receipt", v->agreed))
		return "nobody has agreed to its record before it";
	v->seen = entry->number;
	return NULL;
}
