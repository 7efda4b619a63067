/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4 against AWS's own signing vectors ($SGW_VECTORS/sigv4, else ../shared/vectors/sigv4): canonical
 * request, string to sign and signature of every case; without them the test is skipped (exit 77).  And, always, the
 * form the broker sends and the refusals.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include <sgwarden/hash.h>

#include "sigv4.h"

#define FILE_MAX 8192
#define VECTORS 38
#define SKIPPED 77

struct text {
	char data[FILE_MAX];
};

/* One case: the request taken apart in place. */
struct vector {
	const char *dir;
	struct text request, date, digest;
	cJSON *context;
	struct sigv4_request rq;
	struct sigv4_keys keys;
	bool token_signed;
};

static void
file_read(const char *dir, const char *name, struct text *ret_text)
{
	char path[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	n = fread(ret_text->data, 1, FILE_MAX - 1, f);
	ret_text->data[n] = 0;
	fclose(f);
}

static const char *
member(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static void
add_header(struct sigv4_request *rq, const char *name, const char *value)
{
	assert_true(rq->n_headers < SIGV4_HEADERS_MAX);
	rq->headers[rq->n_headers++] = (struct sigv4_header){name, value};
}

/* "GET /path with spaces?query HTTP/1.1" */
static char *
take_request_line(struct vector *v)
{
	char *line = v->request.data, *rest = strchr(line, '\n'), *target, *end, *query;

	if (rest != NULL)
		*rest++ = 0;
	end = strstr(line, " HTTP/1.1");
	target = strchr(line, ' ');
	assert_true(end != NULL && target != NULL && target < end);
	*end = 0;
	*target++ = 0;
	query = strchr(target, '?');
	if (query != NULL)
		*query++ = 0;
	v->rq.method = line;
	v->rq.path = target;
	v->rq.query = query != NULL ? query : "";
	return rest;
}

/* Lines "Name:value", each perhaps with folded lines behind it; a blank line; the body. */
static void
take_headers(struct vector *v, char *at)
{
	while (at != NULL && *at != 0 && *at != '\n') {
		char *colon = strchr(at, ':'), *end = strchr(at, '\n');

		assert_non_null(colon);
		while (end != NULL && (end[1] == ' ' || end[1] == '\t'))
			end = strchr(end + 1, '\n');
		*colon = 0;
		if (end != NULL)
			*end++ = 0;
		add_header(&v->rq, at, colon + 1);
		at = end;
	}
	v->rq.body = at != NULL && *at == '\n' ? at + 1 : "";
	v->rq.body_len = strlen(v->rq.body);
}

/* What the signer adds to each case: date, digest of the body, session token. */
static void
add_signer_headers(struct vector *v)
{
	const char *stamp = member(v->context, "timestamp");
	uint8_t digest[HASH_LEN];
	struct buf hex = buf_over(v->digest.data, FILE_MAX);
	size_t n = 0;

	for (; *stamp != 0; stamp++)
		if (*stamp != '-' && *stamp != ':')
			v->date.data[n++] = *stamp;
	v->rq.amz_date = v->date.data;
	add_header(&v->rq, "X-Amz-Date", v->date.data);
	if (cJSON_IsTrue(cJSON_GetObjectItem(v->context, "sign_body"))) {
		hash_sha256(v->rq.body, v->rq.body_len, digest);
		buf_put_hex(&hex, digest, sizeof(digest));
		buf_put_c(&hex);
		add_header(&v->rq, "x-amz-content-sha256", v->digest.data);
	}
	if (v->keys.token[0] != 0 &&
	    !cJSON_IsTrue(cJSON_GetObjectItem(v->context, "omit_session_token")))
		add_header(&v->rq, "X-Amz-Security-Token", v->keys.token);
}

static void
vector_open(struct vector *v, const char *dir)
{
	const cJSON *credentials;
	struct text context;

	memset(v, 0, sizeof(*v));
	v->dir = dir;
	file_read(dir, "context.json", &context);
	v->context = cJSON_Parse(context.data);
	assert_non_null(v->context);
	credentials = cJSON_GetObjectItem(v->context, "credentials");
	v->keys.access_key_id = member(credentials, "access_key_id");
	v->keys.secret_key = member(credentials, "secret_access_key");
	v->keys.token = member(credentials, "token");
	v->rq.region = member(v->context, "region");
	v->rq.service = member(v->context, "service");
	v->rq.normalize = cJSON_IsTrue(cJSON_GetObjectItem(v->context, "normalize"));
	file_read(dir, "request.txt", &v->request);
	take_headers(v, take_request_line(v));
	add_signer_headers(v);
}

static void
expect_file(const struct vector *v, const char *name, const void *data, size_t len)
{
	struct text want;

	file_read(v->dir, name, &want);
	if (strlen(want.data) != len || memcmp(want.data, data, len) != 0)
		fail_msg("%s/%s\nwant:\n%s\ngot:\n%.*s", v->dir, name, want.data, (int)len,
		    (const char *)data);
}

static void
vector_check(struct vector *v)
{
	struct text canonical_text, names_text, to_sign_text, signature, signed_request;
	char authorization[SGW_AUTHORIZATION_MAX + 1];
	struct buf canonical = buf_over(&canonical_text, FILE_MAX);
	struct buf names = buf_over(&names_text, FILE_MAX);
	struct buf to_sign = buf_over(&to_sign_text, FILE_MAX);
	const char *end;

	assert_true(sigv4_canonical(&v->rq, &canonical, &names));
	expect_file(v, "header-canonical-request.txt", canonical.data, canonical.len);
	assert_true(sigv4_string_to_sign(&v->rq, &canonical, &to_sign));
	expect_file(v, "header-string-to-sign.txt", to_sign.data, to_sign.len);
	assert_true(sigv4_sign(&v->rq, &v->keys, authorization, sizeof(authorization)));
	end = strstr(authorization, "Signature=");
	assert_non_null(end);
	file_read(v->dir, "header-signature.txt", &signature);
	assert_string_equal(end + strlen("Signature="), signature.data);
	file_read(v->dir, "header-signed-request.txt", &signed_request);
	assert_non_null(strstr(signed_request.data, authorization));
}

static const char *
vectors_dir(char *path, size_t size)
{
	const char *root = getenv("SGW_VECTORS");

	if (root != NULL)
		snprintf(path, size, "%s/sigv4", root);
	else
		snprintf(path, size, "%s/../shared/vectors/sigv4", SGW_SOURCE_ROOT);
	return path;
}

static void
test_vectors(void **state)
{
	const char *root = *state;
	struct dirent *entry;
	unsigned passed = 0;
	DIR *dir = opendir(root);

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char path[4096], probe[4200];
		struct vector v;
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", root, entry->d_name);
		snprintf(probe, sizeof(probe), "%s/context.json", path);
		f = fopen(probe, "re");
		if (f == NULL)
			continue;
		fclose(f);
		vector_open(&v, path);
		vector_check(&v);
		cJSON_Delete(v.context);
		passed++;
	}
	closedir(dir);
	print_message("signing vectors: %u of %u\n", passed, VECTORS);
	assert_int_equal(passed, VECTORS);
}

static const struct sigv4_keys KEYS = {
    .access_key_id = "AKIDEXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    .token = "",
};

static struct sigv4_post
post_example(void)
{
	return (struct sigv4_post){
	    .host = "ec2.eu-west-1.amazonaws.com",
	    .region = "eu-west-1",
	    .service = "ec2",
	    .amz_date = "20261121T173000Z",
	    .body = "Action=DescribeSecurityGroups",
	    .body_len = 29,
	};
}

/* The expected values come from botocore.auth.SigV4Auth over the same request. */
static void
test_post(void **state)
{
	struct sigv4_post post = post_example();
	struct sigv4_keys keys = KEYS;
	char authorization[SGW_AUTHORIZATION_MAX + 1];

	assert_true(sigv4_sign_post(&post, &keys, authorization, sizeof(authorization)));
	assert_string_equal(authorization,
	    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/ec2/aws4_request, "
	    "SignedHeaders=content-type;host;x-amz-date, "
	    "Signature=505b68cfce7b9009d2ab6bba1fcf4006feab3c597067763fda4077a36255e5e1");
	keys.token = "FwoGZXIvYXdzEXAMPLE//==";
	assert_true(sigv4_sign_post(&post, &keys, authorization, sizeof(authorization)));
	assert_string_equal(authorization,
	    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/ec2/aws4_request, "
	    "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
	    "Signature=cb256e5619f8dc7331c8824218683b55ec3550702155d57009cbbc740b7d5f87");
}

/* Everything that is signed changes the signature; what does not fit writes nothing. */
static void
test_post_depends_on_everything(void **state)
{
	struct sigv4_post posts[6];
	char first[SGW_AUTHORIZATION_MAX + 1], other[SGW_AUTHORIZATION_MAX + 1];

	for (size_t i = 0; i < 6; i++)
		posts[i] = post_example();
	posts[1].host = "ec2.eu-west-2.amazonaws.com";
	posts[2].region = "eu-west-2";
	posts[3].service = "sts";
	posts[4].amz_date = "20261121T173001Z";
	posts[5].body_len = 28;
	assert_true(sigv4_sign_post(&posts[0], &KEYS, first, sizeof(first)));
	for (size_t i = 1; i < 6; i++) {
		assert_true(sigv4_sign_post(&posts[i], &KEYS, other, sizeof(other)));
		assert_string_not_equal(strstr(first, "Signature="), strstr(other, "Signature="));
	}
}

static void
test_refusals(void **state)
{
	struct sigv4_post post = post_example();
	struct sigv4_keys keys = KEYS;
	char out[SGW_AUTHORIZATION_MAX + 1] = "untouched";
	char secret[SGW_SECRET_KEY_MAX + 2], token[SIGV4_CANONICAL_MAX];

	assert_false(sigv4_sign_post(&post, &keys, out, 64));
	memset(secret, 'x', sizeof(secret));
	secret[sizeof(secret) - 1] = 0;
	keys.secret_key = secret;
	assert_false(sigv4_sign_post(&post, &keys, out, sizeof(out)));
	keys = KEYS;
	memset(token, 'x', sizeof(token));
	token[sizeof(token) - 1] = 0;
	keys.token = token;
	assert_false(sigv4_sign_post(&post, &keys, out, sizeof(out)));
	keys = KEYS;
	post.amz_date = "20261121";
	assert_false(sigv4_sign_post(&post, &keys, out, sizeof(out)));
	assert_string_equal(out, "untouched");
}

static void
test_date(void **state)
{
	char date[SIGV4_DATE_LEN];

	sigv4_date(1795282200, date);
	assert_string_equal(date, "20261121T173000Z");
	sigv4_date(0, date);
	assert_string_equal(date, "19700101T000000Z");
}

int
main(void)
{
	static char path[4096];
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_post),
	    cmocka_unit_test(test_post_depends_on_everything),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_date),
	};
	const struct CMUnitTest vectors[] = {
	    cmocka_unit_test_prestate(test_vectors, path),
	};
	DIR *dir = opendir(vectors_dir(path, sizeof(path)));
	int failed = cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);

	if (failed != 0)
		return failed;
	if (dir == NULL) {
		printf("SKIPPED: the 38 signing vectors are not here (set SGW_VECTORS)\n");
		return SKIPPED;
	}
	closedir(dir);
	return cmocka_run_group_tests_name("sigv4 vectors", vectors, NULL, NULL);
}
