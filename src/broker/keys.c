/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolled security keys: read at start, told, and added to by a touched record. */
#include "broker.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include <sgwarden/assertion.h>
#include <sgwarden/mutate.h>

#include "recovery.h"

/* One list.  Nobody enrolled has no digest, be it an empty file or an empty list. */
static bool
list_take(struct cur *c, struct rec_key_list *ret_list, uint8_t ret_digest[HASH_LEN])
{
	size_t from = c->pos;

	if (!rec_key_list_decode(c, ret_list))
		return false;
	memset(ret_digest, 0, HASH_LEN);
	if (ret_list->n_keys)
		hash_sha256(c->data + from, c->pos - from, ret_digest);
	return true;
}

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
	if (list_take(&c, &b->keys, b->keys_digest) && !cur_done(&c))
		b->keys_both = list_take(&c, &b->keys_new, b->keys_new_digest);
	if (!cur_done(&c)) {
		log_error("the key list is damaged: restore the file keys of the state directory");
		return -1;
	}
	return 0;
}

/* Of two lists the ledger says which: it recorded the enrolment between them, or the plug was pulled before. */
void
keys_choose(struct broker *b)
{
	if (!b->keys_both || memcmp(b->keys_new_digest, b->head.keys_digest, HASH_LEN) != 0)
		return;
	b->keys = b->keys_new;
	memcpy(b->keys_digest, b->keys_new_digest, HASH_LEN);
}

bool
keys_commit(struct broker *b, bool both)
{
	struct msg_commit *m = &b->out.commit;
	struct buf out = buf_over(m->data, sizeof(m->data));

	b->out.id = MSG_COMMIT;
	m->file = STATE_FILE_KEYS;
	if (((both || b->keys.n_keys) && !rec_key_list_encode(&out, &b->keys)) ||
	    (both && !rec_key_list_encode(&out, &b->keys_new)) || out.failed)
		return false;
	m->data_len = (uint16_t)out.len;
	send_control(b);
	return true;
}

/* What a pulled plug left undone at the last enrolment. */
void
keys_tidy(struct broker *b)
{
	if (b->keys_both)
		(void)keys_commit(b, false);
	b->keys_both = false;
}

/* The ledger names the digest of the list that it last saw: an older or a foreign list is noticed here. */
int
keys_check(struct broker *b)
{
	static const uint8_t NONE[HASH_LEN] = {0};

	if (b->keys.n_keys && strcmp(b->keys.appliance, b->appliance) != 0) {
		log_error("the key list belongs to the appliance %s, this one is %s: restore keys, "
			  "appliance and ledger from one and the same copy",
		    b->keys.appliance, b->appliance);
		return -1;
	}
	if (memcmp(b->keys_digest, b->head.keys_digest, HASH_LEN) == 0 || MUTATE(KEY_LIST))
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

/* In groups of four, as the command line shows it too: for the eyes that compare them. */
static void
fingerprint_show(const struct rec_key_entry *k, char ret_text[SGW_DETAIL_MAX + 1])
{
	struct buf out = buf_over(ret_text, SGW_DETAIL_MAX + 1);
	char hex[65];

	fingerprint(k, hex);
	(void)buf_printf(&out, "fingerprint");
	for (size_t i = 0; i < 64; i += 4)
		(void)buf_printf(&out, " %.4s", hex + i);
	(void)buf_put_c(&out);
}

void
keys_tell(struct broker *b, uint32_t request)
{
	struct msg_key_list *m = &b->out.key_list;

	b->out.id = MSG_KEY_LIST;
	*m = (struct msg_key_list){.request = request,
	    .n_keys = b->keys.n_keys,
	    .code_made = b->keys.code_made,
	    .code_used = b->keys.code_used};
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
	if (list->n_keys == SGW_KEYS_MAX)
		return false;
	(void)FIELD_SET(list->appliance, b->appliance);
	if (b->ceremony.phrase[0])
		(void)FIELD_SET(list->phrase, b->ceremony.phrase);
	k = &list->keys[list->n_keys++];
	*k = (struct rec_key_entry){.cred_id_len = (uint16_t)cred->id_len,
	    .zero_counter = cred->counter == 0,
	    .uv_capable = cred->uv,
	    .hmac_secret = cred->hmac_secret,
	    .enrolled = clock_now()};
	(void)FIELD_SET(k->name, b->active->key_name);
	memcpy(k->cred_id, cred->id, cred->id_len);
	memcpy(k->public_key, cred->pubkey, sizeof(k->public_key));
	memcpy(k->aaguid, cred->aaguid, sizeof(k->aaguid));
	if (b->active->by_code)
		recovery_used(list, k->enrolled);
	return getrandom(k->salt, sizeof(k->salt), 0) == (ssize_t)sizeof(k->salt);
}

/*
 * The file first, with the list as it is and as it will be; then the ledger, which decides; then the file with the new
 * list alone.  Wherever the plug is pulled, the next start finds the list that the ledger names.
 */
void
enroll_credential(struct broker *b, const struct msg_credential *m)
{
	struct msg_credential *kept = &b->ceremony.credential;
	struct credential cred;
	char rp[SGW_FIELD_MAX + 1];
	uint8_t rp_hash[HASH_LEN];
	struct buf out = buf_over(b->scratch, sizeof(b->scratch));
	struct job *j = b->active;
	size_t index;
	const char *problem;
	int r;

	*kept = *m;
	(void)snprintf(rp, sizeof(rp), "sgwarden:%s", b->appliance);
	hash_sha256(rp, strlen(rp), rp_hash);
	r = credential_parse(kept->authdata, kept->authdata_len, rp_hash, &cred);
	problem = r == 0 ? attestation_problem(b, kept, &cred) : verify_strerror(r);
	if (problem) {
		refuse(b, SGW_ERR_BAD_ASSERTION, problem);
		return;
	}
	if ((b->keys.n_keys && !j->asserted && !MUTATE(ENROLL_AGREED)) ||
	    key_find(b, cred.id, cred.id_len, &index)) {
		refuse(b, SGW_ERR_KEY_EXISTS, "this very key is enrolled already");
		return;
	}
	if (b->sealed.n_entries && !cred.hmac_secret && !MUTATE(NEW_KEY_UNSEALS)) {
		refuse(b, SGW_ERR_KEY_REFUSED,
		    "this key has no hmac-secret: it could not open what is sealed");
		return;
	}
	if (!list_with(b, &cred) || !rec_key_list_encode(&out, &b->keys_new)) {
		refuse(b, SGW_ERR_INTERNAL, "the new key list could not be made");
		return;
	}
	hash_sha256(out.data, out.len, b->keys_new_digest);
	if (!keys_commit(b, true)) {
		refuse(b, SGW_ERR_INTERNAL, "the new key list is too long");
		return;
	}
	b->counters[b->keys_new.n_keys - 1] = cred.counter;
	j->state = JOB_COMMIT;
	j->deadline = 0;
}

/* The list is in the file beside the old one: what the ledger says now counts. */
static void
enroll_record(struct broker *b)
{
	uint64_t before = b->chain.number;

	if (ledger_enroll(b, b->active, &b->keys_new.keys[b->keys_new.n_keys - 1],
		&b->ceremony.credential, b->keys_new_digest)) {
		b->keys = b->keys_new;
		memcpy(b->keys_digest, b->keys_new_digest, HASH_LEN);
		b->active->state = JOB_TIDY;
		if (keys_commit(b, false))
			return;
		die("the new key list has no form"); /* it had one a moment ago */
	}
	if (b->chain.number != before)
		die("the enrolment is written and cannot be synced: the next start reads whether "
		    "it counts");
	job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
}

void
enroll_committed(struct broker *b, bool ok)
{
	char detail[SGW_DETAIL_MAX + 1];

	if (!b->active)
		return;
	if (b->active->state == JOB_COMMIT && ok)
		enroll_record(b);
	else if (b->active->state == JOB_COMMIT)
		job_end(b, STATUS_FAILED, SGW_ERR_INTERNAL,
		    "the key list could not be written: see the log");
	else if (b->active->state == JOB_TIDY) { /* where that failed, the next start does it */
		fingerprint_show(&b->keys.keys[b->keys.n_keys - 1], detail);
		job_end(b, STATUS_OK, SGW_ERR_NONE, detail);
	}
}
