/* SPDX-License-Identifier: Apache-2.0 */
/* The profiles and what of them is secret: all of that lies in one region. */
#ifndef VAULT_H
#define VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/secret.h>
#include <sgwarden/wire.h>

struct profile {
	const struct rec_profile_conf *conf;
	bool has_keys;
	bool told;        /* STS has said whose account it is */
	bool asking;      /* GetCallerIdentity is under way */
	bool asked_again; /* at once, because AWS said that it had been signed for another time */
	char account[SGW_ACCOUNT_MAX + 1];
	struct profile_keys *keys; /* TIER_MAX of them in the vault: of the AWS files */
	bool plaintext[TIER_MAX];  /* they were there when the daemon started */
};

bool identity_wanted(const struct profile *p); /* profiles.c: STS has not said whose it is */

struct profile_keys {
	bool there;
	char access_key_id[SGW_ACCESS_KEY_ID_MAX + 1];
	char secret_key[SGW_SECRET_KEY_MAX + 1];
	char token[SGW_SESSION_TOKEN_MAX + 1];
};

/* Everything secret, in one region: see secret.h. */
struct vault {
	struct profile_keys keys[SGW_PROFILES_MAX][TIER_MAX];
	/* messages that may hold a secret are received and made here, and nowhere else */
	struct msg in, out;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	/* of the active plan, between its touch and its end */
	struct profile_keys opener;
	uint8_t data_key[32];
	uint8_t code[SGW_CODE_LEN], typed[SGW_CODE_LEN]; /* a recovery code that is being made */
	uint8_t answers[SGW_KEYS_MAX][32]; /* by key, while a data key is wrapped for each */
	struct msg_assertion touch; /* what the ledger is told once the sealed file is written */
	uint32_t counter;
};

#endif
