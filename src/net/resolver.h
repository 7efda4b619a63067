/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that names the name servers.  Landlock's rule is for the file that stood there when the sandbox was made
 * (landlock(7)): one that somebody puts in its place, as dhclient and NetworkManager do, cannot be read.  glibc then
 * asks 127.0.0.1, where nobody answers, and no name is found again.  Only a new process gets a new rule.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <stdbool.h>

/* Before the sandbox: may it be read, or is it not there yet? */
void resolver_note(void);

/* After it: could it be read then, and does the sandbox forbid it now?  To be asked where a name was not found. */
bool resolver_is_lost(void);

#endif
