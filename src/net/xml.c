/* SPDX-License-Identifier: Apache-2.0 */
/* expat underneath: bounds, and which row each element is. */
#include "answer.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <sgwarden/mutate.h>

void
answer_fail(struct answer *a, const char *why, const char *where)
{
	if (a->why != NULL)
		return;
	a->why = why;
	a->where = where;
	if (a->parser != NULL)
		(void)XML_StopParser(a->parser, XML_FALSE);
}

/* Without its namespace prefix. */
static const char *
local_name(const char *name, size_t *ret_len)
{
	const char *end = strchrnul(name, ':');

	while (*end == ':') {
		name = end + 1;
		end = strchrnul(name, ':');
	}
	*ret_len = (size_t)(end - name);
	return name;
}

static uint64_t
row_bit(const struct answer *a, const struct xml_row *row)
{
	return UINT64_C(1) << (row - a->shape->rows);
}

/* Does the repeating element that ends here have each row right below it that it must have? */
static bool
seen_all(struct answer *a)
{
	for (uint64_t left = a->under[a->depth] & ~a->seen; left != 0; left &= left - 1) {
		const struct xml_row *row = &a->shape->rows[__builtin_ctzll(left)];

		if (!row->required || strchr(row->path + a->part_at[a->depth], '/') != NULL)
			continue;
		answer_fail(a, "an element is missing", row->path);
		return false;
	}
	return true;
}

/* Which rows can be meant by a name at all: few of them share a length and a first letter. */
static uint64_t *
rows_named(struct answer *a, const char *name, size_t len)
{
	return &a->named[(len + 5 * (unsigned char)name[0]) % XML_NAMED];
}

static void
shape_set(struct answer *a, const struct xml_shape *shape)
{
	a->shape = shape;
	for (size_t i = 0; i < shape->n_rows; i++) {
		const char *part = shape->rows[i].path, *end;

		for (;; part = end + 1) {
			end = strchrnul(part, '/');
			*rows_named(a, part, (size_t)(end - part)) |= UINT64_C(1) << i;
			if (*end == 0)
				break;
		}
	}
	a->under[a->depth] = ~UINT64_C(0) >> (64 - shape->n_rows);
}

static void
root_start(struct answer *a, const char *name)
{
	for (size_t i = 0; i < XML_SHAPES_LEN; i++) {
		const struct xml_shape *shape = &XML_SHAPES[i];

		if ((shape->ops & (1u << a->op)) && strcmp(shape->root, name) == 0) {
			shape_set(a, shape);
			return;
		}
	}
	answer_fail(a, "it is no answer to this call", NULL);
}

/* Below the root: of the rows under the element around it, those that are this one and those under it. */
static void
rows_narrow(struct answer *a, const char *name, size_t len)
{
	uint64_t left = a->under[a->depth - 1] & *rows_named(a, name, len), under = 0;
	size_t at = a->part_at[a->depth - 1];

	for (; left != 0; left &= left - 1) {
		const struct xml_row *row = &a->shape->rows[__builtin_ctzll(left)];

		if (row->path_len < at + len || memcmp(row->path + at, name, len) != 0)
			continue;
		if (row->path_len == at + len)
			a->row[a->depth] = row;
		else if (row->path[at + len] != '/')
			continue;
		under |= left & -left; /* its bit */
	}
	a->under[a->depth] = under;
	a->part_at[a->depth] = at + len + 1;
}

static void
row_start(struct answer *a, const struct xml_row *row)
{
	if (row->set != NULL) {
		if (a->seen & row_bit(a, row))
			answer_fail(a, "an element stands twice", row->path);
		a->seen |= row_bit(a, row);
		return;
	}
	a->seen &= ~a->under[a->depth]; /* an element that repeats starts empty */
	if (row->begin != NULL && !row->begin(a))
		answer_fail(a, "a record cannot begin here", row->path);
}

static void
on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct answer *a = context;
	const struct xml_row *above = a->row[a->depth];
	size_t len;

	if (a->why != NULL)
		return;
	name = local_name(name, &len);
	a->text_run = a->text_len = 0;
	if (a->depth == SGW_XML_DEPTH_MAX) {
		answer_fail(a, "it is nested too deep", NULL);
		return;
	}
	if (above != NULL && above->set != NULL) {
		answer_fail(a, "an element stands inside a value", above->path);
		return;
	}
	if (len == 4 && memcmp(name, "item", 4) == 0 && ++a->items > SGW_XML_ITEMS_MAX) {
		answer_fail(a, "it has too many items", NULL);
		return;
	}
	a->depth++;
	a->row[a->depth] = NULL;
	if (len > XML_NAME_MAX) {
		answer_fail(a, "an element's name is too long", NULL);
		return;
	}
	if (a->depth == 1) {
		root_start(a, name);
		return;
	}
	rows_narrow(a, name, len);
	if (a->row[a->depth] != NULL)
		row_start(a, a->row[a->depth]);
}

static void
row_finish(struct answer *a, const struct xml_row *row)
{
	if (row->set != NULL) {
		a->text[a->text_len] = 0;
		if (!row->set(a, row, a->text, a->text_len))
			answer_fail(a, "a value does not fit", row->path);
		return;
	}
	if (seen_all(a) && row->end != NULL && !row->end(a))
		answer_fail(a, "a record does not fit", row->path);
}

static void
on_end(void *context, const XML_Char *name)
{
	struct answer *a = context;

	if (a->why != NULL)
		return;
	if (a->row[a->depth] != NULL)
		row_finish(a, a->row[a->depth]);
	a->depth--;
	a->text_run = a->text_len = 0;
}

static void
on_text(void *context, const XML_Char *text, int len)
{
	struct answer *a = context;
	const struct xml_row *row = a->row[a->depth];
	size_t n = (size_t)len;

	if (a->why != NULL)
		return;
	a->text_run += n;
	if (a->text_run > SGW_XML_TEXT_MAX && (row == NULL || !row->cut)) {
		answer_fail(a, "a text is too long", row != NULL ? row->path : NULL);
		return;
	}
	if (row == NULL || row->set == NULL)
		return;
	if (n > SGW_XML_TEXT_MAX - a->text_len)
		n = SGW_XML_TEXT_MAX - a->text_len;
	memcpy(a->text + a->text_len, text, n);
	a->text_len += n;
}

/* Before any entity is declared, let alone expanded. */
static void
on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
    const XML_Char *public_id, int has_internal_subset)
{
	answer_fail(context, "it has a DOCTYPE", NULL);
}

static void
on_declaration(void *context, const XML_Char *version, const XML_Char *encoding, int standalone)
{
	if (encoding != NULL && strcasecmp(encoding, "UTF-8") != 0)
		answer_fail(context, "its encoding is not UTF-8", NULL);
}

bool
answer_open(struct answer *a, enum aws_op op, uint32_t request, unsigned long salt,
    const struct answer_sink *sink)
{
	/* the page is written before it is read: its id says what is in it */
	memset(a, 0, offsetof(struct answer, page));
	a->page.id = (enum msg_id)0;
	a->op = op;
	a->request = request;
	a->sink = sink;
	a->parser = XML_ParserCreate("UTF-8");
	if (a->parser == NULL)
		return false;
	(void)XML_SetHashSalt(a->parser, salt != 0 ? salt : 1); /* 0 would mean: none given */
	XML_SetUserData(a->parser, a);
	XML_SetElementHandler(a->parser, on_start, on_end);
	XML_SetCharacterDataHandler(a->parser, on_text);
	XML_SetStartDoctypeDeclHandler(a->parser, on_doctype);
	XML_SetXmlDeclHandler(a->parser, on_declaration);
	return true;
}

static bool
parse(struct answer *a, const char *data, size_t len, int final)
{
	if (a->why == NULL && XML_Parse(a->parser, data, (int)len, final) != XML_STATUS_OK &&
	    a->why == NULL)
		answer_fail(a, XML_ErrorString(XML_GetErrorCode(a->parser)), NULL);
	return a->why == NULL;
}

/* Bytes of a tag or comment whose end has not come yet: where no event was, or is looked for, none. */
static size_t
unfinished(const struct answer *a)
{
	XML_Index at = XML_GetCurrentByteIndex(a->parser);

	return at < 0 ? 0 : a->bytes - (size_t)at;
}

bool
answer_feed(struct answer *a, const char *data, size_t len)
{
	if (len > SGW_ANSWER_MAX - a->bytes)
		answer_fail(a, "it is too large", NULL);
	else if (memchr(data, 0, len) != NULL) /* expat would find out that this is UTF-16 */
		answer_fail(a, "its encoding is not UTF-8", NULL);
	else {
		a->bytes += len;
		if (parse(a, data, len, XML_FALSE) && unfinished(a) > XML_TOKEN_MAX &&
		    !MUTATE(ANSWER_TOKEN))
			answer_fail(a, "a tag or comment of it is too large", NULL);
	}
	return a->why == NULL;
}

bool
answer_finish(struct answer *a)
{
	if (!parse(a, "", 0, XML_TRUE))
		return false;
	if (a->shape->finish != NULL && !a->shape->finish(a))
		answer_fail(a, "it is not whole", a->shape->root);
	return a->why == NULL && page_flush(a);
}

void
answer_close(struct answer *a)
{
	if (a->parser != NULL)
		XML_ParserFree(a->parser);
	a->parser = NULL;
}
