/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled paragraphs of at most RENDER_WIDTH columns, nothing cut. */
#ifndef PLAN_RENDER_TEXT_H
#define PLAN_RENDER_TEXT_H

#include <sgwarden/render.h>

#define RENDER_LABEL_MAX 6 /* columns of a label; text begins two further on */

/* Our own words under a label ("" continues the one above). */
void put_said(struct buf *b, const char *label, const char *text);
void put_saidf(struct buf *b, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Somebody else's words.  What fits on one line stands in quotes, a quote inside as \"; longer text becomes a block
 * whose every line begins with '|' under the label, so that no part of it can pass for a line of ours.
 * `whose` says whose words they are, and stands before them.
 */
void put_quoted(struct buf *b, const char *label, const char *whose, const char *text);

/* Always such a block, beginning beside the label. */
void put_block(struct buf *b, const char *label, const char *text);

#endif
