/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sgwarden completion SHELL`: what a shell needs to complete our words, drawn from the tables of verbs and options, so
 * that it is true for the program that printed it.
 */
#include "cli.h"

#include <stdbool.h>
#include <string.h>

/* The first row of its name: those with a second word follow it. */
static bool
is_first(size_t verb)
{
	for (size_t i = 0; i < verb; i++)
		if (strcmp(VERBS[i].name, VERBS[verb].name) == 0)
			return false;
	return true;
}

static bool
has_option(const struct verb *verb, const struct option_row *option)
{
	return strchr(verb->options, option->letter) != NULL;
}

/* In single quotes; `quote` is how this shell writes a quote inside them. */
static void
put_quoted(const char *text, const char *quote)
{
	putchar('\'');
	for (; *text; text++)
		if (*text == '\'')
			fputs(quote, stdout);
		else
			putchar(*text);
	putchar('\'');
}

#define QUOTE_POSIX "'\\''"
#define QUOTE_FISH "\\'"

/* The verbs, each once; or the second words of one of them. */
static void
put_words(const char *of)
{
	bool any = false;

	for (size_t i = 0; i < VERBS_LEN; i++) {
		const char *word = of ? VERBS[i].sub : VERBS[i].name;

		if (of ? !word || strcmp(VERBS[i].name, of) != 0 : !is_first(i))
			continue;
		printf("%s%s", any ? " " : "", word);
		any = true;
	}
}

/* All options of the program with this kind of value, separated as a shell's `case` has it. */
static void
put_option_pattern(enum option_value value)
{
	bool any = false;

	for (size_t i = 0; i < OPTIONS_LEN; i++) {
		if (OPTIONS[i].value != value)
			continue;
		printf("%s%s", any ? "|" : "", OPTIONS[i].name);
		any = true;
	}
}

/* ---- bash ---- */

static void
bash_words_of_verbs(void)
{
	for (size_t i = 0; i < VERBS_LEN; i++) {
		if (!VERBS[i].sub || !is_first(i))
			continue;
		printf("\t2:%s:*) words='", VERBS[i].name);
		put_words(VERBS[i].name);
		puts("' ;;");
	}
	fputs("\t2:help:*) words='", stdout);
	put_words(NULL);
	puts("' ;;");
	for (size_t i = 0; i < VERBS_LEN; i++) {
		printf("\t*:%s:%s) words='", VERBS[i].name, VERBS[i].sub ? VERBS[i].sub : "*");
		for (size_t j = 0; j < OPTIONS_LEN; j++)
			if (has_option(&VERBS[i], &OPTIONS[j]))
				printf("%s ", OPTIONS[j].name);
		puts("--help' ;;");
	}
}

static void
bash(void)
{
	puts("# bash completion of sgwarden, printed by `sgwarden completion bash`\n"
	     "_sgwarden() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
	     "\tCOMPREPLY=()\n"
	     "\tcase $prev in");
	fputs("\t", stdout);
	put_option_pattern(OPTION_PATH);
	puts(")\n\t\tcompopt -o filenames 2>/dev/null\n"
	     "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	     "\t\treturn ;;");
	fputs("\t", stdout);
	put_option_pattern(OPTION_WORD);
	puts(") return ;;\n"
	     "\tesac\n"
	     "\tcase $COMP_CWORD:${COMP_WORDS[1]-}:${COMP_WORDS[2]-} in");
	fputs("\t1:*) words='", stdout);
	put_words(NULL);
	puts("' ;;");
	bash_words_of_verbs();
	puts("\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	     "}\n"
	     "complete -o default -F _sgwarden sgwarden");
}

/* ---- zsh ---- */

static void
zsh_verbs(void)
{
	puts("\tif (( CURRENT == 2 )); then\n\t\there=(");
	for (size_t i = 0; i < VERBS_LEN; i++) {
		if (!is_first(i))
			continue;
		printf("\t\t\t'%s:", VERBS[i].name);
		if (VERBS[i].sub)
			put_words(VERBS[i].name);
		puts("'");
	}
	puts("\t\t)\n\t\t_describe verb here\n\t\treturn\n\tfi");
}

static void
zsh_second_words(void)
{
	puts("\tif (( CURRENT == 3 )); then\n\t\tcase $words[2] in");
	for (size_t i = 0; i < VERBS_LEN; i++) {
		if (!VERBS[i].sub || !is_first(i))
			continue;
		printf("\t\t%s) here=(\n", VERBS[i].name);
		for (size_t j = i; j < VERBS_LEN; j++) {
			char row[160];

			if (strcmp(VERBS[j].name, VERBS[i].name) != 0)
				continue;
			(void)snprintf(row, sizeof(row), "%s:%s", VERBS[j].sub, VERBS[j].summary);
			fputs("\t\t\t", stdout);
			put_quoted(row, QUOTE_POSIX);
			putchar('\n');
		}
		puts("\t\t\t) ;;");
	}
	puts("\t\tesac\n\t\tif (( $#here )); then\n\t\t\t_describe what here\n\t\t\treturn\n"
	     "\t\tfi\n\tfi");
}

static void
zsh_options(const struct verb *verb)
{
	printf("\t'%s %s') ", verb->name, verb->sub ? verb->sub : "'*'");
	fputs("_arguments '--help'", stdout);
	for (size_t i = 0; i < OPTIONS_LEN; i++) {
		if (!has_option(verb, &OPTIONS[i]))
			continue;
		printf(" '%s%s'", OPTIONS[i].name,
		    OPTIONS[i].value == OPTION_PATH   ? ":path:_files"
		    : OPTIONS[i].value == OPTION_WORD ? ":value:"
						      : "");
	}
	puts(" '*:file:_files' ;;");
}

static void
zsh(void)
{
	puts("#compdef sgwarden\n"
	     "# zsh completion of sgwarden, printed by `sgwarden completion zsh`\n"
	     "_sgwarden() {\n"
	     "\tlocal -a here");
	zsh_verbs();
	zsh_second_words();
	puts("\tcase \"$words[2] $words[3]\" in");
	for (size_t i = 0; i < VERBS_LEN; i++)
		zsh_options(&VERBS[i]);
	puts("\tesac\n}\n_sgwarden \"$@\"");
}

/* ---- fish ---- */

static void
fish_condition(const char *function, const struct verb *verb, bool with_sub)
{
	printf("complete -c sgwarden -n '%s %s%s%s' ", function, verb->name,
	    with_sub && verb->sub ? " " : "", with_sub && verb->sub ? verb->sub : "");
}

static void
fish_option(const struct verb *verb, const struct option_row *option)
{
	fish_condition("__sgwarden_begins", verb, true);
	printf("%s %s%s\n", strncmp(option->name, "--", 2) == 0 ? "-l" : "-s",
	    option->name + strspn(option->name, "-"),
	    option->value == OPTION_PATH   ? " -r -F"
	    : option->value == OPTION_WORD ? " -x"
					   : "");
}

static void
fish_word(const char *word, const char *summary)
{
	printf("-f -a %s -d ", word);
	put_quoted(summary, QUOTE_FISH);
	putchar('\n');
}

static void
fish_verb(size_t i)
{
	const struct verb *verb = &VERBS[i];

	if (is_first(i)) {
		fputs("complete -c sgwarden -n __sgwarden_begins_not ", stdout);
		fish_word(verb->name, verb->sub ? "" : verb->summary);
	}
	if (verb->sub) {
		fish_condition("__sgwarden_is", verb, false);
		fish_word(verb->sub, verb->summary);
	}
	for (size_t j = 0; j < OPTIONS_LEN; j++)
		if (has_option(verb, &OPTIONS[j]))
			fish_option(verb, &OPTIONS[j]);
}

static void
fish(void)
{
	puts("# fish completion of sgwarden, printed by `sgwarden completion fish`\n"
	     "function __sgwarden_begins_not\n"
	     "\ttest (count (commandline -opc)) -eq 1\n"
	     "end\n"
	     "function __sgwarden_begins\n"
	     "\tset -l here (commandline -opc)\n"
	     "\tset -l last (math (count $argv) + 1)\n"
	     "\ttest (count $here) -ge $last; and test \"$here[2..$last]\" = \"$argv\"\n"
	     "end\n"
	     "function __sgwarden_is\n"
	     "\t__sgwarden_begins $argv; and test (count (commandline -opc)) -eq (math (count "
	     "$argv) + "
	     "1)\n"
	     "end");
	for (size_t i = 0; i < VERBS_LEN; i++)
		fish_verb(i);
}

int
completion_run(const struct args *args)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} SHELLS[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

	for (size_t i = 0; i < sizeof(SHELLS) / sizeof(SHELLS[0]); i++)
		if (strcmp(SHELLS[i].name, args->verb->sub) == 0)
			SHELLS[i].print();
	return 0;
}
