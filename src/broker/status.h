/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BROKER_STATUS_H
#define BROKER_STATUS_H

#include "broker.h"

void status_tell(struct broker *b, uint32_t request); /* BROKER_STATUS to the planner */

#endif
