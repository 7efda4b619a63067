/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy is in force; see policy_admin.c. */
#ifndef BROKER_IN_FORCE_H
#define BROKER_IN_FORCE_H

#include "broker.h"

void policy_configured(struct broker *b); /* the configuration has come */
/* What policy.bin holds, if anything, comes into force; -1: it cannot (logged). */
int policy_loaded(struct broker *b);
void policy_tell(struct broker *b);

#endif
