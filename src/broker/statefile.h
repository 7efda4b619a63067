/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state file of the broker's: at most two versions of its contents, each a length (u32) and that many bytes.  While
 * one replaces the other both are there, and the ledger names the one that counts: wherever the plug is pulled, the
 * next start finds it.  No contents, or a file that was never written, have a digest of zeros.
 */
#ifndef BROKER_STATEFILE_H
#define BROKER_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/enums.h>
#include <sgwarden/hash.h>
#include <sgwarden/limits.h>

struct broker;

struct statefile_version {
	size_t len;
	uint8_t data[SGW_STATE_MAX];
	uint8_t digest[HASH_LEN]; /* zeros where len is 0 */
};

struct statefile {
	struct statefile_version now;
	struct statefile_version next; /* to come, or the second one in the file */
	bool both;                     /* the file was found with two versions */
};

/* All of fd, which is closed; -1: it cannot be read or is not of this form (logged). */
int statefile_read(struct statefile *f, int fd, const char *name);

/* Once the ledger's digest is known: -1 where neither version is the one that it names (logged). */
int statefile_choose(struct statefile *f, const uint8_t digest[HASH_LEN], const char *name);

/* False: too long.  len 0 takes the contents away. */
bool statefile_next(struct statefile *f, const void *data, size_t len);

/* Sends COMMIT with the present contents and, where `both`, with the next ones; COMMITTED answers. */
void statefile_commit(struct broker *b, const struct statefile *f, enum state_file file, bool both);

/* What a pulled plug left undone. */
void statefile_tidy(struct broker *b, struct statefile *f, enum state_file file);

/* The next contents are the present ones from here on. */
void statefile_advance(struct statefile *f);

#endif
