/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new policy allows that the old one did not, and the other way round: the lines that a person reads before
 * agreeing to it.  The broker makes them from the two typed policies; the command line shows the same.  Pure.
 */
#ifndef SGWARDEN_POLICY_DIFF_H
#define SGWARDEN_POLICY_DIFF_H

#include <sgwarden/policy.h>

enum policy_change_kind {
	POLICY_WIDER,    /* something is allowed that was not, or with less */
	POLICY_NARROWER, /* something is no longer allowed, or with more */
	POLICY_RESTATED, /* the same is allowed, said in another way */
	POLICY_NAMED,    /* a name stands for other ports: what it allows does not hang on it */
};

#define POLICY_CHANGE_TEXT_MAX 640
#define POLICY_CHANGES_MAX 512 /* every field, name, port, user and scope of both policies: never more */

struct policy_change {
	enum policy_change_kind kind;
	char text[POLICY_CHANGE_TEXT_MAX + 1]; /* printable ASCII, one sentence */
};

struct policy_diff {
	size_t n;
	struct policy_change change[POLICY_CHANGES_MAX]; /* what widens comes first */
};

/*
 * Both policies without policy_problem().  No change: the two are equal.  A plan that the new policy refuses less, or
 * asks less for, has a change that widens: each field's direction is known, and a graver class needs no less and
 * allows no longer than a lighter one (policy_problem).
 */
void policy_diff(const struct rec_policy *old_policy, const struct rec_policy *new_policy,
    struct policy_diff *ret_diff);

/*
 * The change as lines of at most POLICY_LINE_MAX columns, the first with its mark: '+' widens, '-' narrows, '=' says
 * the same, '*' names.  *at is 0 at first; false: there is no further line.
 */
#define POLICY_LINE_MAX 70 /* what fits beside a label of the screen */
bool policy_change_line(
    const struct policy_change *change, size_t *at, char ret_line[POLICY_LINE_MAX + 1]);

/* "12 h", "90 min", "3 d": exact. */
void policy_span_text(uint32_t seconds, char ret_text[24]);

/* A scope in one line. */
void policy_scope_text(const struct rec_scope *scope, char ret_text[POLICY_CHANGE_TEXT_MAX - 64]);

#endif
