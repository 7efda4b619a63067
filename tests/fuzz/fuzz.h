/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer calls, and replay.c where there is no libFuzzer. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Under injection (inject_replay.c) calls fail: what would be taken may then be refused, and nothing else changes. */
#ifdef FUZZ_INJECT
bool fuzz_failing(void);
void fuzz_pause(bool pause); /* around what is the harness's own */
#else
static inline bool
fuzz_failing(void)
{
	return false;
}

static inline void
fuzz_pause(bool pause)
{
	(void)pause;
}
#endif

#endif
