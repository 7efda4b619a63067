/* SPDX-License-Identifier: Apache-2.0 */
/* holds: nothing but the terminal and files of whoever runs it */
/* cannot: approve, sign or reach AWS; it asks the daemon as any MCP client does */
/* if owned: whatever that person's own programs could do */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const struct verb VERBS[] = {
    {"mcp", NULL, "[--socket PATH]", "serve MCP on stdin and stdout, for an MCP client",
	"An MCP client starts this. It hands its stdin and stdout, which must be pipes or sockets, "
	"to the "
	"running daemon and waits until the daemon is done with them; no byte passes through it. "
	"It never "
	"starts a daemon.",
	"s", 0, 0, mcp_run},
    {"consent", NULL, "[--socket PATH]", "make this terminal the consent screen",
	"Hands this terminal to the daemon, which shows each request on it. What is typed goes to "
	"the trusted "
	"consent process, not to this program. Ctrl-C ends it; then nothing can be approved.",
	"s", 0, 0, consent_run},
    {"config", "check", "[FILE] [--config DIR] [--json]", "say whether config.json is acceptable",
	"FILE is config.json in $XDG_CONFIG_HOME/sgwarden or /etc/sgwarden where none is given. "
	"Nothing is "
	"written.",
	"jc", 0, 1, config_check_run},
    {"config", "load", "[FILE] [--config DIR] [--state DIR] [--json]",
	"compile config.json for the daemon",
	"Writes config.bin in the state directory, whole or not at all. A running daemon goes on "
	"with what it "
	"read when it started: restart it.",
	"jct", 0, 1, config_load_run},
    {"policy", "check", "[FILE] [--config DIR] [--json]", "say whether policy.json is acceptable",
	"FILE is policy.json in $XDG_CONFIG_HOME/sgwarden or /etc/sgwarden where none is given. "
	"The "
	"cases that it holds are run. Nothing is written and nobody is asked.",
	"jc", 0, 1, policy_check_run},
    {"policy", "test", "[FILE] [--config DIR] [--json]", "run the cases of policy.json",
	"Prints each case and what the policy says to it. Exits 1 where one does not hold.", "jc",
	0, 1, policy_test_run},
    {"policy", "show", "[FILE] [--config DIR] [--json]", "print a policy in full",
	"FILE as it would come into force: all that it says and all that it leaves to the built-in "
	"policy, in one order.",
	"jc", 0, 1, policy_show_run},
    {"key", "enroll", "NAME [--socket PATH] [--json]", "enrol a security key",
	"NAME is yours to choose: letters, digits, '.', '_' and '-', at most 32. The consent "
	"screen asks for the "
	"word and for the touch. Compare the fingerprint printed here with the one on the screen. "
	"Every key "
	"after the first needs the touch of one that is enrolled.",
	"js", 1, 1, key_enroll_run},
    {"key", "list", "[--socket PATH] [--json]", "list the enrolled security keys", NULL, "js", 0, 0,
	key_list_run},
    {"health", NULL, "[--socket PATH] [--json]", "say how the parts of the daemon are",
	"Exits 0 when every part is ok or degraded, 1 when one is down.", "js", 0, 0, health_run},
    {"profile", "list", "[--socket PATH] [--json]", "list the configured AWS profiles", NULL, "js",
	0, 0, profile_list_run},
    {"ip", NULL, "[--family ipv4|ipv6|both] [--socket PATH] [--json]",
	"say from which address this machine is seen",
	"Has the configured sources asked and shows what each says. An address is known where at "
	"least two say the same. Exits 1 where it is known over neither family. What is open to it "
	"through sgwarden is listed.",
	"jsi", 0, 0, ip_run},
    {"open", NULL,
	"SG PORT [--from current|CIDR] --for TIME --why TEXT [--profile NAME] [--region NAME] "
	"[--socket PATH] [--json]",
	"ask for a port to be opened for a while",
	"PORT is a port such as 443, a range such as 8000-8010, either with /udp behind it, icmp, "
	"icmpv6, or a service such as ssh. Without --from it is current: this machine's own "
	"address, as at least two configured sources see it. TIME is 90m, 8h or 7d. Waits for the "
	"person and says "
	"what it waits for; Ctrl-C withdraws the request. Prints the receipt, the rule and when it "
	"closes. Nothing is opened without the person and the security key.",
	"jspefyw", 2, 2, open_run},
    {"close", NULL,
	"[RULE...] [--group SG] [--why TEXT] [--profile NAME] [--region NAME] [--socket PATH] "
	"[--json]",
	"close rules",
	"RULE is a rule's id, or a receipt: the rules that were opened with it. Without RULE all "
	"that was opened in --group through sgwarden. Rules that others made are named together "
	"with their --group, and need the person and the security key.",
	"jspegw", 0, CLI_REST_MAX, close_run},
    {"rules", NULL, "SG [--profile NAME] [--region NAME] [--socket PATH] [--json]",
	"list a group's ingress rules", NULL, "jspe", 1, 1, rules_run},
    {"groups", NULL, "[QUERY] [--profile NAME] [--region NAME] [--socket PATH] [--json]",
	"list security groups, or find some",
	"QUERY is a part of a group's id, of its name or of a tag.", "jspe", 0, 1, groups_run},
    {"check", NULL, "SG IP [PORT] [--profile NAME] [--region NAME] [--socket PATH] [--json]",
	"say whether a group's rules let an address in",
	"PORT is a port such as 443 or 53/udp, icmp or icmpv6; without it any TCP port. Exits 0 "
	"where it is let in, 1 where it is not.",
	"jspe", 2, 3, check_run},
    {"grants", NULL, "[SG] [--socket PATH] [--json]", "list what is open through sgwarden", NULL,
	"js", 0, 1, grants_run},
    {"ledger", "show", "[FILE] [--state DIR] [--json]", "list the ledger's records",
	"FILE is ledger/00000001.log in the state directory where none is given. With --json one "
	"object a line.",
	"jt", 0, 1, ledger_show_run},
    {"ledger", "verify", "[FILE] [--keys FILE] [--head HASH] [--state DIR] [--json]",
	"check the ledger from its first byte to its last",
	"Checks grammar, numbers and hashes of all records; of every consent the shown text, the "
	"touch and its "
	"signature; of every intent that it does what was touched for and no more. Names the first "
	"record that "
	"does not hold and exits 8.\n"
	"The keys are those that the ledger itself enrols, unless --keys gives a key list from "
	"elsewhere. Only "
	"--head, the last hash as you know it from outside (the journal prints each), shows that "
	"nothing was "
	"cut off the end; without it the answer says `anchored: no`.",
	"jtkh", 0, 1, ledger_verify_run},
    {"version", NULL, "", "print the version", NULL, "", 0, 0, version_run},
    {"help", NULL, "[VERB]", "this list, or one verb", NULL, "", 0, 2, help_run},
};

#define VERBS_LEN (sizeof(VERBS) / sizeof(VERBS[0]))

/* ---- options ---- */

struct option_row {
	char letter;
	const char *name;
	size_t offset; /* in struct args, of a const char *; the flag --json has none */
};

static const struct option_row OPTIONS[] = {
    {'j', "--json", 0},
    {'c', "--config", offsetof(struct args, config)},
    {'t', "--state", offsetof(struct args, state)},
    {'s', "--socket", offsetof(struct args, socket)},
    {'k', "--keys", offsetof(struct args, keys)},
    {'h', "--head", offsetof(struct args, head)},
    {'p', "--profile", offsetof(struct args, profile)},
    {'e', "--region", offsetof(struct args, region)},
    {'f', "--from", offsetof(struct args, from)},
    {'y', "--for", offsetof(struct args, lasts)},
    {'w', "--why", offsetof(struct args, why)},
    {'g', "--group", offsetof(struct args, group)},
    {'i', "--family", offsetof(struct args, family)},
};

/* Lines after the first begin with eight blanks. */
static void
put_usage(FILE *out, const struct verb *verb)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s%s %s", verb->name, verb->sub ? " " : "",
	    verb->sub ? verb->sub : "", verb->usage);
	fputs("sgwarden ", out);
	out_wrapped(out, 8, text);
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
		fputs("\nusage: ", stderr);
		put_usage(stderr, verb);
	} else
		fputs("\n`sgwarden help` lists what there is.\n", stderr);
	return 2;
}

static const struct option_row *
option_find(const char *word, const struct verb *verb)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < sizeof(OPTIONS) / sizeof(OPTIONS[0]); i++)
		if (strlen(OPTIONS[i].name) == len && strncmp(OPTIONS[i].name, word, len) == 0 &&
		    strchr(verb->options, OPTIONS[i].letter))
			return &OPTIONS[i];
	return NULL;
}

/* Takes the option at argv[*i]; 0, or 2 having said why not. */
static int
option_take(struct args *args, int argc, char **argv, int *i)
{
	const struct option_row *row = option_find(argv[*i], args->verb);
	const char *value = strchr(argv[*i], '=');

	if (!row)
		return usage_error(args->verb, "no such option here", argv[*i]);
	if (row->letter == 'j') {
		args->json = true;
		return value ? usage_error(args->verb, "--json takes no value", NULL) : 0;
	}
	if (value)
		value++;
	else if (*i + 1 < argc)
		value = argv[++*i];
	if (!value || !*value)
		return usage_error(args->verb, "this option needs a value", row->name);
	memcpy((char *)args + row->offset, &value, sizeof(value));
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
		else if (args->n_rest == args->verb->rest_max)
			r = usage_error(args->verb, "one argument too many", argv[i]);
		else
			args->rest[args->n_rest++] = argv[i];
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
		put_usage(stdout, v);
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
