/* SPDX-License-Identifier: Apache-2.0 */
/* See page.h. */
#include "page.h"

#include <stdio.h>
#include <string.h>

#define FRAME_ROWS 4 /* the line above; the line below, what may be typed, and the caller's line */

static size_t
line_len(const char *text, size_t len)
{
	const char *feed = memchr(text, '\n', len);

	return feed != NULL ? (size_t)(feed - text) : len;
}

/* How many of the terminal's rows a line takes. */
static unsigned
line_rows(const struct screen *s, size_t len)
{
	return len == 0 ? 1 : (unsigned)((len + s->columns - 1) / s->columns);
}

static size_t
page_end(const struct page *p, const struct screen *s, size_t from)
{
	unsigned frame = FRAME_ROWS + (p->phrase[0] != 0 ? 1u : 0u) +
			 (p->banner[0] != 0 ? line_rows(s, strlen(p->banner) + 1) : 0u);
	unsigned room = s->rows > frame + 1 ? s->rows - frame : 1, used = 0;
	size_t at = from;

	while (at < p->len) {
		size_t n = line_len(p->text + at, p->len - at);

		used += line_rows(s, n);
		/* A page that shows nothing would never end: one line always goes on it. */
		if (used > room && at > from)
			break;
		at += n + 1;
	}
	return at < p->len ? at : p->len;
}

bool
page_several(const struct page *p, const struct screen *s)
{
	return page_end(p, s, 0) < p->len;
}

static void
page_numbers(const struct page *p, const struct screen *s, unsigned *ret_this, unsigned *ret_all)
{
	*ret_this = 1;
	*ret_all = 0;
	for (size_t at = 0; at < p->len; at = page_end(p, s, at)) {
		++*ret_all;
		if (at <= p->from)
			*ret_this = *ret_all;
	}
}

/* "-- title -----": no line of a rendering begins so. */
static void
rule_draw(struct screen *s, const char *title)
{
	size_t width = s->columns - 1 < RENDER_WIDTH ? s->columns - 1 : RENDER_WIDTH,
	       n = strlen(title);

	screen_puts(s, "--");
	if (n > 0) {
		screen_puts(s, " ");
		screen_puts(s, title);
		screen_puts(s, " ");
		n += 2;
	}
	for (size_t at = 2 + n; at < width; at++)
		screen_puts(s, "-");
	screen_feed(s);
}

void
page_draw(struct page *p, struct screen *s, const char *note, const char *may_type)
{
	unsigned number, all;
	char title[64];

	p->to = page_end(p, s, p->from);
	page_numbers(p, s, &number, &all);
	snprintf(title, sizeof(title), "sgwarden consent -- page %u of %u", number, all);
	screen_clear(s);
	rule_draw(s, title);
	if (p->phrase[0] != 0) {
		screen_puts(s, " your phrase: ");
		screen_puts(s, p->phrase);
		screen_feed(s);
	}
	if (p->banner[0] != 0) {
		screen_puts(s, " ");
		screen_puts(s, p->banner);
		screen_feed(s);
	}
	for (size_t at = p->from; at < p->to;) {
		size_t n = line_len(p->text + at, p->len - at);

		screen_text(s, p->text + at, n);
		screen_feed(s);
		at += n + 1;
	}
	rule_draw(s, note);
	screen_puts(s, " ");
	screen_puts(s, may_type);
	screen_feed(s);
}

void
lines_put(struct screen *s, const char *text)
{
	size_t room = s->columns - 2 < RENDER_WIDTH ? s->columns - 2 : RENDER_WIDTH;

	while (*text != 0) {
		size_t n = strlen(text);

		if (n > room) {
			n = room;
			while (n > room / 2 && text[n - 1] != ' ')
				n--;
			n = text[n - 1] == ' ' ? n : room;
		}
		screen_puts(s, " ");
		screen_text(s, text, n);
		screen_feed(s);
		text += n;
	}
}
