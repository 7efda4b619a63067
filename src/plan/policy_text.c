/* SPDX-License-Identifier: Apache-2.0 */
/* Policies in words: spans of time, scopes, and changes cut into lines. */
#include <stdio.h>
#include <string.h>

#include <sgwarden/policy_diff.h>

void
policy_span_text(uint32_t seconds, char ret_text[24])
{
	static const struct {
		uint32_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (seconds % units[i].seconds == 0) {
			(void)snprintf(ret_text, 24, "%u %s",
			    (unsigned)(seconds / units[i].seconds), units[i].name);
			return;
		}
}

static void
part(struct buf *b, const char *name, const char *value)
{
	if (value[0] != 0)
		(void)buf_printf(b, "%s%s %s", b->len ? ", " : "", name, value);
}

void
policy_scope_text(const struct rec_scope *scope, char ret_text[POLICY_CHANGE_TEXT_MAX - 64])
{
	struct buf b = buf_over(ret_text, POLICY_CHANGE_TEXT_MAX - 64);
	char ports[48];

	part(&b, "profile", scope->profile);
	part(&b, "account", scope->account);
	part(&b, "region", scope->region);
	part(&b, "group", scope->group_id);
	part(&b, "tag", scope->tag_key);
	if (scope->tag_key[0] != 0)
		(void)buf_printf(&b, "=%s", scope->tag_value);
	if (b.len == 0)
		(void)buf_printf(&b, "anywhere");
	for (size_t i = 0; i < scope->n_ports; i++) {
		const struct rec_service *s = &scope->ports[i];

		op_ports_text(s->protocol, s->from_port, s->to_port, ports, sizeof(ports));
		(void)buf_printf(&b, "%s%s", i == 0 ? ": " : ", ", ports);
	}
	if (scope->n_ports == 0)
		(void)buf_printf(&b, ": all ports");
	(void)buf_put_c(&b);
}

/* ---- lines ---- */

static const struct {
	const char *first, *rest;
} MARKS[] = {
    [POLICY_WIDER] = {"+ NOW ALSO ALLOWED: ", "+   "},
    [POLICY_NARROWER] = {"- no longer allowed: ", "-   "},
    [POLICY_RESTATED] = {"= as before: ", "=   "},
    [POLICY_NAMED] = {"* a name: ", "*   "},
};

/* How much of the text goes on a line: to the last blank that fits, or all that fits of a word without end. */
static size_t
room_for(const char *text, size_t room)
{
	size_t n = strlen(text);

	if (n <= room)
		return n;
	for (n = room; n > 0 && text[n] != ' ';)
		n--;
	return n > 0 ? n : room;
}

bool
policy_change_line(
    const struct policy_change *change, size_t *at, char ret_line[POLICY_LINE_MAX + 1])
{
	const char *mark = *at == 0 ? MARKS[change->kind].first : MARKS[change->kind].rest;
	const char *text = change->text + *at;
	size_t n;

	if (*text == 0)
		return false;
	n = room_for(text, POLICY_LINE_MAX - strlen(mark));
	(void)snprintf(ret_line, POLICY_LINE_MAX + 1, "%s%.*s", mark, (int)n, text);
	*at += n;
	*at += change->text[*at] == ' ';
	return true;
}
