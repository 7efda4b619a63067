/* SPDX-License-Identifier: Apache-2.0 */
/* See custody.h. */
#include "admin.h"

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "seal.h"

const char *const TIER_NAMES[TIER_MAX] = {
    [TIER_READER] = "reader",
    [TIER_OPENER] = "opener",
    [TIER_OPENER_SENSITIVE] = "opener-sensitive",
};

static enum tier
tier_of(const struct job *j)
{
	return j->verdict.needs_pin && !MUTATE(SEAL_TIER) ? TIER_OPENER_SENSITIVE : TIER_OPENER;
}

bool
custody_opens(const struct job *j)
{
	bool any = false;

	for (size_t i = 0; i < j->plan.n_ops; i++)
		any = any || j->plan.ops[i].action == ACTION_OPEN;
	return any && (j->kind == JOB_CHANGE || j->act == ACT_TEST_OPENER);
}

/* What is sealed for this plan's class; NULL: nothing, its keys stand in the AWS files. */
static struct rec_sealed_entry *
entry_of(struct broker *b, const struct job *j)
{
	return custody_opens(j) ? sealed_find(&b->sealed, j->plan.profile, tier_of(j)) : NULL;
}

static struct rec_sealed_wrap *
wrap_of(struct rec_sealed_entry *e, const uint8_t *cred_id, size_t len)
{
	uint8_t id[32];

	seal_key_id(cred_id, len, id);
	return sealed_wrap_find(e, id);
}

/* ---- the file ---- */

static bool
somebody_opens(const struct broker *b, struct rec_sealed_entry *e)
{
	for (size_t i = 0; e && i < b->keys.n_keys; i++)
		if (wrap_of(e, b->keys.keys[i].cred_id, b->keys.keys[i].cred_id_len))
			return true;
	return false;
}

/*
 * What is sealed is not held in plaintext too, whatever stands in the AWS files.  A seal that no enrolled key opens any
 * more seals nothing: what the person put into the AWS files again is there to be sealed anew.
 */
static void
drop_plaintext(struct broker *b)
{
	for (size_t i = 0; i < b->n_profiles; i++)
		for (enum tier t = TIER_OPENER; t < TIER_MAX; t++)
			if (somebody_opens(
				b, sealed_find(&b->sealed, b->profiles[i].conf->name, t)))
				memory_erase(&b->profiles[i].keys[t], sizeof(struct profile_keys));
}

bool
custody_start(struct broker *b)
{
	const struct statefile_version *v = &b->sealed_file.now;
	const char *problem =
	    v->len ? sealed_decode(v->data, v->len, b->appliance, &b->sealed) : NULL;

	if (problem) {
		log_error("the file sealed of the state directory cannot be used: %s", problem);
		return false;
	}
	drop_plaintext(b);
	return true;
}

bool
custody_next(struct broker *b)
{
	struct buf out = buf_over(b->scratch, sizeof(b->scratch));

	(void)FIELD_SET(b->sealed_next.appliance, b->appliance);
	return rec_sealed_list_encode(&out, &b->sealed_next) &&
	       statefile_next(&b->sealed_file, out.data, out.len);
}

void
custody_advance(struct broker *b)
{
	statefile_advance(&b->sealed_file);
	b->sealed = b->sealed_next;
	drop_plaintext(b);
	profiles_tell(b);
}

void
custody_forget_strangers(const struct broker *b, struct rec_sealed_list *list)
{
	for (size_t i = list->n_entries; i > 0; i--) {
		struct rec_sealed_entry *e = &list->entries[i - 1];

		for (size_t k = e->n_wraps; k > 0; k--) {
			bool known = false;

			for (size_t n = 0; n < b->keys.n_keys && !known; n++)
				known = wrap_of(e, b->keys.keys[n].cred_id,
					    b->keys.keys[n].cred_id_len) == &e->wraps[k - 1];
			if (!known && e->n_wraps > 1)
				e->wraps[k - 1] = e->wraps[--e->n_wraps];
		}
	}
}

/* ---- before the touch ---- */

static bool
anybody_opens(struct broker *b, struct rec_sealed_entry *e)
{
	for (size_t i = 0; i < b->keys.n_keys; i++)
		if (wrap_of(e, b->keys.keys[i].cred_id, b->keys.keys[i].cred_id_len))
			return true;
	return false;
}

enum sgw_error
custody_problem(struct broker *b, const struct job *j, const char **ret_detail)
{
	struct rec_sealed_entry *e = entry_of(b, j);
	const struct profile *p = profile_find(b, j->plan.profile);

	if (!custody_opens(j) || !p)
		return SGW_ERR_NONE;
	*ret_detail = "none of the enrolled security keys can open its seal";
	if (e)
		return anybody_opens(b, e) ? SGW_ERR_NONE : SGW_ERR_SEALED;
	*ret_detail = tier_of(j) == TIER_OPENER
			  ? "the opener is neither sealed nor in the AWS files"
			  : "the opener for what needs the PIN is neither sealed nor in the AWS "
			    "files: seal opener-sensitive too";
	return p->keys[tier_of(j)].there ? SGW_ERR_NONE : SGW_ERR_NO_CREDENTIALS;
}

/* Keys that have no wrap cannot open it and are not asked. */
bool
custody_ask(struct broker *b, struct msg_ask_assertion *ask)
{
	struct rec_sealed_entry *e = entry_of(b, b->active);
	uint16_t n = 0;

	if (!e)
		return true;
	for (size_t i = 0; i < ask->n_creds; i++) {
		const struct rec_sealed_wrap *w =
		    wrap_of(e, ask->creds[i].id, ask->creds[i].id_len);

		if (!w)
			continue;
		ask->creds[n] = ask->creds[i];
		memcpy(ask->creds[n++].salt, w->salt, sizeof(w->salt));
	}
	memset(&ask->creds[n], 0, (ask->n_creds - n) * sizeof(ask->creds[0]));
	ask->n_creds = n;
	ask->hmac_secret = true;
	return seal_random(ask->next_salt, sizeof(ask->next_salt));
}

/* ---- after it ---- */

/* The used key's wrap under the next salt: what this touch's answer opened, it opens no more. */
static bool
renew(struct broker *b, const struct job *j, const struct msg_assertion *a)
{
	struct rec_sealed_entry *e;
	struct rec_sealed_wrap *w;

	b->sealed_next = b->sealed;
	e = sealed_find(&b->sealed_next, j->plan.profile, tier_of(j));
	w = wrap_of(e, a->cred_id, a->cred_id_len);
	if (MUTATE(SEAL_RENEWED))
		return custody_next(b);
	w->renewals++;
	memcpy(w->salt, b->ceremony.ask.ask_assertion.next_salt, sizeof(w->salt));
	if (!seal_wrap(b->appliance, e, w, a->hmac_secret + 32, b->vault->data_key))
		return false;
	custody_forget_strangers(b, &b->sealed_next);
	return custody_next(b);
}

static bool
unseal(struct broker *b, const struct job *j, const struct msg_assertion *a)
{
	struct rec_sealed_entry *e = entry_of(b, j);
	const struct rec_sealed_wrap *w = wrap_of(e, a->cred_id, a->cred_id_len);
	struct profile_keys *opener = &b->vault->opener;
	bool ok;

	ok = w && a->hmac_secret_len == 64 &&
	     seal_unwrap(b->appliance, e, w, a->hmac_secret, b->vault->data_key) &&
	     unseal_secret(b->appliance, e, b->vault->data_key, opener->secret_key) &&
	     FIELD_SET(opener->access_key_id, e->access_key_id) && renew(b, j, a);
	memory_erase(b->vault->data_key, sizeof(b->vault->data_key));
	opener->there = ok;
	return ok;
}

bool
custody_unseal(struct broker *b, struct msg_assertion *a, uint32_t counter, bool *ret_failed)
{
	struct job *j = b->active;

	*ret_failed = false;
	if (!entry_of(b, j))
		return false;
	*ret_failed = !unseal(b, j, a);
	memory_erase(a->hmac_secret, sizeof(a->hmac_secret));
	a->hmac_secret_len = 0;
	if (*ret_failed) {
		custody_wipe(b);
		return true;
	}
	b->vault->touch = *a;
	b->vault->counter = counter;
	j->state = JOB_RESEAL;
	j->deadline = 0;
	statefile_commit(b, &b->sealed_file, STATE_FILE_SEALED, true);
	return true;
}

/* The use in the ledger, with the digest of the renewed file. */
static bool
used(struct broker *b)
{
	const struct vault *v = b->vault;

	if (b->active->kind == JOB_CHANGE)
		return ledger_consent(
		    b, b->active, &v->touch, v->counter, b->sealed_file.next.digest);
	b->admin->touch = v->touch;
	b->admin->counter = v->counter;
	return ledger_admin(b, b->active, LEDGER_TEST, b->admin);
}

/* The renewed version stands in the file beside the old one: what the ledger says now counts. */
static void
record_it(struct broker *b)
{
	uint64_t before = b->chain.number;

	if (used(b)) {
		custody_advance(b);
		b->active->state = JOB_RESEALED;
		statefile_commit(b, &b->sealed_file, STATE_FILE_SEALED, false);
		return;
	}
	if (b->chain.number != before)
		die("a consent is written and cannot be synced: the next start reads whether it "
		    "counts");
	job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
}

void
custody_committed(struct broker *b, bool ok)
{
	if (b->active->state == JOB_RESEALED) /* where that failed, the next start does it */
		(b->active->kind == JOB_CHANGE ? execute_begin : trial_begin)(b);
	else if (ok)
		record_it(b);
	else
		job_end(b, STATUS_FAILED, SGW_ERR_INTERNAL,
		    "the sealed file could not be written: see the log");
}

const struct profile_keys *
custody_keys(struct broker *b, const struct profile *p)
{
	static const struct profile_keys nobody;
	const struct job *j = b->active;

	if (!j || !custody_opens(j) || profile_find(b, j->plan.profile) != p)
		return &nobody;
	return entry_of(b, j) ? &b->vault->opener : &p->keys[tier_of(j)];
}

void
custody_wipe(struct broker *b)
{
	struct vault *v = b->vault;

	if (!MUTATE(UNSEALED_WIPED))
		memory_erase(&v->opener, sizeof(v->opener));
	memory_erase(v->data_key, sizeof(v->data_key));
	memory_erase(v->answers, sizeof(v->answers));
	if (!MUTATE(CODE_WIPED))
		memory_erase(v->code, sizeof(v->code));
	memory_erase(&v->in, sizeof(v->in));
	memory_erase(v->scratch, sizeof(v->scratch));
}

/* ---- what may be known of it ---- */

static void
describe_seal(struct broker *b, struct rec_sealed_entry *e, struct rec_tier_info *t)
{
	t->sealed = true;
	t->generation = e->generation;
	(void)FIELD_SET(t->access_key_id, e->access_key_id);
	for (size_t i = 0; i < b->keys.n_keys; i++)
		if (wrap_of(e, b->keys.keys[i].cred_id, b->keys.keys[i].cred_id_len))
			(void)FIELD_SET(t->keys[t->n_keys++].name, b->keys.keys[i].name);
}

void
custody_describe(struct broker *b, const struct profile *p, struct rec_profile_info *info)
{
	info->n_tiers = TIER_MAX;
	for (enum tier tier = TIER_READER; tier < TIER_MAX; tier++) {
		struct rec_tier_info *t = &info->tiers[tier];
		struct rec_sealed_entry *e = sealed_find(&b->sealed, p->conf->name, tier);

		*t = (struct rec_tier_info){.tier = tier, .plaintext = p->plaintext[tier]};
		if (e)
			describe_seal(b, e, t);
		else if (p->keys[tier].there)
			(void)FIELD_SET(t->access_key_id, p->keys[tier].access_key_id);
	}
}
