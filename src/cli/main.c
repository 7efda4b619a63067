/* SPDX-License-Identifier: Apache-2.0 */
/* holds: nothing but the terminal and files of whoever runs it */
/* cannot: approve, sign or reach AWS; it asks the daemon as any MCP client does */
/* if owned: whatever that person's own programs could do */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include <sgwarden/lookalike.h>
#include <sgwarden/vis.h>

/* ---- options ---- */

const struct option_row OPTIONS[] = {
    {'j', "--json", OPTION_FLAG, offsetof(struct args, json)},
    {'c', "--config", OPTION_PATH, offsetof(struct args, config)},
    {'t', "--state", OPTION_PATH, offsetof(struct args, state)},
    {'s', "--socket", OPTION_PATH, offsetof(struct args, socket)},
    {'k', "--keys", OPTION_PATH, offsetof(struct args, keys)},
    {'h', "--head", OPTION_WORD, offsetof(struct args, head)},
    {'S', "--since", OPTION_WORD, offsetof(struct args, since)},
    {'K', "--kind", OPTION_WORD, offsetof(struct args, kind)},
    {'R', "--receipt", OPTION_WORD, offsetof(struct args, receipt)},
    {'p', "--profile", OPTION_WORD, offsetof(struct args, profile)},
    {'e', "--region", OPTION_WORD, offsetof(struct args, region)},
    {'f', "--from", OPTION_WORD, offsetof(struct args, from)},
    {'y', "--for", OPTION_WORD, offsetof(struct args, lasts)},
    {'w', "--why", OPTION_WORD, offsetof(struct args, why)},
    {'T', "--state", OPTION_WORD, offsetof(struct args, stands)},
    {'g', "--group", OPTION_WORD, offsetof(struct args, group)},
    {'F', "--file", OPTION_PATH, offsetof(struct args, file)},
    {'F', "-f", OPTION_PATH, offsetof(struct args, file)},
    {'L', "--libexec", OPTION_PATH, offsetof(struct args, libexec)},
    {'N', "--permanent", OPTION_FLAG, offsetof(struct args, permanent)},
    {'V', "--csv", OPTION_FLAG, offsetof(struct args, csv)},
    {'P', "--prove", OPTION_FLAG, offsetof(struct args, prove)},
    {'A', "--plan", OPTION_FLAG, offsetof(struct args, plan)},
    {'b', "--best-effort", OPTION_FLAG, offsetof(struct args, best_effort)},
    {'i', "--family", OPTION_WORD, offsetof(struct args, family)},
};
const size_t OPTIONS_LEN = sizeof(OPTIONS) / sizeof(OPTIONS[0]);

/* Lines after the first begin with eight blanks. */
static void
put_usage(FILE *out, const char *lead, const struct verb *verb)
{
	char text[320];

	snprintf(text, sizeof(text), "%ssgwarden %s%s%s %s", lead, verb->name, verb->sub ? " " : "",
	    verb->sub ? verb->sub : "", verb->usage);
	out_hanging(out, 8, text);
}

static int
usage_error(const struct verb *verb, const char *what, const char *word)
{
	fputs("sgwarden: ", stderr);
	fputs(what, stderr);
	if (word) {
		fputs(": ", stderr);
		out_vis(stderr, word, strlen(word), 40);
	}
	if (verb) {
		fputc('\n', stderr);
		put_usage(stderr, "usage: ", verb);
	} else
		fputs("\n`sgwarden help` lists what there is.\n", stderr);
	return 2;
}

static const struct option_row *
option_find(const char *word, const struct verb *verb)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < OPTIONS_LEN; i++)
		if (strlen(OPTIONS[i].name) == len && strncmp(OPTIONS[i].name, word, len) == 0 &&
		    strchr(verb->options, OPTIONS[i].letter))
			return &OPTIONS[i];
	return NULL;
}

/*
 * All words but the names of files become text somewhere: JSON for the daemon, a reason that a person reads and that is
 * signed.  Those of another encoding than UTF-8 the daemon would have to refuse, or somebody would have to guess.
 */
static bool
is_text(const char *word)
{
	return text_is_utf8(word, strlen(word));
}

/* Takes the option at argv[*i]; 0, or 2 having said why not. */
static int
option_take(struct args *args, int argc, char **argv, int *i)
{
	const struct option_row *row = option_find(argv[*i], args->verb);
	const char *value = strchr(argv[*i], '=');

	if (!row)
		return usage_error(args->verb, "no such option here", argv[*i]);
	if (row->value == OPTION_FLAG) {
		*(bool *)((char *)args + row->offset) = true;
		return value ? usage_error(args->verb, "this option takes no value", row->name) : 0;
	}
	if (value)
		value++;
	else if (*i + 1 < argc)
		value = argv[++*i];
	if (!value || !*value)
		return usage_error(args->verb, "this option needs a value", row->name);
	if (row->value == OPTION_WORD && !is_text(value))
		return usage_error(
		    args->verb, "the value of this option is not UTF-8 text", row->name);
	memcpy((char *)args + row->offset, &value, sizeof(value));
	return 0;
}

/* The words behind the verb are names of files, as its usage has it. */
static bool
takes_files(const struct verb *verb)
{
	return strncmp(verb->usage, "FILE", 4) == 0 || strstr(verb->usage, "[FILE]") ||
	       strstr(verb->usage, "[PATH]");
}

static int
rest_take(struct args *args, const char *word)
{
	char what[48];

	if (args->n_rest == args->verb->rest_max)
		return usage_error(args->verb, "one argument too many", word);
	if (!takes_files(args->verb) && !is_text(word)) {
		snprintf(what, sizeof(what), "argument %zu is not UTF-8 text", args->n_rest + 1);
		return usage_error(args->verb, what, NULL);
	}
	args->rest[args->n_rest++] = word;
	return 0;
}

static int
args_take(struct args *args, int argc, char **argv, int from)
{
	bool options = true;

	for (int i = from; i < argc; i++) {
		int r = 0;

		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1])
			r = option_take(args, argc, argv, &i);
		else
			r = rest_take(args, argv[i]);
		if (r != 0)
			return r;
	}
	if (args->n_rest < args->verb->rest_min)
		return usage_error(args->verb, "an argument is missing", NULL);
	return 0;
}

/* ---- help and version ---- */

static void
help_row(FILE *out, const struct verb *verb)
{
	char name[40];

	snprintf(name, sizeof(name), "%s%s%s", verb->name, verb->sub ? " " : "",
	    verb->sub ? verb->sub : "");
	fprintf(out, "  %-15s %s\n", name, verb->summary);
}

static void
help_all(FILE *out)
{
	fputs("sgwarden: security group changes that a person reads, agrees to and touches for\n"
	      "usage: sgwarden VERB [ARGUMENTS]\n\n",
	    out);
	for (size_t i = 0; i < VERBS_LEN; i++)
		help_row(out, &VERBS[i]);
	fputc('\n', out);
	out_wrapped(out, 0,
	    "`sgwarden help VERB` says more. Exit status: 0 ok, 1 failed, 2 usage, 3 refused by "
	    "policy, "
	    "4 denied by the person, 5 expired or no key, 6 ambiguous, 7 AWS credentials expired, "
	    "8 verification failed.");
}

static int
help_verb(const char *name)
{
	bool found = false;

	for (size_t i = 0; i < VERBS_LEN; i++) {
		const struct verb *v = &VERBS[i];

		if (strcmp(v->name, name) != 0)
			continue;
		if (found)
			putchar('\n');
		found = true;
		put_usage(stdout, "", v);
		printf("    %s\n", v->summary);
		if (v->more) {
			fputs("    ", stdout);
			out_wrapped(stdout, 4, v->more);
		}
	}
	return found ? 0 : usage_error(NULL, "no such verb", name);
}

int
help_run(const struct args *args)
{
	if (args->n_rest > 0)
		return help_verb(args->rest[0]);
	help_all(stdout);
	return 0;
}

int
version_run(const struct args *args)
{
	(void)args;
	puts("sgwarden " SGW_VERSION);
	return 0;
}

/* ---- main ---- */

/* The row for these words; NULL having said why not.  ret_from: the first word that is an argument. */
static const struct verb *
verb_find(int argc, char **argv, int *ret_from)
{
	const struct verb *named = NULL;

	for (size_t i = 0; i < VERBS_LEN; i++) {
		const struct verb *v = &VERBS[i];

		if (strcmp(v->name, argv[1]) != 0)
			continue;
		named = v;
		*ret_from = v->sub ? 3 : 2;
		if (!v->sub || (argc > 2 && strcmp(v->sub, argv[2]) == 0))
			return v;
	}
	if (!named) {
		usage_error(NULL, "no such verb", argv[1]);
		return NULL;
	}
	fprintf(stderr, "sgwarden: %s needs one of these words behind it\n", named->name);
	for (size_t i = 0; i < VERBS_LEN; i++)
		if (VERBS[i].sub && strcmp(VERBS[i].name, named->name) == 0)
			fprintf(stderr, "  sgwarden %s %s\n", VERBS[i].name, VERBS[i].sub);
	return NULL;
}

static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

/* Whoever can list processes has seen it by now; it need not stand in a log besides. */
static int
refuse_credential(void)
{
	out_wrapped(stderr, 0,
	    "sgwarden: an argument looks like a credential. None is ever wanted on the command "
	    "line, and "
	    "it is not shown here. If it is one, replace it in AWS: every user of this machine "
	    "could "
	    "read it.");
	return 2;
}

int
main(int argc, char **argv)
{
	struct args args = {0};
	int from = 2, r;

	if (argc < 2) {
		help_all(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--version") == 0)
		return version_run(&args);
	if (asks_for_help(argc, argv))
		return strcmp(argv[1], "--help") == 0 ? help_run(&args) : help_verb(argv[1]);
	for (int i = 1; i < argc; i++)
		if (looks_like_credential(argv[i]))
			return refuse_credential();
	args.verb = verb_find(argc, argv, &from);
	if (!args.verb)
		return 2;
	r = args_take(&args, argc, argv, from);
	if (r == 0)
		r = args.verb->run(&args);
	/* What was printed must have arrived: a full disk behind a pipe is a failure too. */
	if (fflush(stdout) != 0 && r == 0)
		r = 1;
	return r;
}
