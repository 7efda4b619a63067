/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: the listening sockets, the terminal of the consent screen, the right to open files and to start processes
 * cannot: see a secret, reach a network by itself, or be talked to in anything but fixed-size typed requests
 * if owned: everything is lost; so it parses nothing that a peer says
 */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

static struct supervisor S;

static void
on_serving(struct supervisor *s, uint32_t overdue)
{
	if (s->listening)
		return;
	if (!s->accepting && listeners_watch(s) < 0) {
		s->quitting = s->failed = true;
		return;
	}
	s->listening = s->accepting = true;
	log_notice("serving; overdue closings: %u", (unsigned)overdue);
	(void)sd_notifyf(0, "READY=1\nSTATUS=serving, %u overdue", (unsigned)overdue);
}

static void
on_commit(struct supervisor *s, enum state_file file, const uint8_t *data, size_t len)
{
	bool ok = state_commit(s, file, data, len);

	s->msg.id = MSG_COMMITTED;
	s->msg.committed = (struct msg_committed){.file = file, .ok = ok};
	cell_send(s, ROLE_BROKER, &s->msg, -1);
}

static void
on_message(struct supervisor *s, struct child *c)
{
	static uint8_t data[SGW_COMMIT_MAX];
	const struct msg *m = &s->msg;

	switch (m->id) {
	case MSG_READY:
		cell_ready(s, c, m->ready.degraded);
		return;
	case MSG_START_CEREMONY:
		ceremony_start(s, m->start_ceremony.ceremony);
		return;
	case MSG_START_KEYS:
		ceremony_keys(s, m->start_keys.ceremony);
		return;
	case MSG_END_CEREMONY:
		ceremony_end(s, m->end_ceremony.ceremony, m->end_ceremony.keys_only);
		return;
	case MSG_COMMIT:
		memcpy(data, m->commit.data, m->commit.data_len);
		on_commit(s, m->commit.file, data, m->commit.data_len);
		return;
	case MSG_ANCHOR:
		journal_anchor(s, &m->anchor);
		return;
	case MSG_NEXT_SEGMENT:
		segments_next(s, c, m->next_segment.number);
		return;
	case MSG_SERVING:
		on_serving(s, m->serving.overdue);
		return;
	case MSG_PONG:
		cell_pong(s, m->pong.client);
		return;
	case MSG_SILENT:
		client_silent(s, c, m->silent.client);
		return;
	default:
		return; /* the table lets nothing else through */
	}
}

/* Those that read what a person must mend; from any other, an owned front say, it is an exit like all. */
static bool
may_say_mend(enum role role)
{
	return role == ROLE_BROKER || role == ROLE_LOADER;
}

/* Is another consent, of the next ceremony, on the screen already? */
static bool
child_other(const struct supervisor *s, const struct child *c)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (&s->children[i] != c && s->children[i].pid && s->children[i].role == c->role)
			return true;
	return false;
}

/* The status is not known of one that runs in a unit of its own: its connection ended, and that is a failure. */
#define ENDED_ELSEWHERE (1 << 8)

static void
tell_end(const struct child *c, int status)
{
	if (c->pid == PID_ELSEWHERE)
		log_warning("%s ended: its unit's lines say why", role_name(c->role));
	else
		log_warning("%s (pid %ld) ended: %s %d", role_name(c->role), (long)c->pid,
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* Is the end of such a process none of the cell? */
static bool
may_end(enum role role, bool clean)
{
	return TOPOLOGY[role].life == LIFE_CLIENT || TOPOLOGY[role].life == LIFE_CEREMONY ||
	       (role == ROLE_LOADER && clean);
}

static void
on_end(struct supervisor *s, struct child *c, int status)
{
	enum role role = c->role;
	bool ending = c->ending, clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool restarts = !ending && !may_end(role, clean);

	if (!ending && !clean)
		tell_end(c, status);
	if (role == ROLE_FRONT)
		client_gone(s, c);
	if (role == ROLE_CONSENT && !clean && !child_other(s, c))
		screen_restore(s);
	journal_drain(s, c);
	child_forget(s, c);
	/* also of one that we were ending: its peers may have noticed its end before we did */
	if (may_say_mend(role) && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MEND &&
	    !s->quitting) {
		log_error("what the lines above name must be mended; then start the daemon again");
		s->quitting = s->failed = s->mend = true;
	}
	if (!s->quitting && (restarts ? cell_restart(s) : cell_resume(s)) < 0)
		s->quitting = s->failed = true;
}

static void
on_child(struct supervisor *s, struct child *c)
{
	enum chan_result r;

	if (!c->pid || c->control.fd < 0)
		return;
	while ((r = chan_recv(&c->control, s->scratch, &s->msg, NULL)) == CHAN_GOT) {
		if (c->ending)
			return;
		on_message(s, c);
	}
	if (r == CHAN_VIOLATION && c->pid)
		child_kill(c);
	if (r == CHAN_AGAIN)
		return;
	chan_close(&c->control); /* its end is dealt with when it is reaped */
	if (c->pid == PID_ELSEWHERE)
		on_end(s, c, ENDED_ELSEWHERE);
}

static void
on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->quitting = true;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < CHILDREN_MAX; i++)
			if (s->children[i].pid == pid) {
				on_end(s, &s->children[i], status);
				break;
			}
}

static void
dispatch(struct supervisor *s, const struct epoll_event *ev)
{
	enum source source = (enum source)(ev->data.u64 >> 32);
	uint32_t index = (uint32_t)ev->data.u64;

	if (source == SOURCE_SIGNALS)
		on_signal(s);
	else if (source == SOURCE_LISTENER)
		client_accept(s, (enum listener)index);
	else if (source == SOURCE_SCREEN)
		screen_event(s);
	else if (source == SOURCE_CLIENT)
		client_ended(s, &s->children[index]);
	else
		on_child(s, &s->children[index]);
}

static int
signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A client takes three descriptors here while its front starts, and one in the planner, which has the same limit. */
static size_t
clients_for(rlim_t files)
{
	const rlim_t own = 64; /* the cell, a ceremony, one connection that is turned away */
	rlim_t n = files > own ? (files - own) / 4 : 0;

	return n < SGW_CLIENTS_MAX ? (size_t)n : SGW_CLIENTS_MAX;
}

static int
start(struct supervisor *s)
{
	struct rlimit core = {0, 0}, files;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	for (enum listener w = 0; w < LISTEN_MAX; w++)
		s->listeners[w] = -1;
	s->screen = (struct screen){.connection = -1, .tty = -1};
	if (identity_take(s) < 0)
		return -1;
	if (setrlimit(RLIMIT_CORE, &core) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    getrlimit(RLIMIT_NOFILE, &files) < 0) {
		log_error("cannot lower what this process may do: %s", strerror(errno));
		return -1;
	}
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	s->clients_most = clients_for(files.rlim_max);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->signals = signals_open();
	if (s->epoll < 0 || s->signals < 0 || watch(s, s->signals, SOURCE_SIGNALS, 0) < 0) {
		log_error("cannot wait for events: %s", strerror(errno));
		return -1;
	}
	s->mend = true; /* whatever is wrong with these will be at the next start */
	if (state_open(s) < 0 || listeners_open(s) < 0)
		return -1;
	s->mend = false;
	watchdog_open(s);
	return cell_start(s);
}

/* What is overdue is dealt with; ms until the next is, -1: none. */
static int
next_due(struct supervisor *s)
{
	const int due[] = {
	    children_overdue(s), screen_overdue(s), cell_overdue(s), watchdog_overdue(s)};
	int next = -1;

	for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++)
		if (due[i] >= 0 && (next < 0 || due[i] < next))
			next = due[i];
	return next;
}

static void
loop(struct supervisor *s)
{
	while (!s->quitting) {
		struct epoll_event ev[16];
		int n = epoll_wait(s->epoll, ev, 16, next_due(s));

		if (n < 0 && errno != EINTR) {
			s->failed = true;
			return;
		}
		for (int i = 0; i < n && !s->quitting; i++)
			dispatch(s, &ev[i]);
	}
}

static void
finish(struct supervisor *s)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	pid_t pid;

	(void)sd_notify(0, "STOPPING=1");
	listeners_close(s);
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		journal_drain(s, &s->children[i]);
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		child_ask(s, &s->children[i]);
	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid == 0) {
			(void)children_overdue(s);
			(void)nanosleep(&pause, NULL);
		}
		for (size_t i = 0; i < CHILDREN_MAX && pid > 0; i++)
			if (s->children[i].pid == pid)
				s->children[i].pid = 0; /* the number may be another's by now */
	}
}

int
main(int argc, char **argv)
{
	int r = options_parse(argc, argv, &S.opt);

	if (r != 0)
		return r > 0 ? 0 : 2;
	log_open("sgwardend", LOG_LEVEL_INFO);
	if (start(&S) < 0)
		S.failed = true;
	else
		loop(&S);
	finish(&S);
	return S.mend ? EXIT_MEND : S.failed ? 1 : 0;
}
