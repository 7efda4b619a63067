/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of list_security_groups, find_security_group, list_rules and list_grants, in parts. */
#ifndef PLANNER_LISTS_H
#define PLANNER_LISTS_H

#include "planner.h"

/* true: the call is over.  false: it waits for room, or has failed (call->error). */
bool run_groups(struct planner *p, struct call *call);
bool run_rules(struct planner *p, struct call *call);
bool run_opened(struct planner *p, struct call *call);

/* Is the port among the rule's?  Rules for all protocols have every port, ICMP has none. */
bool rule_has_port(const struct rec_rule *rule, uint16_t port);

/*
 * The indexes of the grants of a group (empty: of any) that contain a source (NULL: any) and that the filter lets
 * through, the next to close first, into p->order; how many.
 */
size_t grants_order(struct planner *p, const char *group_id, const struct rec_cidr *covers,
    enum grant_filter filter);
void grant_view(const struct rec_grant *grant, int64_t now, struct rec_grant_view *ret_view);

/*
 * AWS lists no rules for a group that it does not know, without a word: where it lists none the group is read too.
 * false: that is under way, or the call has failed.
 */
bool rules_of_known_group(struct planner *p, struct call *call);

#endif
