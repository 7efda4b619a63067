/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for secrets: an own mapping between two guard pages, locked, left out of core dumps, zeroed in a forked
 * child, erased before it is unmapped (mlock(2), madvise(2): MADV_DONTDUMP, MADV_WIPEONFORK).
 */
#ifndef SGWARDEN_SECRET_H
#define SGWARDEN_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
	void *data;
	size_t size; /* usable bytes, a multiple of the page size */
	bool locked; /* false where RLIMIT_MEMLOCK forbade it: the degradation no-memlock */
};

/* 0, or -1: no memory.  The region is zeroed and belongs to the caller until secret_free(). */
int secret_alloc(struct secret *ret_secret, size_t size);
void secret_erase(struct secret *secret); /* zeroes all of it; the region stays usable */
void secret_free(struct secret *secret);  /* erases and unmaps; harmless on an empty one */

/* Zeroes memory in a way that the compiler keeps: for the copies on the stack. */
void memory_erase(void *data, size_t len);
bool memory_equal(const void *a, const void *b, size_t len); /* constant time */

#endif
