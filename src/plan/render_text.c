/* SPDX-License-Identifier: Apache-2.0 */
/* Wrapping: every word of a text comes out, in order, on lines of at most RENDER_WIDTH columns. */
#include "render_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INDENT (RENDER_LABEL_MAX + 2)
#define ROOM (RENDER_WIDTH - INDENT)
#define OURS_MAX 512

/* How much of the text goes on a line: up to the last space that fits, or all of it, or a hard cut in a long word. */
static size_t
line_len(const char *text, size_t len, size_t room)
{
	if (len <= room)
		return len;
	for (size_t n = room; n > room / 2; n--)
		if (text[n - 1] == ' ')
			return n;
	return room;
}

static void
put_lines(struct buf *b, const char *label, const char *mark, const char *text, size_t len)
{
	size_t room = ROOM - strlen(mark);

	do {
		size_t n = line_len(text, len, room);

		buf_printf(b, " %-*s ", RENDER_LABEL_MAX, label);
		buf_puts(b, mark);
		/* Of our own words the space at a break goes; of others' words nothing does. */
		buf_put(b, text, mark[0] == 0 && n < len && text[n - 1] == ' ' ? n - 1 : n);
		buf_puts(b, "\n");
		text += n;
		len -= n;
		label = "";
	} while (len > 0);
}

void
put_said(struct buf *b, const char *label, const char *text)
{
	put_lines(b, label, "", text, strlen(text));
}

void
put_saidf(struct buf *b, const char *label, const char *format, ...)
{
	char text[OURS_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		b->failed = true;
	else
		put_said(b, label, text);
}

void
put_block(struct buf *b, const char *label, const char *text)
{
	put_lines(b, label, "| ", text, strlen(text));
}

void
put_quoted(struct buf *b, const char *label, const char *whose, const char *text)
{
	char line[ROOM + 1];
	struct buf one = buf_over(line, sizeof(line));

	buf_printf(&one, "%s \"", whose);
	for (const char *c = text; *c != 0; c++) {
		if (*c == '"')
			buf_puts(&one, "\\");
		buf_put(&one, c, 1);
	}
	buf_puts(&one, "\"");
	if (buf_put_c(&one)) {
		put_said(b, label, line);
		return;
	}
	put_said(b, label, whose);
	put_block(b, "", text);
}
