/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of answers: feeds a text, keeps what comes out. */
#include "answer_reader.h"

struct kept *kept;

static bool
keep_page(void *context, const struct msg *m)
{
	struct kept *k = context;

	assert_true(k->n_pages < PAGES_MAX);
	if (k->refuse)
		return false;
	k->pages[k->n_pages++] = *m;
	return true;
}

int
answer_setup(void **state)
{
	kept = calloc(1, sizeof(*kept));
	kept->sink = (struct answer_sink){keep_page, kept};
	return kept == NULL;
}

int
answer_teardown(void **state)
{
	free(kept);
	return 0;
}

bool
read_in(enum aws_op op, const char *text, size_t len, size_t piece)
{
	struct answer *a = &kept->answer;
	bool ok = true;

	kept->n_pages = 0;
	assert_true(answer_open(a, op, 7, 12345, &kept->sink));
	for (size_t at = 0; ok && at < len; at += piece)
		ok = answer_feed(a, text + at, len - at < piece ? len - at : piece);
	ok = answer_finish(a);
	answer_close(a);
	return ok;
}

bool
read_all(enum aws_op op, const char *text)
{
	return read_in(op, text, strlen(text), strlen(text));
}

void
expect_refused(enum aws_op op, const char *text, const char *why)
{
	if (read_all(op, text))
		fail_msg("taken: %s", text);
	assert_non_null(kept->answer.why);
	if (strstr(kept->answer.why, why) == NULL)
		fail_msg("refused because %s, not %s", kept->answer.why, why);
}
