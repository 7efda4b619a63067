/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A broker's world with two security keys, "blue" and "red", that hold secrets (CTAP 2.1, "HMAC Secret Extension"), and
 * with the person at the screen.  Include behind cmocka.h.
 */
#ifndef CUSTODY_WORLD_H
#define CUSTODY_WORLD_H

#include "broker_world.h"
#include "admin.h"
#include "forge_key.h"
#include "seal.h"

enum { BLUE, RED, HELD_MAX };

#define PROD "prod opener"
#define SENSITIVE "prod opener-sensitive"
#define OPENER_ID "AKIAI44QH8DHBEXAMPLE"
#define OPENER_SECRET "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
#define SENSITIVE_ID "AKIAI55QH8DHBEXAMPLE"
#define SENSITIVE_SECRET "se7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"

struct custody_world {
	struct authenticator keys[HELD_MAX];
	uint32_t counter;             /* one more for each answer */
	bool wrong;                   /* what the keys answer is another secret */
	struct msg_ask_assertion ask; /* what the last plugged key was asked */
	struct msg said;              /* what it is about to say */
	struct chan screen, fido;     /* consent's end, and fido's */
	/* Called before and behind what the broker does of act() and says(); NULL: nobody is. */
	void (*around)(bool broker);
};

extern struct custody_world C;

/* Both keys enrolled; prod's openers stand in the AWS files beside its reader. */
int custody_open(void **state);
int custody_close(void **state);

/* `data` may be "". */
void act(enum admin_act act, const char *subject, const char *data);
void shown(void);                        /* its screen is there, and the record on it */
const struct msg *heard(enum msg_id id); /* the next of that kind at the screen, or NULL */
void screen_says(struct msg m);
void agrees(void); /* the person types the word */
void refuses(void);
bool plugged(size_t key);                  /* false: that key was not asked */
struct msg_assertion *answers(size_t key); /* C.said, to C.ask */
void says(void);                           /* C.said */
void touched(size_t key);                  /* all three */

/* Agreed to with the blue key; each key is about to be asked for its secret. */
void agreed_to(enum admin_act act, const char *subject);
void collected(enum admin_act act, const char *subject); /* and both have answered */

/* A key's answer to a salt. */
void secret_of(size_t key, bool uv, const uint8_t salt[32], uint8_t ret[32]);

struct rec_sealed_entry *sealed_entry(enum tier tier); /* of prod, in force; or NULL */
/* The opener sealed for both keys, without a ceremony; the list is in force. */
struct rec_sealed_entry *sealed_by_hand(enum tier tier);

void ended(enum status status, enum sgw_error error, const char *words); /* and nobody is active */

#endif
