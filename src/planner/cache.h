/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS said a moment ago, per (what, profile, region, group); never used for a change. */
#ifndef PLANNER_CACHE_H
#define PLANNER_CACHE_H

#include "planner.h"

bool key_equal(const struct read_key *a, const struct read_key *b);
/* Would a write to this group change what the key reads? */
bool key_touched(
    const struct read_key *key, const char *profile, const char *region, const char *group_id);

struct snap *cache_get(struct planner *p, const struct read_key *key); /* borrowed, or NULL */
void cache_put(struct planner *p, const struct read_key *key, struct snap *s);
void cache_forget(struct planner *p, const char *profile, const char *region, const char *group_id);

#endif
