/* SPDX-License-Identifier: Apache-2.0 */
/* tools.def as a table; a tool as tools/list shows it. */
#include "tools.h"

#include <string.h>

#define TOOL(name, audience, title, hints, kind, ANSWER, data, description)                        \
	static const struct arg_use USES_##name[] = {
#define NEEDS(arg) {ARG_##arg, true},
#define TAKES(arg) {ARG_##arg, false},
#define TOOL_END                                                                                   \
	{                                                                                          \
		ARG_MAX, false                                                                     \
	}                                                                                          \
	}                                                                                          \
	;
#include "tools.def"
#undef TOOL
#undef TOOL_END
#undef NEEDS
#undef TAKES

/* read_only, destructive, idempotent, open_world */
#define READS                                                                                      \
	{                                                                                          \
		true, false, true, true                                                            \
	}
#define ADDS                                                                                       \
	{                                                                                          \
		false, false, true, true                                                           \
	}
#define REMOVES                                                                                    \
	{                                                                                          \
		false, true, true, true                                                            \
	}
#define WITHDRAWS                                                                                  \
	{                                                                                          \
		false, false, true, false                                                          \
	}
#define ENROLLS                                                                                    \
	{                                                                                          \
		false, false, false, false                                                         \
	}
#define READ false
#define CHANGE true
#define TOOL(name, audience, title, hints, kind, ANSWER, data, description)                        \
	{#name, title, description, AUDIENCE_##audience, hints, kind, MSG_##ANSWER, &OUT_##data,   \
	    USES_##name, ask_##name},
#define TOOL_END
#define NEEDS(arg)
#define TAKES(arg)
const struct tool TOOLS[] = {
#include "tools.def"
};
#undef TOOL
#undef TOOL_END
#undef NEEDS
#undef TAKES
const size_t TOOLS_LEN = sizeof(TOOLS) / sizeof(TOOLS[0]);

/* Names that are understood but not listed. */
static const struct {
	const char *alias;
	const char *name;
} ALIASES[] = {
    {"whitelist", "whitelist_add"},
    {"whitelist_list", "list_rules"},
    {"whitelist_check", "check_access"},
};

const struct tool *
tool_find(const char *name, bool admin)
{
	for (size_t i = 0; i < sizeof(ALIASES) / sizeof(ALIASES[0]); i++)
		if (strcmp(ALIASES[i].alias, name) == 0)
			name = ALIASES[i].name;
	for (size_t i = 0; i < TOOLS_LEN; i++)
		if (tool_visible(&TOOLS[i], admin) && strcmp(TOOLS[i].name, name) == 0)
			return &TOOLS[i];
	return NULL;
}

/* ---- schemas ---- */

static void describe_uses(struct jw *w, const struct arg_use *uses);

static void
describe_arg(struct jw *w, const struct arg_row *row)
{
	jw_key(w, row->name);
	jw_open(w, '{');
	jw_key_text(w, "description", row->description);
	if (row->members != NULL && row->decode != NULL) {
		jw_key_text(w, "type", "array");
		jw_key_int(w, "minItems", 1);
		jw_key_int(w, "maxItems", SGW_OPS_MAX);
		jw_key(w, "items");
		jw_open(w, '{');
		describe_uses(w, row->members);
		jw_close(w, '}');
	} else if (row->members != NULL)
		describe_uses(w, row->members);
	else
		jw_raw(w, row->schema, strlen(row->schema));
	jw_close(w, '}');
}

/* The members of an object's schema. */
static void
describe_uses(struct jw *w, const struct arg_use *uses)
{
	bool required = false;

	jw_key_text(w, "type", "object");
	jw_key(w, "properties");
	jw_open(w, '{');
	for (const struct arg_use *u = uses; u->id != ARG_MAX; u++) {
		describe_arg(w, &ARGS[u->id]);
		required = required || u->required;
	}
	jw_close(w, '}');
	if (required) {
		jw_key(w, "required");
		jw_open(w, '[');
		for (const struct arg_use *u = uses; u->id != ARG_MAX; u++)
			if (u->required)
				jw_text(w, ARGS[u->id].name);
		jw_close(w, ']');
	}
	jw_key_bool(w, "additionalProperties", false);
}

void
tool_describe(struct jw *w, const struct tool *t)
{
	jw_open(w, '{');
	jw_key_text(w, "name", t->name);
	jw_key_text(w, "title", t->title);
	jw_key_text(w, "description", t->description);
	jw_key(w, "inputSchema");
	jw_open(w, '{');
	describe_uses(w, t->uses);
	jw_close(w, '}');
	jw_key(w, "outputSchema");
	out_describe_result(w, t->data);
	jw_key(w, "annotations");
	jw_open(w, '{');
	jw_key_text(w, "title", t->title);
	jw_key_bool(w, "readOnlyHint", t->hints.read_only);
	jw_key_bool(w, "destructiveHint", t->hints.destructive);
	jw_key_bool(w, "idempotentHint", t->hints.idempotent);
	jw_key_bool(w, "openWorldHint", t->hints.open_world);
	jw_close(w, '}');
	jw_close(w, '}');
}
