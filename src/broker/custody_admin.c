/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing an opener, and sealing it anew under a fresh data key.  An enrolled key agrees to the record; then each
 * enrolled key is asked over the same record for the secret that wraps the data key: one touch each, in any order,
 * each in the ledger.  For a tier that opens by a touch alone these are asked for without the PIN, because a key's
 * secret with it is another one.
 */
#include "admin.h"

#include <sgwarden/clock.h>

#include "custody.h"
#include "seal.h"

/* The act under way; what of it is secret lies in the vault. */
static struct {
	struct profile *profile;
	enum tier tier;
	uint8_t next_salt[32];
	uint8_t salts[SGW_KEYS_MAX][32]; /* of the present wraps, for whoever has one */
	bool have[SGW_KEYS_MAX];         /* this key's answer */
	bool collecting;
} W;

static bool
act_is_ours(const struct job *j)
{
	return j->kind == JOB_ADMIN && (j->act == ACT_SEAL || j->act == ACT_ROTATE);
}

/* ---- what is to be sealed ---- */

/* "PROFILE opener" or "PROFILE opener-sensitive". */
static bool
subject_take(struct broker *b, const char *subject)
{
	const char *blank = strrchr(subject, ' ');
	char name[SGW_SUBJECT_MAX + 1];

	W.profile = NULL;
	if (!blank || !field_copy(name, sizeof(name), subject, (size_t)(blank - subject)))
		return false;
	for (enum tier t = TIER_OPENER; t < TIER_MAX; t++)
		if (strcmp(blank + 1, TIER_NAMES[t]) == 0) {
			W.tier = t;
			W.profile = profile_find(b, name);
		}
	return W.profile != NULL;
}

/* NULL where these keys of the AWS files can be sealed. */
static const char *
plaintext_problem(const struct profile *p, enum tier tier)
{
	const struct profile_keys *k = &p->keys[tier], *reader = &p->keys[TIER_READER];

	if (!k->there)
		return "when the daemon started, the AWS files held no keys for it: put them in, "
		       "restart it, seal, take them out";
	if (k->token[0])
		return "these keys are temporary: they would expire under the seal";
	if (reader->there && strcmp(reader->access_key_id, k->access_key_id) == 0)
		return "it is the reader's key too, which is needed in plaintext: give the opener "
		       "an AWS user of its own and name it in config.json";
	return NULL;
}

static const char *
keys_problem(const struct broker *b)
{
	for (size_t i = 0; i < b->keys.n_keys; i++) {
		if (!b->keys.keys[i].hmac_secret)
			return "an enrolled security key has no hmac-secret: remove it first";
		if (W.tier == TIER_OPENER_SENSITIVE && !b->keys.keys[i].uv_capable)
			return "an enrolled security key had no PIN when it was enrolled: remove "
			       "it, set "
			       "a PIN, enrol it again";
	}
	return NULL;
}

static void
say_all(struct broker *b, const char *access_key_id, bool anew)
{
	struct admin *a = b->admin;

	admin_say(a, "profile     %s", W.profile->conf->name);
	admin_say(a, "tier        %s: %s", TIER_NAMES[W.tier],
	    W.tier == TIER_OPENER ? "a touch unseals it" : "the PIN and a touch unseal it");
	admin_say(a, "access key  %s", access_key_id);
	admin_say(a, "generation  %llu", (unsigned long long)b->sealed.generation + 1);
	for (size_t i = 0; i < b->keys.n_keys; i++)
		admin_say(a, "opened by   %s", b->keys.keys[i].name);
	admin_say(a, "After the first touch each of these keys is asked once more.");
	admin_say(a, "%s",
	    anew ? "What was sealed before opens no more."
		 : "Then take the secret key out of the AWS files: sgwarden cred status.");
}

static enum sgw_error
fresh_salts(struct broker *b, struct rec_sealed_entry *e)
{
	uint8_t id[32];

	memset(W.have, 0, sizeof(W.have));
	W.collecting = false;
	if (!seal_random(W.next_salt, sizeof(W.next_salt)) ||
	    !seal_random(W.salts, sizeof(W.salts)))
		return SGW_ERR_INTERNAL;
	for (size_t i = 0; e && i < b->keys.n_keys; i++) {
		const struct rec_sealed_wrap *w;

		seal_key_id(b->keys.keys[i].cred_id, b->keys.keys[i].cred_id_len, id);
		w = sealed_wrap_find(e, id);
		if (w)
			memcpy(W.salts[i], w->salt, sizeof(w->salt));
	}
	return SGW_ERR_NONE;
}

enum sgw_error
seal_prepare(struct broker *b, const char **ret_detail)
{
	const char *access_key_id;

	if (!subject_take(b, b->admin->subject))
		return SGW_ERR_UNKNOWN_PROFILE;
	*ret_detail = plaintext_problem(W.profile, W.tier);
	if (!*ret_detail)
		*ret_detail = keys_problem(b);
	if (*ret_detail)
		return SGW_ERR_SEALED;
	*ret_detail = "";
	if (!sealed_find(&b->sealed, W.profile->conf->name, W.tier) &&
	    b->sealed.n_entries == SGW_SEALS_MAX) {
		*ret_detail = "the sealed file holds no more";
		return SGW_ERR_QUOTA;
	}
	access_key_id = W.profile->keys[W.tier].access_key_id;
	say_all(b, access_key_id, false);
	return fresh_salts(b, NULL);
}

enum sgw_error
rotate_prepare(struct broker *b, const char **ret_detail)
{
	struct rec_sealed_entry *e;

	if (!subject_take(b, b->admin->subject))
		return SGW_ERR_UNKNOWN_PROFILE;
	e = sealed_find(&b->sealed, W.profile->conf->name, W.tier);
	*ret_detail = e ? keys_problem(b) : "nothing is sealed there";
	if (*ret_detail)
		return SGW_ERR_SEALED;
	*ret_detail = "";
	say_all(b, e->access_key_id, true);
	return fresh_salts(b, e);
}

/* ---- one key after the other ---- */

bool
custody_collecting(const struct broker *b)
{
	return b->active && act_is_ours(b->active) && W.collecting;
}

/* Whoever has not answered yet. */
static void
fill_ask(const struct broker *b, struct msg_ask_assertion *ask)
{
	ask->uv = W.tier == TIER_OPENER_SENSITIVE;
	ask->hmac_secret = true;
	memcpy(ask->next_salt, W.next_salt, sizeof(ask->next_salt));
	for (size_t i = 0; i < b->keys.n_keys; i++) {
		const struct rec_key_entry *k = &b->keys.keys[i];
		struct rec_key_cred *cred = &ask->creds[ask->n_creds];

		if (W.have[i])
			continue;
		cred->id_len = k->cred_id_len;
		memcpy(cred->id, k->cred_id, k->cred_id_len);
		memcpy(cred->salt, W.salts[i], sizeof(cred->salt));
		ask->n_creds++;
	}
}

bool
custody_ask_all(struct broker *b, struct msg *ask)
{
	if (!act_is_ours(b->active))
		return false;
	ask->id = MSG_ASK_ASSERTION;
	ask->ask_assertion = (struct msg_ask_assertion){0};
	touch_rp_id(b, ask->ask_assertion.rp_id);
	fill_ask(b, &ask->ask_assertion);
	return true;
}

/* "blue, red": as many names as fit. */
static void
wanted_names(const struct broker *b, char ret_text[SGW_WANTED_MAX + 1])
{
	struct buf out = buf_over(ret_text, SGW_WANTED_MAX);
	bool first = true;

	for (size_t i = 0; i < b->keys.n_keys; i++) {
		if (W.have[i])
			continue;
		if (out.len + strlen(b->keys.keys[i].name) + 6 > out.cap) {
			(void)buf_puts(&out, ", ...");
			break;
		}
		(void)buf_printf(&out, "%s%s", first ? "" : ", ", b->keys.keys[i].name);
		first = false;
	}
	ret_text[out.len] = 0;
}

static void
want_next(struct broker *b)
{
	struct ceremony *c = &b->ceremony;
	struct job *j = b->active;

	(void)custody_ask_all(b, &c->ask);
	b->out.id = MSG_WANT_KEY;
	b->out.want_key = (struct msg_want_key){.pin = W.tier == TIER_OPENER_SENSITIVE};
	wanted_names(b, b->out.want_key.names);
	ceremony_want(b);
	j->state = JOB_READING; /* consent says AGREED again, with the PIN where one is wanted */
	j->deadline = record_deadline(c);
}

void
custody_collect(struct broker *b)
{
	if (!ledger_touch(b, b->active, &b->admin->touch, b->admin->counter)) {
		job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	W.collecting = true;
	want_next(b);
}

static bool
all_answered(const struct broker *b)
{
	for (size_t i = 0; i < b->keys.n_keys; i++)
		if (!W.have[i])
			return false;
	return true;
}

/* ---- the new entry ---- */

/* Sealing takes the secret from the AWS files, rotation from the old seal, which any key opens that has a wrap. */
static void
take_secret(struct broker *b, const struct msg_assertion *a)
{
	struct rec_sealed_entry *e = sealed_find(&b->sealed, W.profile->conf->name, W.tier);
	struct profile_keys *opener = &b->vault->opener;
	const struct rec_sealed_wrap *w;
	uint8_t id[32];

	if (b->active->act == ACT_SEAL) {
		*opener = W.profile->keys[W.tier];
		return;
	}
	seal_key_id(a->cred_id, a->cred_id_len, id);
	w = sealed_wrap_find(e, id);
	if (opener->there || !w)
		return;
	opener->there = seal_unwrap(b->appliance, e, w, a->hmac_secret, b->vault->data_key) &&
			unseal_secret(b->appliance, e, b->vault->data_key, opener->secret_key) &&
			FIELD_SET(opener->access_key_id, e->access_key_id);
	memory_erase(b->vault->data_key, sizeof(b->vault->data_key));
}

static bool
wrap_all(struct broker *b, struct rec_sealed_entry *e)
{
	for (size_t i = 0; i < b->keys.n_keys; i++) {
		struct rec_sealed_wrap *w = &e->wraps[e->n_wraps++];
		const struct rec_key_entry *k = &b->keys.keys[i];

		*w = (struct rec_sealed_wrap){0};
		seal_key_id(k->cred_id, k->cred_id_len, w->key);
		memcpy(w->salt, W.next_salt, sizeof(w->salt));
		if (!seal_wrap(b->appliance, e, w, b->vault->answers[i], b->vault->data_key))
			return false;
	}
	return true;
}

/* NULL: the next version of the file is made; else what did not work, in the person's words. */
static const char *
entry_make(struct broker *b)
{
	struct rec_sealed_list *list = &b->sealed_next;
	struct rec_sealed_entry *e;
	struct vault *v = b->vault;

	*list = b->sealed;
	e = sealed_find(list, W.profile->conf->name, W.tier);
	if (!e)
		e = &list->entries[list->n_entries++];
	*e = (struct rec_sealed_entry){.tier = W.tier, .generation = ++list->generation};
	custody_forget_strangers(b, list);
	if (!v->opener.there)
		return "none of the touched keys opens what was sealed before";
	if (!FIELD_SET(e->profile, W.profile->conf->name) ||
	    !FIELD_SET(e->access_key_id, v->opener.access_key_id))
		return "the access key id is too long to be sealed";
	if (!seal_random(v->data_key, sizeof(v->data_key)))
		return "the kernel gave no random numbers for the data key";
	if (!seal_secret(b->appliance, e, v->data_key, v->opener.secret_key))
		return "the secret key is empty or too long, or could not be encrypted";
	if (!wrap_all(b, e))
		return "the data key could not be wrapped for an enrolled security key";
	return custody_next(b) ? NULL : "the sealed file would be longer than it may be";
}

void
custody_collected(struct broker *b, struct msg_assertion *a, size_t key, uint32_t counter)
{
	const char *problem;

	if (W.have[key] || a->hmac_secret_len != 64) {
		job_end(b, STATUS_FAILED, SGW_ERR_BAD_ASSERTION, "this key has answered already");
		return;
	}
	W.have[key] = true;
	memcpy(b->vault->answers[key], a->hmac_secret + 32, sizeof(b->vault->answers[key]));
	take_secret(b, a);
	memory_erase(a->hmac_secret, sizeof(a->hmac_secret));
	a->hmac_secret_len = 0;
	if (!ledger_touch(b, b->active, a, counter)) {
		job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	if (!all_answered(b)) {
		want_next(b);
		return;
	}
	problem = entry_make(b);
	custody_wipe(b);
	if (!problem)
		admin_agreed(b);
	else
		job_end(b, STATUS_FAILED, SGW_ERR_SEALED, problem);
}

void
seal_commit(struct broker *b, bool both)
{
	statefile_commit(b, &b->sealed_file, STATE_FILE_SEALED, both);
}

void
seal_applied(struct broker *b)
{
	custody_advance(b);
	(void)FIELD_SET(b->admin->detail,
	    W.profile->plaintext[W.tier]
		? "sealed; take the secret key out of the AWS files now, then restart the daemon"
		: "sealed anew");
}
