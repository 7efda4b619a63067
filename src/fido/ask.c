/* SPDX-License-Identifier: Apache-2.0 */
/* authenticatorGetAssertion: first which of the credentials this key knows, without a touch; then the question. */
#include "ceremony.h"

#include <string.h>

#include <sgwarden/log.h>

#include "byte_string.h"

static int
allow(fido_assert_t *a, const struct msg_ask_assertion *ask, size_t from, size_t to)
{
	int r = FIDO_OK;

	for (size_t i = from; i < to && r == FIDO_OK; i++)
		r = fido_assert_allow_cred(a, ask->creds[i].id, ask->creds[i].id_len);
	return r;
}

/* The credential that the key answered for. */
static size_t
index_of(const struct msg_ask_assertion *ask, const fido_assert_t *a)
{
	const uint8_t *id = fido_assert_id_ptr(a, 0);
	size_t len = fido_assert_id_len(a, 0);

	if (id == NULL && ask->n_creds == 1)
		return 0; /* CTAP 2.1, section 6.2.2: the id may be left out for a list of one */
	for (size_t i = 0; id != NULL && i < ask->n_creds; i++)
		if (ask->creds[i].id_len == len && memcmp(ask->creds[i].id, id, len) == 0)
			return i;
	return ask->n_creds;
}

/*
 * Each credential has its own salt and one question carries one, so the key says first which credential is its own.
 * What it signs for that is thirty-two zeros, without a touch: worth nothing to anybody.
 */
static int
credential_find(struct ceremony *c, size_t *ret_index, enum key_state *ret_why)
{
	static const uint8_t nothing[32];
	const struct msg_ask_assertion *ask = &c->vault->ask.ask_assertion;
	fido_assert_t *a = fido_assert_new();
	size_t found = ask->n_creds;
	int r = FIDO_ERR_INTERNAL;

	if (a != NULL && (r = fido_assert_set_rp(a, ask->rp_id)) == FIDO_OK &&
	    (r = fido_assert_set_clientdata_hash(a, nothing, sizeof(nothing))) == FIDO_OK &&
	    (r = fido_assert_set_up(a, FIDO_OPT_FALSE)) == FIDO_OK &&
	    (r = allow(a, ask, 0, ask->n_creds)) == FIDO_OK)
		r = fido_dev_get_assert(c->dev, a, NULL);
	if (r == FIDO_OK)
		found = index_of(ask, a);
	else if (r == FIDO_ERR_PIN_REQUIRED && ask->n_creds == 1)
		found =
		    0; /* a key that does nothing without its PIN: it will say in the question proper */
	fido_assert_free(&a);
	if (found < ask->n_creds) {
		*ret_index = found;
		return 0;
	}
	*ret_why =
	    r == FIDO_OK ? KEY_NOT_ENROLLED : ceremony_failed(c, "looking for the credential", r);
	return -1;
}

/* Both salts in one question (CTAP 2.1, section 12.5): one touch unseals, and seals anew. */
static int
salts_set(fido_assert_t *a, const struct msg_ask_assertion *ask, size_t index)
{
	uint8_t salts[2 * sizeof(ask->next_salt)];

	memcpy(salts, ask->creds[index].salt, sizeof(ask->next_salt));
	memcpy(salts + sizeof(ask->next_salt), ask->next_salt, sizeof(ask->next_salt));
	return fido_assert_set_hmac_salt(a, salts, sizeof(salts));
}

static int
assertion_prepare(struct ceremony *c, fido_assert_t *a, size_t index)
{
	const struct msg_ask_assertion *ask = &c->vault->ask.ask_assertion;
	const struct msg_sign *sign = &c->vault->sign.sign;
	int r;

	if (a == NULL)
		return FIDO_ERR_INTERNAL;
	/* libfido2 hashes: clientDataHash = SHA-256(record). */
	if ((r = fido_assert_set_clientdata(
		 a, (const uint8_t *)sign->record, strlen(sign->record))) != FIDO_OK ||
	    (r = fido_assert_set_rp(a, ask->rp_id)) != FIDO_OK ||
	    (r = allow(a, ask, index, index + 1)) != FIDO_OK ||
	    (r = fido_assert_set_up(a, FIDO_OPT_TRUE)) != FIDO_OK)
		return r;
	if (ask->uv && (r = fido_assert_set_uv(a, FIDO_OPT_TRUE)) != FIDO_OK)
		return r;
	if (!ask->hmac_secret)
		return FIDO_OK;
	if ((r = fido_assert_set_extensions(a, FIDO_EXT_HMAC_SECRET)) != FIDO_OK)
		return r;
	return salts_set(a, ask, index);
}

static bool
assertion_answer(struct ceremony *c, const fido_assert_t *a, size_t index)
{
	const struct msg_ask_assertion *ask = &c->vault->ask.ask_assertion;
	const struct rec_key_cred *cred = &ask->creds[index];
	struct msg_assertion *m = &c->vault->answer.assertion;
	const uint8_t *authdata;
	size_t len;

	c->vault->answer = (struct msg){.id = MSG_ASSERTION};
	if (!byte_string_body(
		fido_assert_authdata_ptr(a, 0), fido_assert_authdata_len(a, 0), &authdata, &len))
		return false;
	if (fido_assert_hmac_secret_len(a, 0) != (ask->hmac_secret ? sizeof(m->hmac_secret) : 0))
		return false;
	if (ask->hmac_secret &&
	    !bytes_set(m->hmac_secret, sizeof(m->hmac_secret), &m->hmac_secret_len,
		fido_assert_hmac_secret_ptr(a, 0), fido_assert_hmac_secret_len(a, 0)))
		return false;
	return bytes_set(m->cred_id, sizeof(m->cred_id), &m->cred_id_len, cred->id, cred->id_len) &&
	       bytes_set(m->authdata, sizeof(m->authdata), &m->authdata_len, authdata, len) &&
	       bytes_set(m->signature, sizeof(m->signature), &m->signature_len,
		   fido_assert_sig_ptr(a, 0), fido_assert_sig_len(a, 0));
}

/* Is what broker wants to be had from this key and what consent sent? */
static bool
uv_possible(struct ceremony *c, const char *pin, enum key_state *ret_why)
{
	if (!c->vault->ask.ask_assertion.uv || pin != NULL || fido_dev_has_uv(c->dev))
		return true;
	*ret_why = fido_dev_has_pin(c->dev) ? KEY_PIN_REQUIRED : KEY_PIN_NOT_SET;
	return false;
}

int
assertion_ask(struct ceremony *c, enum key_state *ret_why)
{
	/* A PIN that was not wanted would turn the unsealing secret into another one. */
	const char *pin = c->vault->ask.ask_assertion.uv ? ceremony_pin(c) : NULL;
	fido_assert_t *a;
	size_t index;
	int r;

	if (!uv_possible(c, pin, ret_why) || credential_find(c, &index, ret_why) < 0)
		return -1;
	a = fido_assert_new();
	r = assertion_prepare(c, a, index);
	c->key.armed = true;
	if (r == FIDO_OK)
		r = fido_dev_get_assert(c->dev, a, pin);
	c->key.armed = false;
	if (r != FIDO_OK)
		*ret_why = ceremony_failed(c, "asking the key", r);
	else if (fido_assert_count(a) != 1 || !assertion_answer(c, a, index)) {
		log_error("the key's answer is of a wrong form");
		*ret_why = KEY_FAILED;
		r = FIDO_ERR_RX;
	}
	fido_assert_free(&a); /* libfido2 erases the secret in it */
	return r == FIDO_OK ? 0 : -1;
}
