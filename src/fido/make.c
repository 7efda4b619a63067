/* SPDX-License-Identifier: Apache-2.0 */
/* authenticatorMakeCredential, and a look at whether the new key gives its secret away without a touch. */
#include "ceremony.h"

#include <string.h>

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

static int
credential_prepare(struct ceremony *c, fido_cred_t *cred)
{
	const struct msg_ask_credential *ask = &c->vault->ask.ask_credential;
	const struct msg_sign *sign = &c->vault->sign.sign;
	int r;

	if (cred == NULL)
		return FIDO_ERR_INTERNAL;
	if ((r = fido_cred_set_type(cred, COSE_ES256)) != FIDO_OK ||
	    (r = fido_cred_set_clientdata(
		 cred, (const uint8_t *)sign->record, strlen(sign->record))) != FIDO_OK ||
	    (r = fido_cred_set_rp(cred, ask->rp_id, "sgwarden")) != FIDO_OK ||
	    (r = fido_cred_set_user(cred, ask->user_id, sizeof(ask->user_id), ask->user_name, NULL,
		 NULL)) != FIDO_OK ||
	    (r = fido_cred_set_extensions(cred, FIDO_EXT_HMAC_SECRET)) != FIDO_OK)
		return r;
	for (size_t i = 0; i < ask->n_exclude && r == FIDO_OK; i++)
		r = fido_cred_exclude(cred, ask->exclude[i].id, ask->exclude[i].id_len);
	return r;
}

static bool
credential_answer(struct ceremony *c, const fido_cred_t *cred)
{
	struct msg_credential *m = &c->vault->answer.credential;
	const char *format = fido_cred_fmt(cred);

	c->vault->answer = (struct msg){.id = MSG_CREDENTIAL};
	if (fido_cred_sig_len(cred) > 0 &&
	    !bytes_set(m->signature, sizeof(m->signature), &m->signature_len,
		fido_cred_sig_ptr(cred), fido_cred_sig_len(cred)))
		return false;
	if (fido_cred_x5c_len(cred) > 0 && !bytes_set(m->x5c, sizeof(m->x5c), &m->x5c_len,
					       fido_cred_x5c_ptr(cred), fido_cred_x5c_len(cred)))
		return false;
	return format != NULL && FIELD_SET(m->format, format) &&
	       bytes_set(m->authdata, sizeof(m->authdata), &m->authdata_len,
		   fido_cred_authdata_raw_ptr(cred), fido_cred_authdata_raw_len(cred));
}

/*
 * The unsealing secret is worth a touch only where it cannot be had without one.  CTAP 2.1, section 12.5: a key
 * refuses hmac-secret when up is false; one that answers is not enrolled.
 */
static bool
secret_needs_touch(struct ceremony *c, const fido_cred_t *cred)
{
	static const uint8_t nothing[32];
	fido_assert_t *a = fido_assert_new();
	bool prepared, answered;

	prepared =
	    a != NULL && fido_assert_set_rp(a, c->vault->ask.ask_credential.rp_id) == FIDO_OK &&
	    fido_assert_set_clientdata_hash(a, nothing, sizeof(nothing)) == FIDO_OK &&
	    fido_assert_allow_cred(a, fido_cred_id_ptr(cred), fido_cred_id_len(cred)) == FIDO_OK &&
	    fido_assert_set_up(a, FIDO_OPT_FALSE) == FIDO_OK &&
	    fido_assert_set_extensions(a, FIDO_EXT_HMAC_SECRET) == FIDO_OK &&
	    fido_assert_set_hmac_salt(a, nothing, sizeof(nothing)) == FIDO_OK;
	answered = prepared && fido_dev_get_assert(c->dev, a, NULL) == FIDO_OK &&
		   fido_assert_hmac_secret_len(a, 0) > 0;
	fido_assert_free(&a);
	return prepared && (!answered || MUTATE(SECRET_UNTOUCHED)) && !c->key.pulled &&
	       !c->key.abandoned && !c->key.timed_out;
}

int
credential_ask(struct ceremony *c, enum key_state *ret_why)
{
	fido_cred_t *cred = fido_cred_new();
	int r = credential_prepare(c, cred);

	c->key.armed = true;
	if (r == FIDO_OK)
		r = fido_dev_make_cred(c->dev, cred, ceremony_pin(c));
	c->key.armed = false;
	if (r != FIDO_OK) {
		*ret_why = ceremony_failed(c, "making a credential", r);
	} else if (!credential_answer(c, cred)) {
		log_error("the key's new credential is of a wrong form");
		*ret_why = KEY_FAILED;
		r = FIDO_ERR_RX;
	} else if (!secret_needs_touch(c, cred)) {
		log_error("this key answers hmac-secret without a touch: it cannot keep a "
			  "credential sealed");
		*ret_why = c->key.pulled ? KEY_PULLED : KEY_FAILED;
		r = FIDO_ERR_RX;
	}
	fido_cred_free(&cred);
	return r == FIDO_OK ? 0 : -1;
}
