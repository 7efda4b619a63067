/* SPDX-License-Identifier: Apache-2.0 */
/* The front's pure parts: the strict layer, texts, durations and times, the writer; and no memory for cJSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cjson/cJSON.h>

#include "args.h"
#include "front.h"
#include "json_check.h"
#include "json_out.h"
#include "rpc.h"

static struct json_scratch scratch;
static struct front front;

struct check_case {
	const char *text;
	enum json_problem problem;
};

static const struct check_case CHECKS[] = {
    {"{}", JSON_OK},
    {" [ ] ", JSON_OK},
    {"\t{\"a\" : [1, -0, 0.5, 1e9, 1E-9, 1e+9, true, false, null, \"\"]}\r\n", JSON_OK},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83d\\uDe00\"", JSON_OK},
    {"{\"a\":1,\"b\":{\"a\":1,\"c\":{\"a\":1}},\"c\":1}", JSON_OK},
    {"\x7f", JSON_SYNTAX},
    {"\"\x7f\"", JSON_OK},
    {"", JSON_EMPTY},
    {" \r\t\n", JSON_EMPTY},
    {"{}{}", JSON_SYNTAX},
    {"{", JSON_SYNTAX},
    {"{\"a\"}", JSON_SYNTAX},
    {"{\"a\":}", JSON_SYNTAX},
    {"{\"a\":1,}", JSON_SYNTAX},
    {"{a:1}", JSON_SYNTAX},
    {"[1,]", JSON_SYNTAX},
    {"[1 2]", JSON_SYNTAX},
    {"[", JSON_SYNTAX},
    {"]", JSON_SYNTAX},
    {"01", JSON_SYNTAX},
    {"-", JSON_SYNTAX},
    {".5", JSON_SYNTAX},
    {"1.", JSON_SYNTAX},
    {"1e", JSON_SYNTAX},
    {"1e+", JSON_SYNTAX},
    {"0x1", JSON_SYNTAX},
    {"Infinity", JSON_SYNTAX},
    {"True", JSON_SYNTAX},
    {"tru", JSON_SYNTAX},
    {"'a'", JSON_SYNTAX},
    {"\"a", JSON_SYNTAX},
    {"\"\\", JSON_SYNTAX},
    {"\"\\x\"", JSON_SYNTAX},
    {"\"\\u12\"", JSON_SYNTAX},
    {"\"\\u12g4\"", JSON_SYNTAX},
    {"\"\\u123", JSON_SYNTAX},
    {"\"\n\"", JSON_CONTROL},
    {"\"\\u0000\"", JSON_NUL},
    {"{\"\\u0000\":1}", JSON_NUL},
    {"\"\\ud800\"", JSON_SURROGATE},
    {"\"\\udc00\"", JSON_SURROGATE},
    {"\"\\ud800\\u0041\"", JSON_SURROGATE},
    {"\"\\ud800x\"", JSON_SURROGATE},
    {"\"\\ud83d\\ude0\"", JSON_SYNTAX},
    {"\"\xc0\x80\"", JSON_UTF8},
    {"\"\xed\xa0\x80\"", JSON_UTF8},
    {"\xff", JSON_UTF8},
    {"{\"a\":1,\"a\":2}", JSON_DUPLICATE},
    {"{\"a\":1,\"\\u0061\":2}", JSON_DUPLICATE},
    {"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}", JSON_DUPLICATE},
    {"{\"/\":1,\"\\/\":2}", JSON_DUPLICATE},
    {"{\"x\":{\"a\":1},\"y\":{\"b\":1,\"b\":1}}", JSON_DUPLICATE},
};

static void
test_check(void **state)
{
	for (size_t i = 0; i < sizeof(CHECKS) / sizeof(CHECKS[0]); i++) {
		struct json_ids ids = {.id.len = 77};
		size_t len = strlen(CHECKS[i].text);
		char *exact = malloc(len + 1);
		enum json_problem problem;

		memcpy(exact, CHECKS[i].text, len);
		problem = json_check(exact, len, &scratch, &ids);
		if (problem != CHECKS[i].problem)
			fail_msg("%s: %d", CHECKS[i].text, (int)problem);
		if (problem != JSON_OK)
			assert_int_equal(ids.id.len, 77);
		free(exact);
	}
	assert_int_equal(json_check("\"\0\"", 3, &scratch, &(struct json_ids){0}), JSON_UTF8);
}

static void
test_check_limits(void **state)
{
	static char text[SGW_JSON_LINE_MAX + 1];
	struct json_ids ids;
	size_t deep = SGW_JSON_DEPTH_MAX, n = 0;

	memset(text, '[', deep);
	memset(text + deep, ']', deep);
	assert_int_equal(json_check(text, 2 * deep, &scratch, &ids), JSON_OK);
	memset(text, '[', deep + 1);
	memset(text + deep + 1, ']', deep + 1);
	assert_int_equal(json_check(text, 2 * deep + 2, &scratch, &ids), JSON_DEPTH);
	/* The list itself is one value. */
	text[n++] = '[';
	for (size_t i = 0; i < SGW_JSON_MEMBERS_MAX - 1; i++) {
		text[n++] = '1';
		text[n++] = ',';
	}
	text[n - 1] = ']';
	assert_int_equal(json_check(text, n, &scratch, &ids), JSON_OK);
	memcpy(text + n - 1, ",1]", 3);
	assert_int_equal(json_check(text, n + 2, &scratch, &ids), JSON_MEMBERS);
	memset(text, ' ', sizeof(text));
	text[0] = '1';
	assert_int_equal(json_check(text, SGW_JSON_LINE_MAX, &scratch, &ids), JSON_OK);
	assert_int_equal(json_check(text, SGW_JSON_LINE_MAX + 1, &scratch, &ids), JSON_LINE);
}

static bool
slice_is(struct json_slice slice, const char *text)
{
	if (text == NULL)
		return slice.at == NULL;
	return slice.at != NULL && slice.len == strlen(text) &&
	       memcmp(slice.at, text, slice.len) == 0;
}

static void
test_ids(void **state)
{
	static const char text[] = "{\"x\":{\"id\":1},\"i\\u0064\": 12345678901234567890 "
				   ",\"params\":{\"requestId\":\"a\\nb\","
				   "\"id\":2,\"_meta\":{\"progressToken\":-3,\"requestId\":4}}}";
	struct json_ids ids;

	assert_int_equal(json_check(text, strlen(text), &scratch, &ids), JSON_OK);
	assert_true(slice_is(ids.id, "12345678901234567890"));
	assert_true(slice_is(ids.request_id, "\"a\\nb\""));
	assert_true(slice_is(ids.progress_token, "-3"));
	assert_int_equal(json_check("[{\"id\":1}]", 10, &scratch, &ids), JSON_OK);
	assert_true(slice_is(ids.id, NULL));
}

static struct json_slice
slice(const char *text)
{
	return (struct json_slice){text, strlen(text)};
}

static void
test_id_forms(void **state)
{
	assert_true(json_slice_is_id(slice("\"\"")));
	assert_true(json_slice_is_id(slice("-0")));
	assert_false(json_slice_is_id(slice("1.0")));
	assert_false(json_slice_is_id(slice("1e2")));
	assert_false(json_slice_is_id(slice("null")));
	assert_false(json_slice_is_id(slice("[1]")));
	assert_false(json_slice_is_id((struct json_slice){0}));
	assert_true(json_slice_equal(slice("\"a\""), slice("\"\\u0061\"")));
	assert_true(json_slice_equal(slice("\"\xf0\x9f\x98\x80\""), slice("\"\\uD83D\\uDE00\"")));
	assert_true(
	    json_slice_equal(slice("\"\xe2\x82\xac\xc3\xa9\""), slice("\"\\u20ac\\u00E9\"")));
	assert_true(json_slice_equal(slice("\"\\t\""), slice("\"\\u0009\"")));
	assert_false(json_slice_equal(slice("\"1\""), slice("1")));
	assert_false(json_slice_equal(slice("\"a\""), slice("\"ab\"")));
	assert_false(json_slice_equal(slice("10"), slice("1")));
	assert_false(json_slice_equal(slice("true"), slice("true")));
}

struct duration_case {
	const char *text;
	uint32_t seconds; /* 0: refused */
};

static const struct duration_case DURATIONS[] = {
    {"90m", 5400},
    {"8h", 28800},
    {"7d", 604800},
    {"30s", 30},
    {"1d2h3m4s", 93784},
    {"PT1H", 3600},
    {"PT90M", 5400},
    {"P1D", 86400},
    {"P1W", 604800},
    {"P1DT12H", 129600},
    {"PT0H20M", 1200},
    {"366d", 366 * 86400},
    {"367d", 0},
    {"", 0},
    {"8", 0},
    {"h", 0},
    {"8h ", 0},
    {" 8h", 0},
    {"8H", 0},
    {"2m1h", 0},
    {"1h1h", 0},
    {"-1h", 0},
    {"1.5h", 0},
    {"0m", 0},
    {"P", 0},
    {"PT", 0},
    {"P1", 0},
    {"P1DT", 0},
    {"P1H", 0},
    {"P1M", 0},
    {"P1Y", 0},
    {"pt1h", 0},
    {"PT1M1H", 0},
    {"99999999s", 0},
};

static void
test_durations(void **state)
{
	for (size_t i = 0; i < sizeof(DURATIONS) / sizeof(DURATIONS[0]); i++) {
		uint32_t seconds = 0;
		bool ok = duration_parse(DURATIONS[i].text, &seconds);

		if (ok != (DURATIONS[i].seconds != 0) || seconds != DURATIONS[i].seconds)
			fail_msg("%s: %u", DURATIONS[i].text, seconds);
	}
}

struct time_case {
	const char *text;
	int64_t when; /* -1: refused */
};

static const struct time_case TIMES[] = {
    {"2026-11-21T17:30:00Z", 1795282200},
    {"2026-11-21t17:30:00z", 1795282200},
    {"2026-11-21T17:30:00.999Z", 1795282200},
    {"2026-11-21T18:30:00+01:00", 1795282200},
    {"2026-11-21T12:00:00-05:30", 1795282200},
    {"2026-11-21T17:30:00", -1},
    {"2026-11-21 17:30:00Z", -1},
    {"2026-11-21T17:30:00.Z", -1},
    {"2026-11-21T17:30:00+1:00", -1},
    {"2026-11-21T17:30:00+24:00", -1},
    {"2026-11-21T17:30:00+00:60", -1},
    {"2026-11-21T17:30:00ZZ", -1},
    {"2026-02-30T00:00:00Z", -1},
    {"2026-11-21", -1},
    {"", -1},
};

static void
test_times(void **state)
{
	for (size_t i = 0; i < sizeof(TIMES) / sizeof(TIMES[0]); i++) {
		int64_t when = -1;

		if (time_parse(TIMES[i].text, &when) != (TIMES[i].when != -1) ||
		    when != TIMES[i].when)
			fail_msg("%s: %lld", TIMES[i].text, (long long)when);
	}
}

static void
test_writer(void **state)
{
	char memory[256] = {0};
	struct buf b = buf_over(memory, sizeof(memory));
	struct jw w = jw_over(&b);

	jw_open(&w, '{');
	jw_key_text(&w, "a", "\"\\\n\x01\x7f/");
	jw_key(&w, "b");
	jw_open(&w, '[');
	jw_int(&w, -5);
	jw_bool(&w, true);
	jw_open(&w, '[');
	jw_close(&w, ']');
	jw_vis(&w, "\xc3\xa9\x1b");
	jw_raw(&w, "{}", 2);
	jw_hex(&w, (const uint8_t *)"\xab", 1);
	jw_close(&w, ']');
	jw_close(&w, '}');
	assert_string_equal(memory, "{\"a\":\"\\\"\\\\\\n\\u0001\\u007f/\",\"b\":[-5,true,[],"
				    "\"\\\\u{e9}\\\\x1b\",{},\"ab\"]}");
	assert_int_equal(json_check(memory, b.len, &scratch, &(struct json_ids){0}), JSON_OK);
	assert_int_equal(jw_cost_twice((const uint8_t *)"\"a\\\"\"", 5), 14);
}

/* Every single allocation of cJSON fails once: an error goes back, nothing leaks, the next line is served. */
static size_t left;

static void *
failing_malloc(size_t size)
{
	return left-- == 0 ? NULL : malloc(size);
}

static void
test_no_memory(void **state)
{
	static const char line[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":[1,\"b\"]}}";
	cJSON_Hooks hooks = {failing_malloc, free};
	bool served = false;

	cJSON_InitHooks(&hooks);
	for (size_t n = 0; !served && n < 100; n++) {
		const char *out = (const char *)front.client.out;

		left = n;
		front.client.out_at = front.client.out_len = 0;
		rpc_line(&front, line, strlen(line));
		assert_true(front.client.out_len > 0);
		served = strstr(out, "no memory") == NULL;
		assert_true(served || strstr(out, "-32603") != NULL);
		memset(front.client.out, 0, front.client.out_len);
	}
	cJSON_InitHooks(NULL);
	assert_true(served);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_check_limits),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_id_forms),
	    cmocka_unit_test(test_durations),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_writer),
	    cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
