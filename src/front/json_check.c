/* SPDX-License-Identifier: Apache-2.0 */
/* The strict layer's grammar: a recursive descent whose depth is SGW_JSON_DEPTH_MAX at most. */
#include "json_check.h"

#include <string.h>

#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

#include "json_text.h"

struct check {
	const char *text;
	size_t len;
	size_t at;
	size_t values; /* seen so far, all depths */
	size_t n_keys; /* of the objects that are open now */
	unsigned depth;
	enum json_problem problem;
	struct json_scratch *scratch;
	struct json_ids ids;
};

/* Where in the message we are, as far as somebody wants to know. */
enum place {
	PLACE_OTHER,
	PLACE_TOP,
	PLACE_PARAMS,
	PLACE_META,
	PLACE_ID,
	PLACE_REQUEST_ID,
	PLACE_TOKEN,
};

struct place_row {
	enum place in;
	const char *key;
	enum place is;
};

static const struct place_row PLACES[] = {
    {PLACE_TOP, "id", PLACE_ID},
    {PLACE_TOP, "params", PLACE_PARAMS},
    {PLACE_PARAMS, "requestId", PLACE_REQUEST_ID},
    {PLACE_PARAMS, "_meta", PLACE_META},
    {PLACE_META, "progressToken", PLACE_TOKEN},
};

static bool value(struct check *c, enum place place);

static bool
refuse(struct check *c, enum json_problem problem)
{
	c->problem = problem;
	return false;
}

static int
peek(const struct check *c)
{
	return c->at < c->len ? (unsigned char)c->text[c->at] : -1;
}

static bool
take(struct check *c, char what)
{
	if (peek(c) != what)
		return refuse(c, JSON_SYNTAX);
	c->at++;
	return true;
}

static void
blanks(struct check *c)
{
	for (;;) {
		int b = peek(c);

		if (b != ' ' && b != '\t' && b != '\n' && b != '\r')
			return;
		c->at++;
	}
}

static bool
literal(struct check *c, const char *word)
{
	size_t len = strlen(word);

	if (c->len - c->at < len || memcmp(c->text + c->at, word, len) != 0)
		return refuse(c, JSON_SYNTAX);
	c->at += len;
	return true;
}

static size_t
digits(struct check *c)
{
	size_t from = c->at;

	while (peek(c) >= '0' && peek(c) <= '9')
		c->at++;
	return c->at - from;
}

static bool
number(struct check *c)
{
	size_t from = c->at;

	if (peek(c) == '-')
		c->at++;
	if (peek(c) == '0')
		c->at++;
	else if (digits(c) == 0)
		return refuse(c, JSON_SYNTAX);
	if (peek(c) == '.') {
		c->at++;
		if (digits(c) == 0)
			return refuse(c, JSON_SYNTAX);
	}
	if (peek(c) == 'e' || peek(c) == 'E') {
		c->at++;
		if (peek(c) == '+' || peek(c) == '-')
			c->at++;
		if (digits(c) == 0)
			return refuse(c, JSON_SYNTAX);
	}
	return c->at - from <= SGW_JSON_NUMBER_MAX || refuse(c, JSON_NUMBER);
}

static bool
hex4(struct check *c, uint32_t *ret_unit)
{
	c->at += 2; /* the backslash and the u */
	if (c->len - c->at < 4 || !json_hex4(c->text + c->at, ret_unit))
		return refuse(c, JSON_SYNTAX);
	c->at += 4;
	return true;
}

static bool
escape_unicode(struct check *c)
{
	uint32_t unit, low;

	if (!hex4(c, &unit))
		return false;
	if (unit == 0)
		return refuse(c, JSON_NUL);
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit > 0xdbff || c->len - c->at < 2 || memcmp(c->text + c->at, "\\u", 2) != 0)
		return refuse(c, JSON_SURROGATE);
	if (!hex4(c, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return refuse(c, JSON_SURROGATE);
	return true;
}

static bool
escape(struct check *c)
{
	int what = c->at + 1 < c->len ? c->text[c->at + 1] : 0;

	if (what == 'u')
		return escape_unicode(c);
	if (what == 0 || strchr("\"\\/bfnrt", what) == NULL)
		return refuse(c, JSON_SYNTAX);
	c->at += 2;
	return true;
}

static bool
string(struct check *c)
{
	if (!take(c, '"'))
		return false;
	for (;;) {
		int b = peek(c);

		if (b < 0)
			return refuse(c, JSON_SYNTAX);
		if (b < 0x20)
			return refuse(c, JSON_CONTROL);
		if (b == '\\') {
			if (!escape(c))
				return false;
			continue;
		}
		c->at++;
		if (b == '"')
			return true;
	}
}

/* Remembers a member's name; the names of one open object stand together at the end of the list. */
static bool
key_new(struct check *c, size_t first, struct json_slice key)
{
	struct json_key *keys = c->scratch->keys;
	uint32_t hash = json_text_hash(key.at, key.len);

	if (c->n_keys >= SGW_JSON_MEMBERS_MAX)
		return refuse(c, JSON_MEMBERS);
	for (size_t i = first; i < c->n_keys; i++) {
		if (keys[i].hash == hash &&
		    json_text_equal(c->text + keys[i].at, keys[i].len, key.at, key.len))
			return refuse(c, JSON_DUPLICATE);
	}
	keys[c->n_keys++] =
	    (struct json_key){hash, (uint32_t)(key.at - c->text), (uint32_t)key.len};
	return true;
}

static enum place
place_of(enum place in, struct json_slice key)
{
	if (in == PLACE_OTHER)
		return PLACE_OTHER;
	for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
		const struct place_row *row = &PLACES[i];

		if (row->in == in && json_text_equal(row->key, strlen(row->key), key.at, key.len))
			return row->is;
	}
	return PLACE_OTHER;
}

static bool
member(struct check *c, size_t first, enum place place)
{
	struct json_slice key;
	size_t from = c->at;

	if (!string(c))
		return false;
	key = (struct json_slice){c->text + from + 1, c->at - from - 2};
	if (!key_new(c, first, key))
		return false;
	blanks(c);
	if (!take(c, ':'))
		return false;
	return value(c, place_of(place, key));
}

static bool
object(struct check *c, enum place place)
{
	size_t first = c->n_keys;

	c->at++;
	blanks(c);
	if (peek(c) == '}') {
		c->at++;
		return true;
	}
	for (;;) {
		blanks(c);
		if (!member(c, first, place))
			return false;
		if (peek(c) != ',')
			break;
		c->at++;
	}
	c->n_keys = first;
	return take(c, '}');
}

static bool
array(struct check *c)
{
	c->at++;
	blanks(c);
	if (peek(c) == ']') {
		c->at++;
		return true;
	}
	for (;;) {
		if (!value(c, PLACE_OTHER))
			return false;
		if (peek(c) != ',')
			break;
		c->at++;
	}
	return take(c, ']');
}

static bool
nested(struct check *c, enum place place)
{
	bool ok;

	if (c->depth >= SGW_JSON_DEPTH_MAX && !MUTATE(JSON_DEPTH))
		return refuse(c, JSON_DEPTH);
	c->depth++;
	ok = peek(c) == '{' ? object(c, place) : array(c);
	c->depth--;
	return ok;
}

static void
keep(struct check *c, enum place place, size_t from)
{
	struct json_slice slice = {c->text + from, c->at - from};

	if (place == PLACE_ID)
		c->ids.id = slice;
	else if (place == PLACE_REQUEST_ID)
		c->ids.request_id = slice;
	else if (place == PLACE_TOKEN)
		c->ids.progress_token = slice;
}

static bool
value_here(struct check *c, enum place place)
{
	switch (peek(c)) {
	case '{':
	case '[':
		return nested(c, place);
	case '"':
		return string(c);
	case 't':
		return literal(c, "true");
	case 'f':
		return literal(c, "false");
	case 'n':
		return literal(c, "null");
	default:
		return number(c);
	}
}

/* One value and the white space on both sides of it. */
static bool
value(struct check *c, enum place place)
{
	size_t from;

	blanks(c);
	from = c->at;
	if (++c->values > SGW_JSON_MEMBERS_MAX)
		return refuse(c, JSON_MEMBERS);
	if (!value_here(c, place))
		return false;
	keep(c, place, from);
	blanks(c);
	return true;
}

enum json_problem
json_check(const char *text, size_t len, struct json_scratch *scratch, struct json_ids *ret_ids)
{
	struct check c = {.text = text, .len = len, .scratch = scratch};

	if (len > SGW_JSON_LINE_MAX)
		return JSON_LINE;
	if (!text_is_utf8(text, len) && !MUTATE(JSON_UTF8))
		return JSON_UTF8;
	blanks(&c);
	if (c.at == len)
		return JSON_EMPTY;
	if (!value(&c, PLACE_TOP))
		return c.problem;
	if (c.at != len)
		return JSON_SYNTAX;
	*ret_ids = c.ids;
	return JSON_OK;
}
