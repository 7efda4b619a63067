/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rendering: what the person reads, made from the record alone; one template, no locale.  Lines of at most 78
 * printable ASCII characters, never cut (long values wrap under their label), separated by line feeds.
 */
#ifndef SGWARDEN_RENDER_H
#define SGWARDEN_RENDER_H

#include <sgwarden/record.h>

#define RENDER_WIDTH 78

/* False only where `b` is too small: SGW_RENDER_MAX always suffices. */
bool render_record(const struct record *record, struct buf *b);

/* SHA-256 of the rendering; it stands in the record. */
void render_digest(const struct record *record, uint8_t ret_digest[HASH_LEN]);

#endif
