/* SPDX-License-Identifier: Apache-2.0 */
/* out.def as writers, and as rows from which the output schemas are made. */
#include "out.h"

#include <sgwarden/address.h>
#include <sgwarden/errors.h>
#include <sgwarden/plan.h>
#include <sgwarden/record.h>

/* ---- writers ---- */

#define OBJECT(name, type)                                                                         \
	void out_##name(struct jw *w, const type *v)                                               \
	{                                                                                          \
		jw_open(w, '{');
#define END(name)                                                                                  \
	jw_close(w, '}');                                                                          \
	}
#define KEY(name) jw_name(w, ",\"" #name "\":", sizeof(",\"" #name "\":") - 1)
#define TEXT(name, text) (KEY(name), jw_text(w, (text)));
#define WORDS(name, text) (KEY(name), jw_vis(w, (text)));
#define INT(name, value) (KEY(name), jw_int(w, (int64_t)(value)));
#define BOOL(name, value) (KEY(name), jw_bool(w, (value)));
#define HEX(name, bytes) (KEY(name), jw_hex(w, (bytes), sizeof(bytes)));
#define NAMED(name, word) (KEY(name), jw_text(w, (word)));
#define CALL(name, schema, call) (KEY(name), (call));
#define MAYBE_TEXT(name, text)                                                                     \
	if ((text)[0] != 0)                                                                        \
		(KEY(name), jw_text(w, (text)));
#define MAYBE_INT(name, value)                                                                     \
	if ((value) != 0)                                                                          \
		(KEY(name), jw_int(w, (int64_t)(value)));
#define MAYBE_TIME(name, when)                                                                     \
	if ((when) != 0) {                                                                         \
		KEY(name);                                                                         \
		show_time(w, (when));                                                              \
	}
#define IF_HEX(name, condition, bytes)                                                             \
	if (condition) {                                                                           \
		KEY(name);                                                                         \
		jw_hex(w, (bytes), sizeof(bytes));                                                 \
	}
#define IF_INT(name, condition, value)                                                             \
	if (condition)                                                                             \
		(KEY(name), jw_int(w, (int64_t)(value)));
#define MAYBE_ONE(name, condition, object, value)                                                  \
	if (condition) {                                                                           \
		KEY(name);                                                                         \
		out_##object(w, (value));                                                          \
	}
#define LIST(name, object, array, count)                                                           \
	KEY(name);                                                                                 \
	jw_open(w, '[');                                                                           \
	for (size_t i = 0; i < (count); i++)                                                       \
		out_##object(w, &(array)[i]);                                                      \
	jw_close(w, ']');
#define NAMES(name, array, member, count)                                                          \
	KEY(name);                                                                                 \
	jw_open(w, '[');                                                                           \
	for (size_t i = 0; i < (count); i++)                                                       \
		jw_text(w, (array)[i].member);                                                     \
	jw_close(w, ']');
#define PARTS(name, object, items)                                                                 \
	KEY(name);                                                                                 \
	jw_open(w, '[');                                                                           \
	buf_put(w->b, (items)->data, (items)->len);                                                \
	jw_close(w, ']');
#include "out.def"
#include "out_undef.h"

/* ---- rows ---- */

#define OBJECT(name, type) static const struct out_row ROWS_##name[] = {
#define END(name)                                                                                  \
	{                                                                                          \
		NULL                                                                               \
	}                                                                                          \
	}                                                                                          \
	;                                                                                          \
	const struct out_object OUT_##name = {ROWS_##name};
#define TEXT(name, v1) {#name, OUT_TYPE_TEXT, true, NULL},
#define WORDS(name, v1) {#name, OUT_TYPE_TEXT, true, NULL},
#define INT(name, v1) {#name, OUT_TYPE_INT, true, NULL},
#define BOOL(name, v1) {#name, OUT_TYPE_BOOL, true, NULL},
#define HEX(name, v1) {#name, OUT_TYPE_TEXT, true, NULL},
#define NAMED(name, v1) {#name, OUT_TYPE_TEXT, true, NULL},
#define CALL(name, type, v2) {#name, OUT_TYPE_##type, true, NULL},
#define MAYBE_TEXT(name, v1) {#name, OUT_TYPE_TEXT, false, NULL},
#define MAYBE_INT(name, v1) {#name, OUT_TYPE_INT, false, NULL},
#define MAYBE_TIME(name, v1) {#name, OUT_TYPE_TEXT, false, NULL},
#define IF_INT(name, v1, v2) {#name, OUT_TYPE_INT, false, NULL},
#define IF_HEX(name, v1, v2) {#name, OUT_TYPE_TEXT, false, NULL},
#define MAYBE_ONE(name, v1, object, v3) {#name, OUT_TYPE_OBJECT, false, &OUT_##object},
#define LIST(name, object, v2, v3) {#name, OUT_TYPE_OBJECTS, true, &OUT_##object},
#define NAMES(name, v1, v2, v3) {#name, OUT_TYPE_TEXTS, true, NULL},
#define PARTS(name, object, v2) {#name, OUT_TYPE_OBJECTS, true, &OUT_##object},
#include "out.def"
#include "out_undef.h"

/* ---- schemas ---- */

static void describe_object(struct jw *w, const struct out_object *object);

static void
describe_row(struct jw *w, const struct out_row *row)
{
	static const char *const names[] = {
	    [OUT_TYPE_TEXT] = "string",
	    [OUT_TYPE_INT] = "integer",
	    [OUT_TYPE_BOOL] = "boolean",
	    [OUT_TYPE_TEXTS] = "array",
	    [OUT_TYPE_OBJECTS] = "array",
	};

	jw_key(w, row->name);
	if (row->type == OUT_TYPE_OBJECT) {
		describe_object(w, row->of);
		return;
	}
	jw_open(w, '{');
	jw_key_text(w, "type", names[row->type]);
	if (row->type == OUT_TYPE_TEXTS) {
		jw_key(w, "items");
		jw_open(w, '{');
		jw_key_text(w, "type", "string");
		jw_close(w, '}');
	} else if (row->type == OUT_TYPE_OBJECTS) {
		jw_key(w, "items");
		describe_object(w, row->of);
	}
	jw_close(w, '}');
}

static void
describe_object(struct jw *w, const struct out_object *object)
{
	jw_open(w, '{');
	jw_key_text(w, "type", "object");
	jw_key(w, "properties");
	jw_open(w, '{');
	for (const struct out_row *row = object->rows; row->name != NULL; row++)
		describe_row(w, row);
	jw_close(w, '}');
	jw_key(w, "required");
	jw_open(w, '[');
	for (const struct out_row *row = object->rows; row->name != NULL; row++)
		if (row->required)
			jw_text(w, row->name);
	jw_close(w, ']');
	jw_key_bool(w, "additionalProperties", false);
	jw_close(w, '}');
}

/* The envelope's fixed members; results.c writes them. */
static const char ENVELOPE[] = "\"request_id\":{\"type\":\"string\"},"
			       "\"profile\":{\"type\":\"string\"},"
			       "\"account_id\":{\"type\":\"string\"},"
			       "\"region\":{\"type\":\"string\"},"
			       "\"warnings\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
			       "\"error\":{\"type\":\"object\",\"properties\":{"
			       "\"code\":{\"type\":\"string\"},"
			       "\"message\":{\"type\":\"string\"},"
			       "\"field\":{\"type\":\"string\"},"
			       "\"retryable\":{\"type\":\"boolean\"},"
			       "\"next_step\":{\"type\":\"string\"}},"
			       "\"required\":[\"code\",\"message\",\"retryable\",\"next_step\"],"
			       "\"additionalProperties\":false},"
			       "\"data\":";

void
out_describe_result(struct jw *w, const struct out_object *data)
{
	jw_open(w, '{');
	jw_key_text(w, "type", "object");
	jw_key(w, "properties");
	jw_open(w, '{');
	jw_key(w, "status");
	jw_open(w, '{');
	jw_key_text(w, "type", "string");
	jw_key(w, "enum");
	jw_open(w, '[');
	for (unsigned s = 0; s < STATUS_MAX; s++)
		jw_text(w, status_name((enum status)s));
	jw_close(w, ']');
	jw_close(w, '}');
	buf_put_u8(w->b, ',');
	buf_puts(w->b, ENVELOPE);
	w->comma = false;
	describe_object(w, data);
	jw_close(w, '}');
	jw_key(w, "required");
	jw_open(w, '[');
	jw_text(w, "status");
	jw_text(w, "request_id");
	jw_text(w, "warnings");
	jw_close(w, ']');
	jw_key_bool(w, "additionalProperties", false);
	jw_close(w, '}');
}
