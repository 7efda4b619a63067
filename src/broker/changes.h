/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan that is to be judged to what has been opened and must close: part of broker.h. */
#ifndef BROKER_CHANGES_H
#define BROKER_CHANGES_H

#include "broker.h"

/* judge.c */
void job_judge(struct broker *b);
const struct rec_grant *grants_list(
    const struct broker *b, size_t *ret_n); /* live ones, until the next call */
/* Leaves the ingress rules alone, in place: policy and digest speak of nothing else. */
void ingress_only(struct collected *c);

/* seen.c */
void seen_clear(struct broker *b);
bool seen_keep(
    struct broker *b, const char *group_id, const struct collected *c); /* false: no room */
void seen_loosen(struct broker *b, const struct rec_grant *g);
/* True where the group's rules are the same; else what was added and removed, a few of it by name. */
bool seen_holds(const struct broker *b, const char *group_id, const struct collected *c,
    char ret_text[SGW_DETAIL_MAX + 1]);

/* extend.c */
const char *extend_problem(struct broker *b, const struct job *j); /* NULL: it still can be */
void extend_apply(struct broker *b);

/* execute.c: after the touch */
void execute_begin(struct broker *b);
void execute_answer(struct broker *b, const struct aws_result *r);
void execute_own_ended(struct broker *b, struct grant *g, enum sgw_error error);

/* close_own.c: what is ours is closed beside the active plan, without a screen */
bool close_own_is(struct broker *b, const struct rec_plan *plan);
bool close_own_take(struct broker *b, struct job *wanted); /* false: it is none */
void close_own_begin(struct broker *b, struct job *j); /* which is not the active one any more */
void close_own_ended(struct broker *b, struct grant *g, enum sgw_error error); /* of one grant */
enum sgw_error close_own_why(enum sgw_error error); /* what the client is told of that */
/* Of what is closed: NO_SUCH_RULE where AWS knew it no more, because somebody else had taken it away. */
enum sgw_error close_own_error(const struct grant *g, enum sgw_error error);

/* grants.c, closing.c */
struct grant *grant_add(struct broker *b, const struct rec_grant *g, uint16_t op);
/*
 * It closes when the touched record says: by the wall clock, or once the time that was shown has passed since.  The wall
 * clock may have been ahead when the record was made, and be put right by now.
 */
void grant_closes(const struct ceremony *c, struct grant *g);
int64_t grant_end(const struct grant *g); /* when it closes, by the wall clock as it is now */
bool grant_is_live(const struct grant *g); /* ours, and not closed */
struct grant *grant_of(struct broker *b, const char *receipt, const struct rec_op *op); /* live */
struct grant *grant_find(struct broker *b, const struct rec_plan *plan, const struct rec_op *op);
void grants_tell(struct broker *b, uint32_t request, const char *group_id);
unsigned grants_count(const struct broker *b, enum grant_state state);
unsigned grants_overdue(const struct broker *b);
void closing_run(struct broker *b); /* starts what is due */
void closing_answer(struct broker *b, const struct aws_result *r);
int64_t in_seconds(int64_t seconds); /* monotonic ms; however absurd the distance */
void closing_superseded(struct broker *b, const struct grant *g); /* by this opening */
bool rules_have(const struct collected *c, int16_t protocol, int32_t from, int32_t to,
    const struct rec_cidr *source);

/* closing_time.c */
void closing_due(struct grant *g);   /* now */
void closing_hurry(struct grant *g); /* the next try as soon as one may follow a failed one */
void closing_asked(struct grant *g); /* due from now on; what is due already is hurried */
bool closing_is_due(const struct grant *g);
/* s to wait behind a failed try, of which there were so many before it. */
int64_t closing_pause(unsigned before);
/* When a grant next needs something, and the first of them: monotonic ms, INT64_MAX: nothing. */
int64_t closing_when(const struct broker *b, const struct grant *g);
int64_t closing_next(const struct broker *b);

/* closing_whose.c */
/* What stands there with the grant's protocol, ports and source, or NULL; AWS has one such rule at most. */
const struct rec_rule *rule_of(const struct collected *c, const struct grant *g);
/* Its marks say so: it carries the receipt of the grant, or of an earlier opening. */
bool rule_is_ours(struct broker *b, const struct grant *g, const struct rec_rule *rule);

/* closing_account.c: whose answer a closing gets */
/* Not before: STS is being asked whose the keys are.  Monotonic ms. */
int64_t closing_soonest(const struct broker *b, const struct grant *g);
/* AWS finds nothing.  NONE: that may be believed; OTHER_ACCOUNT: not of keys that are not of the rule's. */
enum sgw_error closing_absent(struct broker *b, const struct grant *g);

#endif
