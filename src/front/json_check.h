/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict layer before cJSON: one pass over one line that says whether the line is JSON (RFC 8259) that two
 * parsers cannot read in two ways (the restrictions of RFC 7493), within our limits.  It keeps the bytes of the ids as
 * they were written, so that they can be echoed: cJSON would turn a big integer into a double.
 */
#ifndef FRONT_JSON_CHECK_H
#define FRONT_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/limits.h>

enum json_problem {
	JSON_OK,
	JSON_EMPTY,     /* nothing but white space */
	JSON_UTF8,      /* not well-formed UTF-8, or a NUL byte */
	JSON_SYNTAX,    /* anything that RFC 8259's grammar does not have, number forms included */
	JSON_CONTROL,   /* a raw control character inside a string */
	JSON_NUL,       /* \u0000: C programs would see the text end there */
	JSON_SURROGATE, /* half of a surrogate pair */
	JSON_DUPLICATE, /* a member twice in one object */
	JSON_DEPTH,     /* nested deeper than SGW_JSON_DEPTH_MAX */
	JSON_MEMBERS,   /* more values than SGW_JSON_MEMBERS_MAX */
	JSON_NUMBER,    /* a number of more characters than SGW_JSON_NUMBER_MAX */
	JSON_LINE,      /* longer than SGW_JSON_LINE_MAX */
	JSON_PROBLEM_MAX,
};

/* Bytes of the line as they stand there, quotes included; at is NULL where there is no such member. */
struct json_slice {
	const char *at;
	size_t len;
};

/* The values that are echoed or compared as they were written. */
struct json_ids {
	struct json_slice id;             /* .id */
	struct json_slice request_id;     /* .params.requestId */
	struct json_slice progress_token; /* .params._meta.progressToken */
};

struct json_key {
	uint32_t hash;
	uint32_t at;
	uint32_t len;
};

/* Working memory of the check; the caller owns it, its content means nothing between two calls. */
struct json_scratch {
	struct json_key keys[SGW_JSON_MEMBERS_MAX];
};

/* ret_ids is written only on JSON_OK and points into text. */
enum json_problem json_check(
    const char *text, size_t len, struct json_scratch *scratch, struct json_ids *ret_ids);

/* What JSON-RPC calls it (-32700: not JSON; -32600: JSON that is not taken), and a sentence. */
int json_problem_code(enum json_problem problem);
const char *json_problem_text(enum json_problem problem);

/* A string or an integer: the only ids and progress tokens that MCP has. */
bool json_slice_is_id(struct json_slice slice);

/* Equal as JSON strings or as integers written alike. */
bool json_slice_equal(struct json_slice a, struct json_slice b);

#endif
