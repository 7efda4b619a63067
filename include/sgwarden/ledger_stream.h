/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's bytes as a stream of entries through a bounded window.
 *
 * A crash may leave a torn tail.  It stays; the `torn` record that the broker wrote at the next start names its
 * length and hash, and only bytes that match both are passed over.  A torn tail that is the end of the file is
 * reported, not judged.  Everything else that does not follow from what came before is a broken chain.
 *
 * The ledger is a row of files, its segments, 1, 2, 3 …; each but the first begins with a `segment` record that names
 * itself and the last record before it, and each but the last ends whole.  The stream asks for the next one.
 *
 * The loader replays with it, `sgwarden ledger` shows and verifies with it: one reading of the file for both.
 */
#ifndef SGWARDEN_LEDGER_STREAM_H
#define SGWARDEN_LEDGER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sgwarden/ledger.h>

/* What a torn tail may have beyond the longest record: unwritten blocks, torn torn records. */
#define TORN_MORE 65536
/* Half of it holds a torn tail and the record behind it. */
#define STREAM_WINDOW (2 * (2 * LEDGER_RECORD_MAX + TORN_MORE))

enum stream_event {
	STREAM_ENTRY,  /* entry; its values live until the next call */
	STREAM_END,    /* torn_len, torn_digest: what stands behind the last record */
	STREAM_BROKEN, /* problem; number and offset say where */
	STREAM_ERROR,  /* the file cannot be read */
};

/* read(2), or what stands for it. */
typedef ssize_t stream_read(int fd, void *data, size_t len);

/*
 * The segment of that number: a descriptor, or one of these.  Nobody reads what was given before any more; whoever
 * gives descriptors closes them.
 */
typedef int stream_more(void *context, uint32_t segment);
enum {
	STREAM_NO_MORE = -1,
	STREAM_NOT_HAD = -2, /* it is there and cannot be had */
};

struct stream {
	int fd;
	stream_read *read;
	stream_more *more; /* NULL: one segment is all there is */
	void *context;
	uint32_t segment;           /* that is being read, from 1 */
	bool begins;                /* the `segment` record of this one has not come yet */
	struct ledger_chain before; /* where the chain stood when it began */
	bool at_end;
	uint64_t offset; /* of window[start] in the segment */
	size_t start, len;
	struct ledger_chain chain;
	struct ledger_entry entry;
	const char *problem;
	uint32_t torn_len;
	uint8_t torn_digest[HASH_LEN];
	char window[STREAM_WINDOW];
	char unfold[LEDGER_RECORD_MAX];
};

void stream_open(struct stream *s, int fd, stream_read *from);
/* Behind stream_open(): where the segments after the first come from. */
void stream_follow(struct stream *s, stream_more *more, void *context);
enum stream_event stream_next(struct stream *s);

#endif
