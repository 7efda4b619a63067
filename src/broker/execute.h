/* SPDX-License-Identifier: Apache-2.0 */
/* Between execute.c, which goes from step to step, and outcome.c, which keeps what has come of them. */
#ifndef BROKER_EXECUTE_H
#define BROKER_EXECUTE_H

#include "broker.h"

#define READ_BACK_TRIES 3
#define READ_BACK_PAUSE 1000 /* ms: AWS's reads lag behind its writes */

extern const struct aws_result NOTHING; /* nothing was sent */

bool step_opens(const struct job *j);
const char *job_late(const struct broker *b); /* job_time.c: why no step goes on; NULL: it may */

/* outcome.c; all of the active plan and its present step */
void tell_wrote(struct broker *b);
void grants_add(struct broker *b);
void grants_settle(struct broker *b, bool done);
void grants_loosen(struct broker
	*b); /* unanswered: their rules may be there or not, and that is no change by others */
void grants_unsettle(struct broker *b, const char *receipt);
bool grants_room(const struct broker *b, size_t n);
void note_rule_ids(struct broker *b); /* from AWS's answer to the call */
/* A closing that AWS has carried out but for rules that it no longer knew, and said so in a success. */
bool some_were_gone(const struct job *j, const struct aws_result *r);
void note_gone(struct job *j);              /* those whose ids its answer does not name */
const char *gone_text(const struct job *j); /* how many, or ""; until the next call */
void note_own(struct job *j, const struct grant *g, enum sgw_error error);
bool carried_out(struct broker *b); /* every operation as it should be now */
void own_step(struct broker *b);    /* hands the step to the closing machine */
void dry_run_failed(
    struct broker *b, enum sgw_error error, const struct aws_result *r, const char *detail);
void take_back(struct broker *b); /* closes what the plan opened, then ends it */
void plan_over(struct broker *b);

#endif
