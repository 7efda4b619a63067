/* SPDX-License-Identifier: Apache-2.0 */
/* What the loader says to the broker. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/secret.h>
#include <sgwarden/wire.h>

#include "profiles.h"
#include "replay.h"
#include <sgwarden/ledger_stream.h>

#define REPORT_PROBLEMS_MAX 64 /* then one more that says so */

struct report {
	struct chan broker;
	struct secret memory; /* the message and its datagram: some hold a secret key */
	struct msg *m;
	void *scratch;
	unsigned problems;
	bool failed; /* the broker is gone */
};

int report_open(struct report *r, int fd); /* 0, or -1: no memory */
void report_close(struct report *r);

void report_problem(
    struct report *r, enum input_file file, uint32_t line, bool fatal, const char *detail);
void report_profile(struct report *r, const struct profile_loaded *profile);
void report_ledger(struct report *r, const struct stream *s, const struct replay *replay);
void report_end(struct report *r, uint64_t records, uint64_t receipts);

#endif
