/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sgwarden consent`: hands this terminal to the daemon, which runs the consent process on it.  Here nothing is read
 * from it: every key that is pressed belongs to that process.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define REFUSAL_MAX 200 /* bytes of the one sentence that the daemon may say */
#define REFUSAL_MS 300  /* that it takes to say it, where it has nothing else to do */

/* The terminal under its own name, for reading and writing: /dev/tty would name a different one to the daemon. */
static int
terminal_open(void)
{
	const char *name = isatty(STDIN_FILENO) ? ttyname(STDIN_FILENO) : NULL;

	return name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
}

/* Ctrl-C and the like as a descriptor, so that the terminal is always left as it was found. */
static int
signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/*
 * What the daemon says; 0 bytes: it closed.  One that refused before it took the terminal reset the connection: the
 * kernel says that first, once, and has the reason behind it.
 */
static size_t
hear(int connection, char text[REFUSAL_MAX])
{
	ssize_t n;

	do
		n = recv(connection, text, REFUSAL_MAX, 0);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	return n > 0 ? (size_t)n : 0;
}

static int
refused(const struct args *args, const char *text, size_t len)
{
	if (len == 0)
		return out_error(
		    args, SGW_ERR_NOT_RUNNING, NULL, "the daemon does not take this terminal");
	return out_error(args, SGW_ERR_NO_SCREEN, NULL, "%.*s", (int)len, text);
}

static int
wait_here(const struct args *args, int connection, int signals)
{
	struct pollfd fds[2] = {
	    {.fd = connection, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	char text[REFUSAL_MAX];
	size_t late;

	if (poll(fds, 1, REFUSAL_MS) > 0)
		return refused(args, text, hear(connection, text));
	puts("Waiting for requests on this terminal. Ctrl-C ends.");
	fflush(stdout);
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents) {
		puts("\nThis terminal is no consent screen any more.");
		return 0;
	}
	/* A daemon that had much to do refuses later than that. */
	late = hear(connection, text);
	if (late > 0)
		return refused(args, text, late);
	return out_error(args, SGW_ERR_NOT_RUNNING, NULL,
	    "the daemon has ended; when it runs again, run `sgwarden consent` again");
}

int
consent_run(const struct args *args)
{
	int tty = terminal_open(), signals = signals_open(), connection, status = 0;
	struct termios found;

	if (tty < 0 || tcgetattr(tty, &found) < 0) {
		fputs("sgwarden: stdin is no terminal\n"
		      "next:     run `sgwarden consent` in a terminal that a person looks at\n",
		    stderr);
		return 2;
	}
	connection = daemon_connect(args, "consent", &status);
	if (connection < 0)
		return status;
	/* EPIPE: it is refused already, and wait_here() hears why */
	if (signals < 0 || (daemon_hand_over(connection, 'c', &tty, 1) < 0 && errno != EPIPE))
		status = out_error(
		    args, SGW_ERR_RESTARTED, NULL, "the terminal could not be handed over");
	else
		status = wait_here(args, connection, signals);
	close(connection);
	/* A consent process that was ended in the middle of a ceremony may have left the echo off. */
	tcsetattr(tty, TCSAFLUSH, &found);
	close(tty);
	return status;
}
