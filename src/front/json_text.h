/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings that the strict layer has passed, as characters: to compare, hash and judge without copying. */
#ifndef FRONT_JSON_TEXT_H
#define FRONT_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Four hex digits of either case. */
bool json_hex4(const char *text, uint32_t *ret_unit);

/* Texts without their quotes: "a" and "\u0061" are equal and have one hash. */
bool json_text_equal(const char *a, size_t a_len, const char *b, size_t b_len);
uint32_t json_text_hash(const char *text, size_t len);

#endif
