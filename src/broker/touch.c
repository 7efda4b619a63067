/* SPDX-License-Identifier: Apache-2.0 */
/* From the typed word to the verified assertion: every plugged key is asked, the one that is touched wins. */
#include "admin.h"

#include <stdio.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include <sgwarden/assertion.h>
#include <sgwarden/mutate.h>

#include "custody.h"

void
touch_rp_id(const struct broker *b, char ret_id[SGW_FIELD_MAX + 1])
{
	(void)snprintf(ret_id, SGW_FIELD_MAX + 1, "sgwarden:%s", b->appliance);
}

static void
creds_fill(const struct broker *b, uint16_t *ret_n, struct rec_key_cred creds[SGW_KEYS_MAX])
{
	const struct rec_key_entry *only = b->active->kind == JOB_ADMIN ? b->admin->only : NULL;
	uint16_t n = 0;

	for (size_t i = 0; i < b->keys.n_keys; i++) {
		const struct rec_key_entry *k = &b->keys.keys[i];

		if (only && k != only)
			continue;
		creds[n].id_len = k->cred_id_len;
		memcpy(creds[n].id, k->cred_id, k->cred_id_len);
		memcpy(creds[n].salt, k->salt, sizeof(k->salt));
		n++;
	}
	*ret_n = n;
}

/* What fido will be asked with; its digest stands in the record. */
bool
touch_ask(struct broker *b, struct msg *m, bool credential)
{
	if (credential) {
		m->id = MSG_ASK_CREDENTIAL;
		m->ask_credential = (struct msg_ask_credential){0};
		touch_rp_id(b, m->ask_credential.rp_id);
		hash_sha256(b->appliance, strlen(b->appliance), m->ask_credential.user_id);
		(void)FIELD_SET(m->ask_credential.user_name, b->active->key_name);
		creds_fill(b, &m->ask_credential.n_exclude, m->ask_credential.exclude);
		return true;
	}
	m->id = MSG_ASK_ASSERTION;
	m->ask_assertion = (struct msg_ask_assertion){.uv = b->ceremony.record.pin};
	touch_rp_id(b, m->ask_assertion.rp_id);
	creds_fill(b, &m->ask_assertion.n_creds, m->ask_assertion.creds);
	return custody_ask(b, &m->ask_assertion);
}

void
touch_look(struct broker *b)
{
	struct ceremony *c = &b->ceremony;

	c->next_look = clock_monotonic() + KEY_RETRY;
	b->out.id = MSG_START_KEYS;
	b->out.start_keys.ceremony = c->number;
	send_control(b);
}

void
touch_begin(struct broker *b)
{
	struct job *j = b->active;
	struct ceremony *c = &b->ceremony;
	int64_t limit = clock_monotonic() + SGW_TOUCH_SECONDS * 1000;

	j->state = JOB_KEYS;
	if (limit < j->deadline &&
	    !custody_collecting(b)) /* keys may have to be changed for another */
		j->deadline = limit;
	c->consent.state = CHAN_TOUCH;
	c->last_error = KEY_TIMED_OUT;
	c->n_plugged = 0;
	c->waiting_for_key = false;
	touch_look(b);
}

/* A fido's end, or the word that no key is plugged in. */
void
touch_end(struct broker *b, const struct msg_key_end *m, int fd)
{
	struct job *j = b->active;
	struct ceremony *c = &b->ceremony;

	if (!j || j->state != JOB_KEYS || m->ceremony != c->number || c->n_fidos == FIDOS_MAX) {
		if (fd >= 0)
			close(fd);
		return;
	}
	c->waiting_for_key = fd < 0 && c->n_fidos == 0;
	if (fd < 0) {
		job_stage(b, j, STAGE_WAITING_FOR_KEY, (j->deadline - clock_monotonic()) / 1000);
		return;
	}
	c->n_plugged = m->count;
	c->fido[c->n_fidos] = chan_open(fd, ROLE_BROKER, ROLE_FIDO);
	c->fido[c->n_fidos].state = CHAN_TOUCH;
	if (chan_send(&c->fido[c->n_fidos], b->scratch, &c->ask, -1, false) < 0)
		chan_close(&c->fido[c->n_fidos]);
	c->n_fidos++;
}

static const enum sgw_error KEY_ERRORS[KEY_STATE_MAX] = {
    [KEY_PIN_WRONG] = SGW_ERR_PIN_WRONG,
    [KEY_PIN_LOW] = SGW_ERR_PIN_WRONG,
    [KEY_PIN_BLOCKED] = SGW_ERR_PIN_BLOCKED,
    [KEY_PIN_NOT_SET] = SGW_ERR_KEY_REFUSED,
    [KEY_PIN_REQUIRED] = SGW_ERR_KEY_REFUSED,
    [KEY_NOT_ENROLLED] = SGW_ERR_NO_KEY,
    [KEY_EXCLUDED] = SGW_ERR_KEY_EXISTS,
    [KEY_PULLED] = SGW_ERR_KEY_GONE,
    [KEY_TIMED_OUT] = SGW_ERR_EXPIRED,
    [KEY_FAILED] = SGW_ERR_KEY_REFUSED,
};

static const char *const KEY_DETAILS[KEY_STATE_MAX] = {
    [KEY_PIN_NOT_SET] = "the key has no PIN: set one with the maker's tool or fido2-token -S",
    [KEY_PIN_REQUIRED] = "the key wants its PIN",
    [KEY_NOT_ENROLLED] = "the plugged key is not an enrolled one",
    [KEY_EXCLUDED] = "this very key is enrolled already",
    [KEY_FAILED] = "the daemon's log has the reason",
};

/* The touch is made: no other key may be asked any more. */
static void
keys_dismiss(struct broker *b)
{
	struct ceremony *c = &b->ceremony;

	for (size_t i = 0; i < c->n_fidos; i++)
		chan_close(&c->fido[i]);
	c->n_fidos = 0;
	b->out.id = MSG_END_CEREMONY;
	b->out.end_ceremony = (struct msg_end_ceremony){.ceremony = c->number, .keys_only = true};
	send_control(b);
}

/* The keys that are plugged in have answered already: others are looked for until the record expires. */
static void
keys_await(struct broker *b)
{
	struct ceremony *c = &b->ceremony;

	keys_dismiss(b);
	c->n_plugged = 0;
	c->waiting_for_key = true;
	c->next_look = clock_monotonic() + KEY_RETRY;
	job_stage(
	    b, b->active, STAGE_WAITING_FOR_KEY, (b->active->deadline - clock_monotonic()) / 1000);
}

/* One key will not answer; while another still may, the person may touch that one. */
static void
key_lost(struct broker *b, size_t i, enum key_state state)
{
	struct ceremony *c = &b->ceremony;
	enum sgw_error error;
	const char *detail;

	chan_close(&c->fido[i]);
	/* A key that is not enrolled says nothing of the one that is, whichever of them was heard last. */
	if (state != KEY_NOT_ENROLLED || c->last_error == KEY_TIMED_OUT)
		c->last_error = state;
	for (size_t k = 0; k < c->n_fidos; k++)
		if (c->fido[k].fd >= 0)
			return;
	if (c->n_fidos < c->n_plugged)
		return;
	if (custody_collecting(b) && (state == KEY_NOT_ENROLLED || state == KEY_PULLED)) {
		keys_await(b);
		return;
	}
	state = c->last_error;
	error = KEY_ERRORS[state] ? KEY_ERRORS[state] : SGW_ERR_KEY_REFUSED;
	detail = KEY_DETAILS[state] ? KEY_DETAILS[state] : "";
	(void)ledger_denial(b, b->active, error_row((uint16_t)error)->name);
	job_end(b, state == KEY_TIMED_OUT ? STATUS_EXPIRED : STATUS_FAILED, error, detail);
}

/* The counter of authenticator data (WebAuthn, 6.1: bytes 33-36); 0 where it is too short, which is refused later. */
static uint32_t
counter_of(const struct msg_assertion *a)
{
	struct cur c = cur_over(a->authdata, a->authdata_len);
	uint8_t before[33];
	uint32_t counter = 0;

	return cur_get(&c, before, sizeof(before)) && cur_get_u32(&c, &counter) ? counter : 0;
}

/*
 * A key that said 0 at its enrolment either never counts or has not begun to: while it has only said 0 it may say it
 * again, and from its first other number on it must advance.
 */
static bool
still_zero(const struct broker *b, size_t key, const struct msg_assertion *a)
{
	return b->keys.keys[key].zero_counter && (b->counters[key] == 0 || MUTATE(ZERO_ONCE)) &&
	       counter_of(a) == 0;
}

static int
verify(struct broker *b, const struct msg_assertion *a, size_t *ret_key, uint32_t *ret_counter)
{
	const struct ceremony *c = &b->ceremony;
	const struct rec_key_entry *k = key_find(b, a->cred_id, a->cred_id_len, ret_key);
	uint8_t rp[HASH_LEN], digest[HASH_LEN];
	char id[SGW_FIELD_MAX + 1];
	const struct verify_expect e = {.rp_id_hash = rp,
	    .client_data_hash = digest,
	    .pubkey = k ? k->public_key : NULL,
	    .want_uv = c->ask.ask_assertion.uv,
	    .hmac_secret_asked = c->ask.ask_assertion.hmac_secret,
	    .last_counter = k ? b->counters[*ret_key] : 0,
	    .zero_counter = k && still_zero(b, *ret_key, a)};

	if (!k)
		return VERIFY_PUBLIC_KEY;
	touch_rp_id(b, id);
	hash_sha256(id, strlen(id), rp);
	hash_sha256(c->text, c->text_len, digest);
	return assertion_verify(
	    &e, a->authdata, a->authdata_len, a->signature, a->signature_len, ret_counter);
}

/* The earlier key has agreed to the new one: now the new one makes its credential over the same record. */
static void
enroll_second_step(struct broker *b, const struct msg_assertion *a)
{
	struct ceremony *c = &b->ceremony;

	b->active->asserted = true;
	memcpy(c->by_cred, a->cred_id, a->cred_id_len);
	memcpy(c->by_authdata, a->authdata, a->authdata_len);
	memcpy(c->by_signature, a->signature, a->signature_len);
	c->by_cred_len = a->cred_id_len;
	c->by_authdata_len = a->authdata_len;
	c->by_signature_len = a->signature_len;
	keys_dismiss(b);
	(void)touch_ask(b, &c->ask, true);
	b->active->deadline = clock_monotonic() + SGW_TOUCH_SECONDS * 1000;
	touch_look(b);
}

static void
refuse(struct broker *b, enum sgw_error error, const char *why)
{
	log_write(LOG_LEVEL_ALERT, "an assertion was refused: %s", why);
	(void)ledger_denial(b, b->active, why);
	job_end(b, STATUS_FAILED, error, why);
}

/* True where something was sealed: then custody goes on, or the plan has ended. */
static bool
unsealed(struct broker *b, struct msg_assertion *a, uint32_t counter)
{
	bool failed, sealed = custody_unseal(b, a, counter, &failed);

	if (failed)
		refuse(b, SGW_ERR_SEALED, "the key's secret does not open what is sealed");
	return sealed;
}

static void
change_touched(struct broker *b, struct msg_assertion *a, uint32_t counter)
{
	const char *problem = extend_problem(b, b->active);
	uint64_t before = b->chain.number;

	if (problem && !MUTATE(EXTEND_OPEN)) {
		(void)ledger_denial(b, b->active, problem);
		job_end(b, STATUS_FAILED, SGW_ERR_STATE_CHANGED, problem);
		return;
	}
	if (!ledger_consent(b, b->active, a, counter, NULL) && !MUTATE(CONSENT_DURABLE)) {
		/* the record is all that an extension takes; an opening's leads to nothing without its intent */
		if (b->chain.number != before && b->active->plan.ops[0].action == ACTION_EXTEND &&
		    !MUTATE(EXTENSION_SYNCED))
			die("an extension is written and cannot be synced: the next start reads "
			    "whether it counts");
		job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	execute_begin(b);
}

static void
on_assertion(struct broker *b, struct msg_assertion *a)
{
	char detail[SGW_DETAIL_MAX + 1];
	uint32_t counter = 0;
	size_t key = 0;
	int r = verify(b, a, &key, &counter);

	if (r != 0) {
		refuse(b, r == VERIFY_COUNTER ? SGW_ERR_CLONED_KEY : SGW_ERR_BAD_ASSERTION,
		    verify_strerror(r));
		return;
	}
	b->counters[key] = counter;
	b->active->touched = clock_monotonic();
	if (b->active->kind == JOB_ENROLL) {
		enroll_second_step(b, a);
		return;
	}
	keys_dismiss(b);
	/* nothing is unsealed for what will not be made */
	if (b->active->kind == JOB_CHANGE && lockdown_against(b, &b->active->plan, detail) &&
	    !MUTATE(LOCKDOWN_TOUCH)) {
		lockdown_refuse(b, b->active);
		return;
	}
	if (unsealed(b, a, counter))
		return;
	if (b->active->kind == JOB_CHANGE)
		change_touched(b, a, counter);
	else if (custody_collecting(b))
		custody_collected(b, a, key, counter);
	else
		admin_touched(b, a, counter);
}

/* By either clock: an answer that lies in the queue when the time is up is looked at before the timer is. */
bool
touch_too_late(const struct broker *b)
{
	return (b->active->deadline <= clock_monotonic() ||
		   b->ceremony.record.expires < clock_now()) &&
	       !MUTATE(EXPIRY);
}

/* An assertion where one is asked for, with both secrets or none, as asked. */
static bool
answers_as_asked(const struct broker *b, const struct msg *m)
{
	const struct msg *ask = &b->ceremony.ask;

	if (m->id == MSG_CREDENTIAL)
		return ask->id == MSG_ASK_CREDENTIAL;
	return m->id == MSG_ASSERTION && ask->id == MSG_ASK_ASSERTION &&
	       m->assertion.hmac_secret_len == (ask->ask_assertion.hmac_secret ? 64 : 0);
}

static void
fido_said(struct broker *b, size_t i, const struct msg *m)
{
	if (m->id == MSG_KEY_ERROR)
		key_lost(b, i, m->key_error.state);
	else if (!answers_as_asked(b, m))
		key_lost(b, i, KEY_FAILED);
	else if (touch_too_late(b))
		ceremony_voided(b);
	else if (m->id == MSG_ASSERTION)
		on_assertion(b, &b->vault->in.assertion);
	else
		enroll_credential(b, &m->credential);
}

void
touch_fido(struct broker *b, size_t i)
{
	struct vault *v = b->vault;
	enum chan_result r = chan_recv(&b->ceremony.fido[i], v->scratch, &v->in, NULL);

	if (r == CHAN_AGAIN)
		return;
	if (!b->active || b->active->state != JOB_KEYS)
		chan_close(&b->ceremony.fido[i]);
	else if (r != CHAN_GOT)
		key_lost(b, i, KEY_FAILED);
	else
		fido_said(b, i, &v->in);
	memory_erase(&v->in, sizeof(v->in));
	memory_erase(v->scratch, sizeof(v->scratch));
}
