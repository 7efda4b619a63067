/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each layer alone: with the filter left out (this test walks the product's own table of steps without that one) the
 * other layers must refuse by themselves.  And its twin: with that layer left out as well, the same act succeeds.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kernel.h"

/* The exit status is errno, 0 for success. */
static int
act_connect(const void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return errno;
	return connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

static int
act_tcp_bind(const void *arg)
{
	return tcp_act(bind, 0);
}

static int
act_open(const void *arg)
{
	return open(arg, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static int
act_mprotect_exec(const void *arg)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 1;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

/* To the name that it has already: what matters is whether it may. */
static int
act_hostname(const void *arg)
{
	struct utsname name;

	if (uname(&name) < 0)
		return 1;
	return sethostname(name.nodename, strlen(name.nodename)) < 0 ? errno : 0;
}

/* A descriptor numbered as the row's limit is one too many: EINVAL (fcntl(2)). */
static int
act_nofile(const void *arg)
{
	const struct topology_row *row = arg;

	return fcntl(FD_CONTROL, F_DUPFD, (int)row->limit_nofile) < 0 ? errno : 0;
}

static int
act_raise_core(const void *arg)
{
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};

	return setrlimit(RLIMIT_CORE, &limit) < 0 ? errno : 0;
}

/* Scoped by Landlock ABI 6: the test's own pid is outside. */
static int
act_kill(const void *arg)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int
act_stray(const void *arg)
{
	return fcntl(WORLD_STRAY, F_GETFD) < 0 ? errno : 0;
}

struct layer {
	const char *name;
	const char *step; /* the layer's own step */
	int (*act)(const void *);
	const char *arg;
	int want;        /* errno of the layer */
	int twin;        /* errno without it; -1: any other than `want` */
	uint32_t unless; /* the degradation by which the kernel says that it has no such layer */
	long least_abi;  /* of Landlock */
	bool user_mode_only; /* what it needs is gone with the uid in system mode */
};

static const struct layer LAYERS[] = {
    {"network namespace: no way out", "namespaces", act_connect, NULL, ENETUNREACH, 0,
	DEGRADED_NO_NETNS, 0, false},
    {"descriptors: a stray one is closed", "descriptors", act_stray, NULL, EBADF, 0, 0, 0, false},
    {"capabilities: nothing of an administrator", "capabilities", act_hostname, NULL, EPERM, 0,
	DEGRADED_NO_USERNS, 0, false},
    {"limits: descriptors", "limits", act_nofile, NULL, EINVAL, 0, 0, 0, false},
    {"core: cannot come back", "dumpable", act_raise_core, NULL, EPERM, -1, 0, 0, false},
    {"Landlock: no file is read", "landlock", act_open, "/etc/passwd", EACCES, 0,
	DEGRADED_LANDLOCK_NONE, 1, false},
    {"Landlock: no directory is read", "landlock", act_open, "/", EACCES, 0, DEGRADED_LANDLOCK_NONE,
	1, false},
    {"Landlock: nobody binds TCP", "landlock", act_tcp_bind, NULL, EACCES, 0, DEGRADED_LANDLOCK_OLD,
	4, false},
    {"Landlock: no signal leaves", "landlock", act_kill, NULL, EPERM, 0, 0, 6, true},
    {"MDWE: data does not become code", "mdwe", act_mprotect_exec, NULL, EACCES, 0,
	DEGRADED_NO_MDWE, 0, false},
};

static long
landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static int
layer_run(const struct setting *s, unsigned which, const struct layer *layer, bool with,
    uint32_t *ret_degraded)
{
	struct probe p = probe_for(s, which);
	int status;

	p.without[0] = "seccomp";
	p.without[1] = "check";
	p.without[2] = with ? NULL : layer->step;
	p.act = layer->act;
	p.act_arg = layer->arg != NULL ? (const void *)layer->arg : &TOPOLOGY[p.role];
	status = probe_run(&p, ret_degraded);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
layer_is_offered(const struct layer *layer, uint32_t degraded)
{
	return !(layer->unless & degraded) && landlock_abi() >= layer->least_abi;
}

static void
layer_check(const struct setting *s, unsigned which, const struct layer *layer)
{
	const char *name = probe_name(which);
	uint32_t degraded = 0;
	int got = layer_run(s, which, layer, true, &degraded);
	int twin = layer_run(s, which, layer, false, NULL);

	if (!layer_is_offered(layer, degraded)) {
		report_missing(layer->step, "%s: %s: not offered here", name, layer->name);
		return;
	}
	report(layer->step, got == layer->want, "%s: %s (errno %d)", name, layer->name, got);
	report(layer->step, layer->twin < 0 ? twin != layer->want : twin == layer->twin,
	    "%s: twin without it (errno %d)", name, twin);
}

/* The twin needs room above the widest row. */
static void
nofile_raise(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

void
suite_layers(const struct setting *s)
{
	nofile_raise();
	for (unsigned which = ROLE_FRONT; which < ROLE_MAX; which++) {
		for (size_t i = 0; i < sizeof(LAYERS) / sizeof(LAYERS[0]); i++) {
			const struct layer *layer = &LAYERS[i];

			if (which == ROLE_NET && strcmp(layer->step, "namespaces") == 0)
				continue; /* it has the network */
			if (layer->user_mode_only && s->mode != MODE_USER)
				continue;
			layer_check(s, which, layer);
		}
	}
}
