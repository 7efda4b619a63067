/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BROKER_START_H
#define BROKER_START_H

#include "broker.h"

void start_cell(struct broker *b, const struct msg_cell *m);
void start_loader(
    struct broker *b); /* its socket is readable; not before the configuration has come */

#endif
