/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of policy_diff(); each adds its changes to *d. */
#ifndef PLAN_POLICY_DIFF_INTO_H
#define PLAN_POLICY_DIFF_INTO_H

#include <sgwarden/policy_diff.h>

void diff_add(struct policy_diff *d, enum policy_change_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sensitive_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d);
void services_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d);
void askers_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d);
void scopes_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d);

#endif
