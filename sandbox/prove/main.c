/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgw-prove: enters the real sandbox of each process and does there what that process must not, or must be able to.
 *
 *   sgw-prove [--as=UID | --system=UID] [--lines] all | offered | matrix | twins | status | layers | ports
 *   sgw-prove [--as=UID | --system=UID] call ROLE[-tight] CALL
 *
 * --as runs all of it as that ordinary uid, --system confines as in system mode; both take root, and without it the
 * exit status is 77.  0: everything held; 1: something did not; 2: usage.  It changes nothing on the machine: what it
 * tries would be refused or do nothing outside a sandbox too.
 */
#include "probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/log.h>

#include "calls.h"

struct suite {
	const char *name;
	void (*run)(const struct setting *s);
};

static const struct suite SUITES[] = {
    {"offered", suite_offered},
    {"matrix", suite_matrix},
    {"twins", suite_twins},
    {"status", suite_status},
    {"layers", suite_layers},
    {"ports", suite_ports},
};

static int
usage(void)
{
	fprintf(stderr, "usage: sgw-prove [--as=UID|--system=UID] [--lines] "
			"all|offered|matrix|twins|status|layers|ports | call ROLE CALL\n");
	return 2;
}

static int
act_call(const void *arg)
{
	long r = call_make(arg);

	return r < 0 ? (int)-r : 0;
}

static int
call_by_hand(const struct setting *s, unsigned which, const char *what)
{
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
	return usage();
}

static int
role_by_hand(const struct setting *s, const char *who, const char *what)
{
	for (unsigned which = ROLE_FRONT; which < PROBES; which++)
		if (strcmp(probe_name(which), who) == 0)
			return call_by_hand(s, which, what);
	return usage();
}

static int
suites_run(const struct setting *s, const char *name, bool lines)
{
	bool all = strcmp(name, "all") == 0;

	report_lines(lines);
	for (size_t i = 0; i < sizeof(SUITES) / sizeof(SUITES[0]); i++)
		if (all || strcmp(SUITES[i].name, name) == 0)
			SUITES[i].run(s);
	if (report_run() == 0)
		return usage();
	if (!lines)
		printf("%s: %u checks, %u failed (uid %u, %s mode)\n", name, report_run(),
		    report_failed(), getuid(), s->mode == MODE_SYSTEM ? "system" : "user");
	return report_failed() == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct setting s;
	int at = 1, r = setting_take(argc > 1 ? argv[1] : NULL, &s);
	bool lines = false;

	if (r == SETTING_SKIPPED)
		return r;
	at += r;
	log_open("sgw-prove", LOG_LEVEL_ALERT);
	if (at < argc && strcmp(argv[at], "--lines") == 0) {
		lines = true;
		at++;
	}
	if (argc - at == 3 && strcmp(argv[at], "call") == 0) {
		log_open("sgw-prove", LOG_LEVEL_INFO);
		return role_by_hand(&s, argv[at + 1], argv[at + 2]);
	}
	return argc - at == 1 ? suites_run(&s, argv[at], lines) : usage();
}
