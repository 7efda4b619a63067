/* SPDX-License-Identifier: Apache-2.0 */
/* Random policies that hold, and random plans close to their bounds.  Reproducible: the seed is the caller's. */
#ifndef POLICY_RANDOM_H
#define POLICY_RANDOM_H

#include <sgwarden/policy.h>

uint32_t random_next(uint32_t *seed);
/* Changes one field of the policy, to another value that may hold or not; *ret_name says which. */
void random_change(uint32_t *seed, struct rec_policy *policy, const char **ret_name);
/* The built-in policy with up to `most` changes, all of which hold. */
void random_policy(uint32_t *seed, unsigned most, struct rec_policy *ret_policy);

struct random_facts {
	struct rec_group group;
	struct rec_grant grants[4];
	struct policy_facts facts;
};
void random_plan(uint32_t *seed, struct rec_plan *ret_plan, struct random_facts *ret_facts);

#endif
