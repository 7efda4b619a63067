/* SPDX-License-Identifier: Apache-2.0 */
/* System mode: the daemon's unit and the screen's, started after a question; see setup_flow.h. */
#include "setup_flow.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "setup_ask.h"
#include "setup_unit.h"

#define TERMINAL_MAX 32
#define JOURNAL_LINES "14"

/* What others wrote, line by line, wrapped. */
static void
tell_lines(char *said)
{
	char *line;

	while ((line = strsep(&said, "\n")) != NULL) {
		if (!*line)
			continue;
		fputs("         ", stdout);
		out_words(stdout, 9, line);
	}
}

bool
did(const char *const argv[])
{
	char said[RUN_SAID_MAX];

	if (run_program(argv, said) == 0)
		return true;
	printf("failed   %s\n", argv[0]);
	tell_lines(said);
	return false;
}

/* ---- the daemon ---- */

/* The end of its journal: what must be mended stands there. */
static void
tell_journal(void)
{
	static const char *const TAIL[] = {"journalctl", "--unit=" DAEMON_UNIT, "--no-pager",
	    "--output=cat", "--lines=" JOURNAL_LINES, NULL};
	static const char *const SYNC[] = {"journalctl", "--sync", NULL};
	char said[RUN_SAID_MAX];

	/* What was written just now is read later; where there is nothing to wait for, what is there is told. */
	(void)run_program(SYNC, said);
	if (run_program(TAIL, said) != 0 || !said[0])
		return;
	puts("The end of its journal:");
	tell_lines(said);
}

int
system_restart(void)
{
	static const char *const ENABLE[] = {
	    "systemctl", "--quiet", "--no-ask-password", "enable", DAEMON_UNIT, NULL};
	static const char *const RESTART[] = {
	    "systemctl", "--no-ask-password", "restart", DAEMON_UNIT, NULL};

	fflush(stdout);
	if (did(ENABLE) && did(RESTART)) {
		puts("started  " DAEMON_UNIT);
		return 0;
	}
	tell_journal();
	return once_more("Mend that; Enter tries again");
}

int
system_daemon(struct flow *f)
{
	const char *words[] = {"`start` it, now and with the machine, or `no`", "start"};

	step_say(f, STEP_DAEMON,
	    f->now.runs ? "The daemon runs. It must start anew: what it reads when it starts has "
			  "changed, or it does not start with the machine yet."
			: "The daemon, sgwarden.service, with its sockets.");
	if (f->now.runs) {
		words[0] = "`restart` it, or `no`";
		words[1] = "restart";
	}
	switch (setup_offer(words[0], words[1])) {
	case OFFER_ENDED:
		return input_ended();
	case OFFER_NO:
		return wait_for(f, STEP_DAEMON, setup_step_text(&f->now, STEP_DAEMON));
	case OFFER_YES:
		break;
	}
	return system_restart();
}

/* ---- the screen ---- */

/* "open on /dev/tty8[, ...]": what health says. */
void
screen_hint(const struct setup *s, char ret_text[80])
{
	const char *at = strstr(s->screen, "tty");
	unsigned number = 0;

	if (at && sscanf(at, "tty%2u", &number) == 1 && number >= 1 && number <= 12)
		snprintf(ret_text, 80, "Ctrl-Alt-F%u", number);
	else
		snprintf(ret_text, 80, "the terminal that has it");
}

static bool
name_is_plain(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '/')
			return false;
	return *name && *name != '/' && strlen(name) < TERMINAL_MAX;
}

/* NULL, or what is wrong with that terminal. */
static const char *
terminal_problem(const char *name)
{
	char path[TERMINAL_MAX + 8], own[64];
	struct stat st;

	if (!name_is_plain(name))
		return "a name as below /dev, please, such as tty8";
	snprintf(path, sizeof(path), "/dev/%s", name);
	if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode))
		return "there is no such terminal below /dev";
	if (ttyname_r(STDIN_FILENO, own, sizeof(own)) == 0 && strcmp(own, path) == 0)
		return "that is the one that this runs on: name another";
	return NULL;
}

static bool
screen_start(const char *terminal, char ret_unit[80])
{
	const char *const argv[] = {
	    "systemctl", "--quiet", "--no-ask-password", "enable", "--now", ret_unit, NULL};

	snprintf(ret_unit, 80, "sgwarden-consent@%.*s.service", TERMINAL_MAX, terminal);
	for (char *p = ret_unit; *p; p++)
		*p = *p == '/' ? '-' : *p; /* as systemd-escape(1) does it */
	fflush(stdout);
	return did(argv);
}

/* The unit of a screen that runs or is to run again, by systemd's own list; false: none. */
static bool
screen_unit(char ret_unit[80])
{
	static const char *const LIST[] = {"systemctl", "list-units", "--plain", "--no-legend",
	    "--state=active,activating", "sgwarden-consent@*.service", NULL};
	char said[RUN_SAID_MAX];
	size_t len;

	if (run_program(LIST, said) != 0)
		return false;
	len = strcspn(said, " \n");
	snprintf(ret_unit, 80, "%.*s", (int)(len < 79 ? len : 79), said);
	return len > 0;
}

int
system_screen(struct flow *f)
{
	const char *fallback = terminal_problem("tty8") ? NULL : "tty8", *problem;
	char answer[SETUP_ANSWER_MAX], unit[80], text[256];

	if (screen_unit(unit)) { /* it comes again some seconds after each start of the daemon */
		snprintf(text, sizeof(text),
		    "the screen comes again by itself. `journalctl -u %s` says why, where it does "
		    "not; stop that unit to choose another terminal.",
		    unit);
		return wait_for(f, STEP_SCREEN, text);
	}
	step_say(f, STEP_SCREEN,
	    "The consent screen: the one place where anything is agreed to. It wants a terminal of "
	    "its own, where nobody logs in; `own` leaves it to an account in the group sgw-screen, "
	    "which runs `sgwarden consent` where it is logged in. Put ForwardToWall=no into "
	    "journald.conf before: else any program's emergency message is painted over it.");
	if (!setup_ask("The terminal, or `own`", fallback, answer))
		return input_ended();
	if (strcmp(answer, "own") == 0)
		return wait_for(
		    f, STEP_SCREEN, "run `sgwarden consent` as an account in the group sgw-screen");
	problem = terminal_problem(answer);
	if (problem) {
		printf("%s\n", problem);
		return 0;
	}
	if (!screen_start(answer, unit))
		return once_more("Enter tries again");
	snprintf(text, sizeof(text),
	    "the screen is to open on %.*s. `journalctl -u %s` says why, where it does not.",
	    TERMINAL_MAX, answer, unit);
	return wait_for(f, STEP_SCREEN, text);
}
