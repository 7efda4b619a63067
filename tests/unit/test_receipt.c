/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt stands alone and holds nothing that is not checked: no byte of it may be another one, and what is wrong with
 * the touch or the request is found in it as it is in the ledger.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "ledger_forge.h"
#include "receipt_file.h"
#include "record_fixture.h"

static char ledger[FORGE_BYTES], body[FORGE_BYTES], text[FORGE_BYTES], unfold[LEDGER_RECORD_MAX];
static struct rec_key_list keys;
static struct record record;

/* What `receipt export` writes of the first consent, made here from the ledger's bytes. */
static size_t
receipt_of(enum forge_tweak tweak)
{
	size_t left = forge_ledger(tweak, ledger, &keys), used = 0;
	struct buf records = buf_over(body, sizeof(body)), out = buf_over(text, sizeof(text));
	struct receipt r = {.key = {.id_len = keys.keys[0].cred_id_len}};
	struct ledger_entry e;

	(void)FIELD_SET(r.appliance, keys.appliance);
	memcpy(r.key.id, keys.keys[0].cred_id, r.key.id_len);
	memcpy(r.key.key, keys.keys[0].public_key, sizeof(r.key.key));
	for (const char *at = ledger; left > 0; at += used, left -= used) {
		if (ledger_decode(at, left, unfold, &e, &used) != LEDGER_OK)
			break;
		if (e.kind == LEDGER_CONSENT && !r.receipt[0])
			(void)field_copy(
			    r.receipt, sizeof(r.receipt), e.fields[0].value, e.fields[0].len);
		if (!r.receipt[0] || !ledger_field_is(&e, "receipt", r.receipt))
			continue;
		r.n_records++;
		assert_true(buf_put(&records, at, used));
	}
	assert_true(receipt_head(&r, &out) && buf_put(&out, records.data, records.len));
	return out.len;
}

static const char *
judge(const char *data, size_t len)
{
	struct receipt r;

	return receipt_decode(data, len, &r) ? receipt_check(&r, &record) : "no receipt";
}

static void
test_honest(void **state)
{
	size_t len = receipt_of(TWEAK_NONE);
	struct receipt r;

	assert_true(receipt_decode(text, len, &r));
	assert_int_equal(r.n_records, 4);
	assert_null(receipt_check(&r, &record));
	assert_int_equal(record.plan.ops[0].to_port, 22);
}

/* What the touch and the request say is checked without the ledger around them. */
static void
test_tweaks(void **state)
{
	static const struct {
		enum forge_tweak tweak;
		const char *why;
	} TWEAKS[] = {
	    {TWEAK_OTHER_RECORD_SIGNED, "the signature does not verify"},
	    {TWEAK_OTHER_KEY_SIGNED, "the signature does not verify"},
	    {TWEAK_NO_TOUCH, "nobody touched the key"},
	    {TWEAK_NO_UV, "no PIN was checked"},
	    {TWEAK_OTHER_RP, "another relying party"},
	    {TWEAK_COUNTER_FIELD, "its counter is not that"},
	    {TWEAK_KEY_UNKNOWN, "was not enrolled"},
	    {TWEAK_RECEIPT_OTHER, "its receipt is not that of its text"},
	    {TWEAK_TEXT_NOT_RENDERED, "not what was rendered"},
	    {TWEAK_EXPIRED, "after its record had expired"},
	    {TWEAK_REPLAYED, "it holds a second touch"},
	    {TWEAK_CLASS_FIELD, "its class or display"},
	    {TWEAK_APPLIANCE_OTHER, "another relying party"},
	    {TWEAK_INTENT_PORT, "not what was touched for"},
	    {TWEAK_INTENT_SOURCE, "not what was touched for"},
	    {TWEAK_INTENT_GROUP, "not what was touched for"},
	    {TWEAK_INTENT_DESCRIPTION, "not what was touched for"},
	    {TWEAK_INTENT_EXPIRES, "not what was touched for"},
	    {TWEAK_INTENT_MORE, "not what was touched for"},
	    {TWEAK_INTENT_LESS, "not what was touched for"},
	    {TWEAK_INTENT_CLOSES, "not what was touched for"},
	    {TWEAK_INTENT_TWICE, "second time"},
	    {TWEAK_INTENT_MISSING, "was signed before it"},
	    {TWEAK_INTENT_REGION, "action or region"},
	};

	for (size_t i = 0; i < sizeof(TWEAKS) / sizeof(TWEAKS[0]); i++) {
		size_t len = receipt_of(TWEAKS[i].tweak);
		const char *why = judge(text, len);

		if (!why || !strstr(why, TWEAKS[i].why))
			fail_msg("tweak %d: %s", (int)TWEAKS[i].tweak, why ? why : "it holds");
	}
}

static void
test_every_byte(void **state)
{
	size_t len = receipt_of(TWEAK_NONE);

	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		for (int bit = 0; bit < 8; bit++) {
			text[i] = (char)(was ^ 1 << bit);
			if (!judge(text, len))
				fail_msg("byte %zu, bit %d: it holds", i, bit);
		}
		text[i] = was;
	}
	assert_null(judge(text, len));
}

static void
test_cut_or_grown(void **state)
{
	size_t len = receipt_of(TWEAK_NONE);

	for (size_t i = 0; i < len; i++)
		assert_non_null(judge(text, i));
	for (int c = 0; c < 256; c++) {
		text[len] = (char)c;
		assert_non_null(judge(text, len + 1));
	}
}

/* Another receipt's records, records that are missing in the middle or twice, the touch not first. */
static void
test_rows(void **state)
{
	static const char *const ROWS[] = {
	    "1234", "134", "1224", "2134", "1243", "11", "234", "124", "14"};
	static char other[FORGE_BYTES];
	size_t len = receipt_of(TWEAK_NONE), at[5], n = 0;
	struct receipt r;

	assert_true(receipt_decode(text, len, &r));
	for (const char *p = r.body; n < 5; n++) {
		at[n] = (size_t)(p - text);
		p = n < 4 ? strstr(p, "\n\n") + 2 : p;
	}
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct buf out = buf_over(other, sizeof(other));
		struct receipt row = r;
		const char *why;

		row.n_records = (unsigned)strlen(ROWS[i]);
		assert_true(receipt_head(&row, &out));
		for (const char *p = ROWS[i]; *p; p++)
			buf_put(&out, text + at[*p - '1'], at[*p - '0'] - at[*p - '1']);
		why = judge(other, out.len);
		/* A closing may be left out by whoever hands the receipt over: it proves what it holds. */
		if (!why != (i == 0 || strcmp(ROWS[i], "124") == 0))
			fail_msg("%s: %s", ROWS[i], why ? why : "it holds");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_honest),
	    cmocka_unit_test(test_tweaks),
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_cut_or_grown),
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("receipt", tests, NULL, NULL);
}
