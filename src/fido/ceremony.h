/* SPDX-License-Identifier: Apache-2.0 */
/* One ceremony: what broker asks, what consent gives to it, and the one key that answers. */
#ifndef SGW_FIDO_CEREMONY_H
#define SGW_FIDO_CEREMONY_H

#include <fido.h>

#include <sgwarden/secret.h>
#include <sgwarden/wire.h>

#include "transport.h"

/* Everything that may hold the PIN or the unsealing secret: one secret region. */
struct vault {
	struct msg ask;    /* ASK_ASSERTION or ASK_CREDENTIAL */
	struct msg sign;   /* the record and the PIN */
	struct msg answer; /* ASSERTION or CREDENTIAL */
	struct msg note;   /* KEY_STATE, KEY_ERROR */
	char pin[SGW_PIN_MAX + 1];
	uint8_t scratch[SGW_DATAGRAM_MAX];
};

struct ceremony {
	struct chan control;
	struct chan broker;
	struct chan consent;
	struct transport key;
	void *(*key_open)(const char *path); /* for libfido2: returns &key */
	fido_dev_t *dev;
	struct secret region;
	struct vault *vault; /* inside region */
	bool asked;
	bool pin_warned; /* how many tries of its PIN are left has been looked at */
	bool signable;
	bool given_up; /* consent ended while it was waited for */
};

/* Takes the descriptors over.  0, or -1 with a line in the log. */
int ceremony_init(struct ceremony *c, int control, int broker, int consent, int key);

/*
 * Waits for both messages, asks the key, answers.  Returns 0 once the broker has its answer, be it an error; -1 where
 * a peer ended or broke the protocol.  A wrong PIN is consent's to try again: with its next SIGN the key is asked
 * again.
 */
int ceremony_run(struct ceremony *c);
void ceremony_free(struct ceremony *c);

/* For ask.c and make.c: the open device, its errors, the PIN. */

/* The key's state for a result of libfido2; `what` is for the log. */
enum key_state ceremony_failed(struct ceremony *c, const char *what, int fido_error);

/* The PIN as text until the question has gone out, NULL where consent sent none. */
const char *ceremony_pin(struct ceremony *c);

/* Both fill vault->answer and return 0, or return -1 and why. */
int assertion_ask(struct ceremony *c, enum key_state *ret_why);
int credential_ask(struct ceremony *c, enum key_state *ret_why);

/* Copies into a BYTES field; false where it does not fit. */
bool bytes_set(uint8_t *field, size_t size, uint16_t *field_len, const uint8_t *p, size_t len);

#endif
