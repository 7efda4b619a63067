/* SPDX-License-Identifier: Apache-2.0 */
/* Tools as the verbs use them: arguments from the command line, answers that are ok or said to be otherwise. */
#ifndef CLI_ASKS_H
#define CLI_ASKS_H

#include "mcp_client.h"

/* An object with --profile and --region where they were given. */
cJSON *ask_target(const struct args *args);
/* What a call waits for, on stderr. */
void ask_show_progress(const char *message);
/*
 * Calls a tool and waits until its plan, if it makes one, is settled: the same request again attaches to it.  The
 * envelope where its status is ok; NULL having said why not, and *ret_status.  `arguments` is freed.
 */
cJSON *ask_tool(struct mcp_client *client, const struct args *args, const char *tool,
    cJSON *arguments, int *ret_status);
/* The same over a connection of its own to mcp.sock or, with "admin", admin.sock. */
cJSON *ask_once(
    const struct args *args, const char *name, const char *tool, cJSON *arguments, int *ret_status);
/* As ask_tool(), whatever the status; NULL only where there is no envelope. */
cJSON *ask_settled(struct mcp_client *client, const struct args *args, const char *tool,
    cJSON *arguments, int *ret_status);
/* All pages of a list, merged into the first envelope; `list` is the member of its data. */
cJSON *ask_pages(struct mcp_client *client, const struct args *args, const char *tool,
    cJSON *arguments, const char *list, int *ret_status);
/* A list over mcp.sock as a table, or with --json as the envelope that all its pages make.  The exit status. */
int ask_list(const struct args *args, const char *tool, cJSON *arguments, const char *list,
    void (*show)(const cJSON *entries));
/* An item of the envelope's data. */
const cJSON *ask_data(const cJSON *envelope, const char *key);
/* How many entries the daemon left out of a list, behind its last page; 0: it is whole. */
int64_t ask_left_out(const cJSON *envelope);
/* The warnings of an envelope, on stderr. */
void ask_warnings(const cJSON *envelope);

/* PORT, PORT-PORT, either with /tcp or /udp, icmp, icmpv6 or a service's name into the tools' arguments. */
bool ask_ports(cJSON *arguments, const char *word);

#endif
