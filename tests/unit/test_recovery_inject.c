/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery code's key with each allocation of libcrypto failing: no key, no signature, and nothing that verifies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <sgwarden/recovery.h>

#include "../fuzz/inject.h"

#define APPLIANCE "abcdefghijklmnop"
#define TEXT "the record of an enrolment"

static const uint8_t CODE[SGW_CODE_LEN] = "0123456789ABCDEFGHJKMNPQRS";
static uint8_t key[RECOVERY_KEY_LEN], signature[RECOVERY_SIGNATURE_LEN];
static uint8_t right_key[RECOVERY_KEY_LEN], right_signature[RECOVERY_SIGNATURE_LEN];

/* What hashes ends the process where it cannot. */
static jmp_buf died;
void __wrap_abort(void) __attribute__((noreturn));

void
__wrap_abort(void)
{
	longjmp(died, 1);
}

static bool
makes(void)
{
	return recovery_key(CODE, APPLIANCE, key);
}

static bool
signs(void)
{
	return recovery_sign(CODE, APPLIANCE, TEXT, sizeof(TEXT), signature);
}

static bool
verifies(void)
{
	return recovery_verify(right_key, TEXT, sizeof(TEXT), right_signature);
}

static bool
takes_another(void)
{
	return recovery_verify(right_key, TEXT, sizeof(TEXT) - 1, right_signature);
}

/* false: it said so, or ended the process. */
static bool
with_failing(bool (*step)(void), uint64_t n)
{
	volatile bool ok = false;

	if (setjmp(died) == 0) {
		inject_nth(n);
		ok = step();
	}
	inject_off();
	return ok;
}

/* With its nth call failing it says so, or what it has made is right all the same; how often it said so. */
static unsigned
each_call(bool (*step)(void), const void *made, const void *right, size_t len)
{
	unsigned refused = 0;
	uint64_t calls;

	assert_true(step()); /* libcrypto sets itself up */
	inject_nth(0);
	assert_true(step());
	calls = inject_calls();
	inject_off();
	for (uint64_t n = 1; n <= calls; n++) {
		bool ok = with_failing(step, n);

		if (ok)
			assert_memory_equal(made, right, len);
		refused += !ok;
	}
	assert_true(step());
	return refused;
}

static void
test_each_call(void **state)
{
	assert_true(recovery_key(CODE, APPLIANCE, right_key));
	assert_true(recovery_sign(CODE, APPLIANCE, TEXT, sizeof(TEXT), right_signature));
	assert_true(each_call(makes, key, right_key, sizeof(key)) > 0);
	assert_true(each_call(signs, signature, right_signature, sizeof(signature)) > 0);
	assert_true(each_call(verifies, right_key, right_key, sizeof(right_key)) > 0);
}

/* No failure makes a signature over another text hold. */
static void
test_nothing_else_verifies(void **state)
{
	uint64_t calls;

	inject_nth(0);
	assert_false(takes_another());
	calls = inject_calls();
	inject_off();
	for (uint64_t n = 1; n <= calls; n++)
		assert_false(with_failing(takes_another, n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_call),
	    cmocka_unit_test(test_nothing_else_verifies),
	};

	return cmocka_run_group_tests_name("recovery code, calls failing", tests, NULL, NULL);
}
