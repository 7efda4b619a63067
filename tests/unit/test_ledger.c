/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: grammar, chain, and that no edit of one byte goes unnoticed or is blamed on another record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <sgwarden/ledger.h>

#define LEDGER_BYTES 8192
#define NOW 1795278600 /* 2026-11-21T16:30:00Z */

static char ledger[LEDGER_BYTES], changed[LEDGER_BYTES + 1], unfold[LEDGER_RECORD_MAX];

static void
put(struct ledger_entry *e, const char *key, const char *value)
{
	e->fields[e->n_fields++] = (struct ledger_field){key, value, strlen(value)};
}

static struct ledger_entry
start_entry(void)
{
	struct ledger_entry e = {.kind = LEDGER_START, .time = NOW};

	put(&e, "version", "0.1.0");
	put(&e, "appliance", "abcdefghijklmn27");
	put(&e, "boot", "01234567-89ab-cdef-0123-456789abcdef");
	put(&e, "mode", "user");
	put(&e, "policy", "00ff");
	put(&e, "degraded", "");
	return e;
}

static struct ledger_entry
consent_entry(void)
{
	struct ledger_entry e = {.kind = LEDGER_CONSENT, .time = NOW + 1};

	put(&e, "receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put(&e, "plan", "sgw-bbbbbbbbbbbbbbbbbbbb");
	put(&e, "class", "open");
	put(&e, "display", "shared");
	put(&e, "credential", "0102");
	put(&e, "counter", "7");
	put(&e, "authdata", "0a0b");
	put(&e, "signature", "0c0d");
	put(&e, "text", "record sgwarden-record-1\n\nself 00\ntext |x\nreason  two spaces \n");
	return e;
}

static struct ledger_entry
outcome_entry(void)
{
	struct ledger_entry e = {.kind = LEDGER_OUTCOME, .time = NOW - 100};

	put(&e, "receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put(&e, "action", "open");
	put(&e, "op", "0");
	put(&e, "ops", "1");
	put(&e, "status", "ok");
	put(&e, "error", "none");
	put(&e, "rules", "sgr-0123456789abcdef0");
	return e;
}

static struct ledger_entry
stop_entry(void)
{
	struct ledger_entry e = {.kind = LEDGER_STOP, .time = NOW + 2};

	put(&e, "reason", "asked to");
	return e;
}

static struct ledger_entry (*const ENTRIES[])(void) = {
    start_entry, consent_entry, outcome_entry, stop_entry};
#define ENTRIES_LEN (sizeof(ENTRIES) / sizeof(ENTRIES[0]))

static size_t starts[ENTRIES_LEN + 1];

static size_t
build(void)
{
	struct buf b = buf_over(ledger, sizeof(ledger));
	struct ledger_chain chain = {0};

	for (size_t i = 0; i < ENTRIES_LEN; i++) {
		struct ledger_entry e = ENTRIES[i]();

		starts[i] = b.len;
		ledger_next(&chain, &e);
		assert_true(ledger_encode(&e, &b));
		assert_int_equal(ledger_follow(&chain, &e), LEDGER_OK);
	}
	starts[ENTRIES_LEN] = b.len;
	return b.len;
}

/* How many records hold from the start, and how it ended. */
static size_t
verify(const char *data, size_t len, enum ledger_result *ret_result, struct ledger_chain *ret_chain)
{
	struct ledger_chain chain = {0};
	size_t n = 0;

	*ret_result = LEDGER_OK;
	while (len > 0) {
		struct ledger_entry e;
		size_t used;

		*ret_result = ledger_decode(data, len, unfold, &e, &used);
		if (*ret_result == LEDGER_OK)
			*ret_result = ledger_follow(&chain, &e);
		if (*ret_result != LEDGER_OK)
			break;
		data += used;
		len -= used;
		n++;
	}
	if (ret_chain != NULL)
		*ret_chain = chain;
	return n;
}

static size_t
record_of(size_t at)
{
	size_t i = 0;

	while (at >= starts[i + 1])
		i++;
	return i;
}

static void
test_text(void **state)
{
	static const char want[] =
	    "ledger start 1\n"
	    "time 2026-11-21T16:30:00Z\n"
	    "version 0.1.0\n"
	    "appliance abcdefghijklmn27\n"
	    "boot 01234567-89ab-cdef-0123-456789abcdef\n"
	    "mode user\n"
	    "policy 00ff\n"
	    "degraded \n"
	    "previous 0000000000000000000000000000000000000000000000000000000000000000\n"
	    "self ";
	uint8_t self[HASH_LEN], again[HASH_LEN];

	build();
	assert_memory_equal(ledger, want, sizeof(want) - 1);
	hash_sha256(want, sizeof(want) - 1 - strlen("self "), self);
	assert_true(hex_decode(ledger + sizeof(want) - 1, 64, again, HASH_LEN));
	assert_memory_equal(self, again, HASH_LEN);
	assert_memory_equal(ledger + sizeof(want) - 1 + 64, "\n\nledger consent 2\n", 19);
	assert_non_null(strstr(
	    ledger, "\ntext |record sgwarden-record-1\ntext |\ntext |self 00\ntext |text |x\n"));
}

static void
test_roundtrip(void **state)
{
	size_t len = build(), at = 0;

	for (size_t i = 0; i < ENTRIES_LEN; i++) {
		struct ledger_entry want = ENTRIES[i](), got;
		size_t used;

		assert_int_equal(
		    ledger_decode(ledger + at, len - at, unfold, &got, &used), LEDGER_OK);
		assert_int_equal(got.kind, want.kind);
		assert_int_equal(got.number, i + 1);
		assert_true(got.time == want.time);
		assert_int_equal(got.n_fields, want.n_fields);
		for (size_t k = 0; k < got.n_fields; k++) {
			const struct ledger_field *f = ledger_field(&got, want.fields[k].key);

			assert_non_null(f);
			assert_int_equal(f->len, want.fields[k].len);
			assert_memory_equal(f->value, want.fields[k].value, f->len);
		}
		assert_null(ledger_field(&got, "nothing"));
		at += used;
	}
	assert_int_equal(at, len);
}

static void
test_every_byte(void **state)
{
	size_t len = build();
	enum ledger_result result;

	assert_int_equal(verify(ledger, len, &result, NULL), ENTRIES_LEN);
	assert_int_equal(result, LEDGER_OK);
	for (size_t at = 0; at < len; at++) {
		size_t n;

		/* Each bit. */
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(changed, ledger, len);
			changed[at] = (char)(changed[at] ^ (1 << bit));
			n = verify(changed, len, &result, NULL);
			assert_true(result < 0);
			assert_int_equal(n, record_of(at));
		}
		/* Without it. */
		memcpy(changed, ledger, at);
		memcpy(changed + at, ledger + at + 1, len - at - 1);
		n = verify(changed, len - 1, &result, NULL);
		assert_true(at >= len - 2 ? result == LEDGER_PARTIAL : result < 0);
		assert_int_equal(n, record_of(at));
		/* Twice; of the two line feeds at a record's end the third stands before the next. */
		memcpy(changed, ledger, at + 1);
		memcpy(changed + at + 1, ledger + at, len - at);
		n = verify(changed, len + 1, &result, NULL);
		assert_true(result < 0);
		assert_true(n == record_of(at) || (n == record_of(at) + 1 && at + 2 >= starts[n]));
	}
}

/* A cut is a torn tail where it is inside a record; at a border the head alone tells. */
static void
test_truncation(void **state)
{
	size_t len = build();
	struct ledger_chain whole, cut;
	enum ledger_result result;

	verify(ledger, len, &result, &whole);
	for (size_t at = 0; at < len; at++) {
		size_t n = verify(ledger, at, &result, &cut);

		assert_int_equal(n, record_of(at));
		assert_int_equal(result, at == starts[n] ? LEDGER_OK : LEDGER_PARTIAL);
		assert_memory_not_equal(whole.head, cut.head, HASH_LEN);
	}
	/* Garbage is no torn tail. */
	memcpy(changed, ledger, starts[1]);
	memcpy(changed + starts[1], "ledger consent 2\ntime 2026-11-21T16:30:01Z\nrex", 46);
	verify(changed, starts[1] + 46, &result, NULL);
	assert_int_equal(result, LEDGER_BAD);
	verify(changed, starts[1] + 45, &result, NULL);
	assert_int_equal(result, LEDGER_PARTIAL);
	verify("\0\0", 2, &result, NULL);
	assert_int_equal(result, LEDGER_BAD);
}

static void
test_records(void **state)
{
	size_t len = build();
	enum ledger_result result;

	for (size_t i = 0; i < ENTRIES_LEN; i++) {
		size_t from = starts[i], to = starts[i + 1];

		/* Deleted; doubled. */
		memcpy(changed, ledger, from);
		memcpy(changed + from, ledger + to, len - to);
		assert_int_equal(verify(changed, len - (to - from), &result, NULL), i);
		assert_int_equal(result, i == ENTRIES_LEN - 1 ? LEDGER_OK : LEDGER_BAD_CHAIN);
		memcpy(changed, ledger, to);
		memcpy(changed + to, ledger + from, len - from);
		assert_int_equal(verify(changed, len + (to - from), &result, NULL), i + 1);
		assert_int_equal(result, LEDGER_BAD_CHAIN);
		/* Changed places with the next. */
		if (i + 1 < ENTRIES_LEN) {
			size_t end = starts[i + 2];

			memcpy(changed, ledger, len);
			memcpy(changed + from, ledger + to, end - to);
			memcpy(changed + from + (end - to), ledger + from, to - from);
			assert_int_equal(verify(changed, len, &result, NULL), i);
			assert_int_equal(result, LEDGER_BAD_CHAIN);
		}
	}
}

/* An edit whose own hash was made anew breaks the chain at the next record. */
static void
test_rehashed(void **state)
{
	size_t len = build();
	struct ledger_entry e;
	struct buf b = buf_over(changed, sizeof(changed));
	enum ledger_result result;
	size_t used;

	assert_int_equal(
	    ledger_decode(ledger + starts[2], len - starts[2], unfold, &e, &used), LEDGER_OK);
	e.fields[3].value = "no";
	buf_put(&b, ledger, starts[2]);
	assert_true(ledger_encode(&e, &b));
	buf_put(&b, ledger + starts[3], len - starts[3]);
	assert_int_equal(verify(changed, b.len, &result, NULL), 3);
	assert_int_equal(result, LEDGER_BAD_CHAIN);
	/* A hash that was changed with what it covers left alone. */
	memcpy(changed, ledger, len);
	changed[starts[1] - 3] = changed[starts[1] - 3] == '0' ? '1' : '0';
	assert_int_equal(verify(changed, len, &result, NULL), 0);
	assert_int_equal(result, LEDGER_BAD_HASH);
}

static void
test_refusals(void **state)
{
	char memory[1024];

#define REFUSED(make, change)                                                                      \
	do {                                                                                       \
		struct ledger_entry e = make();                                                    \
		struct buf b = buf_over(memory, sizeof(memory));                                   \
		e.number = 1;                                                                      \
		change;                                                                            \
		assert_false(ledger_encode(&e, &b));                                               \
	} while (0)
	REFUSED(stop_entry, e.number = 0);
	REFUSED(stop_entry, e.kind = LEDGER_KIND_MAX);
	REFUSED(stop_entry, e.time = INT64_MAX);
	REFUSED(stop_entry, e.n_fields = 0);
	REFUSED(stop_entry, put(&e, "reason", "twice"));
	REFUSED(stop_entry, e.fields[0].key = "raisin");
	REFUSED(stop_entry, e.fields[0].value = "line\nself"; e.fields[0].len = 9);
	REFUSED(stop_entry, e.fields[0].value = "\x1b[2J"; e.fields[0].len = 4);
	REFUSED(stop_entry, e.fields[0].value = "\xc3\xa9"; e.fields[0].len = 2);
	REFUSED(consent_entry, e.fields[8].len--);
	REFUSED(consent_entry, e.fields[8].len = 0);
	REFUSED(consent_entry, e.fields[8].value = "tab\t\n"; e.fields[8].len = 5);
	REFUSED(consent_entry, e.fields[0] = e.fields[1]);
	REFUSED(outcome_entry, put(&e, "http", "200"));
	REFUSED(outcome_entry, e.n_fields = LEDGER_FIELDS_MAX + 1);
	REFUSED(start_entry, b.cap = 200);
#undef REFUSED
}

/* A number has one form, and is no greater than whoever asks can hold. */
static void
test_numbers(void **state)
{
	static const char *const BAD[] = {"", "00", "07", "-1", "+7", "7 ", "0x7", "256", "9:"};
	struct ledger_entry e = {.kind = LEDGER_CONSENT};
	uint64_t n = 77;

	assert_false(ledger_field_number(&e, "counter", 255, &n)); /* it is not there */
	put(&e, "counter", "0");
	assert_true(ledger_field_number(&e, "counter", 255, &n) && n == 0);
	e.fields[0] = (struct ledger_field){"counter", "255", 3};
	assert_true(ledger_field_number(&e, "counter", 255, &n) && n == 255);
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		e.fields[0] = (struct ledger_field){"counter", BAD[i], strlen(BAD[i])};
		assert_false(ledger_field_number(&e, "counter", 255, &n));
	}
	assert_int_equal(n, 255);
}

static void
test_kinds(void **state)
{
	for (size_t k = 0; k < LEDGER_KIND_MAX; k++) {
		size_t n = 0;

		assert_int_equal(LEDGER_KINDS[k].kind, k);
		assert_non_null(LEDGER_KINDS[k].name);
		while (LEDGER_KINDS[k].keys[n] != NULL)
			n++;
		assert_true(n > 0 && n <= LEDGER_FIELDS_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_roundtrip),
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_truncation),
	    cmocka_unit_test(test_records),
	    cmocka_unit_test(test_rehashed),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
