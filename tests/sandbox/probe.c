/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enters the real sandbox of a process and does there what that process must not, or must be able to.
 *
 *   probe [--as=UID | --system=UID] matrix|twins|status|layers|faults
 *   probe [--as=UID | --system=UID] call ROLE[-tight] CALL
 *
 * --as runs all of it as that ordinary uid, --system confines as in system mode; both take root, and without it the
 * test counts as skipped (77).
 */
#include "probe.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/log.h>

#include "calls.h"

#define SKIPPED 77

static unsigned tests_run, tests_failed;

void
report(bool ok, const char *format, ...)
{
	va_list args;

	tests_run++;
	tests_failed += !ok;
	printf("%s ", ok ? "ok    " : "NOT OK");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

const char *
probe_name(unsigned which)
{
	return which == PROBE_TIGHT ? "front-tight" : role_name((enum role)which);
}

struct probe
probe_for(const struct setting *s, unsigned which)
{
	return (struct probe){
	    .role = which == PROBE_TIGHT ? ROLE_FRONT : (enum role)which,
	    .tight = which == PROBE_TIGHT,
	    .mode = s->mode,
	    .uid = s->uid,
	    .gid = s->gid,
	};
}

static bool
is_left_out(const struct probe *p, const char *step)
{
	for (size_t i = 0; i < 4 && p->without[i] != NULL; i++) {
		if (strcmp(p->without[i], step) == 0)
			return true;
	}
	return false;
}

/* The product's own walk, or the same table without the steps that a layer's test leaves out. */
static uint32_t
child_enter(const struct probe *p, const struct sandbox_args *args)
{
	struct lockdown l = {.row = &TOPOLOGY[p->role], .args = args};
	uint32_t degraded;

	if (p->without[0] == NULL) {
		sandbox_enter(p->role, args, &degraded);
		return degraded;
	}
	for (const struct lockdown_step *step = LOCKDOWN; step->name != NULL; step++) {
		if (!is_left_out(p, step->name) && step->run(&l) < 0) {
			fprintf(stderr, "step %s: %s\n", step->name, strerror(errno));
			_exit(LOCKDOWN_EXIT);
		}
	}
	return l.degraded;
}

static int
child_main(const struct probe *p, const struct world *w, pid_t parent, uint32_t *shared)
{
	struct sandbox_args args = {
	    .mode = p->mode, .parent = parent, .uid = p->uid, .gid = p->gid};

	world_enter(w);
	if (p->before != NULL)
		p->before(p->before_arg);
	*shared = child_enter(p, &args);
	if (p->tight)
		world_take_client();
	return p->act == NULL ? 0 : p->act(p->act_arg);
}

/* A page that survives the child: mapped before it, so that no policy has to allow it. */
static uint32_t *
shared_page(void)
{
	uint32_t *page =
	    mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(page != MAP_FAILED, "mmap");
	return page;
}

static pid_t
child_fork(const struct probe *p, struct world *w, uint32_t *shared)
{
	pid_t parent = getpid(), pid;

	world_make(w, p->role, p->tight);
	fflush(stdout);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0)
		_exit(child_main(p, w, parent, shared));
	return pid;
}

int
probe_end(pid_t pid, struct world *w)
{
	int status;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	world_free(w);
	return status;
}

int
probe_run(const struct probe *p, uint32_t *ret_degraded)
{
	uint32_t *shared = shared_page();
	struct world w;
	pid_t pid = child_fork(p, &w, shared);
	int status = probe_end(pid, &w);

	if (ret_degraded != NULL)
		*ret_degraded = *shared;
	munmap(shared, sizeof(*shared));
	return status;
}

pid_t
probe_start(const struct probe *p, struct world *w)
{
	uint32_t *shared = shared_page();
	pid_t pid = child_fork(p, w, shared);

	munmap(shared, sizeof(*shared));
	return pid;
}

static int
act_call(const void *arg)
{
	long r = call_make(arg);

	return r < 0 ? (int)-r : 0;
}

static int
probe_by_hand(const struct setting *s, const char *who, const char *what)
{
	for (unsigned which = ROLE_FRONT; which < PROBES; which++) {
		if (strcmp(probe_name(which), who) != 0)
			continue;
		for (unsigned i = 0; i < CALLS_LEN; i++) {
			struct probe p = probe_for(s, which);
			int status;

			if (strcmp(CALLS[i].name, what) != 0)
				continue;
			p.act = act_call;
			p.act_arg = &CALLS[i];
			status = probe_run(&p, NULL);
			if (WIFSIGNALED(status))
				printf("killed by signal %d\n", WTERMSIG(status));
			else
				printf("exit %d\n", WEXITSTATUS(status));
			return 0;
		}
	}
	fprintf(stderr, "no such role or call\n");
	return 2;
}

/* Drops root for good, and is dumpable again: the uid map of a child is written through /proc. */
static void
become(uid_t uid)
{
	must(setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
		 setresuid(uid, uid, uid) == 0,
	    "becoming an ordinary user");
	must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "prctl");
}

struct suite {
	const char *name;
	void (*run)(const struct setting *s);
};

static const struct suite SUITES[] = {
    {"matrix", suite_matrix},
    {"twins", suite_twins},
    {"status", suite_status},
    {"layers", suite_layers},
    {"faults", suite_faults},
};

static int
suite_by_name(const struct setting *s, const char *name)
{
	for (size_t i = 0; i < sizeof(SUITES) / sizeof(SUITES[0]); i++) {
		if (strcmp(SUITES[i].name, name) == 0) {
			SUITES[i].run(s);
			printf("%s: %u checks, %u failed (uid %u, %s mode)\n", name, tests_run,
			    tests_failed, getuid(), s->mode == MODE_SYSTEM ? "system" : "user");
			return tests_failed == 0 && tests_run > 0 ? 0 : 1;
		}
	}
	fprintf(stderr, "no such suite\n");
	return 2;
}

/* A twin must show what a row's limit takes away, so it starts with all that this machine gives. */
static void
limits_raise(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

int
main(int argc, char **argv)
{
	struct setting s = {.mode = MODE_USER};
	int at = 1;

	log_open("probe", LOG_LEVEL_ALERT);
	limits_raise();
	if (argc > 1 && strncmp(argv[1], "--", 2) == 0) {
		const char *number = strchr(argv[1], '=');
		uid_t uid = number == NULL ? 0 : (uid_t)strtoul(number + 1, NULL, 10);

		if (geteuid() != 0 || uid == 0) {
			printf("skipped: %s takes root\n", argv[1]);
			return SKIPPED;
		}
		if (strncmp(argv[1], "--as=", 5) == 0)
			become(uid);
		else
			s = (struct setting){.mode = MODE_SYSTEM, .uid = uid, .gid = (gid_t)uid};
		at = 2;
	}
	if (argc - at == 3 && strcmp(argv[at], "call") == 0) {
		log_open("probe", LOG_LEVEL_INFO);
		return probe_by_hand(&s, argv[at + 1], argv[at + 2]);
	}
	if (argc - at == 1)
		return suite_by_name(&s, argv[at]);
	fprintf(stderr, "usage: probe [--as=UID|--system=UID] SUITE | call ROLE CALL\n");
	return 2;
}
