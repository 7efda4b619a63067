/* SPDX-License-Identifier: Apache-2.0 */
/* A client's request while it is under way: what it still needs, and what becomes of it then. */
#ifndef PLANNER_CALLS_H
#define PLANNER_CALLS_H

#include "planner.h"

struct call *call_new(struct planner *p, struct client *c, enum call_kind kind, uint32_t request);
void call_free(struct planner *p, struct call *call);
void call_forget(struct planner *p, struct client *c, uint32_t request);

/* Of those read; NULL: none of that id. */
const struct call_group *call_group_find(const struct call *call, const char *id);
void call_fail(struct call *call, uint16_t error, const char *field, const char *detail);
/* Fills in the defaults of profile and region; an error where they are not configured. */
void call_target(struct planner *p, struct call *call, const char *profile, const char *region);
const char *call_account(const struct planner *p, const struct call *call); /* or "" */

void call_step(struct planner *p, struct call *call); /* as far as it goes; may free it */
void calls_step_client(struct planner *p, struct client *c);
void calls_turn(struct planner *p);
int64_t calls_next(const struct planner *p);
void calls_drop(struct planner *p, struct client *c);

/* A read has ended: every call that waits for it takes the snapshot, or the error. */
void calls_read_done(
    struct planner *p, const struct read *r, struct snap *s, uint16_t error, const char *detail);

#endif
