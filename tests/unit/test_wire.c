/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec, for every row of messages.def: what is encoded decodes to the same value and bytes; whatever is cut,
 * longer, out of range or not canonical is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "../fuzz/wire_gen.h"

/* ---- the longest form of every message fits into one datagram ---- */

#define REC(name, comment) enum { SIZE_rec_##name = 0
#define REC_END(name, check)                                                                       \
	}                                                                                          \
	;
#define MSG(id, NAME, name, from, to, fds, states, comment) enum { SIZE_msg_##name = 4
#define MSG_END(name)                                                                              \
	}                                                                                          \
	;                                                                                          \
	_Static_assert(SIZE_msg_##name <= SGW_DATAGRAM_MAX, #name " does not fit");
#define U8(name, comment) +1
#define U16(name, comment) +2
#define U32(name, comment) +4
#define U64(name, comment) +8
#define I16(name, comment) +2
#define I32(name, comment) +4
#define I64(name, comment) +8
#define BOOL(name, comment) +1
#define ENUM(type, name, max, comment) +1
#define ASCII(name, most, comment) +2 + (most)
#define UTF8(name, most, comment) +2 + (most)
#define LINES(name, most, comment) +2 + (most)
#define FIXED(name, n, comment) +(n)
#define BYTES(name, most, comment) +2 + (most)
#define SUB(rec, name, comment) +SIZE_rec_##rec
#define LIST(rec, name, most, comment) +2 + (most)*SIZE_rec_##rec
/* clang-format off */
#include <sgwarden/messages.def>
/* clang-format on */
#include <sgwarden/messages_undef.h>

_Static_assert(SIZE_rec_policy <= SGW_POLICY_MAX, "a policy does not fit into what carries it");

/* ---- round trips ---- */

static struct msg sent, got;
static uint8_t bytes[SGW_DATAGRAM_MAX], again[SGW_DATAGRAM_MAX], bad[SGW_DATAGRAM_MAX + 1];
static struct marks marks;

static size_t
draw(struct gen *g, const struct msg_row *row)
{
	struct buf b = buf_over(bytes, sizeof(bytes));

	gen_msg(g, (enum msg_id)row->id, &sent);
	assert_true(msg_encode(&b, &sent));
	return b.len;
}

/* Refused; or, where `may_hold`, accepted as another value whose one form these bytes are. */
static bool
refused(const uint8_t *data, size_t len, bool may_hold)
{
	struct buf b = buf_over(again, sizeof(again));

	if (!msg_decode(data, len, &got))
		return true;
	return may_hold && msg_encode(&b, &got) && b.len == len && memcmp(again, data, len) == 0;
}

static void
test_round_trip(void **state)
{
	struct gen g = {.state = 1};

	for (size_t i = 0; i < MESSAGES_LEN; i++)
		for (int round = 0; round < 64; round++) {
			size_t len = draw(&g, &MESSAGES[i]);
			struct buf b = buf_over(again, sizeof(again));

			memset(&got, 0, sizeof(got));
			assert_true(msg_decode(bytes, len, &got));
			assert_memory_equal(&got, &sent, sizeof(sent));
			/* What lay in the struct before does not show through. */
			memset(&got, 0xa5, sizeof(got));
			assert_true(msg_decode(bytes, len, &got));
			assert_true(msg_encode(&b, &got));
			assert_int_equal(b.len, len);
			assert_memory_equal(again, bytes, len);
		}
}

static void
test_cut_and_trailing(void **state)
{
	struct gen g = {.state = 2};

	for (size_t i = 0; i < MESSAGES_LEN; i++)
		for (int round = 0; round < 12; round++) {
			size_t len, step;

			g.small = round < 10;
			len = draw(&g, &MESSAGES[i]);
			/* Every truncation of the short ones, some of each of the long ones. */
			step = len < 4096 ? 1 : len / 512;
			for (size_t cut = 0; cut < len; cut += step)
				assert_false(msg_decode(bytes, cut, &got));
			memcpy(bad, bytes, len);
			for (unsigned v = 0; v < 256; v += 85) {
				bad[len] = (uint8_t)v;
				assert_false(msg_decode(bad, len + 1, &got));
			}
		}
}

/* Writing into less room than the message needs fails, whole. */
static void
test_no_room(void **state)
{
	struct gen g = {.state = 3, .small = true};

	for (size_t i = 0; i < MESSAGES_LEN; i++) {
		size_t len = draw(&g, &MESSAGES[i]);

		for (size_t cap = 0; cap < len; cap++) {
			struct buf b = buf_over(again, cap);

			assert_false(msg_encode(&b, &sent));
		}
	}
}

/* ---- ranges ---- */

static void
put_u16(size_t at, size_t v)
{
	bad[at] = (uint8_t)(v >> 8);
	bad[at + 1] = (uint8_t)v;
}

static bool
byte_refused(const struct mark *k, size_t len)
{
	for (unsigned v = k->most; v < 256; v++) {
		bad[k->at] = (uint8_t)v;
		if (!refused(bad, len, false))
			return false;
	}
	return true;
}

static bool
text_refused(const struct mark *k, size_t len)
{
	static const uint8_t NEVER[] = {0x00, 0x80, 0xff};
	static const uint8_t NOT_ASCII[] = {0x01, 0x0a, 0x0d, 0x1b, 0x1f, 0x7f};

	for (size_t at = k->at + 2; at < k->at + 2 + k->len; at += 1 + k->len / 4) {
		uint8_t was = bad[at];

		for (size_t i = 0; i < sizeof(NEVER); i++) {
			bad[at] = NEVER[i];
			/* 0x80 may be right inside another UTF-8 character. */
			if (!refused(bad, len, k->kind == MARK_UTF8 && NEVER[i] == 0x80))
				return false;
		}
		for (size_t i = 0; k->kind != MARK_UTF8 && i < sizeof(NOT_ASCII); i++) {
			bad[at] = NOT_ASCII[i];
			if (!refused(bad, len, k->kind == MARK_LINES && NOT_ASCII[i] == 0x0a))
				return false;
		}
		bad[at] = was;
	}
	return true;
}

static bool
length_refused(const struct mark *k, size_t len)
{
	static const size_t ADD[] = {1, 2, 0x100};

	for (size_t i = 0; i < 3; i++) {
		put_u16(k->at, k->most + ADD[i]);
		if (!refused(bad, len, false))
			return false;
	}
	put_u16(k->at, 0xffff);
	return refused(bad, len, false);
}

static bool
cidr_refused(const struct mark *k, size_t len)
{
	static const uint8_t FAMILIES[] = {0, 1, 5, 7, 10, 255};
	uint8_t family = bad[k->at], prefix = bad[k->at + 1];

	for (size_t i = 0; i < sizeof(FAMILIES); i++) {
		bad[k->at] = FAMILIES[i];
		if (!refused(bad, len, false))
			return false;
	}
	bad[k->at] = family;
	for (unsigned p = family == 4 ? 33 : 129; p < 256; p++) {
		bad[k->at + 1] = (uint8_t)p;
		if (!refused(bad, len, false))
			return false;
	}
	bad[k->at + 1] = prefix;
	for (unsigned bit = prefix; bit < 128; bit++) {
		bad[k->at + 2 + bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
		if (!refused(bad, len, false))
			return false;
		bad[k->at + 2 + bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
	}
	return true;
}

static bool
mark_refused(const struct mark *k, size_t len)
{
	switch (k->kind) {
	case MARK_BOOL:
	case MARK_ENUM:
		return byte_refused(k, len);
	case MARK_ASCII:
	case MARK_UTF8:
	case MARK_LINES:
		return text_refused(k, len) && length_refused(k, len);
	case MARK_BYTES:
	case MARK_LIST:
		return length_refused(k, len);
	case MARK_CIDR:
		return cidr_refused(k, len);
	}
	return false;
}

static void
test_out_of_range(void **state)
{
	struct gen g = {.state = 4, .small = true};
	size_t tried = 0;

	for (size_t i = 0; i < MESSAGES_LEN; i++)
		for (int round = 0; round < 24; round++) {
			size_t len = draw(&g, &MESSAGES[i]);

			mark_msg(&sent, &marks);
			assert_int_equal(marks.at, len);
			for (size_t k = 0; k < marks.n; k++, tried++) {
				memcpy(bad, bytes, len);
				if (!mark_refused(&marks.mark[k], len))
					fail_msg("%s accepts a bad value, kind %d at %zu",
					    MESSAGES[i].name, (int)marks.mark[k].kind,
					    marks.mark[k].at);
			}
		}
	assert_true(tried > 5000);
}

/* Whatever bytes are accepted are the one form of the value they give. */
static void
test_canonical(void **state)
{
	struct gen g = {.state = 5, .small = true};
	size_t accepted = 0;

	for (size_t i = 0; i < MESSAGES_LEN; i++)
		for (int round = 0; round < 400; round++) {
			size_t len = draw(&g, &MESSAGES[i]);
			uint32_t flips = gen_below(&g, 4);

			memcpy(bad, bytes, len);
			for (uint32_t n = 0; n < flips; n++)
				bad[gen_below(&g, (uint32_t)len)] = (uint8_t)gen_below(&g, 256);
			assert_true(refused(bad, len, true));
			accepted += msg_decode(bad, len, &got);
		}
	assert_true(accepted > 1000);
}

/* state/keys: a record that is a file. */
static void
test_key_list(void **state)
{
	static struct rec_key_list keys, back;
	struct gen g = {.state = 6};

	for (int round = 0; round < 200; round++) {
		struct buf b = buf_over(bytes, sizeof(bytes)), b2 = buf_over(again, sizeof(again));
		struct cur c;

		gen_key_list(&g, &keys);
		assert_true(rec_key_list_encode(&b, &keys));
		memset(&back, 0, sizeof(back));
		c = cur_over(bytes, b.len);
		assert_true(rec_key_list_decode(&c, &back) && cur_done(&c));
		assert_memory_equal(&back, &keys, sizeof(keys));
		assert_true(rec_key_list_encode(&b2, &back));
		assert_memory_equal(again, bytes, b.len);
		for (size_t cut = 0; cut < b.len; cut++) {
			c = cur_over(bytes, cut);
			assert_false(rec_key_list_decode(&c, &back));
		}
	}
}

/* state/sealed: a record that is a file. */
static void
test_sealed_list(void **state)
{
	static struct rec_sealed_list list, back;
	struct gen g = {.state = 7};

	for (int round = 0; round < 200; round++) {
		struct buf b = buf_over(bytes, sizeof(bytes)), b2 = buf_over(again, sizeof(again));
		struct cur c;

		gen_sealed_list(&g, &list);
		assert_true(rec_sealed_list_encode(&b, &list));
		memset(&back, 0, sizeof(back));
		c = cur_over(bytes, b.len);
		assert_true(rec_sealed_list_decode(&c, &back) && cur_done(&c));
		assert_memory_equal(&back, &list, sizeof(list));
		assert_true(rec_sealed_list_encode(&b2, &back));
		assert_memory_equal(again, bytes, b.len);
		for (size_t cut = 0; cut < b.len; cut++) {
			c = cur_over(bytes, cut);
			assert_false(rec_sealed_list_decode(&c, &back));
		}
	}
}

static void
test_header(void **state)
{
	static const uint8_t READY[] = {'S', 'G', 0x01, 0x01, 0, 0, 0, 5};
	uint8_t data[sizeof(READY)];

	assert_true(msg_decode(READY, sizeof(READY), &got));
	assert_int_equal(got.id, MSG_READY);
	assert_int_equal(got.ready.degraded, 5);
	for (size_t i = 0; i < 2; i++) {
		memcpy(data, READY, sizeof(data));
		data[i] ^= 0x20;
		assert_false(msg_decode(data, sizeof(data), &got));
	}
	memcpy(data, READY, sizeof(data));
	for (unsigned id = 0; id < 0x10000; id++) {
		data[2] = (uint8_t)(id >> 8);
		data[3] = (uint8_t)id;
		if (!msg_row((uint16_t)id))
			assert_false(msg_decode(data, sizeof(data), &got));
	}
}

/* The table itself: ids differ and each message can be sent by somebody, to somebody else, in some state. */
static void
test_table(void **state)
{
	for (size_t i = 0; i < MESSAGES_LEN; i++) {
		const struct msg_row *row = &MESSAGES[i];

		assert_ptr_equal(msg_row(row->id), row);
		assert_true(row->from != 0 && row->to != 0 && (row->from & row->to) == 0);
		assert_true(((row->from | row->to) >> ROLE_MAX) == 0);
		assert_true(row->states != 0 && row->states >> CHAN_STATE_MAX == 0);
		assert_true(row->fds <= SGW_DATAGRAM_FDS_MAX || row->fds == MSG_ANY_FDS);
	}
}

/* Texts that are not of their kind do not leave either. */
static void
test_encoder_refuses(void **state)
{
	struct buf b = buf_over(bytes, sizeof(bytes));

	memset(&sent, 0, sizeof(sent));
	sent.id = MSG_ASK_STATUS;
	assert_true(msg_encode(&b, &sent));
	memset(
	    sent.ask_status.plan_id, 'a', sizeof(sent.ask_status.plan_id)); /* no NUL: too long */
	b = buf_over(bytes, sizeof(bytes));
	assert_false(msg_encode(&b, &sent));
	strncpy(sent.ask_status.plan_id, "a\tb", sizeof(sent.ask_status.plan_id));
	b = buf_over(bytes, sizeof(bytes));
	assert_false(msg_encode(&b, &sent));

	memset(&sent, 0, sizeof(sent));
	sent.id = MSG_COMMIT;
	sent.commit.data_len = SGW_COMMIT_MAX + 1;
	b = buf_over(bytes, sizeof(bytes));
	assert_false(msg_encode(&b, &sent));
	sent.commit.data_len = 0;
	sent.commit.file = STATE_FILE_MAX;
	b = buf_over(bytes, sizeof(bytes));
	assert_false(msg_encode(&b, &sent));

	memset(&sent, 0, sizeof(sent));
	sent.id = MSG_KEYS;
	sent.keys.n_keys = SGW_KEYS_MAX + 1;
	b = buf_over(bytes, sizeof(bytes));
	assert_false(msg_encode(&b, &sent));

	sent.id = (enum msg_id)0x7777;
	b = buf_over(bytes, sizeof(bytes));
	assert_false(msg_encode(&b, &sent));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_cut_and_trailing),
	    cmocka_unit_test(test_no_room),
	    cmocka_unit_test(test_out_of_range),
	    cmocka_unit_test(test_canonical),
	    cmocka_unit_test(test_key_list),
	    cmocka_unit_test(test_sealed_list),
	    cmocka_unit_test(test_encoder_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
