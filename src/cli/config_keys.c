/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of config.json against their tables: known keys, types, ranges; the nearest name to an unknown one. */
#include "config_keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/vis.h>

bool
fail(struct parse *p, struct jt_place at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args);
	va_end(args);
	p->error->at = at;
	return false;
}

struct shown
shown(const char *text)
{
	struct shown s;

	if (!vis(s.text, sizeof(s.text) - 2, text, strlen(text)))
		memcpy(s.text + strlen(s.text), "..", 3);
	return s;
}

/* ---- objects: known keys, the nearest to an unknown one ---- */

/* Levenshtein distance, for short words. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[40], n = (unsigned)strlen(b);

	if (strlen(a) >= 39 || n >= 39)
		return 99;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 0; a[i]; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (unsigned j = 0; j < n; j++) {
			unsigned above = row[j + 1], best = diagonal + (a[i] != b[j]);

			best = above + 1 < best ? above + 1 : best;
			best = row[j] + 1 < best ? row[j] + 1 : best;
			diagonal = above;
			row[j + 1] = best;
		}
	}
	return row[n];
}

static bool
unknown_key(struct parse *p, const struct key_row *rows, size_t n, const struct jt_node *member)
{
	char allowed[JTREE_ERROR_MAX / 2] = "";
	struct buf b = buf_over(allowed, sizeof(allowed) - 1);
	const char *nearest = NULL;
	unsigned best = 4;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(member->key, rows[i].name);

		(void)buf_printf(&b, "%s%s", i ? ", " : "", rows[i].name);
		if (d < best) {
			best = d;
			nearest = rows[i].name;
		}
	}
	if (nearest)
		return fail(p, member->key_at,
		    "unknown key \"%s\": did you mean \"%s\"? allowed here: %s",
		    shown(member->key).text, nearest, allowed);
	return fail(p, member->key_at, "unknown key \"%s\"; allowed here: %s",
	    shown(member->key).text, allowed);
}

bool
want_type(struct parse *p, const struct jt_node *v, enum jt_type type)
{
	return v->type == type || fail(p, v->at, "expected %s here, not %s", jt_type_name(type),
				      jt_type_name(v->type));
}

/* Where we are, for programs that read --json. */
size_t
field_push(struct parse *p, const char *name)
{
	size_t len = strlen(p->error->field);

	snprintf(p->error->field + len, sizeof(p->error->field) - len, "%s%s", len ? "." : "",
	    shown(name).text);
	return len;
}

/* On success the name goes again; after an error it stays. */
bool
field_pop(struct parse *p, size_t len, bool ok)
{
	if (ok)
		p->error->field[len] = 0;
	return ok;
}

bool
member_take(
    struct parse *p, const struct key_row *rows, size_t n, const struct jt_node *m, void *into)
{
	const struct key_row *row = NULL;
	size_t len = field_push(p, m->key);

	for (size_t i = 0; i < n && !row; i++)
		if (strcmp(rows[i].name, m->key) == 0)
			row = &rows[i];
	if (!row)
		return unknown_key(p, rows, n, m);
	return want_type(p, m, row->type) && field_pop(p, len, row->take(p, row, m, into));
}

bool
object_take(
    struct parse *p, const struct key_row *rows, size_t n, const struct jt_node *object, void *into)
{
	for (const struct jt_node *m = object->first; m; m = m->next)
		if (!member_take(p, rows, n, m, into))
			return false;
	return true;
}

/* ---- plain values ---- */

bool
take_bool(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)p;
	*(bool *)((char *)into + row->offset) = v->truth;
	return true;
}

static bool
number_ok(struct parse *p, const struct key_row *row, const struct jt_node *v)
{
	if (v->whole && v->number >= row->min && v->number <= row->max)
		return true;
	return fail(p, v->at, "allowed here: a whole number from %lld to %lld (%s)",
	    (long long)row->min, (long long)row->max, row->unit);
}

bool
take_u32(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	uint32_t number = (uint32_t)v->number;

	if (!number_ok(p, row, v))
		return false;
	memcpy((char *)into + row->offset, &number, sizeof(number));
	return true;
}

bool
take_u8(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	if (!number_ok(p, row, v))
		return false;
	((uint8_t *)into)[row->offset] = (uint8_t)v->number;
	return true;
}

bool
take_u16(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	uint16_t number = (uint16_t)v->number;

	if (!number_ok(p, row, v))
		return false;
	memcpy((char *)into + row->offset, &number, sizeof(number));
	return true;
}
