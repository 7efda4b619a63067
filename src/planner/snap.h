/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of what AWS reported; see struct snap. */
#ifndef PLANNER_SNAP_H
#define PLANNER_SNAP_H

#include "planner.h"

enum snap_result {
	SNAP_OK = 0,
	SNAP_TOO_MUCH = -1, /* past a documented cap */
	SNAP_BUSY = -2,     /* all snapshots together hold what they may */
};

struct snap *snap_new(struct planner *p, enum aws_op what); /* one reference; NULL: no memory */
struct snap *snap_ref(struct snap *s);
void snap_unref(struct planner *p, struct snap *s); /* NULL is harmless */

enum snap_result snap_add_rules(
    struct planner *p, struct snap *s, const struct msg_aws_rules *part);
enum snap_result snap_add_groups(
    struct planner *p, struct snap *s, const struct msg_aws_groups *part);
enum snap_result snap_finish(struct planner *p, struct snap *s); /* puts it in order */

/* Merges our grants into the notes, once per generation of the grants. */
/* The rule that equals the grant, or NULL. */
const struct rec_rule *snap_rule_of(const struct snap *s, const struct rec_grant *grant);
void snap_annotate(struct planner *p, struct snap *s);

void snap_group(const struct snap *s, size_t i, struct rec_group *ret_group);

/* Indexes 0 … n-1 in the order of the ids; `ids` is the first, `stride` bytes from one to the next. */
void order_by_id(const void *ids, size_t stride, uint32_t *ret_order, size_t n);

#endif
