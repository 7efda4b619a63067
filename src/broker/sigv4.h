/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4, signature in the Authorization header ("Signing AWS API requests", IAM user guide).
 * No I/O and no memory but the caller's; a request that does not fit its fixed bounds is refused, never cut.
 */
#ifndef SGWARDEN_SIGV4_H
#define SGWARDEN_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/buf.h>
#include <sgwarden/limits.h>

#define SIGV4_HEADERS_MAX 16
#define SIGV4_PARAMS_MAX 16
#define SIGV4_QUERY_MAX 1024     /* bytes of a canonical query */
#define SIGV4_CANONICAL_MAX 8192 /* bytes of a canonical request: a session token is most of it */
#define SIGV4_DATE_LEN 17        /* "20261121T173000Z" and a NUL */
#define SIGV4_CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"

struct sigv4_header {
	const char *name; /* in any case; twice the same name is one header with two values */
	const char *value;
};

/* Everything that goes under the signature.  Texts belong to the caller and end in NUL. */
struct sigv4_request {
	const char *method;
	const char *path; /* as sent, before encoding */
	const char
	    *query; /* what follows the '?', or empty; %XX in it is taken as encoded already */
	bool
	    normalize; /* resolve "." and ".." and empty segments of the path (all services but S3) */
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	size_t n_headers;
	const void *body;
	size_t body_len;
	const char *region;
	const char *service;
	const char *amz_date; /* YYYYMMDDTHHMMSSZ, also the value of a signed X-Amz-Date header */
};

/* Pointers into the caller's secret region; nothing of them outlives a call. */
struct sigv4_keys {
	const char *access_key_id;
	const char *secret_key;
	const char *token; /* x-amz-security-token, or empty */
};

/* The canonical request, and the list of header names in it ("host;x-amz-date"). */
bool sigv4_canonical(const struct sigv4_request *rq, struct buf *canonical, struct buf *names);

/* The string to sign over a canonical request. */
bool sigv4_string_to_sign(
    const struct sigv4_request *rq, const struct buf *canonical, struct buf *to_sign);

/* The value of the Authorization header, NUL included.  False: something does not fit, and nothing is written. */
bool sigv4_sign(const struct sigv4_request *rq, const struct sigv4_keys *keys,
    char *ret_authorization, size_t size);

/* What the broker sends: POST / of a form.  Signs content-type;host;x-amz-date[;x-amz-security-token]. */
struct sigv4_post {
	const char *host; /* host[:port], as in the Host header */
	const char *region;
	const char *service;
	const char *amz_date;
	const void *body;
	size_t body_len;
};

bool sigv4_sign_post(const struct sigv4_post *post, const struct sigv4_keys *keys,
    char *ret_authorization, size_t size);

/* Seconds since 1970 as YYYYMMDDTHHMMSSZ. */
void sigv4_date(int64_t when, char ret_date[SIGV4_DATE_LEN]);

#endif
