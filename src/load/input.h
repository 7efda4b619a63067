/* SPDX-License-Identifier: Apache-2.0 */
/* A profile file, whole, in memory for secrets. */
#ifndef LOAD_INPUT_H
#define LOAD_INPUT_H

#include <stddef.h>

#include <sgwarden/secret.h>

#define INPUT_BYTES_MAX (1u << 20)

/*
 * Reads the descriptor to its end.  NULL: ret_secret holds ret_len bytes (0 and no region for an empty file) and is
 * the caller's to free.  Otherwise what went wrong.
 */
const char *input_read(int fd, struct secret *ret_secret, size_t *ret_len);

#endif
