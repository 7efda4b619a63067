/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: the profile files and the ledger, open for reading, for the moment before the broker serves.
 * cannot: reach the network, a client or any other file; write anything but typed records to the broker.
 * if owned: gets the keys in the profile files and tells a false story of the ledger, at start only.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/sandbox.h>

#include "input.h"
#include "report.h"

#define SEGMENT_WAIT 60000 /* ms that the supervisor may take to open a file */

static struct {
	struct chan control;
	struct report report;
	struct profiles profiles;
	struct stream stream;
	struct replay replay;
	bool unanswered; /* the supervisor gave no next file: it is ending, or has said why */
} load;

static void
on_problem(void *context, enum input_file file, uint32_t line, const char *detail)
{
	report_problem(context, file, line, false, detail);
}

static void
load_profiles(void)
{
	static const int fds[INPUT_LEDGER] = {FD_LOADER_CREDENTIALS, FD_LOADER_CONFIG};
	struct secret text[INPUT_LEDGER] = {0};
	struct profile_loaded loaded;

	load.profiles.problem = on_problem;
	load.profiles.context = &load.report;
	for (unsigned file = 0; file < INPUT_LEDGER; file++) {
		size_t len = 0;
		const char *problem = input_read(fds[file], &text[file], &len);

		if (problem != NULL)
			report_problem(&load.report, (enum input_file)file, 0, false, problem);
		else
			profiles_read(&load.profiles, (enum input_file)file, text[file].data, len);
	}
	for (size_t i = 0; i < load.profiles.n; i++)
		if (profile_resolve(&load.profiles, &load.profiles.profile[i], &loaded))
			report_profile(&load.report, &loaded);
	for (unsigned file = 0; file < INPUT_LEDGER; file++)
		secret_free(&text[file]);
}

static bool
ledger_problem(uint64_t number, uint64_t offset, const char *what)
{
	char detail[SGW_DETAIL_MAX + 1], segment[32] = "";

	if (load.stream.segment > 1)
		snprintf(segment, sizeof(segment), " of segment %" PRIu32, load.stream.segment);
	snprintf(detail, sizeof(detail), "record %" PRIu64 " at byte %" PRIu64 "%s: %s", number,
	    offset, segment, what);
	report_problem(&load.report, INPUT_LEDGER, 0, true, detail);
	return false;
}

/*
 * The ledger's next file, from the supervisor.  What was read before is closed first: so the new descriptor gets its
 * number, the one that the filter lets be read.
 */
static int
next_segment(void *context, uint32_t number)
{
	struct pollfd answer = {.fd = load.control.fd, .events = POLLIN};
	struct msg *m = load.report.m;
	struct chan_fds fds = {0};

	close(FD_LOADER_LEDGER);
	m->id = MSG_NEXT_SEGMENT;
	m->next_segment.number = number;
	if (chan_send(&load.control, load.report.scratch, m, -1, false) < 0 ||
	    poll(&answer, 1, SEGMENT_WAIT) != 1 ||
	    chan_recv(&load.control, load.report.scratch, m, &fds) != CHAN_GOT ||
	    m->segment.number != number) {
		load.unanswered = true;
		return STREAM_NOT_HAD;
	}
	if (fds.n == 0)
		return STREAM_NO_MORE;
	return fds.fd[0] == FD_LOADER_LEDGER ? FD_LOADER_LEDGER : STREAM_NOT_HAD;
}

static bool
load_ledger(void)
{
	struct stream *s = &load.stream;

	stream_open(s, FD_LOADER_LEDGER, read);
	stream_follow(s, next_segment, NULL);
	for (;;) {
		uint64_t offset = s->offset;
		uint32_t segment = s->segment;
		enum stream_event event = stream_next(s);
		const char *problem;

		offset = s->segment == segment ? offset : 0;
		switch (event) {
		case STREAM_ENTRY:
			problem = replay_entry(&load.replay, &s->entry);
			if (problem != NULL)
				return ledger_problem(s->chain.number, offset, problem);
			break;
		case STREAM_END:
			report_ledger(&load.report, s, &load.replay);
			return true;
		case STREAM_BROKEN:
			return ledger_problem(s->chain.number + 1, offset, s->problem);
		case STREAM_ERROR:
			if (load.report.failed || load.unanswered) /* the ledger is not at fault */
				return false;
			report_problem(
			    &load.report, INPUT_LEDGER, 0, true, "the ledger cannot be read");
			return false;
		}
	}
}

static int
ready(uint32_t degraded)
{
	struct msg *m = load.report.m;

	load.control = chan_open(FD_CONTROL, ROLE_LOADER, ROLE_SUPERVISOR);
	m->id = MSG_READY;
	m->ready.degraded = degraded;
	return chan_send(&load.control, load.report.scratch, m, -1, false);
}

int
main(int argc, char **argv)
{
	struct sandbox_args args;
	uint8_t digest[HASH_LEN];
	uint32_t degraded = 0;
	bool whole, failed;

	log_open("loader", LOG_LEVEL_INFO);
	if (sandbox_args_parse(argc, argv, &args) < 0)
		return 2;
	/* Whatever libcrypto wants to open or to set up, it does before the sandbox is on. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	hash_sha256("", 0, digest);
	if (sandbox_enter(ROLE_LOADER, &args, &degraded) < 0)
		return 70;
	clock_open();
	if (report_open(&load.report, FD_LOADER_BROKER) < 0 || ready(degraded) < 0)
		return 1;
	load_profiles();
	whole = load_ledger();
	if (whole)
		report_end(&load.report, load.stream.chain.number,
		    load.replay.receipts.n + load.replay.receipts.older);
	failed = load.report.failed || load.unanswered;
	report_close(&load.report);
	return failed ? 1 : whole ? 0 : EXIT_MEND;
}
