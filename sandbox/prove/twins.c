/* SPDX-License-Identifier: Apache-2.0 */
/* The living twins: in the same sandboxes, what each process is there for works. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/secret.h>

/* Every twin returns 0, or the number of what failed. */
static int
peer_talks(int fd)
{
	char text[16];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	if (poll(&ready, 1, 1000) != 1)
		return 1;
	if (recvmsg(fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 6)
		return 2;
	iov.iov_len = 3;
	return sendmsg(fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT) == 3 ? 0 : 3;
}

static int
reads(int fd)
{
	char text[16];

	return read(fd, text, sizeof(text)) == 6 ? 0 : 10;
}

static int
writes(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : 11;
}

static int
writes_without_waiting(int fd)
{
	char text[] = "x";
	struct iovec iov = {.iov_base = text, .iov_len = 1};

	return pwritev2(fd, &iov, 1, -1, RWF_NOWAIT) == 1 || errno == EOPNOTSUPP ? 0 : 12;
}

/* The heap grows, a large block moves, the clock is read, a line is logged. */
static int
lives(const void *arg)
{
	const int *peer = arg;
	char *block = malloc(1000);
	char *large = malloc(300000), *larger;

	if (block == NULL || large == NULL)
		return 20;
	memset(large, 7, 300000);
	larger = realloc(large, 900000);
	if (larger == NULL)
		return 21;
	if (larger[299999] != 7)
		return 22;
	free(larger);
	free(block);
	if (clock_now() <= 0 || clock_monotonic() <= 0)
		return 23;
	log_write(LOG_LEVEL_DEBUG, "not shown");
	return peer_talks(FD_CONTROL) != 0 ? 24 : *peer < 0 ? 0 : peer_talks(*peer);
}

static int
keeps_secrets(void)
{
	struct secret s;

	if (secret_alloc(&s, 4096) != 0)
		return 30;
	memset(s.data, 1, s.size);
	secret_free(&s);
	return 0;
}

static int
broker_works(const void *arg)
{
	uint8_t nonce[16];

	if (writes(FD_BROKER_LEDGER) != 0 || fdatasync(FD_BROKER_LEDGER) != 0)
		return 40;
	if (reads(FD_BROKER_KEYS) != 0)
		return 41;
	return getrandom(nonce, sizeof(nonce), 0) == sizeof(nonce) ? keeps_secrets() : 42;
}

static int
consent_works(const void *arg)
{
	struct termios t;
	struct winsize size;

	if (tcgetattr(FD_CONSENT_TTY, &t) != 0)
		return 50;
	t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	if (tcsetattr(FD_CONSENT_TTY, TCSAFLUSH, &t) != 0 ||
	    ioctl(FD_CONSENT_TTY, TIOCGWINSZ, &size) != 0)
		return 51;
	if (tcflush(FD_CONSENT_TTY, TCIFLUSH) != 0)
		return 52;
	return writes(FD_CONSENT_TTY) != 0 ? 53 : 0;
}

static int
consent_reads(const void *arg)
{
	return reads(FD_CONSENT_TTY);
}

static int
fido_works(const void *arg)
{
	uint8_t nonce[16];

	if (reads(FD_FIDO_DEVICE) != 0 || writes(FD_FIDO_DEVICE) != 0)
		return 60;
	return getrandom(nonce, sizeof(nonce), 0) == sizeof(nonce) ? 0 : 61;
}

static int
loader_works(const void *arg)
{
	if (reads(FD_LOADER_CREDENTIALS) != 0 || reads(FD_LOADER_CONFIG) != 0 ||
	    reads(FD_LOADER_LEDGER) != 0)
		return 70;
	return keeps_secrets();
}

static int
front_serves(const void *arg)
{
	if (reads(FD_FRONT_IN) != 0)
		return 80;
	if (writes(FD_FRONT_OUT) != 0)
		return 81;
	return writes_without_waiting(FD_FRONT_OUT) != 0 ? 82 : 0;
}

/* Beneath a path of the row a file opens, elsewhere it does not; a socket is to be had. */
static int
net_works(const void *arg)
{
	int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	else if (errno != ENOENT) /* a machine that nobody configured has none */
		return 90;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 91;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? 92 : 0;
}

struct twin {
	unsigned which;
	const char *what;
	int (*act)(const void *);
	int arg;
};

static const struct twin TWINS[] = {
    {ROLE_FRONT, "the planner's messages, heap, clock, log", lives, FD_FRONT_PLANNER},
    {PROBE_TIGHT, "the planner's messages, heap, clock, log", lives, FD_FRONT_PLANNER},
    {PROBE_TIGHT, "reads and answers the client", front_serves, 0},
    {ROLE_PLANNER, "the broker's messages, heap, clock, log", lives, FD_PLANNER_BROKER},
    {ROLE_PLANNER, "net's messages", lives, FD_PLANNER_NET},
    {ROLE_BROKER, "the planner's messages, heap, clock, log", lives, FD_BROKER_PLANNER},
    {ROLE_BROKER, "ledger, keys, nonce, secret memory", broker_works, 0},
    {ROLE_NET, "the broker's messages, heap, clock, log", lives, FD_NET_BROKER},
    {ROLE_NET, "resolver files, sockets", net_works, 0},
    {ROLE_CONSENT, "the broker's messages, heap, clock, log", lives, FD_CONSENT_BROKER},
    {ROLE_CONSENT, "the terminal's settings, size and output", consent_works, 0},
    {ROLE_CONSENT, "what is typed", consent_reads, 0},
    {ROLE_FIDO, "consent's messages, heap, clock, log", lives, FD_FIDO_CONSENT},
    {ROLE_FIDO, "reports in and out, nonce", fido_works, 0},
    {ROLE_LOADER, "the broker's messages, heap, clock, log", lives, FD_LOADER_BROKER},
    {ROLE_LOADER, "three files, secret memory", loader_works, 0},
};

void
suite_twins(const struct setting *s)
{
	for (size_t i = 0; i < sizeof(TWINS) / sizeof(TWINS[0]); i++) {
		struct probe p = probe_for(s, TWINS[i].which);
		int status;

		p.act = TWINS[i].act;
		p.act_arg = &TWINS[i].arg;
		status = probe_run(&p, NULL);
		report("work", status == 0, "%s: %s (%s %d)", probe_name(TWINS[i].which),
		    TWINS[i].what, WIFSIGNALED(status) ? "signal" : "exit",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
}
