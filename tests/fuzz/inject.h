/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations and system calls that fail on order: the linker's --wrap puts these between our code and libc, and
 * libcrypto, expat and cJSON take their memory from here.  Deterministic: the Nth call, or one in so many by a seed.
 */
#ifndef FUZZ_INJECT_H
#define FUZZ_INJECT_H

#include <stdbool.h>
#include <stdint.h>

/* From now on the nth call fails, and no other; 0: none does, they are counted alone. */
void inject_nth(uint64_t n);
/* From now on one call in `one_in` fails, by chance; the same seed is the same chance. */
void inject_seeded(uint64_t seed, uint32_t one_in);
void inject_off(void);
/* What the test itself calls is neither counted nor failed; nests. */
void inject_pause(bool pause);

uint64_t inject_calls(void);  /* since inject_nth() or inject_seeded() */
uint64_t inject_failed(void); /* likewise */
uint64_t inject_total(void);  /* failed since the beginning */

/* Called before each call on a descriptor that is let through; a test may have its own. */
extern void (*inject_watch)(const char *call, int fd);

#endif
