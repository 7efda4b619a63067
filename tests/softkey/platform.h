/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's side in tests: starts a softkey on a socketpair and gives libfido2 the other end. */
#pragma once

#include <fido.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct platform {
	int fd;      /* CTAPHID, our end */
	int control; /* commands out, events in */
	pid_t pid;
	char events[16384]; /* every event so far, NUL-terminated */
	size_t events_len;
};

/* args is NULL-terminated and may be NULL. Fails the test when softkey does not become ready. */
void platform_start(struct platform *p, const char *exe, const char *const *args);

/* Closes the transport, expects softkey to end by itself with status 0. */
void platform_stop(struct platform *p);

/* Sends a command; waits until the event line appears (at most 5 s, else false). */
void platform_command(struct platform *p, const char *command);
bool platform_await(struct platform *p, const char *event);

/* "misbehave WORD", acknowledged. */
void platform_misbehave(struct platform *p, const char *word);

/* Takes what events there are and forgets them. */
void platform_forget(struct platform *p);

/* How many events so far begin with head. */
size_t platform_count(struct platform *p, const char *head);

/* A libfido2 device on our end. The caller closes and frees it; timeout_ms bounds each call. */
fido_dev_t *platform_open(struct platform *p, int timeout_ms);
void platform_close(fido_dev_t **dev);
