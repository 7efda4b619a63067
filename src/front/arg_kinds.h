/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of values.  Each getter writes its result and returns true, or complains with `allowed`, which says what is
 * allowed and never repeats the value: it may be a secret that was pasted into the wrong field.
 */
#ifndef FRONT_ARG_KINDS_H
#define FRONT_ARG_KINDS_H

#include "args.h"

#define BAD(c, detail) complain((c), SGW_ERR_BAD_ARGUMENT, (detail))

bool get_text(const cJSON *v, char *ret_text, size_t least, size_t most, const char *allowed,
    struct complaint *c);
bool get_id(const cJSON *v, char *ret_id, size_t most, const char *prefix, bool short_too,
    const char *allowed, struct complaint *c);
/* sgw- and 20 characters of a-z, 2-7: a receipt, a plan. */
bool get_receipt(
    const cJSON *v, char ret_id[SGW_RECEIPT_LEN + 1], const char *allowed, struct complaint *c);
bool get_integer(const cJSON *v, unsigned least, unsigned most, unsigned *ret_v,
    const char *allowed, struct complaint *c);
bool get_bool(const cJSON *v, bool *ret_v, struct complaint *c);
bool get_port(const cJSON *v, uint16_t *ret_port, struct complaint *c);

struct word {
	const char *text;
	int value;
};

bool get_word(const cJSON *v, const struct word *words, int *ret_value, const char *allowed,
    struct complaint *c);

#endif
