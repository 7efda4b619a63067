/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line as an MCP client of the daemon: the same front, the same tools, the same rules as for any other.
 * Era 2026-07-28: each request stands for itself.
 */
#ifndef CLI_MCP_CLIENT_H
#define CLI_MCP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "cli.h"

struct mcp_client {
	int connection; /* to the daemon; says nothing, its end is the front's end */
	int to;         /* the front's stdin */
	int from;       /* its stdout */
	char *line;     /* SGW_JSON_LINE_MAX bytes */
	size_t len;     /* received, of which */
	size_t done;    /* are behind us */
	int last_id;
};

/* Over NAME.sock; NULL: see daemon_connect_person().  0, or the exit status, having said what to do. */
int mcp_client_open(const struct args *args, const char *name, struct mcp_client *ret_client);
void mcp_client_close(struct mcp_client *client);

/* What a call says while it waits; printable. */
typedef void mcp_progress(const char *message);

/*
 * Calls a tool and waits for its answer; `arguments` (NULL: none) is freed.  The result's structuredContent, for the
 * caller to free; or NULL, having said what went wrong, and *ret_status.
 */
cJSON *mcp_call(struct mcp_client *client, const struct args *args, const char *tool,
    cJSON *arguments, mcp_progress *progress, int *ret_status);

/* The same over a connection of its own to NAME.sock. */
cJSON *mcp_once(
    const struct args *args, const char *name, const char *tool, cJSON *arguments, int *ret_status);

/* The envelope's "status"; "" where there is none. */
const char *mcp_status(const cJSON *envelope);
/* Says the error of an envelope whose status is not what was hoped for; the exit status. */
int mcp_refused(const struct args *args, cJSON *envelope);
/* What errors.def has for an error's name; 0 for none. */
int mcp_exit_status(const char *code);
/* A text member of an object, or "". */
const char *json_text(const cJSON *object, const char *key);

#endif
