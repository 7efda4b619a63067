/* SPDX-License-Identifier: Apache-2.0 */
/* Reads: the broker signs, net answers; several calls may wait for one, every page of it is followed. */
#ifndef PLANNER_READS_H
#define PLANNER_READS_H

#include "planner.h"

/*
 * A read of this key to wait for: one that is under way, unless `fresh` (then only one that has not been sent), or
 * a new one.  NULL: every slot is taken; ask again when one is free.
 */
struct read *read_want(struct planner *p, const struct read_key *key, bool fresh);

/* We wrote there: what is under way begins anew. */
void reads_restart(
    struct planner *p, const char *profile, const char *region, const char *group_id);

/* What broker and net say about them.  A number that was given up is passed over. */
void reads_on_refused(struct planner *p, const struct msg_read_refused *m);
void reads_on_groups(struct planner *p, const struct msg_aws_groups *m);
void reads_on_rules(struct planner *p, const struct msg_aws_rules *m);
void reads_on_identity(struct planner *p, const struct msg_aws_identity *m);
void reads_on_done(struct planner *p, const struct msg_done *m);

void reads_turn(struct planner *p);          /* sends what is due, gives up what is too late */
int64_t reads_next(const struct planner *p); /* monotonic ms of the next turn; INT64_MAX: none */

#endif
