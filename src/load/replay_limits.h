/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was asked for how often, and what the person said: so that a restart gives nobody new prompts.
 *
 *   request          of a class that asks a person: a prompt, at its time
 *   refusal, timeout "screen"   of that plan: nobody was asked after all
 *   denial           "deny", "wrong word": the cool-down; "block": the block; both of who asked for that plan
 *
 *   denial           "wrong code": the recovery code's own limit, which is nobody's in particular
 *
 * Where the ledger does not say whether the person saw it (a crash, a client that went away) it counts as seen.
 */
#ifndef LOAD_REPLAY_LIMITS_H
#define LOAD_REPLAY_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/ledger.h>
#include <sgwarden/limits.h>

/* One user's machines, or that user in person. */
struct replay_limit {
	bool used, person;
	uint32_t uid;
	int64_t asked[SGW_PROMPTS_KEPT]; /* s since 1970, the newest over the oldest; 0: none */
	unsigned next;
	int64_t denied, blocked; /* the last; 0: none */
};

struct replay_limits {
	struct replay_limit of[SGW_QUOTAS_MAX];
	/* the plan that is before the person: one at a time */
	struct replay_limit *open; /* NULL: none */
	char plan[SGW_RECEIPT_LEN + 1];
	/* wrong recovery codes, whoever asked: s since 1970, the newest over the oldest; 0: none */
	int64_t codes[SGW_CODE_TRIES];
	unsigned next_code;
};

/* NULL, or what does not hold, as replay_entry(). */
const char *replay_limit(struct replay_limits *r, const struct ledger_entry *entry);

#endif
