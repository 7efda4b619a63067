/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing with each allocation of libcrypto and each random number failing: false and zeros, never half a seal. */
#include "seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../fuzz/inject.h"

#define APPLIANCE "abcdefghijklmnop"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

static const uint8_t ANSWER[32] = {1, 2, 3}, DATA_KEY[32] = {9};
static struct rec_sealed_entry entry;
static char secret[SGW_SECRET_KEY_MAX + 1];
static uint8_t data_key[SEAL_KEY_LEN];

static bool
seals(void)
{
	return seal_secret(APPLIANCE, &entry, DATA_KEY, SECRET);
}

static bool
wraps(void)
{
	return seal_wrap(APPLIANCE, &entry, &entry.wraps[0], ANSWER, DATA_KEY);
}

static bool
unwraps(void)
{
	return seal_unwrap(APPLIANCE, &entry, &entry.wraps[0], ANSWER, data_key);
}

static bool
unseals(void)
{
	return unseal_secret(APPLIANCE, &entry, DATA_KEY, secret);
}

static bool
is_zero(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

static bool
zeros_for_a_data_key(void)
{
	return is_zero(data_key, sizeof(data_key));
}

static bool
zeros_for_a_secret(void)
{
	return is_zero(secret, sizeof(secret));
}

static bool
opens_nothing(void)
{
	return !unseals();
}

static bool
unwraps_nothing(void)
{
	return !unwraps();
}

/* With its nth call failing it is false, and what it would have made (`ret`) is worth nothing. */
static void
each_call(bool (*step)(void), void *ret, size_t len, bool (*worthless)(void))
{
	uint64_t calls;

	assert_true(step()); /* libcrypto sets itself up */
	inject_nth(0);
	assert_true(step());
	calls = inject_calls();
	inject_off();
	assert_true(calls > 0);
	for (uint64_t n = 1; n <= calls; n++) {
		bool ok;

		memset(ret, 0xaa, len);
		inject_nth(n);
		ok = step();
		inject_off();
		if (!ok)
			assert_true(worthless());
	}
	assert_true(step());
}

static void
entry_make(void)
{
	entry = (struct rec_sealed_entry){.tier = TIER_OPENER, .generation = 7, .n_wraps = 1};
	assert_true(FIELD_SET(entry.profile, "prod"));
	assert_true(FIELD_SET(entry.access_key_id, "AKIAIOSFODNN7EXAMPLE"));
	seal_key_id((const uint8_t[]){1}, 1, entry.wraps[0].key);
	assert_true(seals() && wraps());
}

/* Where no wrapping key could be derived, what stood in the caller's data key before was left there. */
static void
regress_020_unwrap_leaves_zeros(void **state)
{
	entry_make();
	each_call(unwraps, data_key, sizeof(data_key), zeros_for_a_data_key);
	assert_memory_equal(data_key, DATA_KEY, sizeof(data_key));
}

static void
test_each_call(void **state)
{
	entry_make();
	each_call(seals, entry.secret, sizeof(entry.secret), opens_nothing);
	each_call(wraps, entry.wraps[0].data_key, sizeof(entry.wraps[0].data_key), unwraps_nothing);
	each_call(unseals, secret, sizeof(secret), zeros_for_a_secret);
	assert_string_equal(secret, SECRET);
	print_message("%u calls failed on order\n", (unsigned)inject_total());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(regress_020_unwrap_leaves_zeros),
	    cmocka_unit_test(test_each_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
