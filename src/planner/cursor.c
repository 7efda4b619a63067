/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors; see cursor.h. */
#include "cursor.h"

#include <string.h>

#include <sgwarden/hash.h>

#define CHECK_BYTES 8
#define CHECK_DIGITS (2 * CHECK_BYTES)

/* Every text with its NUL, so that no two lists write the same bytes. */
static void
put_text(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text) + 1);
}

void
cursor_of_groups(const struct msg_ask_groups *ask, struct cursor_of *ret)
{
	uint8_t bytes[1024];
	struct buf b = buf_over(bytes, sizeof(bytes));

	put_text(&b, "groups");
	put_text(&b, ask->profile);
	put_text(&b, ask->region);
	put_text(&b, ask->vpc_id);
	put_text(&b, ask->tag_key);
	put_text(&b, ask->tag_value);
	put_text(&b, ask->query);
	buf_put_u8(&b, ask->managed_only);
	hash_sha256(b.data, b.len, ret->digest);
}

void
cursor_of_rules(const struct msg_ask_rules *ask, struct cursor_of *ret)
{
	uint8_t bytes[1024];
	struct buf b = buf_over(bytes, sizeof(bytes));

	put_text(&b, "rules");
	put_text(&b, ask->profile);
	put_text(&b, ask->region);
	put_text(&b, ask->group_id);
	buf_put_u8(&b, ask->egress);
	buf_put_u8(&b, ask->filter);
	if (ask->filter & RULES_BY_SOURCE)
		rec_cidr_encode(&b, &ask->source);
	if (ask->filter & RULES_BY_PORT)
		buf_put_u16(&b, ask->port);
	hash_sha256(b.data, b.len, ret->digest);
}

void
cursor_of_drift(const struct msg_ask_drift *ask, struct cursor_of *ret)
{
	uint8_t bytes[256];
	struct buf b = buf_over(bytes, sizeof(bytes));

	put_text(&b, "drift");
	put_text(&b, ask->group_id);
	put_text(&b, ask->profile);
	put_text(&b, ask->region);
	hash_sha256(b.data, b.len, ret->digest);
}

void
cursor_of_receipts(const struct msg_ask_receipts *ask, struct cursor_of *ret)
{
	uint8_t bytes[256];
	struct buf b = buf_over(bytes, sizeof(bytes));

	put_text(&b, "receipts");
	put_text(&b, ask->group_id);
	buf_put_u64(&b, (uint64_t)ask->since);
	buf_put_u16(&b, ask->results);
	hash_sha256(b.data, b.len, ret->digest);
}

static void
check_digits(const struct cursor_of *of, const char *id, char ret_digits[CHECK_DIGITS])
{
	uint8_t bytes[sizeof(of->digest) + SGW_CURSOR_MAX], digest[HASH_LEN];
	struct buf b = buf_over(bytes, sizeof(bytes)), digits = buf_over(ret_digits, CHECK_DIGITS);

	buf_put(&b, of->digest, sizeof(of->digest));
	buf_puts(&b, id);
	hash_sha256(b.data, b.len, digest);
	buf_put_hex(&digits, digest, CHECK_BYTES);
}

void
cursor_make(const struct cursor_of *of, const char *id, char ret_cursor[SGW_CURSOR_MAX + 1])
{
	size_t len = strnlen(id, SGW_CURSOR_MAX - CHECK_DIGITS);

	check_digits(of, id, ret_cursor);
	memcpy(ret_cursor + CHECK_DIGITS, id, len);
	ret_cursor[CHECK_DIGITS + len] = 0;
}

const char *
cursor_read(const struct cursor_of *of, const char *cursor)
{
	char digits[CHECK_DIGITS];

	if (strlen(cursor) <= CHECK_DIGITS)
		return NULL;
	check_digits(of, cursor + CHECK_DIGITS, digits);
	return memcmp(cursor, digits, CHECK_DIGITS) == 0 ? cursor + CHECK_DIGITS : NULL;
}
