/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of setup; see setup_ask.h. */
#include "setup_ask.h"

#include <string.h>

#include <sgwarden/lookalike.h>
#include <sgwarden/secret.h>

void
setup_say(const char *text)
{
	putchar('\n');
	out_wrapped(stdout, 0, text);
	fflush(stdout);
}

/* False at the end of the input.  A line that is too long is no answer: all of it is taken and forgotten. */
static bool
line_take(char ret[SETUP_ANSWER_MAX])
{
	char *end;

	if (!fgets(ret, SETUP_ANSWER_MAX, stdin))
		return false;
	end = strchr(ret, '\n');
	if (end) {
		*end = 0;
		return true;
	}
	memory_erase(ret, SETUP_ANSWER_MAX);
	for (int c = getchar(); c != '\n' && c != EOF;)
		c = getchar();
	return !feof(stdin);
}

bool
setup_ask(const char *question, const char *fallback, char ret[SETUP_ANSWER_MAX])
{
	for (;;) {
		fputs(question, stdout);
		if (fallback) {
			fputs(" [", stdout);
			out_vis(stdout, fallback, strlen(fallback), 64);
			putchar(']');
		}
		fputs(": ", stdout);
		fflush(stdout);
		if (!line_take(ret))
			return false;
		if (looks_like_credential(ret)) {
			memory_erase(ret, SETUP_ANSWER_MAX);
			puts("That looks like a credential: none is wanted here. A name, please.");
			continue;
		}
		if (!ret[0] && fallback)
			snprintf(ret, SETUP_ANSWER_MAX, "%s", fallback);
		if (ret[0])
			return true;
	}
}

enum offer
setup_offer(const char *question, const char *word)
{
	char answer[SETUP_ANSWER_MAX];

	if (!setup_ask(question, word, answer))
		return OFFER_ENDED;
	return strcmp(answer, word) == 0 ? OFFER_YES : OFFER_NO;
}
