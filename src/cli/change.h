/* SPDX-License-Identifier: Apache-2.0 */
/* Changes as the verbs ask for them: what became of each operation, and of all. */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "asks.h"

/* Asks for the change and shows what came of it, also where not all of it did.  `arguments` is freed. */
int change_run(const struct args *args, const char *tool, cJSON *arguments);

#endif
