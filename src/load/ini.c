/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of an AWS profile file; see ini.h. */
#include "ini.h"

#include <string.h>
#include <strings.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

bool
slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

bool
slice_is_nocase(struct slice s, const char *text)
{
	return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct ini
ini_over(const char *data, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct ini ini = {.data = data, .len = len};

	if (len >= 3 && memcmp(data, mark, 3) == 0)
		ini.pos = 3;
	return ini;
}

static struct slice
line_next(struct ini *ini)
{
	struct slice line = {.at = ini->data + ini->pos};
	const char *end = memchr(line.at, '\n', ini->len - ini->pos);

	line.len = end ? (size_t)(end - line.at) : ini->len - ini->pos;
	ini->pos += line.len + (end ? 1 : 0);
	ini->line++;
	return line;
}

static void
item_bad(struct ini_item *item, const char *problem)
{
	item->event = INI_BAD;
	item->problem = problem;
}

/* `[name]`, and behind it at most a comment. */
static void
section(struct ini *ini, struct slice text, struct ini_item *item)
{
	const char *end = memrchr(text.at, ']', text.len);
	struct slice rest;

	/* Whatever follows belongs to no section that we know, unless this header is sound. */
	ini->in_section = true;
	ini->option = (struct slice){0};
	item->header = true;
	if (end == NULL) {
		item_bad(item, "a section header without its closing bracket");
		return;
	}
	item->name = slice_trim((struct slice){text.at + 1, (size_t)(end - text.at) - 1});
	rest = slice_trim((struct slice){end + 1, text.len - (size_t)(end - text.at) - 1});
	if (rest.len > 0 && rest.at[0] != '#' && rest.at[0] != ';')
		item_bad(item, "text behind a section header");
	else if (item->name.len == 0)
		item_bad(item, "a section header without a name");
	else
		item->event = INI_SECTION;
}

static void
option(struct ini *ini, struct slice text, size_t indent, struct ini_item *item)
{
	size_t at = 0;

	while (at < text.len && text.at[at] != '=' && text.at[at] != ':')
		at++;
	if (!ini->in_section) {
		item_bad(item, "text before the first [section]");
		return;
	}
	if (at == text.len) {
		item_bad(item, "neither [section], key = value nor a comment");
		return;
	}
	item->name = slice_trim((struct slice){text.at, at});
	item->value = slice_trim((struct slice){text.at + at + 1, text.len - at - 1});
	if (item->name.len == 0) {
		item_bad(item, "a value without a key");
		return;
	}
	item->event = INI_OPTION;
	ini->option = item->name;
	ini->indent = indent;
}

void
ini_next(struct ini *ini, struct ini_item *ret_item)
{
	*ret_item = (struct ini_item){.event = INI_END};
	while (ini->pos < ini->len) {
		struct slice line = line_next(ini);
		struct slice text = slice_trim(line);
		size_t indent = (size_t)(text.at - line.at);

		ret_item->line = ini->line;
		if (memchr(line.at, 0, line.len) != NULL)
			item_bad(ret_item, "a NUL byte");
		else if (line.len > INI_LINE_MAX)
			item_bad(ret_item, "a line longer than 8192 bytes");
		else if (text.len == 0 || text.at[0] == '#' || text.at[0] == ';')
			continue;
		else if (ini->option.at != NULL && indent > ini->indent) {
			ret_item->event = INI_CONTINUED;
			ret_item->name = ini->option;
		} else if (text.at[0] == '[')
			section(ini, text, ret_item);
		else
			option(ini, text, indent, ret_item);
		return;
	}
	ret_item->line = ini->line;
}
