/* SPDX-License-Identifier: Apache-2.0 */
/* What each line of the policy asks; the table that puts them in order is policy.c's. */
#ifndef PLAN_POLICY_LINES_H
#define PLAN_POLICY_LINES_H

#include <sgwarden/policy.h>

struct judge {
	const struct rec_policy *policy;
	const struct rec_plan *plan;
	const struct policy_facts *facts;
	bool opens;
	const struct rec_op *op; /* the operation looked at, for lines that look at each */
	char source[CIDR_TEXT_LEN];
	char *text; /* SGW_DETAIL_MAX + 1 */
};

/* Does it apply?  Then j->text says what it found. */
typedef bool policy_line(struct judge *j);

policy_line line_malformed, line_nothing_new, line_locked_down, line_not_an_asker, line_world_open,
    line_special_range, line_prefix_too_wide, line_out_of_scope, line_bad_lifetime, line_permanent_not_allowed, line_permanent,
    line_too_long_in_all, line_not_opted_in, line_no_reason, line_no_ticket, line_union_too_large,
    line_no_room, line_too_many_open, line_wide_prefix, line_bulk, line_sensitive_port, line_opens,
    line_foreign, line_own;

/* Is the rule of an opening there already, so that the operation changes nothing? */
bool op_exists(const struct judge *j, const struct rec_op *op);

/* Is it a closing of what this appliance opened? */
bool op_is_ours(const struct judge *j, const struct rec_op *op);

/* Ingress rules that EC2 counts against a family's quota; a source that is no prefix counts in both. */
uint16_t rules_of_family(const struct policy_facts *facts, uint8_t family);
/* Those of both families that count by their list's maximum. */
uint16_t rules_of_lists(const struct policy_facts *facts);

/* The class of an opening by the table's lines that class, whatever its lifetime (policy.c). */
enum effect_class opening_class(const struct judge *j);

/* Does a scope take in the plan's place and, for an opening, all of the operation's ports?  See policy_scope.c. */
bool scopes_hold(const struct judge *j, const struct rec_op *op);

#endif
