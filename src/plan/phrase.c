/* SPDX-License-Identifier: Apache-2.0 */
/* What may be the enrolment phrase; see phrase.h. */
#include <sgwarden/phrase.h>

#include <string.h>
#include <strings.h>

#include <sgwarden/vis.h>

void
phrase_trim(char *phrase)
{
	size_t to = 0;

	for (const char *at = phrase; *at != 0; at++)
		if (*at != ' ' || (to > 0 && phrase[to - 1] != ' '))
			phrase[to++] = *at;
	if (to > 0 && phrase[to - 1] == ' ')
		to--;
	phrase[to] = 0;
}

/* How sentences of the consent screen begin: a phrase that reads like one would tell the person something. */
static bool
is_ours(const char *phrase)
{
	static const char *const BEGIN[] = {"--", "approved", "asking ", "choose ", "deny ",
	    "block ", "done", "looking for ", "not done", "page ", "PIN ", "plug in ", "refused",
	    "sgwarden", "space:", "that is not ", "the PIN of ", "the key ", "this key ",
	    "time is up", "touch ", "touched", "type ", "waiting for ", "your phrase",
	    "your security key", "RISK ", "SCREEN ", "WHO "};

	for (size_t i = 0; i < sizeof(BEGIN) / sizeof(BEGIN[0]); i++)
		if (strncasecmp(phrase, BEGIN[i], strlen(BEGIN[i])) == 0)
			return true;
	return false;
}

const char *
phrase_problem(const char *phrase)
{
	size_t len = strnlen(phrase, SGW_PHRASE_MAX + 1);

	if (len > SGW_PHRASE_MAX)
		return "that is longer than 64 letters";
	if (!text_is_ascii(phrase, len))
		return "that has letters that not every screen can show";
	if (len < SGW_PHRASE_MIN)
		return "that is shorter than 8 letters";
	if (phrase[0] == ' ' || phrase[len - 1] == ' ' || strstr(phrase, "  ") != NULL)
		return "that has blanks too many";
	if (strchr(phrase, ' ') == NULL)
		return "that is one word: take two or more";
	if (is_ours(phrase))
		return "that begins like a sentence of this screen: take other words";
	return NULL;
}
