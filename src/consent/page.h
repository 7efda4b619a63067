/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record's rendering, page by page, in a frame:
 *
 *   -- sgwarden consent -- page 1 of 2 ----
 *    your phrase: …                             (where there is one)
 *    RECOVERY CODE …                            (where there is or was one)
 *    the rendering's lines, from `from` on, as many as fit
 *   ---- a note ----
 *    what may be typed
 *    [ 97 s] > …                                (the caller's line)
 */
#ifndef CONSENT_PAGE_H
#define CONSENT_PAGE_H

#include <sgwarden/render.h>

#include "screen.h"

struct page {
	const char *text; /* lines, each with its line feed */
	size_t len;
	size_t from; /* where this page begins */
	size_t to;   /* and ends; page_draw() sets it */
	const char *phrase;
	const char *banner;
};

/* Clears the screen and draws the page from `from`; what may be typed stands under it, the cursor on the line below. */
void page_draw(struct page *p, struct screen *s, const char *note, const char *may_type);

static inline bool
page_is_last(const struct page *p)
{
	return p->to == p->len;
}

/* Is there more than one at the terminal's present size? */
bool page_several(const struct page *p, const struct screen *s);

/* Words of ours or of the daemon on as many lines as they need, from the start of a line. */
void lines_put(struct screen *s, const char *text);

#endif
