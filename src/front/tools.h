/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tools, and what is made from it. */
#ifndef FRONT_TOOLS_H
#define FRONT_TOOLS_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/wire.h>

#include "args.h"
#include "json_out.h"
#include "out.h"

/* Whose table a tool stands in. */
enum {
	AUDIENCE_CLIENT = 1u << 0,
	AUDIENCE_ADMIN = 1u << 1,
	AUDIENCE_BOTH = AUDIENCE_CLIENT | AUDIENCE_ADMIN,
};

/* MCP's annotations.  All four are always given: their defaults are the worst case. */
struct hints {
	bool read_only;
	bool destructive;
	bool idempotent;
	bool open_world;
};

/* Which part of the planner's list a call shows: from its page at `cursor`, without the first `skip` entries. */
struct page {
	uint16_t skip;
	char cursor[SGW_CURSOR_MAX + 1];
};

/* What a question needs besides the arguments. */
struct asker {
	uint32_t request;
	bool progress;
	const char *claimed; /* the client's name as it claims it */
	struct page page;
};

struct tool {
	const char *name;
	const char *title;
	const char *description;
	unsigned audience;
	struct hints hints;
	bool change;
	enum msg_id answer;
	const struct out_object *data; /* shape of `data` in its results */
	const struct arg_use *uses;
	bool (*ask)(
	    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c);
};

extern const struct tool TOOLS[];
extern const size_t TOOLS_LEN;

/* By name or alias, in one audience's table; NULL: no such tool there. */
const struct tool *tool_find(const char *name, bool admin);

static inline bool
tool_visible(const struct tool *t, bool admin)
{
	return (t->audience & (admin ? AUDIENCE_ADMIN : AUDIENCE_CLIENT)) != 0;
}

/* One tool as tools/list shows it. */
void tool_describe(struct jw *w, const struct tool *t);

/* The questions (ask.c). */
#define TOOL(name, audience, title, hints, kind, ANSWER, data, description)                        \
	bool ask_##name(const struct args *a, const struct asker *who, struct msg *ret_m,          \
	    struct complaint *c);
#define TOOL_END
#define NEEDS(arg)
#define TAKES(arg)
#include "tools.def"
#undef TOOL
#undef TOOL_END
#undef NEEDS
#undef TAKES

#endif
