/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel itself says of a confined process: /proc/PID/status and /proc/PID/limits, read from outside. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_MAX 8192

/* Says that it is in, and waits until the test closes its end. */
static int
act_wait(const void *arg)
{
	struct iovec iov = {.iov_base = (char[]){"in"}, .iov_len = 2};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	struct pollfd over = {.fd = FD_CONTROL, .events = 0};

	if (sendmsg(FD_CONTROL, &hdr, MSG_NOSIGNAL) != 2)
		return 1;
	poll(&over, 1, 10000);
	return 0;
}

/* The same, and stays: nothing but a signal ends it in time. */
static int
act_stay(const void *arg)
{
	struct iovec iov = {.iov_base = (char[]){"in"}, .iov_len = 2};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};

	if (sendmsg(FD_CONTROL, &hdr, MSG_NOSIGNAL) != 2)
		return 1;
	poll(NULL, 0, 10000);
	return 0;
}

static void
proc_read(pid_t pid, const char *name, char ret_text[STATUS_MAX])
{
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "re");
	must(f != NULL, path);
	n = fread(ret_text, 1, STATUS_MAX - 1, f);
	ret_text[n] = 0;
	fclose(f);
}

static bool
field_is(const char *status, const char *field, const char *want)
{
	const char *at = strstr(status, field);
	size_t len;

	if (at == NULL)
		return false;
	at += strlen(field);
	at += strspn(at, " \t");
	len = strcspn(at, "\n");
	while (len > 0 && at[len - 1] == ' ')
		len--;
	return len == strlen(want) && strncmp(at, want, len) == 0;
}

struct field {
	const char *layer;
	const char *name;
	const char *want;
};

static const struct field FIELDS[] = {
    {"capabilities", "\nCapInh:", "0000000000000000"},
    {"capabilities", "\nCapPrm:", "0000000000000000"},
    {"capabilities", "\nCapEff:", "0000000000000000"},
    {"capabilities", "\nCapBnd:", "0000000000000000"},
    {"capabilities", "\nCapAmb:", "0000000000000000"},
    {"no-new-privs", "\nNoNewPrivs:", "1"},
    {"seccomp", "\nSeccomp:", "2"},
};

static void
fields_check(const char *name, const char *status, const struct setting *s, uint32_t degraded)
{
	char ids[64];

	for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
		if ((degraded & DEGRADED_NO_USERNS) && strcmp(FIELDS[i].name, "\nCapBnd:") == 0) {
			report_missing(
			    FIELDS[i].layer, "%s: the bounding set stays as it was", name);
			continue;
		}
		report(FIELDS[i].layer, field_is(status, FIELDS[i].name, FIELDS[i].want),
		    "%s: %s %s", name, FIELDS[i].name + 1, FIELDS[i].want);
	}
	/* An ordinary uid cannot drop its groups, user namespace or not. */
	if (getgroups(0, NULL) == 0 || setgroups(0, NULL) == 0)
		report("identity", field_is(status, "\nGroups:", ""), "%s: no groups", name);
	if (s->mode == MODE_SYSTEM) {
		snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", s->uid, s->uid, s->uid, s->uid);
		report("identity", field_is(status, "\nUid:", ids), "%s: uid %u", name, s->uid);
		snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", s->gid, s->gid, s->gid, s->gid);
		report("identity", field_is(status, "\nGid:", ids), "%s: gid %u", name, s->gid);
	}
}

static bool
is_traceable(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
		return false;
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return true;
}

/* By /proc/PID/mem or process_vm_readv(2): the address is the same in the child, which was forked. */
static bool
is_readable(pid_t pid)
{
	static const char secret[] = "secret";
	char path[64], got[sizeof(secret)];
	struct iovec to = {.iov_base = got, .iov_len = sizeof(got)}, from = to;
	int fd;

	memcpy(&from.iov_base, &(const char *){secret}, sizeof(from.iov_base));
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)sizeof(secret))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
which_check(const struct setting *s, unsigned which)
{
	struct probe p = probe_for(s, which);
	const char *name = probe_name(which);
	char text[STATUS_MAX], said[8];
	struct world w;
	uint32_t degraded = 0;
	pid_t pid;

	(void)probe_run(&p, &degraded);
	p.act = act_wait;
	pid = probe_start(&p, &w);
	/* The child's own copy of this end must not keep it open. */
	close(w.here[FD_CONTROL]);
	w.here[FD_CONTROL] = -1;
	if (recv(w.there[FD_CONTROL], said, sizeof(said), 0) != 2) {
		report("work", false, "%s does not come up (status %d)", name, probe_end(pid, &w));
		return;
	}
	proc_read(pid, "status", text);
	fields_check(name, text, s, degraded);
	proc_read(pid, "limits", text);
	report("dumpable", strstr(text, "Max core file size        0                    0") != NULL,
	    "%s: no core", name);
	/* Root may trace whom it likes; anybody else must not, not even with the same uid. */
	if (getuid() != 0) {
		report("dumpable", !is_traceable(pid), "%s: cannot be traced by its own uid", name);
		report("dumpable", !is_readable(pid),
		    "%s: its memory cannot be read by its own uid", name);
	}
	close(w.there[FD_CONTROL]);
	w.there[FD_CONTROL] = -1;
	report("work", probe_end(pid, &w) == 0, "%s: ends well", name);
}

static int
act_nothing(const void *arg)
{
	poll(NULL, 0, 10000);
	return 0;
}

/* The twin of "cannot be traced": an unconfined child of the same uid can. */
static void
twin_check(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(act_nothing(NULL));
	report(
	    "dumpable", is_traceable(pid), "twin: an unconfined process of this uid can be traced");
	report("dumpable", is_readable(pid), "twin: and its memory read");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A supervisor that starts a child and is killed. */
static void
supervisor_die(const struct setting *s, unsigned which, int tell)
{
	struct probe p = probe_for(s, which);
	struct world w;
	char said[8];
	pid_t pid;

	p.act = act_stay;
	pid = probe_start(&p, &w);
	close(w.here[FD_CONTROL]);
	must(recv(w.there[FD_CONTROL], said, sizeof(said), 0) == 2, "recv");
	must(write(tell, &pid, sizeof(pid)) == sizeof(pid), "write");
	raise(SIGKILL);
}

/* With its supervisor a child goes: the test, as the nearest subreaper, is told of what. */
static void
orphan_check(const struct setting *s, unsigned which)
{
	int ends[2], status = 0;
	pid_t supervisor, child;

	must(pipe(ends) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "pipe");
	fflush(stdout);
	supervisor = fork();
	if (supervisor == 0) {
		close(ends[0]);
		supervisor_die(s, which, ends[1]);
	}
	close(ends[1]);
	must(read(ends[0], &child, sizeof(child)) == sizeof(child), "read");
	close(ends[0]);
	waitpid(supervisor, NULL, 0);
	waitpid(child, &status, 0);
	report("parent", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	    "%s: is killed when its supervisor dies", probe_name(which));
}

void
suite_status(const struct setting *s)
{
	for (unsigned which = ROLE_FRONT; which < PROBES; which++)
		which_check(s, which);
	for (unsigned which = ROLE_FRONT; which < ROLE_MAX; which++)
		orphan_check(s, which);
	if (getuid() != 0)
		twin_check();
}
