/* SPDX-License-Identifier: Apache-2.0 */
/* Changes as the verbs ask for them: what became of each operation, and of all. */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "asks.h"

/* Asks for the change and shows what came of it, also where not all of it did.  `arguments` is freed. */
int change_run(const struct args *args, const char *tool, cJSON *arguments);

/*
 * The same for --plan: what whitelist_plan says of it, and the text that the person would read.  Nobody is asked.
 * `action` is the tool's own word for it, or NULL for entries.
 */
int plan_ask(
    struct mcp_client *client, const struct args *args, const char *action, cJSON *arguments);
int plan_run(const struct args *args, const char *action, cJSON *arguments);

#endif
