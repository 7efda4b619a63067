/* SPDX-License-Identifier: Apache-2.0 */
/* Children: from a row of the topology table to a running process with exactly the descriptors of that row. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#define FDS_MAX (4 + TOPOLOGY_FDS_MAX + 1) /* the common ones, those of a row, the test clock */
#define FDS_HIGH                                                                                   \
	64 /* above every number of the table: where they are parked before they are put in place */

int
edge_pair(int ret_ends[2])
{
	const int room = 1 << 20; /* the kernel takes what net.core.wmem_max allows */

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0) {
		log_error("socketpair: %s", strerror(errno));
		return -1;
	}
	for (int i = 0; i < 2; i++)
		(void)setsockopt(ret_ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return 0;
}

struct child *
child_find(struct supervisor *s, enum role role, uint32_t number)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &s->children[i];

		if (c->pid && !c->ending && c->role == role && c->number == number)
			return c;
	}
	return NULL;
}

static struct child *
slot(struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (!s->children[i].pid)
			return &s->children[i];
	return NULL;
}

void
child_kill(struct child *c)
{
	if (c->pid != PID_ELSEWHERE)
		(void)kill(c->pid, SIGKILL);
	else if (c->control.fd >= 0) /* the loop sees the end, as it would see the signal */
		(void)shutdown(c->control.fd, SHUT_RDWR);
}

void
child_end(struct child *c)
{
	if (c->pid && !c->ending) {
		c->ending = true;
		child_kill(c);
	}
}

/*
 * The broker records the stop, a key that is cancelled stops blinking, and consent wipes a recovery code off the screen:
 * none of it happens where they are killed.
 */
static int64_t
end_grace(enum role role)
{
	bool works = role == ROLE_BROKER || role == ROLE_FIDO || role == ROLE_CONSENT;

	return works && !MUTATE(STOP_RECORDED) ? END_WORK : END_GRACE;
}

void
child_ask(struct supervisor *s, struct child *c)
{
	if (!c->pid || c->ending)
		return;
	c->ending = true;
	c->kill_at = clock_monotonic() + end_grace(c->role);
	s->asked++;
	if (c->pid == PID_ELSEWHERE)
		child_kill(c);
	else
		chan_close(&c->control);
}

int
children_overdue(struct supervisor *s)
{
	int64_t now = clock_monotonic(), next = INT64_MAX;

	for (size_t i = 0; i < CHILDREN_MAX && s->asked; i++) {
		struct child *c = &s->children[i];

		if (!c->pid || !c->kill_at)
			continue;
		if (c->kill_at <= now)
			child_kill(c);
		else if (c->kill_at < next)
			next = c->kill_at;
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}

static void
end_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
child_forget(struct supervisor *s, struct child *c)
{
	s->asked -= c->kill_at != 0;
	chan_close(&c->control);
	end_close(&c->to_planner);
	end_close(&c->to_broker);
	end_close(&c->to_consent);
	end_close(&c->client);
	c->pid = 0;
}

#define PORTS_OPTION "--ports="

struct exec_plan {
	char path[300];
	char mode[24], parent[32], ports[sizeof(PORTS_OPTION) + PORTS_TEXT_MAX], uid[32], gid[32];
	char *argv[7];
	size_t n_argv;
	size_t n;
	struct spawn_fd fds[FDS_MAX];
};

/* System mode: the account of the row.  User mode keeps the caller's ids, and says 0 so that nobody relies on them. */
static int
account(const struct supervisor *s, const struct topology_row *row, struct exec_plan *e)
{
	const struct passwd *pw;

	if (s->opt.mode == MODE_USER)
		return 0;
	pw = getpwnam(row->user);
	if (!pw) {
		log_error(
		    "no account %s: install the sysusers file and run systemd-sysusers", row->user);
		return -1;
	}
	(void)snprintf(e->uid, sizeof(e->uid), "--uid=%u", (unsigned)pw->pw_uid);
	(void)snprintf(e->gid, sizeof(e->gid), "--gid=%u", (unsigned)pw->pw_gid);
	e->argv[e->n_argv++] = e->uid;
	e->argv[e->n_argv++] = e->gid;
	return 0;
}

/* Whoever has TCP at all: the ports that the configuration needs, before it is confined to them. */
static void
ports_name(const struct supervisor *s, const struct topology_row *row, struct exec_plan *e)
{
	struct ports ports;
	char text[PORTS_TEXT_MAX];

	if (row->tcp_ports[0] == 0)
		return;
	ports_of_config(&s->config, &ports);
	ports_print(&ports, text);
	(void)snprintf(e->ports, sizeof(e->ports), "%s%s", PORTS_OPTION, text);
	e->argv[e->n_argv++] = e->ports;
}

static int
exec_prepare(const struct supervisor *s, const struct topology_row *row, struct exec_plan *e)
{
	if (snprintf(e->path, sizeof(e->path), "%s/%s", s->opt.libexec, row->executable) >=
	    (int)sizeof(e->path))
		return -1;
	if (access(e->path, X_OK) < 0) {
		log_error("cannot run %s: %s; install it, or say with --libexec where it is",
		    e->path, strerror(errno));
		return -1;
	}
	(void)snprintf(
	    e->mode, sizeof(e->mode), "--mode=%s", s->opt.mode == MODE_SYSTEM ? "system" : "user");
	(void)snprintf(e->parent, sizeof(e->parent), "--parent=%ld", (long)getpid());
	e->argv[e->n_argv++] = e->path;
	e->argv[e->n_argv++] = e->mode;
	e->argv[e->n_argv++] = e->parent;
	ports_name(s, row, e);
	return account(s, row, e);
}

/* In the child: nothing but async-signal-safe calls. */
static void
exec_child(struct exec_plan *e)
{
	char *empty[] = {NULL};
	sigset_t none;

	for (size_t i = 0; i < e->n; i++) {
		e->fds[i].from = fcntl(e->fds[i].from, F_DUPFD_CLOEXEC, FDS_HIGH);
		if (e->fds[i].from < 0)
			_exit(71);
	}
	for (size_t i = 0; i < e->n; i++)
		if (dup2(e->fds[i].from, e->fds[i].to) < 0)
			_exit(71);
	(void)
	    setsid(); /* a Ctrl-C in the daemon's terminal is the supervisor's to hear, not theirs */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file at its limit is a failed write, not a death */
	execve(e->path, e->argv, empty);
	_exit(72);
}

static void
fd_add(struct exec_plan *e, int from, int to)
{
	if (from >= 0) /* FDS_MAX holds every row of the topology */
		e->fds[e->n++] = (struct spawn_fd){.from = from, .to = to};
}

struct child *
child_register(struct supervisor *s, enum role role, pid_t pid, int control)
{
	struct child *c = slot(s);

	if (!c) {
		close(control);
		return NULL;
	}
	*c = (struct child){.role = role,
	    .pid = pid,
	    .control = chan_open(control, ROLE_SUPERVISOR, role),
	    .to_planner = -1,
	    .to_broker = -1,
	    .to_consent = -1,
	    .client = -1};
	c->control.state = CHAN_STARTING;
	if (watch(s, control, SOURCE_CHILD, (uint32_t)(c - s->children)) < 0) {
		child_end(c);
		if (pid == PID_ELSEWHERE) /* nobody reaps it */
			child_forget(s, c);
		return NULL;
	}
	return c;
}

struct child *
spawn(struct supervisor *s, enum role role, const struct spawn_fd *fds, size_t n)
{
	const struct topology_row *row = &TOPOLOGY[role];
	struct exec_plan e = {0};
	bool room = slot(s) != NULL;
	int control[2];
	pid_t pid;

	if (!room || exec_prepare(s, row, &e) < 0 || edge_pair(control) < 0) {
		log_error("cannot start %s%s", row->name, room ? "" : ": too many processes");
		return NULL;
	}
	fd_add(&e, s->dev_null, STDIN_FILENO);
	fd_add(&e, s->dev_null, STDOUT_FILENO);
	fd_add(&e, STDERR_FILENO, STDERR_FILENO);
	fd_add(&e, control[1], FD_CONTROL);
	for (size_t i = 0; i < n; i++)
		fd_add(&e, fds[i].from, fds[i].to);
#if SGW_TESTCLOCK
	fd_add(&e, s->opt.clock_fd, FD_TESTCLOCK);
#endif
	pid = fork();
	if (pid == 0)
		exec_child(&e);
	close(control[1]);
	if (pid < 0) {
		log_error("fork for %s: %s", row->name, strerror(errno));
		close(control[0]);
		return NULL;
	}
	return child_register(s, role, pid, control[0]);
}

int
watch(struct supervisor *s, int fd, enum source source, uint32_t index)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = ((uint64_t)source << 32) | index};

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		log_error("epoll: %s", strerror(errno));
		return -1;
	}
	return 0;
}
