/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation of the compiled policy over a plan's effect.  The broker decides with this; the planner asks the same
 * code as a courtesy to the client.  Pure.
 */
#ifndef SGWARDEN_POLICY_H
#define SGWARDEN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

/* Writes the built-in policy (decisions.md, "defaults" and "sensitive ports"). */
void policy_builtin(struct rec_policy *ret_policy);
void policy_digest(const struct rec_policy *policy, uint8_t ret_digest[HASH_LEN]);

/* The bounds that no policy leaves. */
#define POLICY_V4_FORBIDDEN_LEAST 8
#define POLICY_V6_FORBIDDEN_LEAST 32
#define POLICY_UNION_MOST 16777216 /* 2^24: one /8, one /40 */
#define POLICY_PROMPTS_MOST 60
#define POLICY_RULES_MOST 1000
#define POLICY_PROBLEM_MAX 160
#define POLICY_RULES_MAX 4096 /* of the group that a plan is judged by; with more it is too open */

/* True where the policy must not come into force, with why: bounds, order of its lists, needs of its classes. */
bool policy_problem(const struct rec_policy *policy, char ret_text[POLICY_PROBLEM_MAX]);

/* What the policy itself calls so, or NULL. */
const struct rec_service *policy_service(const struct rec_policy *policy, const char *name);

/* The canonical order of a policy's lists: below zero, zero, above zero. */
int policy_service_order(const struct rec_service *a, const struct rec_service *b);
int policy_scope_order(const struct rec_scope *a, const struct rec_scope *b);

/* What the plan is held against.  `rules` are the group's present ingress rules, as reported by AWS. */
struct policy_facts {
	const struct rec_group *group; /* NULL: not read (then opt-in cannot hold) */
	const struct rec_rule *rules;
	size_t n_rules;
	const struct rec_grant *grants; /* ours */
	size_t n_grants;
	enum display_kind display; /* DISPLAY_NONE: not known yet, the display is not judged */
	uint32_t uid;              /* who asks, as the kernel says */
	size_t
	    opens_in_all; /* plan_openings() of the whole plan that this one is a part of; 0: it is whole */
	int64_t now;                          /* seconds since 1970, for extensions */
	const struct rec_lockdown *lockdowns; /* that are on */
	size_t n_lockdowns;
};

struct verdict {
	enum effect_class effect;
	enum sgw_error error; /* SGW_ERR_NONE, or why it is refused before anybody is asked */
	bool needs_consent;   /* a person, a word and a touch */
	bool needs_pin;
	bool needs_trusted_display;
	uint16_t quota_used;  /* ingress rules of the address family now */
	uint16_t quota_lists; /* of them with a prefix list as their source: see record.h */
	char line[SGW_LINE_ID_MAX + 1]; /* the policy line that decided: "deny.world-open" */
	char text[SGW_DETAIL_MAX + 1];  /* one sentence: what it says about this plan */
};

/*
 * The class is that of the gravest operation.  An opening whose rule is there already does not count; where all are,
 * the class is CLASS_READ and there is nothing to do.  Every line of the policy is one row of a table in policy.c,
 * tried in a fixed order; the first that applies decides.
 *
 * deny.union counts per port what is open now together with the plan: IPv4 in addresses, IPv6 in /64 networks, each
 * family against its own maximum.  It refuses only a plan that adds to what is too much.
 *
 * A class that the display at hand may not approve keeps its name and gets SGW_ERR_DISPLAY_NOT_TRUSTED.
 */
void policy_evaluate(const struct rec_policy *policy, const struct rec_plan *plan,
    const struct policy_facts *facts, struct verdict *ret_verdict);

/* The same, and which lines were asked on the way: the last row is the one that decided. */
struct policy_trace_row {
	const char *id;
	const char *about; /* what the line is about, in words of its own */
	bool decided;
};

struct policy_trace {
	size_t n;
	struct policy_trace_row rows[SGW_TRACE_MAX];
};

void policy_explain(const struct rec_policy *policy, const struct rec_plan *plan,
    const struct policy_facts *facts, struct verdict *ret_verdict, struct policy_trace *ret_trace);

/* The strictest of two: the first that refuses, else the graver class and all that either needs. */
void verdict_merge(struct verdict *verdict, const struct verdict *other);

/* What the class needs; NULL for a class that needs nobody. */
const struct rec_class_rule *policy_class_rule(
    const struct rec_policy *policy, enum effect_class effect);

/* The lifetime, in s, of an opening that asks for none: the default of its class. */
uint32_t policy_lifetime(
    const struct rec_policy *policy, const struct rec_plan *plan, const struct policy_facts *facts);

bool policy_sensitive(const struct rec_policy *policy, int16_t protocol, int32_t from, int32_t to);

#endif
