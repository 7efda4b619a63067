/* SPDX-License-Identifier: Apache-2.0 */
/* A child in the real sandbox of a process, and what it does there. */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/mutate.h>

const char *
probe_name(unsigned which)
{
	return which == PROBE_TIGHT ? "front-tight" : role_name((enum role)which);
}

int
tcp_act(int (*call)(int, const struct sockaddr *, socklen_t), uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return errno;
	return call(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
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
	return MUTATE_ROW("lockdown", step);
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
	    .mode = p->mode, .parent = parent, .uid = p->uid, .gid = p->gid, .ports = p->ports};

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
