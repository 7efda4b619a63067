/* SPDX-License-Identifier: Apache-2.0 */
/* Tool results: the envelope with status, data, warnings and error, twice in each reply: structured and as text. */
#ifndef FRONT_RESULTS_H
#define FRONT_RESULTS_H

#include <stdbool.h>

#include <sgwarden/wire.h>

#include "args.h"

struct front;
struct call;

/* A call that failed or was refused: isError with what is wrong and what to do. */
void result_complaint(struct front *f, const struct call *c, const struct complaint *complaint);

/* The planner's last message for a call. */
void result_answer(struct front *f, struct call *c, const struct msg *m);

#endif
