/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between replay.c and a harness: each input once as it is, then once for each call that can fail in it, then the
 * whole of it again with one call in 400 failing, by several seeds.  Where a decoder is known to make
 * such calls, none is a finding (INJECT_SOME); where it is known to make none, one is (INJECT_NONE).
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "inject.h"

#define ONE_IN 400
#define SEEDS 40
#define CALLS_MAX 400 /* of one input; what lies behind is left to chance */

int fuzz_one(const uint8_t *data, size_t len);
void __wrap_abort(void) __attribute__((noreturn));
void __real_abort(void) __attribute__((noreturn));

static jmp_buf ended;
static unsigned long ends;

/*
 * The product's own, where libcrypto cannot even hash: the process ends, which is an answer.  A finding of the harness
 * aborts for good (it is compiled with the real one).
 */
void
__wrap_abort(void)
{
	if (inject_failed() == 0)
		__real_abort();
	longjmp(ended, 1);
}

bool
fuzz_failing(void)
{
	return inject_failed() > 0;
}

void
fuzz_pause(bool pause)
{
	inject_pause(pause);
}

static void
once(const uint8_t *data, size_t len)
{
	if (setjmp(ended) == 0)
		(void)fuzz_one(data, len);
	else
		ends++;
	inject_off();
}

static void
report(void)
{
	printf("%llu calls failed on order, %lu inputs ended with the process\n",
	    (unsigned long long)inject_total(), ends);
	fflush(stdout);
#ifdef INJECT_NONE
	if (inject_total() != 0)
		_exit(1);
#endif
#ifdef INJECT_SOME
	if (inject_total() == 0)
		_exit(1);
#endif
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool reported;
	static uint64_t seed;
	uint64_t calls;

	if (!reported)
		reported = atexit(report) == 0;
	once(data, len); /* libraries set themselves up */
	inject_nth(0);
	once(data, len);
	calls = inject_calls() < CALLS_MAX ? inject_calls() : CALLS_MAX;
	for (uint64_t n = 1; n <= calls; n++) {
		inject_nth(n);
		once(data, len);
	}
	for (unsigned i = 0; i < SEEDS; i++) {
		inject_seeded(++seed, ONE_IN);
		once(data, len);
	}
	return 0;
}
