/* SPDX-License-Identifier: Apache-2.0 */
/* Signature V4 without AWS's vectors: the canonical forms by hand, and everything that does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ec2req.h"
#include "plan_fixture.h"
#include "sigv4.h"

static struct sigv4_request
request(const char *path, const char *query)
{
	return (struct sigv4_request){.method = "GET",
	    .path = path,
	    .query = query,
	    .normalize = true,
	    .headers = {{"Host", "h"}},
	    .n_headers = 1,
	    .body = "",
	    .region = "us-east-1",
	    .service = "ec2",
	    .amz_date = "20261121T173000Z"};
}

/* Line `n` of the canonical request, from 0. */
static const char *
canonical_line(const struct sigv4_request *rq, unsigned n)
{
	static char text[SIGV4_CANONICAL_MAX + 1];
	uint8_t list[512];
	struct buf canonical = buf_over(text, sizeof(text)), names = buf_over(list, sizeof(list));
	char *line = text;

	assert_true(sigv4_canonical(rq, &canonical, &names));
	assert_true(buf_put_c(&canonical));
	while (n-- > 0)
		line = strchr(line, '\n') + 1;
	*strchr(line, '\n') = 0;
	return line;
}

static void
test_paths(void **state)
{
	static const struct {
		const char *path, *normal, *plain;
	} rows[] = {
	    {"/", "/", "/"},
	    {"", "/", ""},
	    {"/a/b", "/a/b", "/a/b"},
	    {"/a/b/", "/a/b/", "/a/b/"},
	    {"/a/./b", "/a/b", "/a/./b"},
	    {"/a/../b", "/b", "/a/../b"},
	    {"/../..", "/", "/../.."},
	    {"/a/b/..", "/a/", "/a/b/.."},
	    {"//a//", "/a/", "//a//"},
	    {"/.a/..b/.", "/.a/..b/", "/.a/..b/."},
	    {"/x./a.", "/x./a.", "/x./a."},
	    {"/a b~\xc3\xa9", "/a%20b~%C3%A9", "/a%20b~%C3%A9"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sigv4_request rq = request(rows[i].path, "");

		assert_string_equal(canonical_line(&rq, 1), rows[i].normal);
		rq.normalize = false;
		assert_string_equal(canonical_line(&rq, 1), rows[i].plain);
	}
}

static void
test_queries(void **state)
{
	static const char *const rows[][2] = {
	    {"", ""},
	    {"b=2&a=1", "a=1&b=2"},
	    {"a=2&a=1&a=10", "a=1&a=10&a=2"},
	    {"ab=1&a=2", "a=2&ab=1"},
	    {"a", "a="},
	    {"a=b=c", "a=b%3Dc"},
	    {"a=%41%5a%c3&b=%c", "a=AZ%C3&b=%25c"},
	    {"a=%zz&b=%4z&c=%", "a=%25zz&b=%254z&c=%25"},
	    {"a=%4G&b=%:1&c=%1@&d=%`1&e=%g1", "a=%254G&b=%25%3A1&c=%251%40&d=%25%601&e=%25g1"},
	    {"a=%2f%FF&", "a=%2F%FF"},
	    {"a= +", "a=%20%2B"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sigv4_request rq = request("/", rows[i][0]);

		assert_string_equal(canonical_line(&rq, 2), rows[i][1]);
	}
}

static void
test_headers(void **state)
{
	struct sigv4_request rq = request("/", "");

	rq.headers[0] = (struct sigv4_header){"X-B", " two\t  words\r\n folded "};
	rq.headers[1] = (struct sigv4_header){"host", "h"};
	rq.headers[2] = (struct sigv4_header){"x-b", "again"};
	rq.n_headers = 3;
	assert_string_equal(canonical_line(&rq, 3), "host:h");
	assert_string_equal(canonical_line(&rq, 4), "x-b:two words folded,again");
	assert_string_equal(canonical_line(&rq, 6), "host;x-b");
}

static bool
canonical_fits(const struct sigv4_request *rq, size_t room, size_t names_room, size_t *ret_len)
{
	static uint8_t text[SIGV4_CANONICAL_MAX], list[512];
	struct buf canonical = buf_over(text, room), names = buf_over(list, names_room);
	bool fits = sigv4_canonical(rq, &canonical, &names);

	*ret_len = canonical.len;
	return fits;
}

static void
test_too_much(void **state)
{
	char query[SIGV4_QUERY_MAX + 8] = "a=", many[8 * SIGV4_PARAMS_MAX] = "";
	struct sigv4_request rq = request("/", query);
	size_t len;

	rq.n_headers = 0;
	assert_false(canonical_fits(&rq, SIGV4_CANONICAL_MAX, 512, &len));
	rq.n_headers = SIGV4_HEADERS_MAX + 1;
	assert_false(canonical_fits(&rq, SIGV4_CANONICAL_MAX, 512, &len));
	rq.n_headers = 1;
	assert_true(canonical_fits(&rq, SIGV4_CANONICAL_MAX, 512, &len));
	memset(query + 2, 'x', SIGV4_QUERY_MAX);
	assert_false(canonical_fits(&rq, SIGV4_CANONICAL_MAX, 512, &len));
	rq.query = many;
	for (int i = 0; i < SIGV4_PARAMS_MAX; i++)
		(void)snprintf(many + 4 * i, sizeof(many) - 4 * (size_t)i, "a=1&");
	assert_true(canonical_fits(&rq, SIGV4_CANONICAL_MAX, 512, &len));
	(void)snprintf(many + 4 * SIGV4_PARAMS_MAX, 2, "b");
	assert_false(canonical_fits(&rq, SIGV4_CANONICAL_MAX, 512, &len));
}

/* In every room that is too small it is refused, and in what is just enough it is not. */
static void
test_every_room(void **state)
{
	struct sigv4_request rq = request("/a/b", "a=1&b=2");
	size_t len, unused;

	assert_true(canonical_fits(&rq, SIGV4_CANONICAL_MAX, 512, &len));
	for (size_t room = 0; room < len; room++)
		assert_false(canonical_fits(&rq, room, 512, &unused));
	assert_true(canonical_fits(&rq, len, 512, &unused));
	for (size_t room = 0; room < strlen("host"); room++)
		assert_false(canonical_fits(&rq, len, room, &unused));
	assert_true(canonical_fits(&rq, len, strlen("host"), &unused));
}

static void
test_not_signed(void **state)
{
	static char long_secret[SGW_SECRET_KEY_MAX + 2], long_id[SGW_ACCESS_KEY_ID_MAX + 1],
	    long_region[513];
	struct sigv4_keys keys = {.access_key_id = "id", .secret_key = "secret", .token = ""};
	struct sigv4_request rq = request("/", "");
	struct buf canonical = {.failed = true};
	char out[SGW_AUTHORIZATION_MAX + 1];
	uint8_t text[256];
	struct buf to_sign = buf_over(text, sizeof(text));
	size_t len;

	assert_true(sigv4_sign(&rq, &keys, out, sizeof(out)));
	len = strlen(out);
	memset(out, 'x', sizeof(out));
	for (size_t size = 0; size <= len; size++)
		assert_false(sigv4_sign(&rq, &keys, out, size));
	assert_int_equal(out[0], 'x'); /* nothing is written */
	assert_true(sigv4_sign(&rq, &keys, out, len + 1));
	assert_false(sigv4_string_to_sign(&rq, &canonical, &to_sign));
	rq.amz_date = "2026";
	canonical.failed = false;
	assert_false(sigv4_string_to_sign(&rq, &canonical, &to_sign));
	assert_false(sigv4_sign(&rq, &keys, out, sizeof(out)));
	rq = request("/", "");
	memset(long_secret, 's', sizeof(long_secret) - 1);
	keys.secret_key = long_secret;
	assert_false(sigv4_sign(&rq, &keys, out, sizeof(out)));
	keys.secret_key = "secret";
	memset(long_id, 'i', sizeof(long_id) - 1);
	keys.access_key_id = long_id;
	memset(long_region, 'r', sizeof(long_region) - 1);
	rq.region = long_region;
	assert_false(sigv4_sign(&rq, &keys, out, sizeof(out)));
}

/* ---- bodies ---- */

static void
test_bodies_without_a_form(void **state)
{
	struct rec_plan plan =
	    fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7/32"));
	struct rec_cidr source = fixture_cidr("203.0.113.7/32");
	static uint8_t memory[SGW_BODY_MAX];
	struct buf b = buf_over(memory, sizeof(memory));

	assert_true(ec2_authorize_body(&plan, "words", "sgw-a", 0, false, &b));
	b = buf_over(memory, sizeof(memory));
	assert_false(ec2_revoke_body(GROUP, PROTO_TCP, 5, 4, &source, false, &b));
	source.addr[3] = 1;
	source.prefix = 24; /* host bits */
	b = buf_over(memory, sizeof(memory));
	assert_false(ec2_revoke_body(GROUP, PROTO_TCP, 4, 5, &source, false, &b));
	b = buf_over(memory, sizeof(memory));
	assert_false(ec2_revoke_plan_body(&plan, false, &b)); /* an opening is no closing */
	plan.n_ops = 0;
	assert_false(ec2_authorize_body(&plan, "words", "sgw-a", 0, false, &b));
	plan.n_ops = SGW_OPS_MAX + 1;
	assert_false(ec2_authorize_body(&plan, "words", "sgw-a", 0, false, &b));
	plan.n_ops = 2;
	plan.ops[1] = plan.ops[0];
	(void)FIELD_SET(plan.ops[1].group_id, "sg-00000000000000000");
	assert_false(ec2_authorize_body(&plan, "words", "sgw-a", 0, false, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_queries),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_too_much),
	    cmocka_unit_test(test_every_room),
	    cmocka_unit_test(test_not_signed),
	    cmocka_unit_test(test_bodies_without_a_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
