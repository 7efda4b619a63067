/* SPDX-License-Identifier: Apache-2.0 */
/* The AWS profile files: what botocore takes, what it refuses, what is reported and what never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/load/profiles.h"

#define ID "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

struct told {
	unsigned n;
	enum input_file file;
	uint32_t line;
	char all[4096]; /* every detail, one a line */
};

static struct profiles table;
static struct told told;

static void
on_problem(void *context, enum input_file file, uint32_t line, const char *detail)
{
	struct told *t = context;
	size_t len = strlen(t->all);

	assert_true(strlen(detail) <= SGW_DETAIL_MAX);
	t->n++;
	t->file = file;
	t->line = line;
	snprintf(t->all + len, sizeof(t->all) - len, "%s\n", detail);
}

static void
begin(void)
{
	memset(&told, 0, sizeof(told));
	memset(&table, 0, sizeof(table));
	table.problem = on_problem;
	table.context = &told;
}

static void
read_text(enum input_file file, const char *text)
{
	profiles_read(&table, file, text, strlen(text));
}

static void
read_files(const char *credentials, const char *config)
{
	begin();
	read_text(INPUT_CREDENTIALS, credentials);
	read_text(INPUT_CONFIG, config);
}

static bool
resolve(const char *name, struct profile_loaded *ret)
{
	for (size_t i = 0; i < table.n; i++)
		if (slice_is(table.profile[i].name, name))
			return profile_resolve(&table, &table.profile[i], ret);
	return false;
}

static bool
offered(const char *name)
{
	struct profile_loaded loaded;

	return resolve(name, &loaded);
}

static void
assert_told(unsigned n, uint32_t line, const char *word)
{
	assert_int_equal(told.n, n);
	assert_int_equal(told.line, line);
	if (strstr(told.all, word) == NULL)
		fail_msg("\"%s\" is not in: %s", word, told.all);
	assert_null(strstr(told.all, SECRET));
	assert_null(strstr(told.all, ID));
}

static void
test_plain(void **state)
{
	struct profile_loaded got;

	read_files("# mine\n[default]\naws_access_key_id = " ID "\naws_secret_access_key=" SECRET
		   "\n\n; other\n[work]\nAWS_Access_Key_ID: AKIAWORK\n"
		   "aws_secret_access_key =\tworkkey  \naws_session_token = IQoJ//token==\n",
	    "[default]\nregion = eu-west-1\noutput = json\n[profile work]\nregion=us-east-1\n"
	    "s3 =\n  max_concurrent_requests = 20\n\n  # inside\n  addressing_style = path\n"
	    "cli_pager =\n[sso-session x]\nsso_region = eu-west-1\n[preview]\ncloudfront=true\n");
	assert_int_equal(told.n, 0);
	assert_true(resolve("default", &got));
	assert_true(slice_is(got.access_key_id, ID));
	assert_true(slice_is(got.secret_key, SECRET));
	assert_int_equal(got.token.len, 0);
	assert_true(slice_is(got.region, "eu-west-1"));
	assert_true(resolve("work", &got));
	assert_true(slice_is(got.access_key_id, "AKIAWORK"));
	assert_true(slice_is(got.secret_key, "workkey"));
	assert_true(slice_is(got.token, "IQoJ//token=="));
	assert_true(slice_is(got.region, "us-east-1"));
	assert_int_equal(table.n, 2);
}

static void
test_mark_crlf_quotes_indents(void **state)
{
	struct profile_loaded got;

	read_files("\xef\xbb\xbf[default]\r\n  aws_access_key_id = " ID "\r\n"
		   "  aws_secret_access_key = " SECRET "\r\n[last] # here\r\n"
		   "aws_access_key_id=a\r\naws_secret_access_key=b",
	    "[profile \"two words\"]\naws_access_key_id=c\naws_secret_access_key=d\n"
	    "[profile\tdefault]\nregion=eu-north-1\n");
	assert_int_equal(told.n, 0);
	assert_true(resolve("default", &got));
	assert_true(slice_is(got.secret_key, SECRET));
	assert_true(slice_is(got.region, "eu-north-1"));
	assert_true(resolve("last", &got));
	assert_true(slice_is(got.secret_key, "b"));
	assert_true(offered("two words"));
}

static void
test_precedence(void **state)
{
	struct profile_loaded got;

	/* credentials win over config; a process comes between the two; a role before all */
	read_files("[a]\naws_access_key_id=cred\naws_secret_access_key=k\n"
		   "[b]\naws_access_key_id=cred\naws_secret_access_key=k\n"
		   "[d]\naws_access_key_id=cred\naws_secret_access_key=k\n"
		   "aws_security_token=old\naws_session_token=new\n",
	    "[profile a]\naws_access_key_id=conf\naws_secret_access_key=k\n"
	    "credential_process = /bin/true --x\n"
	    "[profile b]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = a\n"
	    "[profile c]\ncredential_process = x\naws_access_key_id=conf\naws_secret_access_key=k\n"
	    "[profile e]\naws_access_key_id=conf\naws_secret_access_key=k\n");
	assert_true(resolve("a", &got));
	assert_true(slice_is(got.access_key_id, "cred"));
	assert_true(resolve("d", &got));
	assert_true(slice_is(got.token, "old"));
	assert_true(resolve("e", &got));
	assert_true(slice_is(got.access_key_id, "conf"));
	assert_int_equal(told.n, 0);
	assert_false(offered("b"));
	assert_told(1, 6, "profile \"b\": role_arn: assuming a role is not offered yet");
	assert_int_equal(told.file, INPUT_CONFIG);
	assert_false(offered("c"));
	assert_told(2, 9, "credential_process is not offered yet");
}

static void
test_not_offered(void **state)
{
	read_files("", "[profile s]\nsso_session = corp\nsso_account_id = 1\n"
		       "[profile w]\nweb_identity_token_file=/x\nrole_arn=y\n"
		       "[profile l]\nlogin_session=z\n[profile none]\nregion=eu-west-1\n");
	assert_false(offered("s"));
	assert_told(1, 3, "single sign-on is not offered yet");
	assert_false(offered("w"));
	assert_false(offered("l"));
	assert_int_equal(told.n, 3);
	assert_false(offered("none"));
	assert_int_equal(told.n, 3);
}

struct bad_row {
	const char *text;
	uint32_t line;
	const char *word;
};

#define KEYS "aws_access_key_id=" ID "\naws_secret_access_key=" SECRET "\n"

static void
test_bad_lines(void **state)
{
	static const struct bad_row rows[] = {
	    {"[default]\n" KEYS SECRET "\n", 4, "neither [section], key = value nor a comment"},
	    {"[default]\n" KEYS "= " SECRET "\n", 4, "a value without a key"},
	    {"[default]\n" KEYS "[default]\n" KEYS, 4, "stands in this file twice"},
	    {"[default]\n" KEYS "aws_secret_access_key=" SECRET "\n", 4,
		"aws_secret_access_key stands there twice"},
	    {"[default]\naws_access_key_id=" ID "\naws_secret_access_key=\n", 3,
		"aws_secret_access_key has no value"},
	    {"[default]\naws_access_key_id=" ID "\naws_secret_access_key=" SECRET "\n  " SECRET
	     "\n",
		4, "aws_secret_access_key goes on in an indented line"},
	    {"[default]\naws_access_key_id=" ID "\naws_secret_access_key=\"" SECRET "\"\n", 3,
		"in quotes"},
	    {"[default]\naws_access_key_id=" ID "\naws_secret_access_key=" SECRET " x\n", 3,
		"blanks or other characters"},
	    {"[default]\naws_access_key_id=" ID "\naws_secret_access_key=\xc3\xa9\n", 3,
		"blanks or other characters"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_files(rows[i].text, "");
		assert_told(1, rows[i].line, rows[i].word);
		assert_false(offered("default"));
		assert_int_equal(told.n, 1);
	}
}

static void
test_half_a_key(void **state)
{
	read_files(
	    "[default]\naws_access_key_id=" ID "\n[x]\naws_secret_access_key=" SECRET "\n", "");
	assert_int_equal(told.n, 0);
	assert_false(offered("default"));
	assert_told(1, 1, "no aws_secret_access_key");
	assert_false(offered("x"));
	assert_told(2, 3, "no aws_access_key_id");
}

static void
test_bad_headers(void **state)
{
	/* What stands below a header that cannot be read belongs to nobody, not to the profile above. */
	read_files("[ok]\n" KEYS "[broken\naws_session_token=" SECRET "\n", "");
	assert_told(1, 4, "without its closing bracket");
	assert_true(offered("ok"));
	read_files("[]\n" KEYS, "");
	assert_told(1, 1, "without a name");
	read_files("[a] b\n" KEYS, "");
	assert_told(1, 1, "text behind a section header");
	read_files(KEYS, "");
	assert_told(2, 2, "before the first [section]");
	read_files("[profile a]\n" KEYS, "");
	assert_told(1, 1, "without the word profile");
	assert_int_equal(table.n, 0);
	read_files("[\xc3\xa9t\xc3\xa9]\n" KEYS, "");
	assert_told(1, 1, "not plain ASCII");
	read_files(
	    "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", "");
	assert_told(1, 1, "longer than 64 characters");
}

static void
test_nul_and_huge_lines(void **state)
{
	static const char nul[] = "[default]\n" KEYS "x = \0y\n[b]\n" KEYS;
	size_t len = 2 * INI_LINE_MAX, head;
	char *text = test_malloc(len + 1);

	begin();
	profiles_read(&table, INPUT_CREDENTIALS, nul, sizeof(nul) - 1);
	assert_told(1, 4, "a NUL byte");
	assert_false(offered("default"));
	assert_true(offered("b"));

	head = (size_t)snprintf(text, len, "[default]\n" KEYS "output = ");
	memset(text + head, 'x', len - head);
	text[len] = 0;
	read_files(text, "");
	assert_told(1, 4, "longer than 8192 bytes");
	assert_false(offered("default"));
	test_free(text);
}

static void
test_too_long_and_too_many(void **state)
{
	char text[32768];
	size_t at;

	at = (size_t)snprintf(
	    text, sizeof(text), "[default]\naws_access_key_id=a\naws_secret_access_key=");
	memset(text + at, 'k', SGW_SECRET_KEY_MAX + 1);
	text[at + SGW_SECRET_KEY_MAX + 1] = 0;
	read_files(text, "");
	assert_told(1, 3, "too long");
	assert_null(strstr(told.all, "kkk"));

	at = 0;
	for (unsigned i = 0; i <= PROFILES_IN_FILES_MAX + 5; i++)
		at +=
		    (size_t)snprintf(text + at, sizeof(text) - at, "[p%u]\nregion=eu-west-1\n", i);
	read_files(text, "");
	assert_int_equal(table.n, PROFILES_IN_FILES_MAX);
	assert_told(1, 2 * PROFILES_IN_FILES_MAX + 1, "more than 256 profiles");
}

/* A name in a message is printable, whatever the file holds. */
static void
test_names_are_escaped(void **state)
{
	read_files("[a\x1b[31mb]\n" KEYS, "");
	for (const char *c = told.all; *c; c++)
		assert_true(*c == '\n' || (*c >= 0x20 && *c <= 0x7e));
	assert_int_equal(told.n, 1);
}

static void
test_empty(void **state)
{
	read_files("", "");
	assert_int_equal(table.n, 0);
	read_files("\n\n# only words\n", "\xef\xbb\xbf");
	assert_int_equal(table.n, 0);
	assert_int_equal(told.n, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_mark_crlf_quotes_indents),
	    cmocka_unit_test(test_precedence),
	    cmocka_unit_test(test_not_offered),
	    cmocka_unit_test(test_bad_lines),
	    cmocka_unit_test(test_half_a_key),
	    cmocka_unit_test(test_bad_headers),
	    cmocka_unit_test(test_nul_and_huge_lines),
	    cmocka_unit_test(test_too_long_and_too_many),
	    cmocka_unit_test(test_names_are_escaped),
	    cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
