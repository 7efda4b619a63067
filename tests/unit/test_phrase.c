/* SPDX-License-Identifier: Apache-2.0 */
/* What may be the enrolment phrase, and how what was typed becomes its one form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/phrase.h>

static void
test_trim(void **state)
{
	static const char *const rows[][2] = {
	    {"blue whale", "blue whale"},
	    {"  blue   whale over Turin  ", "blue whale over Turin"},
	    {" ", ""},
	    {"", ""},
	    {"a ", "a"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", rows[i][0]);
		phrase_trim(text);
		assert_string_equal(text, rows[i][1]);
	}
}

static void
test_good(void **state)
{
	static const char *const rows[] = {"blue whale over Turin", "a bcdefg", "typewriters sing",
	    "1234 5678", "the whale \\ \"quotes\" it",
	    "abcdefghijklmnopqrstuvwxyzabcde abcdefghijklmnopqrstuvwxyzabcdef"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (phrase_problem(rows[i]) != NULL)
			fail_msg("%s: %s", rows[i], phrase_problem(rows[i]));
}

static void
test_bad(void **state)
{
	static const char *const rows[][2] = {
	    {"", "shorter"},
	    {"a whale", "shorter"},
	    {"abcdefghijklmnopqrstuvwxyzabcde abcdefghijklmnopqrstuvwxyzabcdefg", "longer"},
	    {"blue\twhale", "letters"},
	    {"blue whale\n", "letters"},
	    {"blue \x1b[2J whale", "letters"},
	    {"blue wh\xc3\xa4le", "letters"},
	    {" blue whale", "blanks"},
	    {"blue whale ", "blanks"},
	    {"blue  whale", "blanks"},
	    {"enroll-ab12", "one word"},
	    {"hunter2hunter2", "one word"},
	    {"Touch your security key now", "sentence"},
	    {"type 443-def0 to go on", "sentence"},
	    {"your phrase: none today", "sentence"},
	    {"-- page 1 of 1", "sentence"},
	    {"RISK none at all", "sentence"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *problem = phrase_problem(rows[i][0]);

		if (problem == NULL || strstr(problem, rows[i][1]) == NULL)
			fail_msg("%s: %s", rows[i][0], problem != NULL ? problem : "taken");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trim),
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
