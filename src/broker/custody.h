/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Custody of the openers (docs/TRUST.md, "Custody"): which credential signs an opening, and for how long it is there.
 *
 *   record made    -> custody_ask(): the salts of the seal that the plan's class needs, and the next one
 *   touched for    -> custody_unseal(): the opener into the vault, the used key's wrap renewed
 *   commit(both)   -> the sealed file with the version that is and the renewed one
 *   ledger consent -> decides; its `sealed` names the renewed version
 *   commit(one)    -> execute_begin()
 *   job_end()      -> custody_wipe()
 */
#ifndef CUSTODY_H
#define CUSTODY_H

#include "broker.h"

extern const char *const TIER_NAMES[TIER_MAX]; /* "reader", "opener", "opener-sensitive" */

/* The sealed file as the ledger names it; false: it cannot be read, and the log says why.  Once, before serving. */
bool custody_start(struct broker *b);

/* Whether this plan could be signed once it is touched for; else why not, in a sentence. */
enum sgw_error custody_problem(struct broker *b, const struct job *j, const char **ret_detail);

/* Adds to a question what unseals, where the active plan needs that; false: no random numbers. */
bool custody_ask(struct broker *b, struct msg_ask_assertion *ask);

/*
 * The assertion has been verified.  True where something was sealed and the sealed file is being written: then
 * custody_committed() goes on.  ret_failed: the seal does not open with this answer.
 */
bool custody_unseal(struct broker *b, struct msg_assertion *a, uint32_t counter, bool *ret_failed);
void custody_committed(struct broker *b, bool ok);

/* The keys that sign an opening of the active plan; never NULL, `there` is false where there are none. */
const struct profile_keys *custody_keys(struct broker *b, const struct profile *p);

/* Whether the active plan opens with an opener, be it for a trial run alone. */
bool custody_opens(const struct job *j);

/* trial.c: what AWS says of the trial run. */
void trial_answer(struct broker *b, const struct aws_result *r);

/* Whatever an operation unsealed or collected; harmless where it was nothing. */
void custody_wipe(struct broker *b);

/* The list as the next version of the sealed file, in b->sealed_next; false: it has no form. */
bool custody_next(struct broker *b);
void custody_advance(struct broker *b); /* the ledger has it */

/* A wrap of a key that is enrolled no more opens for nobody: gone with the next version. */
void custody_forget_strangers(const struct broker *b, struct rec_sealed_list *list);

/* What clients may know of the tiers of a profile. */
void custody_describe(struct broker *b, const struct profile *p, struct rec_profile_info *info);

/* ---- custody_admin.c: sealing, and sealing anew ---- */

/* After the agreement each enrolled key is asked, for the secret that wraps. */
void custody_collect(struct broker *b);
bool custody_collecting(const struct broker *b);
/* What the keys will be asked with, for the record's digest. */
bool custody_ask_all(struct broker *b, struct msg *ret_ask);
void custody_collected(struct broker *b, struct msg_assertion *a, size_t key, uint32_t counter);

#endif
