/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes against each other. */
#ifndef PLAN_POLICY_SCOPE_H
#define PLAN_POLICY_SCOPE_H

#include <sgwarden/policy.h>

bool service_contains(const struct rec_service *outer, const struct rec_service *inner);
/* Does outer allow all that inner allows? */
bool scope_contains(const struct rec_scope *outer, const struct rec_scope *inner);

#endif
