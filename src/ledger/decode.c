/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to ledger record.  Whatever is not exactly what the encoder writes is refused; what is the beginning of such a
 * record is called partial, so that a crash's torn tail can be told from an edit.
 */
#include <sgwarden/ledger.h>

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/vis.h>

struct reader {
	const char *at;
	const char *end;
};

struct value {
	const char *text;
	size_t len;
};

enum take {
	TAKEN,
	ABSENT,  /* another key stands here */
	CUT,     /* the data end inside what may become this line */
	REFUSED, /* the line has this key and cannot be */
};

/* The line `key value`.  Nothing is consumed unless it is taken. */
static enum take
take_line(struct reader *r, const char *key, struct value *ret_value)
{
	size_t left = (size_t)(r->end - r->at), n = strlen(key), line;
	const char *feed;

	if (memcmp(r->at, key, left < n ? left : n) != 0 || (left > n && r->at[n] != ' '))
		return ABSENT;
	if (left <= n)
		return CUT;
	feed = memchr(r->at, '\n', left);
	line = feed != NULL ? (size_t)(feed - r->at) : left;
	if (!text_is_ascii(r->at, line))
		return REFUSED;
	if (feed == NULL)
		return CUT;
	*ret_value = (struct value){r->at + n + 1, line - n - 1};
	r->at = feed + 1;
	return TAKEN;
}

static enum ledger_result
taken_result(enum take take)
{
	return take == TAKEN ? LEDGER_OK : take == CUT ? LEDGER_PARTIAL : LEDGER_BAD;
}

/* ---- the head ---- */

static bool
get_number(const char *text, size_t len, uint64_t *ret_n)
{
	uint64_t n = 0;

	if (len == 0 || len > 19 || text[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	*ret_n = n;
	return true;
}

/* "<kind> <number>" */
static bool
get_head(const struct value *v, struct ledger_entry *entry)
{
	for (size_t k = 0; k < LEDGER_KIND_MAX; k++) {
		size_t n = strlen(LEDGER_KINDS[k].name);

		if (v->len > n && memcmp(v->text, LEDGER_KINDS[k].name, n) == 0 &&
		    v->text[n] == ' ') {
			entry->kind = (enum ledger_kind)k;
			return get_number(v->text + n + 1, v->len - n - 1, &entry->number);
		}
	}
	return false;
}

static enum ledger_result
read_head(struct reader *r, struct ledger_entry *entry)
{
	struct value v;
	enum take take = take_line(r, "ledger", &v);

	if (take != TAKEN)
		return taken_result(take);
	if (!get_head(&v, entry))
		return LEDGER_BAD;
	take = take_line(r, "time", &v);
	if (take != TAKEN)
		return taken_result(take);
	return clock_parse(v.text, v.len, &entry->time) == 0 ? LEDGER_OK : LEDGER_BAD;
}

/* ---- the fields ---- */

static void
field_add(struct ledger_entry *entry, const char *key, const char *value, size_t len)
{
	entry->fields[entry->n_fields++] = (struct ledger_field){key, value, len};
}

/* One or more `text |…` lines, unfolded.  Their number is known only once another line follows. */
static enum take
take_text(struct reader *r, char *unfold, struct ledger_entry *entry)
{
	struct buf b = buf_over(unfold, LEDGER_RECORD_MAX);
	struct value v;
	enum take take;

	while ((take = take_line(r, "text", &v)) == TAKEN) {
		if (v.len == 0 || v.text[0] != '|')
			return REFUSED;
		buf_put(&b, v.text + 1, v.len - 1);
		buf_puts(&b, "\n");
	}
	if (take != ABSENT)
		return take;
	if (b.len == 0 || b.failed)
		return b.failed ? REFUSED : ABSENT;
	field_add(entry, "text", unfold, b.len);
	return TAKEN;
}

static enum ledger_result
read_fields(struct reader *r, char *unfold, struct ledger_entry *entry)
{
	const struct ledger_kind_row *row = &LEDGER_KINDS[entry->kind];

	for (size_t i = 0; row->keys[i] != NULL; i++) {
		bool optional = row->keys[i][0] == '?';
		const char *key = row->keys[i] + (optional ? 1 : 0);
		struct value v;
		enum take take;

		if (strcmp(key, "text") == 0) {
			take = take_text(r, unfold, entry);
		} else {
			take = take_line(r, key, &v);
			if (take == TAKEN)
				field_add(entry, key, v.text, v.len);
		}
		if (take != TAKEN && !(take == ABSENT && optional))
			return taken_result(take);
	}
	return LEDGER_OK;
}

/* ---- the chain ---- */

static enum ledger_result
read_hash(struct reader *r, const char *key, uint8_t ret_hash[HASH_LEN])
{
	struct value v;
	enum take take = take_line(r, key, &v);

	if (take != TAKEN)
		return taken_result(take);
	return hex_decode(v.text, v.len, ret_hash, HASH_LEN) ? LEDGER_OK : LEDGER_BAD;
}

static enum ledger_result
read_tail(struct reader *r, const char *data, struct ledger_entry *entry)
{
	enum ledger_result result = read_hash(r, "previous", entry->previous);
	const char *before_self = r->at;
	uint8_t self[HASH_LEN];

	if (result == LEDGER_OK)
		result = read_hash(r, "self", entry->self);
	if (result != LEDGER_OK)
		return result;
	if (r->at == r->end)
		return LEDGER_PARTIAL;
	if (*r->at++ != '\n')
		return LEDGER_BAD;
	hash_sha256(data, (size_t)(before_self - data), self);
	return memcmp(self, entry->self, HASH_LEN) == 0 ? LEDGER_OK : LEDGER_BAD_HASH;
}

enum ledger_result
ledger_decode(
    const char *data, size_t len, char *unfold, struct ledger_entry *ret_entry, size_t *ret_used)
{
	struct reader r = {.at = data, .end = data + len};
	struct ledger_entry entry = {0};
	enum ledger_result result = read_head(&r, &entry);

	if (result == LEDGER_OK)
		result = read_fields(&r, unfold, &entry);
	if (result == LEDGER_OK)
		result = read_tail(&r, data, &entry);
	if (result != LEDGER_OK)
		return result;
	*ret_entry = entry;
	*ret_used = (size_t)(r.at - data);
	return LEDGER_OK;
}
