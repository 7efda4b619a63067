/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical request of Signature Version 4: path, query and headers in the one form that both ends hash. */
#include "sigv4.h"

#include <string.h>
#include <strings.h>

#include <sgwarden/hash.h>

static bool
is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Percent-encodes with upper-case digits all but RFC 3986's unreserved characters and `also`. */
static void
put_encoded(struct buf *b, uint8_t byte, char also)
{
	static const char digits[] = "0123456789ABCDEF";

	if (is_unreserved((char)byte) || (also != 0 && byte == (uint8_t)also)) {
		buf_put_u8(b, byte);
		return;
	}
	buf_put_u8(b, '%');
	buf_put_u8(b, (uint8_t)digits[byte >> 4]);
	buf_put_u8(b, (uint8_t)digits[byte & 15]);
}

static void
put_encoded_text(struct buf *b, const char *text, size_t len, char also)
{
	for (size_t i = 0; i < len; i++)
		put_encoded(b, (uint8_t)text[i], also);
}

/* Takes the last segment off again, down to `start`, where the path's leading slash stands. */
static void
path_pop(struct buf *b, size_t start)
{
	while (b->len > start && b->data[b->len - 1] != '/')
		b->len--;
	if (b->len > start)
		b->len--;
}

/* RFC 3986, 5.2.4, with empty segments dropped as well. */
static void
put_path_normalized(struct buf *b, const char *path)
{
	size_t start = b->len;
	bool slash = true; /* the path ends in one */

	while (*path != 0) {
		size_t len = strcspn(path, "/");

		slash = len == 0 || (len == 1 && path[0] == '.') ||
			(len == 2 && path[0] == '.' && path[1] == '.');
		if (len == 2 && slash)
			path_pop(b, start);
		if (!slash) {
			buf_put_u8(b, '/');
			put_encoded_text(b, path, len, 0);
		}
		path += len;
		if (*path == '/') {
			slash = true;
			path++;
		}
	}
	if (slash || b->len == start)
		buf_put_u8(b, '/');
}

static void
put_path(struct buf *b, const struct sigv4_request *rq)
{
	if (rq->normalize)
		put_path_normalized(b, rq->path);
	else
		put_encoded_text(b, rq->path, strlen(rq->path), '/');
}

/* One half of a parameter; %XX that is encoded already comes out the same, with upper-case digits. */
static void
put_query_text(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && len - i > 2 && hex_value(text[i + 1]) >= 0 &&
		    hex_value(text[i + 2]) >= 0) {
			put_encoded(
			    b, (uint8_t)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2])), 0);
			i += 2;
		} else
			put_encoded(b, (uint8_t)text[i], 0);
	}
}

struct param {
	size_t at;  /* in the scratch of put_query() */
	size_t key; /* length of the name */
	size_t len; /* of name=value */
};

static int
bytes_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int r = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return r != 0 ? r : (a_len > b_len) - (a_len < b_len);
}

/* By name, then by value, both encoded. */
static int
param_compare(const uint8_t *text, const struct param *a, const struct param *b)
{
	int r = bytes_compare(text + a->at, a->key, text + b->at, b->key);

	if (r != 0)
		return r;
	return bytes_compare(
	    text + a->at + a->key, a->len - a->key, text + b->at + b->key, b->len - b->key);
}

static void
param_encode(struct buf *b, const char *text, size_t len, struct param *ret_param)
{
	const char *equals = memchr(text, '=', len);
	size_t key = equals ? (size_t)(equals - text) : len;

	ret_param->at = b->len;
	put_query_text(b, text, key);
	ret_param->key = b->len - ret_param->at;
	buf_put_u8(b, '=');
	if (equals)
		put_query_text(b, equals + 1, len - key - 1);
	ret_param->len = b->len - ret_param->at;
}

static bool
put_query(struct buf *b, const char *query)
{
	uint8_t memory[SIGV4_QUERY_MAX];
	struct buf scratch = buf_over(memory, sizeof(memory));
	struct param params[SIGV4_PARAMS_MAX];
	size_t n = 0;

	while (*query != 0) {
		size_t len = strcspn(query, "&");
		struct param param;
		size_t to = n;

		if (n == SIGV4_PARAMS_MAX)
			return false;
		param_encode(&scratch, query, len, &param);
		if (scratch.failed)
			return false;
		for (; to > 0 && param_compare(memory, &params[to - 1], &param) > 0; to--)
			params[to] = params[to - 1];
		params[to] = param;
		n++;
		query += len + (query[len] == '&');
	}
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_put_u8(b, '&');
		buf_put(b, memory + params[i].at, params[i].len);
	}
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed, and every run of blanks (a folded line's too) as one space. */
static void
put_header_value(struct buf *b, const char *value)
{
	bool any = false, gap = false;

	for (; *value != 0; value++) {
		if (is_blank(*value)) {
			gap = any;
			continue;
		}
		if (gap)
			buf_put_u8(b, ' ');
		buf_put_u8(b, (uint8_t)*value);
		any = true;
		gap = false;
	}
}

static void
put_lower(struct buf *b, const char *name)
{
	for (; *name != 0; name++)
		buf_put_u8(b, (uint8_t)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name));
}

/* The order of names; equal names keep the order in which they were given. */
static void
headers_sort(const struct sigv4_request *rq, const struct sigv4_header *ret_order[])
{
	for (size_t i = 0; i < rq->n_headers; i++) {
		size_t to = i;

		for (; to > 0 && strcasecmp(ret_order[to - 1]->name, rq->headers[i].name) > 0; to--)
			ret_order[to] = ret_order[to - 1];
		ret_order[to] = &rq->headers[i];
	}
}

static void
put_headers(struct buf *b, struct buf *names, const struct sigv4_request *rq)
{
	const struct sigv4_header *order[SIGV4_HEADERS_MAX];

	headers_sort(rq, order);
	for (size_t i = 0; i < rq->n_headers; i++) {
		if (i > 0 && strcasecmp(order[i - 1]->name, order[i]->name) == 0)
			buf_put_u8(b, ',');
		else {
			buf_puts(b, i > 0 ? "\n" : "");
			put_lower(b, order[i]->name);
			buf_put_u8(b, ':');
			buf_puts(names, i > 0 ? ";" : "");
			put_lower(names, order[i]->name);
		}
		put_header_value(b, order[i]->value);
	}
	buf_puts(b, "\n");
}

bool
sigv4_canonical(const struct sigv4_request *rq, struct buf *canonical, struct buf *names)
{
	uint8_t digest[HASH_LEN];
	size_t names_at = names->len;

	if (rq->n_headers == 0 || rq->n_headers > SIGV4_HEADERS_MAX)
		return false;
	buf_puts(canonical, rq->method);
	buf_puts(canonical, "\n");
	put_path(canonical, rq);
	buf_puts(canonical, "\n");
	if (!put_query(canonical, rq->query))
		return false;
	buf_puts(canonical, "\n");
	put_headers(canonical, names, rq);
	buf_puts(canonical, "\n");
	if (!names->failed)
		buf_put(canonical, names->data + names_at, names->len - names_at);
	buf_puts(canonical, "\n");
	hash_sha256(rq->body, rq->body_len, digest);
	buf_put_hex(canonical, digest, sizeof(digest));
	return !canonical->failed && !names->failed;
}
