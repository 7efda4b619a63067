/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an opening has in common with the rules of its group.  AWS adds inbound rules up: one that lies within another
 * lets nobody in while that one stands, and one that encloses another leaves that with nothing of its own to let in.
 */
#ifndef PLANNER_OVERLAP_H
#define PLANNER_OVERLAP_H

#include "planner.h"

/* The first rule of each sort, by id, into ret_view->covered_by and ret_view->encloses; "": none.  Rules whose source is
 * a prefix list or a group are not judged: who is in those is not known here. */
void overlap_find(const struct snap *rules, struct rec_op_view *ret_view);

#endif
