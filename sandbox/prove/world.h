/* SPDX-License-Identifier: Apache-2.0 */
/* What a probed process finds around it: the descriptors of its row, with the other ends held by the prover. */
#ifndef SANDBOX_PROVE_WORLD_H
#define SANDBOX_PROVE_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../internal.h"

#define WORLD_FDS 16
#define WORLD_STRAY 40 /* a descriptor that the supervisor "forgot" to close */

struct world {
	enum role role;
	bool tight;
	int here[WORLD_FDS];  /* the child's, by number in the row */
	int there[WORLD_FDS]; /* the other end, or the same file, for the prover */
};

/* Exits with status 99 where the machine does not give what the test needs. */
void world_make(struct world *w, enum role role, bool tight);
void world_free(struct world *w);

/* In the child: each descriptor to its place. */
void world_enter(const struct world *w);

/* Front only, in the sandbox: takes the client's descriptors over the connection and tightens. */
void world_take_client(void);

/* Everything that is not a step of the lockdown but must not fail. */
void must(bool holds, const char *what);

#endif
