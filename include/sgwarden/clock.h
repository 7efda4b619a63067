/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one clock.  Wall time in seconds since 1970 (UTC), for records and expiry; monotonic milliseconds, which
 * count suspend (CLOCK_BOOTTIME), for deadlines.  Test builds add the offset that the test keeps in FD_TESTCLOCK;
 * release builds contain no such code.
 */
#ifndef SGWARDEN_CLOCK_H
#define SGWARDEN_CLOCK_H

#include <stddef.h>
#include <stdint.h>

void clock_open(void); /* once, after the sandbox is on; a no-op in release builds */

int64_t clock_now(void);      /* seconds since 1970 */
/*
 * Milliseconds that this machine has been awake, and no test moves: how long another process owes an answer.  The
 * supervisor and its children agree about it.
 */
int64_t clock_machine(void);
int64_t clock_monotonic(void); /* milliseconds since boot, suspend included */

#if SGW_TESTCLOCK
#define CLOCK_WAIT_MAX 100 /* ms: how soon a waiting loop of a test build sees that the clock was moved */
#endif
/* The time a loop may sleep when `ms` are left (-1 = for ever). */
int clock_wait(int64_t ms);

#define CLOCK_TEXT_LEN 21                                    /* "2026-11-21T17:30:00Z" and a NUL */
void clock_format(int64_t when, char ret_text[CLOCK_TEXT_LEN]); /* RFC 3339, UTC */
/* Exactly the form that clock_format() writes; 0 or -1. */
int clock_parse(const char *text, size_t len, int64_t *ret_when);

#endif
