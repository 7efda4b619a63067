/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolled security keys: read at start, told, and added to by a touched record. */
#include "broker.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include <sgwarden/assertion.h>

int
keys_read(struct broker *b)
{
	size_t len = 0;
	struct cur c;

	for (;;) {
		ssize_t n = read(FD_BROKER_KEYS, b->scratch + len, sizeof(b->scratch) - len);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	(void)close(FD_BROKER_KEYS);
	if (len == 0)
		return 0;
	c = cur_over(b->scratch, len);
	if (!rec_key_list_decode(&c, &b->keys) || !cur_done(&c)) {
		log_error("the key list is damaged: restore the file keys of the state directory");
		return -1;
	}
	hash_sha256(b->scratch, len, b->keys_digest);
	return 0;
}

/* The ledger names the digest of the list that it last saw: an older or a foreign list is noticed here. */
int
keys_check(struct broker *b)
{
	static const uint8_t NONE[HASH_LEN] = {0};

	if (b->keys.n_keys && strcmp(b->keys.appliance, b->appliance) != 0) {
		log_error("the key list belongs to the appliance %s, this one is %s",
		    b->keys.appliance, b->appliance);
		return -1;
	}
	if (memcmp(b->keys_digest, b->head.keys_digest, HASH_LEN) == 0)
		return 0;
	if (memcmp(b->head.keys_digest, NONE, HASH_LEN) == 0)
		log_error("there are enrolled keys that the ledger knows nothing of: restore the "
			  "ledger, or remove the "
			  "file keys and enrol again");
	else
		log_error("the key list is not the one that the ledger last recorded: restore the "
			  "newest file keys");
	return -1;
}

const struct rec_key_entry *
key_find(const struct broker *b, const uint8_t *id, size_t len, size_t *ret_index)
{
	for (size_t i = 0; i < b->keys.n_keys; i++) {
		const struct rec_key_entry *k = &b->keys.keys[i];

		if (k->cred_id_len == len && memcmp(k->cred_id, id, len) == 0) {
			*ret_index = i;
			return k;
		}
	}
	return NULL;
}

static void
fingerprint(const struct rec_key_entry *k, char ret_text[65])
{
	uint8_t digest[HASH_LEN];
	struct buf out = buf_over(ret_text, 65);

	hash_sha256(k->public_key, sizeof(k->public_key), digest);
	(void)buf_put_hex(&out, digest, sizeof(digest));
	(void)buf_put_c(&out);
}

void
keys_tell(struct broker *b, uint32_t request)
{
	struct msg_key_list *m = &b->out.key_list;

	b->out.id = MSG_KEY_LIST;
	*m = (struct msg_key_list){.request = request, .n_keys = b->keys.n_keys};
	for (size_t i = 0; i < b->keys.n_keys; i++) {
		const struct rec_key_entry *k = &b->keys.keys[i];

		(void)FIELD_SET(m->keys[i].name, k->name);
		fingerprint(k, m->keys[i].fingerprint);
		m->keys[i].enrolled = k->enrolled;
		m->keys[i].zero_counter = k->zero_counter;
		m->keys[i].counter = b->counters[i];
	}
	send_planner(b);
}

static void
refuse(struct broker *b, enum sgw_error error, const char *why)
{
	(void)ledger_denial(b, b->active, why);
	job_end(b, STATUS_FAILED, error, why);
}

/* "packed" is signed: by the new key itself, or by its maker's, whose certificate is kept and not judged. */
static const char *
attestation_problem(
    const struct broker *b, const struct msg_credential *m, const struct credential *cred)
{
	if (strcmp(m->format, "none") == 0)
		return m->signature_len ? "an attestation of format none has a signature" : NULL;
	if (strcmp(m->format, "packed") != 0)
		return "an attestation format that is neither packed nor none";
	if (m->x5c_len)
		return NULL;
	return es256_verify(cred->pubkey, m->authdata, m->authdata_len, b->ceremony.digest,
		   m->signature, m->signature_len) == 0
		   ? NULL
		   : "the new key's own signature does not hold";
}

static bool
list_with(struct broker *b, const struct credential *cred)
{
	struct rec_key_list *list = &b->keys_new;
	struct rec_key_entry *k;

	*list = b->keys;
	(void)FIELD_SET(list->appliance, b->appliance);
	k = &list->keys[list->n_keys++];
	*k = (struct rec_key_entry){.cred_id_len = (uint16_t)cred->id_len,
	    .zero_counter = cred->counter == 0,
	    .uv_capable = cred->uv,
	    .enrolled = clock_now()};
	(void)FIELD_SET(k->name, b->active->key_name);
	memcpy(k->cred_id, cred->id, cred->id_len);
	memcpy(k->public_key, cred->pubkey, sizeof(k->public_key));
	memcpy(k->aaguid, cred->aaguid, sizeof(k->aaguid));
	return getrandom(k->salt, sizeof(k->salt), 0) == (ssize_t)sizeof(k->salt);
}

/*
 * The ledger first: should the plug be pulled before the list is in place, the start says which of the two is newer,
 * and no key was ever of use that the ledger does not name.
 */
void
enroll_credential(struct broker *b, const struct msg_credential *m)
{
	static struct msg_credential kept;
	struct credential cred;
	char rp[SGW_FIELD_MAX + 1];
	uint8_t rp_hash[HASH_LEN], digest[HASH_LEN];
	struct buf out = buf_over(b->scratch, sizeof(b->scratch));
	struct job *j = b->active;
	size_t index;
	const char *problem;
	int r;

	kept = *m;
	(void)snprintf(rp, sizeof(rp), "sgwarden:%s", b->appliance);
	hash_sha256(rp, strlen(rp), rp_hash);
	r = credential_parse(kept.authdata, kept.authdata_len, rp_hash, &cred);
	problem = r == 0 ? attestation_problem(b, &kept, &cred) : verify_strerror(r);
	if (problem) {
		refuse(b, SGW_ERR_BAD_ASSERTION, problem);
		return;
	}
	if ((b->keys.n_keys && !j->asserted) || key_find(b, cred.id, cred.id_len, &index)) {
		refuse(b, SGW_ERR_KEY_EXISTS, "this very key is enrolled already");
		return;
	}
	if (!list_with(b, &cred) || !rec_key_list_encode(&out, &b->keys_new) ||
	    out.len > SGW_COMMIT_MAX) {
		refuse(b, SGW_ERR_INTERNAL, "the new key list could not be made");
		return;
	}
	b->out.id = MSG_COMMIT;
	b->out.commit.file = STATE_FILE_KEYS;
	memcpy(b->out.commit.data, out.data, out.len);
	b->out.commit.data_len = (uint16_t)out.len;
	hash_sha256(out.data, out.len, digest);
	if (!ledger_enroll(b, j, &b->keys_new.keys[b->keys_new.n_keys - 1], &kept, digest)) {
		job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	b->counters[b->keys_new.n_keys - 1] = cred.counter;
	j->state = JOB_COMMIT;
	j->deadline = 0;
	send_control(b);
}

void
enroll_committed(struct broker *b, bool ok)
{
	char text[65];
	char detail[SGW_DETAIL_MAX + 1];

	if (!b->active || b->active->state != JOB_COMMIT)
		return;
	if (!ok) {
		job_end(b, STATUS_FAILED, SGW_ERR_INTERNAL,
		    "the key list could not be written: see the log");
		return;
	}
	b->keys = b->keys_new;
	fingerprint(&b->keys.keys[b->keys.n_keys - 1], text);
	(void)snprintf(detail, sizeof(detail), "fingerprint %s", text);
	job_end(b, STATUS_OK, SGW_ERR_NONE, detail);
}
