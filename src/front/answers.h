/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of answers share; results.h has what others use. */
#ifndef FRONT_ANSWERS_H
#define FRONT_ANSWERS_H

#include "envelope.h"
#include "out.h"

#define DATA(name, type)                                                                           \
	static void data_##name(struct jw *w, const void *view)                                    \
	{                                                                                          \
		const type *v = view;                                                              \
                                                                                                   \
		out_##name(w, v);                                                                  \
	}

/* A list whose parts are all there; `planners` as list_next_cursor() has it. */
void list_send(struct front *f, struct call *c, struct result *r, struct view_page *view,
    const char *planners);

/* answers_receipts.c */
void answer_receipts(struct front *f, struct call *c, const struct msg *m);
void answer_receipt(struct front *f, struct call *c, const struct msg *m);
void answer_drift(struct front *f, struct call *c, const struct msg *m);
void answer_reconciled(struct front *f, struct call *c, const struct msg *m);

#endif
