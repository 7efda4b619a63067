/* SPDX-License-Identifier: Apache-2.0 */
/* An administrative act: asked for over admin.sock, decided on the consent screen with an enrolled key. */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include "mcp_client.h"

/*
 * Calls the admin tool, says on stderr what it waits for, prints what came of it or the envelope with --json.
 * `arguments` (NULL: none) is freed.  The exit status.
 */
int admin_act(const struct args *args, const char *tool, cJSON *arguments);

#endif
