/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `ledger` and `receipt` share: the ledger's files as one stream, and fields of its records. */
#ifndef CLI_LEDGER_H
#define CLI_LEDGER_H

#include <sgwarden/ledger_stream.h>

#include "cli.h"

/* A directory of segments, read one after the other, or one file alone. */
struct ledger_files {
	struct stream stream;
	char path[CLI_PATH_MAX]; /* of the directory or the file, for messages */
	int dir;                 /* -1: one file */
	int fd;                  /* that is being read */
	uint32_t last;  /* number of the last segment that holds anything; 1 for one file */
	uint64_t bytes; /* of all of them */
};

/*
 * Opens the ledger at `path`, or that of the state directory where it is NULL.  0 with the stream at its start, or the
 * exit status.
 */
int ledger_open(const struct args *args, const char *path, struct ledger_files *ret_files);
void ledger_close(struct ledger_files *files);
/* "record 7 at byte 100 of segment 2": `where` is the stream's offset before the record was read. */
#define LEDGER_WHERE_MAX 96
void ledger_where(
    const struct stream *s, uint64_t number, uint64_t offset, char ret_text[LEDGER_WHERE_MAX]);
/* How the walk ended where it did not end well: STREAM_BROKEN and STREAM_ERROR; the exit status. */
int ledger_stopped(
    const struct args *args, const struct ledger_files *files, enum stream_event event);

struct cJSON;
/* All of a record. */
struct cJSON *ledger_json(const struct ledger_entry *entry);

/* The value of a field as a C string, cut where it does not fit; "" where the field is absent. */
void ledger_text(const struct ledger_entry *entry, const char *key, char *ret_text, size_t size);

#endif
