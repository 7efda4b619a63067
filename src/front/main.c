/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: one client's stdin and stdout, and what that client asked
 * cannot: reach a file, the network, a screen, a key, the broker or another client
 * if owned: its own client sees lies; the planner is asked for changes, which a person must still read and touch for
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/sandbox.h>

#include "front.h"
#include "rpc.h"

#define START_MS 10000 /* for the supervisor's word and the client's descriptors */
#define END_MS 500     /* for the last answers, once the client has ended its input */

static struct front FRONT;

/* ---- start ---- */

static int
wait_for(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t left = deadline - clock_monotonic();
		int n = left <= 0 ? 0 : poll(&p, 1, clock_wait(left));

		if (n > 0)
			return 0;
		if (left <= 0 || (n < 0 && errno != EINTR))
			return -1;
	}
}

static int
take_start(struct front *f, int64_t deadline)
{
	if (wait_for(FD_CONTROL, deadline) < 0)
		return -1;
	if (chan_recv(&f->control, f->scratch, &f->msg, NULL) != CHAN_GOT ||
	    f->msg.id != MSG_FRONT_START)
		return -1;
	f->number = f->msg.front_start.client;
	f->admin = f->msg.front_start.admin;
	return 0;
}

static int
start(struct front *f, int argc, char **argv)
{
	struct sandbox_args args;
	uint32_t degraded = 0;
	int64_t deadline;

	log_open("front", LOG_LEVEL_INFO);
	if (sandbox_args_parse(argc, argv, &args) < 0)
		return -1;
	clock_open();
	signal(SIGPIPE, SIG_IGN); /* a client that is gone shows as EPIPE */
	if (sandbox_enter(ROLE_FRONT, &args, &degraded) < 0)
		return -1;
	f->control = chan_open(FD_CONTROL, ROLE_FRONT, ROLE_SUPERVISOR);
	f->planner = chan_open(FD_FRONT_PLANNER, ROLE_FRONT, ROLE_PLANNER);
	f->calls.tokens = CALLS_BURST;
	f->calls.tokens_time = clock_monotonic();
	deadline = f->calls.tokens_time + START_MS;
	f->msg.id = MSG_READY;
	f->msg.ready = (struct msg_ready){.degraded = degraded};
	if (chan_send(&f->control, f->scratch, &f->msg, -1, false) < 0 ||
	    take_start(f, deadline) < 0) {
		log_error("the supervisor did not say what to serve");
		return -1;
	}
	if (wait_for(FD_FRONT_CONNECTION, deadline) < 0 || client_take(FD_FRONT_CONNECTION) < 0)
		return -1;
	return sandbox_tighten_front();
}

/* ---- service ---- */

/* The poll table. */
enum {
	P_CONTROL,
	P_PLANNER,
	P_CONNECTION,
	P_IN,
	P_OUT,
	P_MAX,
};

static bool
takes_lines(const struct front *f)
{
	return calls_have_room(&f->calls) &&
	       f->client.out_len - f->client.out_at < CLIENT_QUEUE_STOP;
}

/* All whole lines that may be taken now; true: there are none left, so more may be read. */
static bool
take_lines(struct front *f)
{
	while (takes_lines(f)) {
		const char *line = NULL;
		size_t len = 0;

		switch (client_line(&f->client, &line, &len)) {
		case CLIENT_LINE:
			rpc_line(f, line, len);
			break;
		case CLIENT_LINE_LONG:
			rpc_refuse_line(f, JSON_LINE);
			break;
		case CLIENT_NONE:
			return true;
		}
	}
	return false;
}

/* All that the planner has said, as long as there is room for the answers; -1: it is gone or broke the protocol. */
static int
take_answers(struct front *f)
{
	do {
		enum chan_result r = chan_recv(&f->planner, f->scratch, &f->msg, NULL);

		if (r == CHAN_AGAIN)
			return 0;
		if (r != CHAN_GOT || calls_answer(f, &f->msg) < 0)
			return -1;
		f->owed = 0;
	} while (calls_pending(&f->calls) && client_has_room(&f->client));
	return 0;
}

/* What is queued, for END_MS at most. */
static void
flush(struct front *f)
{
	int64_t deadline = clock_monotonic() + END_MS;

	for (client_push(&f->client); client_has_output(&f->client); client_push(&f->client)) {
		struct pollfd p[] = {
		    {.fd = FD_FRONT_OUT, .events = POLLOUT}, {.fd = FD_FRONT_CONNECTION}};
		int64_t left = deadline - clock_monotonic();

		if (left <= 0 || f->client.out_gone)
			return;
		if (poll(p, 2, clock_wait(left)) < 0 || p[1].revents != 0)
			return;
	}
}

static bool
finished(const struct front *f, int64_t end)
{
	if (f->client.out_gone)
		return true;
	if (end == 0)
		return false;
	return clock_monotonic() >= end ||
	       (!calls_reads_pending(&f->calls) && !client_has_output(&f->client));
}

/* Lines that are there, then answers that may go; true: more may be read. */
static bool
take_and_push(struct front *f)
{
	bool all = take_lines(f);

	client_push(&f->client);
	return all && !f->client.in_eof;
}

/*
 * ms until the planner has owed an answer for too long without a word, -1: it owes none.  The supervisor is told then, and
 * asks it; a call is under way for less than a minute, so nobody wakes for long.
 */
static int64_t
silence(struct front *f)
{
	int64_t now;

	if (!calls_pending(&f->calls) || !client_has_room(&f->client)) {
		f->owed = 0;
		return -1;
	}
	now = clock_machine();
	if (f->owed == 0)
		f->owed = now;
	if (now - f->owed >= SGW_SILENCE * 1000) {
		f->owed = now;
		f->msg.id = MSG_SILENT;
		f->msg.silent.client = f->number;
		(void)chan_send(&f->control, f->scratch, &f->msg, -1, false);
	}
	return f->owed + SGW_SILENCE * 1000 - now;
}

static int
wait_most(struct front *f, int64_t end)
{
	int64_t left = end == 0 ? -1 : end - clock_monotonic(), silent = silence(f);

	if (end != 0 && left < 0)
		left = 0;
	if (left < 0 || (silent >= 0 && silent < left))
		left = silent;
	return left < 0 ? -1 : clock_wait(left);
}

/* One round; -1: it is over. */
static int
serve_once(struct front *f, int64_t end)
{
	bool reads = take_and_push(f);
	struct pollfd p[P_MAX] = {
	    [P_CONTROL] = {.fd = FD_CONTROL},
	    [P_PLANNER] = {.fd = client_has_room(&f->client) ? FD_FRONT_PLANNER : -1,
		.events = POLLIN},
	    [P_CONNECTION] = {.fd = FD_FRONT_CONNECTION},
	    [P_IN] = {.fd = reads ? FD_FRONT_IN : -1, .events = POLLIN},
	    [P_OUT] = {.fd = client_has_output(&f->client) ? FD_FRONT_OUT : -1, .events = POLLOUT},
	};

	if (finished(f, end))
		return -1;
	if (poll(p, P_MAX, wait_most(f, end)) < 0)
		return errno == EINTR ? 0 : -1;
	if (p[P_CONTROL].revents != 0 || p[P_CONNECTION].revents != 0)
		return -1;
	if (p[P_PLANNER].revents != 0 && take_answers(f) < 0) {
		calls_end(f);
		flush(f);
		return -1;
	}
	if (p[P_IN].revents != 0)
		return client_read(&f->client);
	return 0;
}

static void
serve(struct front *f)
{
	int64_t end = 0; /* 0: the client's input goes on */

	while (serve_once(f, end) == 0) {
		if (end == 0 && f->client.in_eof)
			end = clock_monotonic() + END_MS;
	}
}

int
main(int argc, char **argv)
{
	if (start(&FRONT, argc, argv) < 0)
		return 1;
	serve(&FRONT);
	return 0;
}
