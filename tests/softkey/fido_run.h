/* SPDX-License-Identifier: Apache-2.0 */
/* Runs sgw-fido in its sandbox with a softkey as its key, and plays its supervisor, its broker and its consent. */
#pragma once

#include "platform.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <sgwarden/assertion.h>
#include <sgwarden/wire.h>

/* Static in the test: too large for a stack. */
struct run {
	const char *softkey_exe, *fido_exe;
	struct platform p; /* the key */
	pid_t pid;
	struct chan control, broker, consent;
	struct msg m; /* the last message received */
	struct msg out;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	enum key_state told; /* the last state that consent heard of */
	uint8_t retries;
};

/* The next message on ch within ms; false where there is none or the end has come. */
bool run_next(struct run *r, struct chan *ch, int ms);

void fido_start(struct run *r);

/* Its end: exit status, or 128 + signal. */
int fido_end(struct run *r);

void key_start(struct run *r, const char *a, const char *b);

void sign(struct run *r, const char *pin);

void ask_credential(struct run *r);

/* creds[0] is another key's. */
void ask_assertion(struct run *r, const struct credential *cred, bool uv, bool hmac);

/* With hmac-secret of two salts, each a byte and zeros; ask_assertion() takes 7 and 8. */
void ask_assertion_salted(struct run *r, const struct credential *cred, uint8_t salt, uint8_t next);

/* Reads everything that consent is told until the ceremony is over or want is told. */
void consent_hears(struct run *r, enum key_state want);

void broker_hears(struct run *r, enum msg_id want);

/* The whole enrolment, verified as the broker does. */
struct credential enroll(struct run *r, const char *pin);

/* The verdict of the broker's verification on the ASSERTION that stands in r->m; the counter is taken over as there. */
int judge(struct run *r, struct credential *cred, bool uv, bool hmac);

int assertion(struct run *r, struct credential *cred, const char *pin, bool uv, bool hmac);

void set_pin(struct run *r, const char *pin);

void expect_error(struct run *r, enum key_state want);

/* Whether text stands in the readable memory of fido; -1 where this test may not look. */
int fido_memory_has(struct run *r, const char *text);
