/* SPDX-License-Identifier: Apache-2.0 */
/* What the software key remembers when it is unplugged. */
#pragma once

#include <stdint.h>

#define PIN_RETRIES_MAX 8

struct key_state {
	uint8_t master[32];   /* wraps every credential */
	uint8_t pin_hash[16]; /* LEFT(SHA-256(PIN), 16) */
	uint32_t counter;     /* one for all credentials */
	uint8_t pin_set;      /* 0 or 1 */
	uint8_t pin_retries;  /* PIN_RETRIES_MAX … 0 */
};

/* path may be NULL: then the state is fresh at start and forgotten at the end. 0, or -errno. */
int state_load(const char *path, struct key_state *ret);
int state_save(const char *path, const struct key_state *s);
