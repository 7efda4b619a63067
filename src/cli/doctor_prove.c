/* SPDX-License-Identifier: Apache-2.0 */
/* What sgw-prove saw, gathered by layer. */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/sandbox.h>
#include <sgwarden/vis.h>

#define LINE_LEN 512
#define FAILURES_SHOWN 5

/* The steps of the lockdown as sgw-prove names them, and what each is for. */
static const struct {
	const char *layer;
	const char *what;
} LAYERS[] = {
    {"seccomp", "a call that a process has no reason for kills it"},
    {"landlock", "no file but those of its row; no TCP port but net's own"},
    {"namespaces", "no network but for net"},
    {"capabilities", "no privilege of an administrator"},
    {"no-new-privs", "no program that it could start gains any"},
    {"identity", "another user and no groups, where the mode has them"},
    {"descriptors", "no file or socket but those of its row"},
    {"dumpable", "no core, and its user's other processes can neither trace nor read it"},
    {"limits", "no more descriptors than its row has"},
    {"mdwe", "data does not become code"},
    {"parent", "it dies with the supervisor"},
    {"work", "what it is there for works all the same: the trials are alive"},
};
#define LAYERS_LEN (sizeof(LAYERS) / sizeof(LAYERS[0]))

static const struct {
	const char *name, *why;
} DEGRADATIONS[] = {
#define X(bit, NAME, name, why) {name, why},
    SGW_DEGRADATIONS(X)
#undef X
};
#define DEGRADATIONS_LEN (sizeof(DEGRADATIONS) / sizeof(DEGRADATIONS[0]))

enum {
#define X(bit, NAME, name, why) AT_##NAME = bit,
	SGW_DEGRADATIONS(X)
#undef X
};

/* What each stands for where it is not so. */
static const char *const HELD[] = {
    [AT_NO_USERNS] = "user namespaces are offered",
    [AT_NO_NETNS] = "network namespaces are offered: all but net are alone in one",
    [AT_LANDLOCK_NONE] = "Landlock guards the files",
    [AT_LANDLOCK_OLD] = "Landlock restricts net's TCP ports",
    [AT_NO_MDWE] = "the kernel itself refuses writable code",
    [AT_NO_MEMLOCK] = "memory can be locked: no secret reaches the swap",
    [AT_SHARED_UID] = "each process has an account of its own",
};
_Static_assert(sizeof(HELD) / sizeof(HELD[0]) == DEGRADATIONS_LEN, "each has its words");

struct tally {
	int held, failed, missing;
	char first[FAILURES_SHOWN][LINE_LEN]; /* what failed, printable */
	char lacks[LINE_LEN];                 /* the first that is missing */
};

struct prover {
	struct tally layers[LAYERS_LEN];
	bool known[DEGRADATIONS_LEN], missing[DEGRADATIONS_LEN];
	int lines;
};

static void
tally_add(struct tally *t, const char *state, const char *text)
{
	if (strcmp(state, "held") == 0)
		t->held++;
	else if (strcmp(state, "missing") == 0) {
		if (t->missing++ == 0)
			vis(t->lacks, sizeof(t->lacks), text, strlen(text));
	} else if (t->failed++ < FAILURES_SHOWN)
		vis(t->first[t->failed - 1], LINE_LEN, text, strlen(text));
}

static void
line_take(struct prover *p, char *line)
{
	char *state = strsep(&line, "\t"), *layer = strsep(&line, "\t");

	if (!layer || !line)
		return;
	line[strcspn(line, "\n")] = 0;
	p->lines++;
	for (size_t i = 0; i < LAYERS_LEN; i++)
		if (strcmp(LAYERS[i].layer, layer) == 0)
			tally_add(&p->layers[i], state, line);
	for (size_t i = 0; i < DEGRADATIONS_LEN; i++)
		if (strcmp(DEGRADATIONS[i].name, layer) == 0) {
			p->known[i] = true;
			p->missing[i] = strcmp(state, "missing") == 0;
		}
}

/* Root's daemon is system mode's: confined as one of its accounts, where they are there already. */
static void
setting_text(char ret_text[32])
{
	const struct passwd *pw = getpwnam("sgw-front");

	if (geteuid() != 0)
		ret_text[0] = 0;
	else
		snprintf(ret_text, 32, "--system=%u", pw ? (unsigned)pw->pw_uid : 65534u);
}

/* The prover's pid, its stdout in *ret_out; -1 and errno. */
static pid_t
prover_start(const char *path, bool all, int *ret_out)
{
	char setting[32], *argv[5], *environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	int ends[2], n = 0, r;
	pid_t pid;

	setting_text(setting);
	argv[n++] = (char[]){"sgw-prove"};
	if (setting[0])
		argv[n++] = setting;
	argv[n++] = (char[]){"--lines"};
	argv[n++] = all ? (char[]){"all"} : (char[]){"offered"};
	argv[n] = NULL;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	r = posix_spawn(&pid, path, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (r == 0) {
		*ret_out = ends[0];
		return pid;
	}
	close(ends[0]);
	errno = r;
	return -1;
}

static int
prover_run(const struct args *args, bool all, struct prover *p)
{
	char path[CLI_PATH_MAX], line[LINE_LEN];
	int out, status;
	pid_t pid;
	FILE *f;

	if (!path_join(path, args->libexec ? args->libexec : SGW_LIBEXEC, "sgw-prove"))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--libexec", "no such path");
	pid = prover_start(path, all, &out);
	if (pid < 0)
		return out_error(args, SGW_ERR_INTERNAL, NULL, "%s: %s", path, strerror(errno));
	f = fdopen(out, "r");
	while (f && fgets(line, sizeof(line), f))
		line_take(p, line);
	if (f)
		fclose(f);
	else
		close(out);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1 ||
	    p->lines == 0)
		return out_error(
		    args, SGW_ERR_INTERNAL, NULL, "%s came to no end: nothing is proved", path);
	return 0;
}

static void
layer_tell(cJSON *layers, size_t i, const struct tally *t)
{
	int shown = t->failed < FAILURES_SHOWN ? t->failed : FAILURES_SHOWN;

	if (t->failed > 0) {
		doctor_say(layers, "failed", LAYERS[i].layer, t->held, "%s: %d times it did not",
		    LAYERS[i].what, t->failed);
		for (int k = 0; k < shown; k++)
			doctor_say(layers, "failed", LAYERS[i].layer, 0, "%s", t->first[k]);
	} else if (t->held > 0)
		doctor_say(layers, "held", LAYERS[i].layer, t->held, "%s", LAYERS[i].what);
	if (t->missing > 0)
		doctor_say(layers, "missing", LAYERS[i].layer, t->missing, "%s%s", t->lacks,
		    t->missing > 1 ? ", and more" : "");
}

int
doctor_prove(const struct args *args, bool all, cJSON *machine, cJSON *layers)
{
	static struct prover p;
	int r = prover_run(args, all, &p);

	if (r != 0)
		return r;
	for (size_t i = 0; i < DEGRADATIONS_LEN; i++)
		if (p.known[i])
			doctor_say(machine, p.missing[i] ? "missing" : "held", DEGRADATIONS[i].name,
			    1, "%s%s", p.missing[i] ? "" : "not so: ",
			    p.missing[i] ? DEGRADATIONS[i].why : HELD[i]);
	for (size_t i = 0; i < LAYERS_LEN; i++)
		layer_tell(layers, i, &p.layers[i]);
	return 0;
}
