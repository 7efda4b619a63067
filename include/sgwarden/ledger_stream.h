/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's bytes as a stream of entries through a bounded window.
 *
 * A crash may leave a torn tail.  It stays; the `torn` record that the broker wrote at the next start names its
 * length and hash, and only bytes that match both are passed over.  A torn tail that is the end of the file is
 * reported, not judged.  Everything else that does not follow from what came before is a broken chain.
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

struct stream {
	int fd;
	stream_read *read;
	bool at_end;
	uint64_t offset; /* of window[start] in the file */
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
enum stream_event stream_next(struct stream *s);

#endif
