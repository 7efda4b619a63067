/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock's TCP ports, alone: without the filter, and for whoever has a network namespace without that too, so that
 * the two listeners of this test can be reached.  The twin without Landlock reaches both.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct listener {
	int fd;
	uint16_t port;
};

static void
listener_make(struct listener *ret)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ret->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(ret->fd >= 0 && bind(ret->fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
		 listen(ret->fd, 64) == 0 &&
		 getsockname(ret->fd, (struct sockaddr *)&at, &len) == 0,
	    "a listener on loopback");
	ret->port = ntohs(at.sin_port);
}

static int
act_connect(const void *arg)
{
	return tcp_act(connect, ((const struct listener *)arg)->port);
}

/* With one port named where it is net. */
static int
reach(const struct setting *s, unsigned which, const struct listener *named,
    const struct listener *to, bool with, uint32_t *ret_degraded)
{
	struct probe p = probe_for(s, which);
	int status;

	p.without[0] = "seccomp";
	p.without[1] = "check";
	p.without[2] = "namespaces";
	p.without[3] = with ? NULL : "landlock";
	p.act = act_connect;
	p.act_arg = to;
	if (which == ROLE_NET)
		(void)ports_add(&p.ports, named->port);
	status = probe_run(&p, ret_degraded);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
role_check(const struct setting *s, unsigned which, const struct listener *named,
    const struct listener *other)
{
	const char *name = probe_name(which);
	bool net = which == ROLE_NET;
	uint32_t degraded = 0;
	int got_named = reach(s, which, named, named, true, &degraded);
	int got_other = reach(s, which, named, other, true, NULL);
	int twin = reach(s, which, named, other, false, NULL);

	if (degraded & (DEGRADED_LANDLOCK_NONE | DEGRADED_LANDLOCK_OLD)) {
		report_missing("landlock", "%s: TCP ports: not offered here", name);
		return;
	}
	report("landlock", got_named == (net ? 0 : EACCES), "%s: %s (errno %d)", name,
	    net ? "connects to the TCP port that is named" : "connects to no TCP port", got_named);
	report("landlock", got_other == EACCES, "%s: connects to no other (errno %d)", name,
	    got_other);
	report("landlock", twin == 0, "%s: twin without it (errno %d)", name, twin);
}

/* Nobody can be told of ports who has no TCP. */
static void
naming_check(const struct setting *s, const struct listener *named)
{
	struct probe p = probe_for(s, ROLE_PLANNER);
	uint32_t degraded = 0;
	int status;

	(void)probe_run(&p, &degraded);
	if (degraded & (DEGRADED_LANDLOCK_NONE | DEGRADED_LANDLOCK_OLD))
		return;
	(void)ports_add(&p.ports, named->port);
	status = probe_run(&p, NULL);
	report("landlock", WIFEXITED(status) && WEXITSTATUS(status) == LOCKDOWN_EXIT,
	    "planner: does not come up with a TCP port of its own (status 0x%x)", (unsigned)status);
}

void
suite_ports(const struct setting *s)
{
	struct listener named, other;

	listener_make(&named);
	listener_make(&other);
	for (unsigned which = ROLE_FRONT; which < ROLE_MAX; which++)
		role_check(s, which, &named, &other);
	naming_check(s, &named);
	close(named.fd);
	close(other.fd);
}
