/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of an HTTP answer's head. */
#ifndef SGWARDEN_NET_HEADER_H
#define SGWARDEN_NET_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The trimmed value of a line "Name: value" whose name is this one, in any case. */
bool header_is(
    const char *line, size_t len, const char *name, const char **ret_value, size_t *ret_len);

/* The one form that servers send (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". */
bool http_date_parse(const char *text, size_t len, int64_t *ret_when);

#endif
