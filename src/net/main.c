/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: the network, the CA bundle, and what it sends: signed requests with their access key id and session token.
 * cannot: sign; change host, path or body of what was signed; open a file but the resolver's; start a process.
 * if owned: lies about AWS's answers, withholds, delays or repeats a signed request inside AWS's window.
 */
#include "net.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/sandbox.h>

#include "resolver.h"
#include "transport.h"

#define NET_HEAP_KEPT (2 << 20)
#define POLL_MS INT_MAX /* libcurl shortens it to its own timers */

static struct net net;
static char ca_text[NET_CA_MAX];

/* The bundle came from the supervisor; without one no TLS connection is trusted. */
static int
ca_read(void)
{
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(ca_text) &&
	       (n = read(FD_NET_CA, ca_text + len, sizeof(ca_text) - len)) > 0)
		len += (size_t)n;
	if (len == sizeof(ca_text)) {
		log_error("the CA bundle is larger than %u bytes", NET_CA_MAX);
		return -1;
	}
	if (len == 0)
		log_warning("there is no CA bundle: no TLS connection will be trusted");
	net.ca = (struct curl_blob){.data = ca_text, .len = len, .flags = CURL_BLOB_NOCOPY};
	return 0;
}

/* Whatever the libraries want to open or set up, they do before the sandbox is on; none of it is the caller's. */
static int
libraries_start(void)
{
	if (clearenv() != 0 || setenv("OPENSSL_CONF", "/dev/null", 1) != 0)
		return -1;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -1;
	(void)mallopt(M_ARENA_MAX, 1); /* resolver threads share the one heap */
	/* what one request gives back the next one takes: not a page of it goes to the kernel and comes again */
	(void)mallopt(M_TRIM_THRESHOLD, NET_HEAP_KEPT);
	(void)mallopt(M_MMAP_THRESHOLD, NET_HEAP_KEPT);
	if (getrandom(&net.salt, sizeof(net.salt), 0) != (ssize_t)sizeof(net.salt))
		return -1;
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

/* In a unit of our own: what a child would have found open, by the numbers of the row, which are the lowest free. */
static int
ends_take(void)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(UNIT_FDS * sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	const struct cmsghdr *c;
	int fds[UNIT_FDS];

	if (recvmsg(FD_CONTROL, &hdr, MSG_CMSG_CLOEXEC) != 1 || byte != UNIT_BYTE ||
	    (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return -1;
	c = CMSG_FIRSTHDR(&hdr);
	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fds)))
		return -1;
	memcpy(fds, CMSG_DATA(c), sizeof(fds));
	return fds[0] == FD_NET_BROKER && fds[1] == FD_NET_PLANNER && fds[2] == FD_NET_CA ? 0 : -1;
}

/* After the sandbox, which closes every descriptor that is not of the row. */
static int
multi_start(void)
{
	net.multi = curl_multi_init();
	if (net.multi == NULL)
		return -1;
	return curl_multi_setopt(net.multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
		   (long)NET_CONNECTIONS_MAX) == CURLM_OK &&
		       curl_multi_setopt(net.multi, CURLMOPT_MAXCONNECTS, (long)NET_IDLE_MAX) ==
			   CURLM_OK
		   ? 0
		   : -1;
}

static int
ready(uint32_t degraded)
{
	net.msg.id = MSG_READY;
	net.msg.ready.degraded = degraded;
	return chan_send(&net.control, net.scratch, &net.msg, -1, false);
}

/* In a unit the configuration does not say what it may connect to; where the two disagree somebody must hear of it. */
static void
ports_compare(void)
{
	struct ports needed;

	ports_of_config(&net.config, &needed);
	for (unsigned i = 0; i < needed.n; i++) {
		if (!ports_have(&net.ports, needed.port[i]))
			log_error("the configuration needs TCP port %u, and sgw-net may not "
				  "connect to it: "
				  "name it in SGWARDEN_NET_PORTS of sgwarden-net@.service",
			    needed.port[i]);
	}
}

static void
ports_take(const struct sandbox_args *args)
{
	net.ports = args->ports;
	for (size_t i = 0; args->ports.n == 0 && i < TOPOLOGY_PORTS_MAX; i++)
		(void)ports_add(&net.ports, TOPOLOGY[ROLE_NET].tcp_ports[i]);
}

static void
on_message(void)
{
	if (net.msg.id == MSG_CELL && !net.configured) {
		net.config = net.msg.cell.config;
		net.configured = true;
		ports_compare();
	} else if (net.msg.id == MSG_SEND) {
		exchange_start(&net, &net.msg.send);
	} else if (net.msg.id == MSG_ASK_SOURCE) {
		lookup_start(&net, &net.msg.ask_source);
	} else
		net.broken = true;
}

/* Everything that waits on this edge; false once its other end is gone. */
static bool
drain(struct chan *ch)
{
	while (!net.broken) {
		switch (chan_recv(ch, net.scratch, &net.msg, NULL)) {
		case CHAN_GOT:
			on_message();
			break;
		case CHAN_AGAIN:
			return true;
		case CHAN_EOF:
			return false;
		case CHAN_VIOLATION:
			net.broken = true;
			break;
		}
	}
	return false;
}

/* The cell starts anew with its net, and the new one may read what stands there now. */
static void
name_not_found(void)
{
	if (!resolver_is_lost())
		return;
	log_error(
	    "/etc/resolv.conf was replaced since sgw-net started, and its sandbox knows only the "
	    "old one: sgw-net ends, and the next one reads it");
	net.broken = true;
}

static void
finish_all(void)
{
	struct CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(net.multi, &left)) != NULL) {
		CURLcode result = m->data.result;
		char *private = NULL;
		struct transfer *t;

		if (m->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK)
			continue;
		t = (struct transfer *)(void *)private;
		if (result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY)
			name_not_found();
		t->finish(t, result);
	}
}

/* The broker is read once the configuration is there; the planner never says anything, but its end matters. */
static int
run(void)
{
	for (;;) {
		struct chan *chans[] = {&net.control, &net.planner, &net.broker};
		unsigned n = net.configured ? 3 : 2;
		struct curl_waitfd fds[3];
		int running;

		if (curl_multi_perform(net.multi, &running) != CURLM_OK)
			return 1;
		finish_all();
		for (unsigned i = 0; i < n; i++)
			fds[i] =
			    (struct curl_waitfd){.fd = chans[i]->fd, .events = CURL_WAIT_POLLIN};
		if (net.broken || curl_multi_poll(net.multi, fds, n, POLL_MS, NULL) != CURLM_OK)
			return 1;
		for (unsigned i = 0; i < n; i++) {
			if (fds[i].revents != 0 && !drain(chans[i]))
				return net.broken ? 1 : 0;
		}
	}
}

int
main(int argc, char **argv)
{
	struct sandbox_args args;
	uint32_t degraded = 0;

	log_open("net", LOG_LEVEL_INFO);
	if (sandbox_args_parse(argc, argv, &args) < 0)
		return 2;
	if (libraries_start() < 0) {
		log_error("libcurl or the random generator does not start");
		return 1;
	}
	resolver_note();
	(void)sandbox_enter(ROLE_NET, &args, &degraded);
	if (args.mode == MODE_UNIT && ends_take() < 0) {
		log_error("whoever connected handed over no cell: sgwardend connects here");
		return 1;
	}
	ports_take(&args);
	net.control = chan_open(FD_CONTROL, ROLE_NET, ROLE_SUPERVISOR);
	net.broker = chan_open(FD_NET_BROKER, ROLE_NET, ROLE_BROKER);
	net.planner = chan_open(FD_NET_PLANNER, ROLE_NET, ROLE_PLANNER);
	if (ca_read() < 0 || multi_start() < 0 || ready(degraded) < 0)
		return 1;
	_exit(run());
}
