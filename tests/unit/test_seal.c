/* SPDX-License-Identifier: Apache-2.0 */
/* What is sealed opens with what sealed it, in its place, and with nothing else. */
#include "seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>

#include <sgwarden/hash.h>

#define APPLIANCE "abcdefghijklmnop"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

static const uint8_t ANSWER[32] = {1, 2, 3}, OTHER[32] = {1, 2, 4}, DATA_KEY[32] = {9};

/* One profile, one tier, two security keys. */
static struct rec_sealed_list
sealed(void)
{
	struct rec_sealed_list list = {.generation = 7, .n_entries = 1};
	struct rec_sealed_entry *e = &list.entries[0];

	assert_true(FIELD_SET(list.appliance, APPLIANCE));
	*e = (struct rec_sealed_entry){.tier = TIER_OPENER, .generation = 7, .n_wraps = 2};
	assert_true(FIELD_SET(e->profile, "prod"));
	assert_true(FIELD_SET(e->access_key_id, "AKIAIOSFODNN7EXAMPLE"));
	assert_true(seal_secret(APPLIANCE, e, DATA_KEY, SECRET));
	for (uint8_t i = 0; i < 2; i++) {
		struct rec_sealed_wrap *w = &e->wraps[i];

		seal_key_id((const uint8_t[]){i}, 1, w->key);
		assert_true(seal_random(w->salt, sizeof(w->salt)));
		assert_true(seal_wrap(APPLIANCE, e, w, i ? OTHER : ANSWER, DATA_KEY));
	}
	return list;
}

/* The way of an operation: answer, data key, secret.  false leaves nothing behind. */
static bool
opens(
    const char *appliance, const struct rec_sealed_entry *e, size_t wrap, const uint8_t answer[32])
{
	static const uint8_t zero[SGW_SECRET_KEY_MAX];
	char secret[SGW_SECRET_KEY_MAX + 1];
	uint8_t data_key[32];

	memset(data_key, 0xaa, sizeof(data_key));
	memset(secret, 0xaa, sizeof(secret));
	if (!seal_unwrap(appliance, e, &e->wraps[wrap], answer, data_key)) {
		assert_memory_equal(data_key, zero, sizeof(data_key));
		return false;
	}
	if (!unseal_secret(appliance, e, data_key, secret)) {
		assert_memory_equal(secret, zero, SGW_SECRET_KEY_MAX);
		return false;
	}
	assert_string_equal(secret, SECRET);
	return true;
}

static void
test_good(void **state)
{
	struct rec_sealed_list list = sealed();

	assert_true(opens(APPLIANCE, &list.entries[0], 0, ANSWER));
	assert_true(opens(APPLIANCE, &list.entries[0], 1, OTHER));
}

static void
test_longest_and_empty(void **state)
{
	struct rec_sealed_list list = sealed();
	struct rec_sealed_entry *e = &list.entries[0];
	char longest[SGW_SECRET_KEY_MAX + 2], back[SGW_SECRET_KEY_MAX + 1];

	memset(longest, 'x', sizeof(longest));
	longest[SGW_SECRET_KEY_MAX + 1] = 0;
	assert_false(seal_secret(APPLIANCE, e, DATA_KEY, longest));
	assert_false(seal_secret(APPLIANCE, e, DATA_KEY, ""));
	longest[SGW_SECRET_KEY_MAX] = 0;
	assert_true(seal_secret(APPLIANCE, e, DATA_KEY, longest));
	assert_true(unseal_secret(APPLIANCE, e, DATA_KEY, back));
	assert_string_equal(back, longest);
}

/* A place that does not fit is none: nothing is sealed with a part of it, nor opened. */
static void
test_place_too_long(void **state)
{
	struct rec_sealed_list list = sealed();
	struct rec_sealed_entry *e = &list.entries[0];
	char appliance[600];

	memset(appliance, 'a', sizeof(appliance));
	appliance[sizeof(appliance) - 1] = 0;
	assert_false(seal_secret(appliance, e, DATA_KEY, SECRET));
	assert_false(seal_wrap(appliance, e, &e->wraps[0], ANSWER, DATA_KEY));
	assert_false(opens(appliance, e, 0, ANSWER));
}

static void
test_wrong_secret(void **state)
{
	struct rec_sealed_list list = sealed();
	uint8_t answer[32], key[32];
	char secret[SGW_SECRET_KEY_MAX + 1];

	assert_false(opens(APPLIANCE, &list.entries[0], 0, OTHER));
	assert_false(opens(APPLIANCE, &list.entries[0], 1, ANSWER));
	for (size_t bit = 0; bit < 256; bit++) {
		memcpy(answer, ANSWER, 32);
		answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(opens(APPLIANCE, &list.entries[0], 0, answer));
		memcpy(key, DATA_KEY, 32);
		key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(unseal_secret(APPLIANCE, &list.entries[0], key, secret));
	}
}

/* Each part of the place, alone. */
static void
test_another_place(void **state)
{
	struct rec_sealed_list list = sealed();
	struct rec_sealed_entry *e = &list.entries[0], kept = *e;
	char secret[SGW_SECRET_KEY_MAX + 1];

	assert_false(opens("abcdefghijklmnoq", e, 0, ANSWER));
	assert_false(unseal_secret("abcdefghijklmnoq", e, DATA_KEY, secret));
	e->profile[3] = 'e';
	assert_false(opens(APPLIANCE, e, 0, ANSWER));
	assert_false(unseal_secret(APPLIANCE, e, DATA_KEY, secret));
	*e = kept;
	e->tier = TIER_OPENER_SENSITIVE;
	assert_false(opens(APPLIANCE, e, 0, ANSWER));
	assert_false(unseal_secret(APPLIANCE, e, DATA_KEY, secret));
	*e = kept;
	e->generation--;
	assert_false(opens(APPLIANCE, e, 0, ANSWER));
	assert_false(unseal_secret(APPLIANCE, e, DATA_KEY, secret));
	*e = kept;
	e->access_key_id[4]++;
	assert_false(opens(APPLIANCE, e, 0, ANSWER));
	assert_false(unseal_secret(APPLIANCE, e, DATA_KEY, secret));
	*e = kept;
	memcpy(e->wraps[0].key, e->wraps[1].key, 32);
	assert_false(opens(APPLIANCE, e, 0, ANSWER));
	*e = kept;
	e->wraps[0].renewals++;
	assert_false(opens(APPLIANCE, e, 0, ANSWER));
	*e = kept;
	assert_true(opens(APPLIANCE, e, 0, ANSWER));
}

/* Profile and appliance do not run into each other. */
static void
test_no_field_runs_into_the_next(void **state)
{
	struct rec_sealed_list list = sealed();
	struct rec_sealed_entry *e = &list.entries[0];

	assert_true(FIELD_SET(e->profile, "pprod"));
	assert_false(opens("abcdefghijklmno", e, 0, ANSWER));
}

/* The file with any one bit of it flipped: refused, or what stands there does not open. */
static void
test_every_bit(void **state)
{
	static uint8_t bytes[8192];
	static struct rec_sealed_list list, flipped;
	struct buf b = buf_over(bytes, sizeof(bytes));
	size_t refused = 0, wraps = 0;

	list = sealed();
	assert_true(rec_sealed_list_encode(&b, &list));
	assert_null(sealed_decode(bytes, b.len, APPLIANCE, &flipped));
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		bool first, second;

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (sealed_decode(bytes, b.len, APPLIANCE, &flipped)) {
			refused++;
		} else {
			first = opens(APPLIANCE, &flipped.entries[0], 0, ANSWER);
			second = opens(APPLIANCE, &flipped.entries[0], 1, OTHER);
			/* a bit of one wrap leaves the other, one of the list's generation both */
			wraps += first != second;
			if (first && second)
				assert_int_not_equal(flipped.generation, 7);
		}
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(refused > 0);
	assert_int_equal(wraps, 2 * 8 * (32 + 4 + 32 + 12 + 48));
}

static void
test_truncated(void **state)
{
	static uint8_t bytes[8192];
	static struct rec_sealed_list list, back;
	struct buf b = buf_over(bytes, sizeof(bytes));

	list = sealed();
	assert_true(rec_sealed_list_encode(&b, &list));
	for (size_t len = 0; len < b.len; len++)
		assert_non_null(sealed_decode(bytes, len, APPLIANCE, &back));
	assert_non_null(sealed_decode(bytes, b.len + 1, APPLIANCE, &back));
}

static const char *
problem_of(const struct rec_sealed_list *list)
{
	static uint8_t bytes[8192];
	static struct rec_sealed_list back;
	struct buf b = buf_over(bytes, sizeof(bytes));

	assert_true(rec_sealed_list_encode(&b, list));
	return sealed_decode(bytes, b.len, APPLIANCE, &back);
}

static void
test_lists_that_are_none(void **state)
{
	static struct rec_sealed_list good, list;

	list = good = sealed();
	assert_null(problem_of(&list));
	list.appliance[0]++;
	assert_non_null(problem_of(&list));
	list = good;
	list.entries[list.n_entries++] = list.entries[0];
	assert_non_null(problem_of(&list));
	list.entries[1].tier = TIER_OPENER_SENSITIVE;
	assert_null(problem_of(&list));
	list = good;
	list.entries[0].wraps[1] = list.entries[0].wraps[0];
	assert_non_null(problem_of(&list));
	list = good;
	list.generation = 6;
	assert_non_null(problem_of(&list));
	list.entries[0].generation = 0;
	assert_non_null(problem_of(&list));
}

static void
test_forget(void **state)
{
	struct rec_sealed_list list = sealed();
	uint8_t first[32], second[32];

	seal_key_id((const uint8_t[]){0}, 1, first);
	seal_key_id((const uint8_t[]){1}, 1, second);
	assert_true(sealed_forget_key(&list, first));
	assert_false(sealed_forget_key(&list, first));
	assert_null(sealed_wrap_find(&list.entries[0], first));
	assert_true(opens(APPLIANCE, &list.entries[0], 0, OTHER));
	assert_true(sealed_forget_key(&list, second));
	assert_int_equal(list.n_entries, 0);
	assert_null(sealed_find(&list, "prod", TIER_OPENER));
}

/* The wrapping key by RFC 5869, step by step, and the wrap opened with plain AES-256-GCM: no second way to read it. */
static void
test_against_the_rfc(void **state)
{
	static const uint8_t zero[32];
	static const char info[] = "sgwarden 1 wrapping key\x01";
	struct rec_sealed_list list = sealed();
	const struct rec_sealed_entry *e = &list.entries[0];
	const struct rec_sealed_wrap *w = &e->wraps[0];
	uint8_t prk[32], key[32], out[32], tag[16], aad[256];
	struct buf a = buf_over(aad, sizeof(aad));
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t len = 0;
	int n = 0;

	assert_non_null(EVP_Q_mac(
	    NULL, "HMAC", NULL, "SHA256", NULL, zero, 32, ANSWER, 32, prk, sizeof(prk), &len));
	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, prk, 32,
	    (const uint8_t *)info, sizeof(info) - 1, key, sizeof(key), &len));
	assert_true(buf_put_u16(&a, 19) && buf_puts(&a, "sgwarden 1 data key") &&
		    buf_put_u16(&a, 16) && buf_puts(&a, APPLIANCE) && buf_put_u16(&a, 4) &&
		    buf_puts(&a, "prod") && buf_put_u8(&a, TIER_OPENER) && buf_put_u64(&a, 7) &&
		    buf_put_u16(&a, 20) && buf_puts(&a, "AKIAIOSFODNN7EXAMPLE") &&
		    buf_put(&a, w->key, 32) && buf_put_u32(&a, 0) && buf_put(&a, w->salt, 32));
	memcpy(tag, w->data_key + 32, 16);
	assert_int_equal(EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, w->nonce), 1);
	assert_int_equal(EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)a.len), 1);
	assert_int_equal(EVP_DecryptUpdate(ctx, out, &n, w->data_key, 32), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag), 1);
	assert_int_equal(EVP_DecryptFinal_ex(ctx, out + n, &n), 1);
	assert_memory_equal(out, DATA_KEY, 32);
	EVP_CIPHER_CTX_free(ctx);
}

/* Sealing the same thing twice has nothing in common. */
static void
test_no_nonce_twice(void **state)
{
	struct rec_sealed_list a = sealed(), b = sealed();

	assert_memory_not_equal(a.entries[0].nonce, b.entries[0].nonce, GCM_NONCE_LEN);
	assert_memory_not_equal(
	    a.entries[0].secret, b.entries[0].secret, sizeof(a.entries[0].secret));
	for (size_t i = 0; i < 2; i++)
		assert_memory_not_equal(
		    a.entries[0].wraps[i].nonce, b.entries[0].wraps[i].nonce, GCM_NONCE_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_longest_and_empty),
	    cmocka_unit_test(test_place_too_long),
	    cmocka_unit_test(test_wrong_secret),
	    cmocka_unit_test(test_another_place),
	    cmocka_unit_test(test_no_field_runs_into_the_next),
	    cmocka_unit_test(test_every_bit),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_lists_that_are_none),
	    cmocka_unit_test(test_forget),
	    cmocka_unit_test(test_against_the_rfc),
	    cmocka_unit_test(test_no_nonce_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
