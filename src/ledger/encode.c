/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger record as text.  What its decoder would refuse is refused here. */
#include <sgwarden/ledger.h>

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/vis.h>

/* `text |…` lines: whole lines only, so that folding loses nothing. */
static bool
put_text(struct buf *b, const char *text, size_t len)
{
	if (len == 0 || text[len - 1] != '\n')
		return false;
	while (len > 0) {
		size_t n = (size_t)((const char *)memchr(text, '\n', len) - text);

		if (!text_is_ascii(text, n))
			return false;
		buf_puts(b, "text |");
		buf_put(b, text, n + 1);
		text += n + 1;
		len -= n + 1;
	}
	return true;
}

static bool
put_field(struct buf *b, const struct ledger_field *field)
{
	if (strcmp(field->key, "text") == 0)
		return put_text(b, field->value, field->len);
	if (!text_is_ascii(field->value, field->len))
		return false;
	buf_puts(b, field->key);
	buf_puts(b, " ");
	buf_put(b, field->value, field->len);
	return buf_puts(b, "\n");
}

/* The fields against the kind's keys: all in order, only those with '?' missing. */
static bool
put_fields(struct buf *b, const struct ledger_entry *entry, const struct ledger_kind_row *row)
{
	size_t next = 0;

	for (size_t i = 0; row->keys[i] != NULL; i++) {
		const char *key = row->keys[i];
		bool optional = key[0] == '?';

		key += optional ? 1 : 0;
		if (next < entry->n_fields && strcmp(entry->fields[next].key, key) == 0) {
			if (!put_field(b, &entry->fields[next++]))
				return false;
		} else if (!optional) {
			return false;
		}
	}
	return next == entry->n_fields;
}

static bool
put_hash(struct buf *b, const char *key, const uint8_t hash[HASH_LEN])
{
	return buf_printf(b, "%s ", key) && buf_put_hex(b, hash, HASH_LEN) && buf_puts(b, "\n");
}

bool
ledger_encode(struct ledger_entry *entry, struct buf *b)
{
	const struct ledger_kind_row *row;
	char when[CLOCK_TEXT_LEN];
	size_t start = b->len;
	int64_t again;

	if ((unsigned)entry->kind >= LEDGER_KIND_MAX || entry->number == 0 ||
	    entry->n_fields > LEDGER_FIELDS_MAX)
		b->failed = true;
	clock_format(entry->time, when);
	if (clock_parse(when, strlen(when), &again) < 0 || again != entry->time)
		b->failed = true;
	if (b->failed)
		return false;
	row = &LEDGER_KINDS[entry->kind];
	buf_printf(
	    b, "ledger %s %llu\ntime %s\n", row->name, (unsigned long long)entry->number, when);
	if (!put_fields(b, entry, row))
		b->failed = true;
	put_hash(b, "previous", entry->previous);
	if (b->failed)
		return false;
	hash_sha256(b->data + start, b->len - start, entry->self);
	put_hash(b, "self", entry->self);
	return buf_puts(b, "\n");
}
