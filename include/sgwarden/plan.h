/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The typed change.  A plan is a struct rec_plan; its one byte form is rec_plan_encode(), its id the hash of that.
 * Pure: no I/O, no locale.
 */
#ifndef SGWARDEN_PLAN_H
#define SGWARDEN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/hash.h>
#include <sgwarden/wire.h>

/* "sgw-" and the first 100 bits of the digest as 20 characters of lower-case base32 (RFC 4648 alphabet). */
void receipt_id(const uint8_t digest[HASH_LEN], char ret_id[SGW_RECEIPT_LEN + 1]);
bool receipt_id_ok(const char *id);

/* SHA-256 of the plan's bytes; false where the plan has no canonical form. */
bool plan_digest(const struct rec_plan *plan, uint8_t ret_digest[HASH_LEN]);

/*
 * What must hold of every plan before anything else is asked of it: 1-50 operations in at most SGW_PLAN_GROUPS_MAX
 * groups, which it lists in the order in which the operations name them; no rule twice; extensions by themselves; ids,
 * account and region of their form; a lifetime where something opens or stays; ports 1-65535 for tcp and udp.
 * Returns NULL, or a sentence that says what does not hold (printable, no secret).
 */
const char *plan_problem(const struct rec_plan *plan);

/*
 * A plan's operations in the order in which they are carried out, step by step: a step is a run of one group and one
 * action, and of closings either all ours or none.  How many operations the step has that begins at `first`.
 */
size_t plan_step(const struct rec_plan *plan, size_t first);
/* The plan of those operations alone; all of one group. */
void plan_slice(const struct rec_plan *plan, size_t first, size_t n, struct rec_plan *ret_plan);
/* The plan of one group's operations of one action, wherever they stand; false: there are none. */
bool plan_part(const struct rec_plan *plan, const char *group_id, enum action action,
    struct rec_plan *ret_plan);
size_t plan_steps(const struct rec_plan *plan);
/* Where the group stands in plan->groups; n_groups: nowhere. */
size_t plan_group_index(const struct rec_plan *plan, const char *group_id);
/* What of it opens, or stays open longer: how many operations, and is there any? */
size_t plan_openings(const struct rec_plan *plan);
bool plan_opens(const struct rec_plan *plan);
const struct rec_op *plan_first_opening(const struct rec_plan *plan); /* NULL: it opens nothing */

bool group_id_ok(const char *id); /* sg- and 8 or 17 lower-case hex digits */
bool rule_id_ok(const char *id);  /* sgr- and 17 */
bool vpc_id_ok(const char *id);   /* vpc- and 8 or 17 */
bool account_ok(const char *id);  /* 12 digits */
bool region_ok(const char *name); /* lower-case letters, digits, '-': aa-bbb-1 */

/* Same (protocol, ports, source): EC2's identity of a rule inside one group and direction. */
bool op_equals_rule(const struct rec_op *op, const struct rec_rule *rule);
bool op_equals_grant(const struct rec_op *op, const char *group_id, const struct rec_grant *grant);
/* The same rule of the same group, whatever is done to it. */
bool op_same_rule(const struct rec_op *a, const struct rec_op *b);

/*
 * The digest of a group's present ingress rules: SHA-256 over their identities, descriptions and ids in a sorted
 * form, so that neither order nor paging matters.  `order` is scratch for n entries.
 */
void state_digest(
    const struct rec_rule *rules, size_t n, uint32_t *order, uint8_t ret_digest[HASH_LEN]);

/* SHA-256 of one rule's identity, description and id. */
void rule_digest(const struct rec_rule *rule, uint8_t ret_digest[HASH_LEN]);

/* The partition of a region ("aws", "aws-cn" …; facts in AWS's endpoint rules) or NULL, and its DNS suffix. */
const char *region_partition(const char *region);
const char *region_suffix(const char *region);

/* "tcp/22", "tcp/20-30", "icmp type 8", "all protocols", "protocol 47": for people.  size >= 48. */
void op_ports_text(int16_t protocol, int32_t from, int32_t to, char *ret_text, size_t size);
const char *port_service(int16_t protocol, int32_t from, int32_t to); /* "ssh", or NULL */
/*
 * Names for ports.  Those that are built in, or NULL; their list in words; and the form of a policy's own: 1 to
 * SGW_SERVICE_MAX lower-case letters, digits and dashes, the first a letter.
 */
const struct rec_service *service_builtin(const char *name);
extern const char SERVICE_NAMES[];
bool service_name_ok(const char *name);
const char *class_name(enum effect_class c);                          /* "open-sensitive" */
const char *stage_name(enum stage s);                                 /* "waiting_for_key" */
const char *status_name(enum status s);                               /* "pending_consent" */

#endif
