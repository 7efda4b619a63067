/* SPDX-License-Identifier: Apache-2.0 */
/* Openings whose ports are said by a name of the policy's. */
#ifndef PLANNER_SERVICES_H
#define PLANNER_SERVICES_H

#include <sgwarden/policy.h>

#include "resolve.h"

/*
 * Puts the ports in the place of each name, so that an equal request by port is the same plan: from here on nobody sees
 * the name, and the broker judges the ports.  ret->error says which name the policy does not have.
 */
void services_resolve(
    const struct rec_policy *policy, struct msg_ask_change *ask, struct refusal *ret);

#endif
