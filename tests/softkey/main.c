/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softkey: a FIDO2 security key in software, for tests and the demo. It signs for real: what it lacks is the
 * hardware that keeps its keys, so nothing but a test build talks to it.
 *
 *   softkey --fd N [--control-fd M] [--event-fd K] [--state FILE] [--misbehave WORD]…
 *           [--pin-protocols 1|2|21] [--auto-touch MS] [--touch-seconds S] [--max-seconds S]
 *
 * --fd N          an inherited SOCK_SEQPACKET socket; one datagram is one CTAPHID report of 64 bytes, or of 65
 *                 with the report id 0 in front, as a write to hidraw has. End of file ends softkey. Several
 *                 platforms may use the other end one after the other: an INIT on the broadcast channel resets.
 * --control-fd M  commands, as a byte stream: `t` touches, `x` pulls the key out (softkey closes N and ends),
 *                 `q` ends it, `misbehave WORD\n` adds a lie, `misbehave none\n` ends them all. A line feed
 *                 between commands is ignored. A touch when nothing waits for one is lost, as on a real key.
 *                 End of file is only the end of commands.
 * --event-fd K    where events go; default: M if that is a socket, else standard output. One line each:
 *                   ready             N is being read
 *                   frame COUNT       a report came in; COUNT is their number since the start
 *                   ctap XX           a CBOR command is complete: 01 make, 02 assert, 04 info, 06 PIN
 *                   up-wait           the key blinks: it waits for a touch
 *                   touched | up-timeout | cancelled | reset      how that wait ended
 *                   touch-ignored     a touch came that nothing waited for
 *                   misbehave WORD    the order was taken
 *                   unknown           a command was not understood
 *                   hang | wink | pulled | quit | eof | expired
 * --state FILE    master key, counter and PIN, kept between runs. Without it each run is a new key.
 * --misbehave W   see misbehave.h; a list is printed with --help.
 * --auto-touch MS touches itself MS milliseconds into each wait: for tests of something else.
 * --touch-seconds S   how long a touch is waited for (default 30).
 * --max-seconds S     softkey ends by itself (default 3600).
 *
 * Exit status: 0 for every end named above, 1 if it cannot start, 2 for wrong usage.
 */
#include "hid.h"
#include "misbehave.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEEPALIVE_MS 100

struct device {
	struct authenticator auth;
	struct control control;
	struct hid hid;
	long auto_touch; /* ms; -1: a hand does it */
	long touch_seconds;
	long max_seconds;
	uint64_t end;    /* ms, monotonic */
	const char *why; /* the event with which it ends; NULL while it lives */
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Waits up to timeout_ms for something to happen and acts on it. Sets d->why when the key's life is over. */
static void
device_step(struct device *d, int timeout_ms)
{
	struct pollfd p[2] = {
	    {.fd = d->hid.fd, .events = POLLIN},
	    {.fd = d->control.fd, .events = POLLIN},
	};
	int n = poll(p, 2, timeout_ms);

	if (n > 0 && p[1].revents != 0)
		control_read(&d->control);
	if (n > 0 && p[0].revents != 0 && !hid_read(&d->hid, now_ms()))
		d->why = "eof";
	hid_timeout(&d->hid, now_ms());
	if (d->control.pulled)
		d->why = "pulled";
	else if (d->control.quit)
		d->why = "quit";
	else if (now_ms() >= d->end)
		d->why = "expired";
}

static uint8_t
wait_ended(struct device *d, const char *event, uint8_t status)
{
	control_event(&d->control, "%s", event);
	d->control.waiting = false;
	return status;
}

/* The authenticator's wait for a touch: the loop runs inside it, so that CANCEL, INIT and the hand get through. */
static uint8_t
wait_touch(void *arg)
{
	struct device *d = arg;
	uint64_t start = now_ms(), keepalive = start;

	control_event(&d->control, "up-wait");
	d->control.waiting = true;
	d->control.touched = false;
	for (;;) {
		uint64_t now = now_ms();

		if (d->control.touched ||
		    (d->auto_touch >= 0 && now - start >= (uint64_t)d->auto_touch))
			return wait_ended(d, "touched", CTAP_OK);
		if (d->hid.cancelled)
			return wait_ended(d, "cancelled", CTAP_KEEPALIVE_CANCEL);
		d->hid.aborted |= d->why != NULL; /* what is unplugged answers no more */
		if (d->hid.aborted)
			return wait_ended(d, "reset", CTAP_KEEPALIVE_CANCEL);
		if (now - start >= (uint64_t)d->touch_seconds * 1000)
			return wait_ended(d, "up-timeout", CTAP_USER_ACTION_TIMEOUT);
		if (now >= keepalive) {
			hid_keepalive(&d->hid);
			keepalive = now + KEEPALIVE_MS;
		}
		device_step(d, d->auto_touch >= 0 ? 5 : 25);
	}
}

static int
usage(void)
{
	fputs("usage: softkey --fd N [--control-fd M] [--event-fd K] [--state FILE] [--misbehave "
	      "WORD]...\n"
	      "               [--pin-protocols 1|2|21] [--auto-touch MS] [--touch-seconds S] "
	      "[--max-seconds S]\n"
	      "WORD:",
	    stderr);
	for (size_t i = 0; misbehave_word(i) != NULL; i++)
		fprintf(stderr, " %s", misbehave_word(i));
	fputc('\n', stderr);
	return 2;
}

/* A decimal in 0 … max; -1 for anything else. */
static long
number(const char *s, long max)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(s, &end, 10);
	return errno != 0 || end == s || *end != '\0' || v < 0 || v > max ? -1 : v;
}

static bool
is_socket(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static bool
option_take(struct device *d, int opt, const char *arg)
{
	long v = opt == 's' || opt == 'm' ? 0 : number(arg, 1000000);
	unsigned bit;

	switch (opt) {
	case 'f':
		d->hid.fd = (int)v;
		break;
	case 'c':
		d->control.fd = (int)v;
		break;
	case 'e':
		d->control.event_fd = (int)v;
		break;
	case 's':
		d->auth.state_path = arg;
		break;
	case 'm':
		bit = misbehave_bit(arg);
		d->auth.misbehave |= bit;
		return bit != 0;
	case 'p':
		d->auth.pin_protocols = v == 1 ? 1U << 1 : v == 2 ? 1U << 2 : 1U << 1 | 1U << 2;
		return v == 1 || v == 2 || v == 21;
	case 'a':
		d->auto_touch = v;
		break;
	case 'w':
		d->touch_seconds = v;
		break;
	case 'x':
		d->max_seconds = v;
		break;
	default:
		return false;
	}
	return v >= 0;
}

static bool
options_parse(struct device *d, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"fd", required_argument, NULL, 'f'},
	    {"control-fd", required_argument, NULL, 'c'},
	    {"event-fd", required_argument, NULL, 'e'},
	    {"state", required_argument, NULL, 's'},
	    {"misbehave", required_argument, NULL, 'm'},
	    {"pin-protocols", required_argument, NULL, 'p'},
	    {"auto-touch", required_argument, NULL, 'a'},
	    {"touch-seconds", required_argument, NULL, 'w'},
	    {"max-seconds", required_argument, NULL, 'x'},
	    {NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (!option_take(d, opt, optarg))
			return false;
	if (optind != argc || d->hid.fd < 0)
		return false;
	if (d->control.event_fd < 0)
		d->control.event_fd = is_socket(d->control.fd) ? d->control.fd : STDOUT_FILENO;
	return true;
}

int
main(int argc, char **argv)
{
	static struct device d = {.auto_touch = -1, .touch_seconds = 30, .max_seconds = 3600};
	int r;

	d.hid.fd = d.control.fd = d.control.event_fd = -1;
	d.auth.pin_protocols = 1U << 1 | 1U << 2;
	d.auth.wait_touch = wait_touch;
	d.auth.wait_arg = &d;
	d.hid.auth = &d.auth;
	d.hid.control = &d.control;
	d.control.misbehave = &d.auth.misbehave;
	if (!options_parse(&d, argc, argv))
		return usage();
	signal(SIGPIPE, SIG_IGN);
	r = is_socket(d.hid.fd) ? state_load(d.auth.state_path, &d.auth.state) : -ENOTSOCK;
	if (r < 0 || !pin_session_start(&d.auth.pin)) {
		fprintf(stderr, "softkey: cannot start: %s\n", strerror(r < 0 ? -r : EIO));
		return 1;
	}
	d.end = now_ms() + (uint64_t)d.max_seconds * 1000;
	control_event(&d.control, "ready");
	while (d.why == NULL)
		device_step(&d, 100);
	if (d.control.pulled)
		shutdown(d.hid.fd, SHUT_RDWR);
	control_event(&d.control, "%s", d.why);
	return 0;
}
