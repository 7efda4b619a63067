/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the degradations: what the configuration allows and `health` shows. */
#include <sgwarden/sandbox.h>

#include <stddef.h>
#include <string.h>

struct degradation {
	uint32_t bit;
	const char *name;
	const char *why;
};

static const struct degradation DEGRADATIONS[] = {
#define X(bit, NAME, name, why) {DEGRADED_##NAME, name, why},
    SGW_DEGRADATIONS(X)
#undef X
};

#define DEGRADATIONS_LEN (sizeof(DEGRADATIONS) / sizeof(DEGRADATIONS[0]))

static const struct degradation *
find(uint32_t bit)
{
	for (size_t i = 0; i < DEGRADATIONS_LEN; i++) {
		if (DEGRADATIONS[i].bit == bit)
			return &DEGRADATIONS[i];
	}
	return NULL;
}

const char *
degraded_name(uint32_t bit)
{
	const struct degradation *d = find(bit);

	return d == NULL ? NULL : d->name;
}

const char *
degraded_why(uint32_t bit)
{
	const struct degradation *d = find(bit);

	return d == NULL ? NULL : d->why;
}

uint32_t
degraded_bit(const char *name)
{
	for (size_t i = 0; i < DEGRADATIONS_LEN; i++) {
		if (strcmp(DEGRADATIONS[i].name, name) == 0)
			return DEGRADATIONS[i].bit;
	}
	return 0;
}
