/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own programs, systemctl and its like: from the system's directories, never from $PATH. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <stddef.h>
#include <sys/types.h>

#define RUN_SAID_MAX 4096

/* Starts argv[0] with these three descriptors, which stay the caller's.  Its pid, or -1 and errno. */
pid_t run_start(const char *const argv[], int in, int out, int err);
/* Waits for it: its exit status, or -1 where it came to no such end. */
int run_end(pid_t pid);
/* What stands in a pipe, to its end: the first bytes of it, a NUL behind. */
void run_said(int fd, char ret_said[RUN_SAID_MAX]);
/* All of it, with no input; what it says is kept.  As run_end(). */
int run_program(const char *const argv[], char ret_said[RUN_SAID_MAX]);

#endif
