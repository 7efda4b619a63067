/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted text to printable ASCII.  0x20-0x7e stay (the backslash is doubled); a valid UTF-8 sequence beyond
 * ASCII becomes \u{HEX}; every other byte, controls included, becomes \xHH.  The mapping is one to one, so two texts
 * that differ look different.
 */
#ifndef SGWARDEN_VIS_H
#define SGWARDEN_VIS_H

#include <stdbool.h>
#include <stddef.h>

#define VIS_MAX(len) (4 * (len) + 1) /* the room the worst case needs, NUL included */

/* Writes at most cap - 1 bytes and a NUL; never cuts an escape in half.  Returns false where something was cut. */
bool vis(char *ret_out, size_t cap, const char *text, size_t len);

bool text_is_ascii(const char *text, size_t len); /* only 0x20-0x7e */
bool text_is_utf8(const char *text, size_t len);  /* well-formed (Unicode 15, table 3-7), no NUL */

#endif
