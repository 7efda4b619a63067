/* SPDX-License-Identifier: Apache-2.0 */
/* See receipt_file.h. */
#include "receipt_file.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

bool
receipt_touched(enum ledger_kind kind)
{
	if (kind == LEDGER_TOUCH) /* of several keys over one sealing */
		return false;
	for (size_t i = 0; LEDGER_KINDS[kind].keys[i] != NULL; i++)
		if (strcmp(LEDGER_KINDS[kind].keys[i], "signature") == 0)
			return true;
	return false;
}

/* ---- the head ---- */

bool
receipt_head(const struct receipt *r, struct buf *b)
{
	buf_printf(b, "%s\nreceipt %s\nappliance %s\ncredential ", RECEIPT_VERSION, r->receipt,
	    r->appliance);
	(void)buf_put_hex(b, r->key.id, r->key.id_len);
	buf_puts(b, "\nkey ");
	(void)buf_put_hex(b, r->key.key, sizeof(r->key.key));
	return buf_printf(b, "\nrecords %u\n\n", r->n_records);
}

struct lines {
	const char *at, *end;
};

/* The value of the line `key value`; false: another line stands here. */
static bool
line_take(struct lines *l, const char *key, const char **ret_value, size_t *ret_len)
{
	size_t n = strlen(key);
	const char *feed = memchr(l->at, '\n', (size_t)(l->end - l->at));

	if (!feed || (size_t)(feed - l->at) < n + 1 || memcmp(l->at, key, n) != 0 ||
	    l->at[n] != ' ')
		return false;
	*ret_value = l->at + n + 1;
	*ret_len = (size_t)(feed - *ret_value);
	l->at = feed + 1;
	return true;
}

static bool
line_text(struct lines *l, const char *key, char *ret_text, size_t size)
{
	const char *value;
	size_t len;

	if (!line_take(l, key, &value, &len) || len == 0 || len >= size ||
	    !text_is_ascii(value, len))
		return false;
	memcpy(ret_text, value, len);
	ret_text[len] = 0;
	return true;
}

/* At most four digits; that they are in their one form, the comparison of the whole head shows. */
static bool
line_number(struct lines *l, const char *key, unsigned *ret_number)
{
	char text[5];

	*ret_number = 0;
	if (!line_text(l, key, text, sizeof(text)))
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*ret_number = *ret_number * 10 + (unsigned)(*p - '0');
	}
	return *ret_number > 0 && *ret_number <= RECEIPT_RECORDS_MAX;
}

static bool
line_key(struct lines *l, struct verify_key *key)
{
	const char *value;
	size_t len;

	if (!line_take(l, "credential", &value, &len) || len == 0 || len / 2 > sizeof(key->id) ||
	    !hex_decode(value, len, key->id, len / 2))
		return false;
	key->id_len = len / 2;
	return line_take(l, "key", &value, &len) &&
	       hex_decode(value, len, key->key, sizeof(key->key));
}

bool
receipt_decode(const char *text, size_t len, struct receipt *ret_receipt)
{
	static const char FIRST[] = RECEIPT_VERSION "\n";
	char head[1024];
	struct buf b = buf_over(head, sizeof(head));
	struct lines l = {text + sizeof(FIRST) - 1, text + len};
	struct receipt r = {0};

	if (len < sizeof(FIRST) || memcmp(text, FIRST, sizeof(FIRST) - 1) != 0)
		return false;
	if (!line_text(&l, "receipt", r.receipt, sizeof(r.receipt)) ||
	    !line_text(&l, "appliance", r.appliance, sizeof(r.appliance)) ||
	    !line_key(&l, &r.key) || !line_number(&l, "records", &r.n_records))
		return false;
	if (!receipt_head(&r, &b) || b.len > len || memcmp(text, head, b.len) != 0)
		return false;
	r.body = text + b.len;
	r.body_len = len - b.len;
	*ret_receipt = r;
	return true;
}

/* ---- the records ---- */

bool
receipt_next(struct receipt_walk *walk)
{
	size_t used, left = walk->of->body_len - walk->at;

	if (left == 0 || ledger_decode(walk->of->body + walk->at, left, walk->unfold, &walk->entry,
			     &used) != LEDGER_OK)
		return false;
	walk->at += used;
	return true;
}

/* Is it behind the one before it, and the next one where the numbers say so? */
static const char *
record_order(const struct ledger_chain *before, const struct ledger_entry *e)
{
	if (e->number <= before->number)
		return "its number is not behind the one before it";
	if (before->number != 0 && e->number == before->number + 1 &&
	    memcmp(e->previous, before->head, HASH_LEN) != 0)
		return "it does not follow the record before it";
	return NULL;
}

static const char *
record_check(struct verify *v, const struct receipt *r, const struct ledger_chain *before,
    const struct ledger_entry *e)
{
	bool first = before->number == 0;
	const char *why = record_order(before, e);

	if (why && !MUTATE(RECEIPT_ORDER))
		return why;
	if (!ledger_field_is(e, "receipt", r->receipt) && !MUTATE(RECEIPT_NAME))
		return "it is of another receipt";
	if (receipt_touched(e->kind) != first && !MUTATE(RECEIPT_TOUCH))
		return first ? "nobody touched a key for it, and it stands first"
			     : "it holds a second touch";
	return verify_entry(v, e);
}

static const char *
records_check(struct verify *v, const struct receipt *r, struct receipt_walk *walk)
{
	static char text[VERIFY_WHY_MAX + 40];
	struct ledger_chain before = {0};

	for (unsigned i = 0; i < r->n_records; i++) {
		const struct ledger_entry *e = &walk->entry;
		const char *why;

		if (!receipt_next(walk)) {
			snprintf(text, sizeof(text),
			    "record %u of %u is no ledger record whose hash holds", i + 1,
			    r->n_records);
			return text;
		}
		why = record_check(v, r, &before, e);
		if (why) {
			snprintf(text, sizeof(text), "ledger record %llu (%s): %s",
			    (unsigned long long)e->number, LEDGER_KINDS[e->kind].name, why);
			return text;
		}
		before.number = e->number;
		memcpy(before.head, e->self, HASH_LEN);
	}
	return walk->at == r->body_len ? NULL : "more follows than the records that it counts";
}

static bool
record_first(const struct receipt *r, struct receipt_walk *walk, struct record *ret_record)
{
	const struct ledger_field *text;

	walk->of = r;
	walk->at = 0;
	text = receipt_next(walk) ? ledger_field(&walk->entry, "text") : NULL;
	return text && record_decode((const uint8_t *)text->value, text->len, ret_record);
}

const char *
receipt_check(const struct receipt *r, struct record *ret_record)
{
	static struct verify v;
	static struct receipt_walk walk;
	const char *why;

	v = (struct verify){.alone = true, .n_keys = 1};
	v.key[0] = r->key;
	v.key[0].zero = true; /* what its counter was before is not here */
	walk.of = r;
	walk.at = 0;
	why = records_check(&v, r, &walk);
	verify_end(&v);
	if (why)
		return why;
	if (!record_first(r, &walk, ret_record))
		return "its text is no consent record";
	return strcmp(ret_record->appliance, r->appliance) == 0
		   ? NULL
		   : "its record is another appliance's than the receipt names";
}
