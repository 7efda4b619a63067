/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 2.0 as MCP has it, one message a line.  Two eras of the protocol are served side by side, chosen for each
 * message: modern (2026-07-28: stateless, every request says its version) and legacy (initialize first).
 */
#ifndef FRONT_RPC_H
#define FRONT_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "json_check.h"
#include "json_out.h"

struct front;

enum {
	ERA_LEGACY = 1u << 0,
	ERA_MODERN = 1u << 1,
};

struct version {
	const char *name;
	unsigned era;
};

/* Newest first. */
extern const struct version VERSIONS[];
extern const size_t VERSIONS_LEN;

enum rpc_code {
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_BAD_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_BAD_VERSION = -32022,
};

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_CLIENT "io.modelcontextprotocol/clientInfo"
#define META_SERVER "io.modelcontextprotocol/serverInfo"
#define META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

/* One request or notification; everything in it lives as long as its line. */
struct request {
	struct json_slice id; /* at is NULL for a notification */
	unsigned era;
	const char *method;
	const cJSON *params; /* an object, or NULL */
	const cJSON *meta;   /* params._meta where it is an object, or NULL */
	struct json_slice cancel;
	struct json_slice token;
};

/* Methods: one row for each name and era. */
struct method {
	const char *name;
	void (*run)(struct front *f, const struct request *r);
};

extern const struct method LEGACY_METHODS[]; /* legacy.c; ends with a NULL name */
extern const struct method MODERN_METHODS[]; /* modern.c */

/* One line from the client, or the news that one was too long. */
void rpc_line(struct front *f, const char *line, size_t len);
void rpc_refuse_line(struct front *f, enum json_problem problem);

/* Modern: is what every request must carry there?  Answers the error itself. */
bool modern_meta_ok(struct front *f, const struct request *r);

/* In both eras (methods.c). */
void method_tools_list(struct front *f, const struct request *r);
void method_tools_call(struct front *f, const struct request *r);
void write_server_info(struct jw *w);
void write_capabilities(struct jw *w);
/* An array of the versions that a request's _meta may name: those of initialize are not among them. */
void write_modern_versions(struct jw *w);
extern const char INSTRUCTIONS[];
/* "name version" of a clientInfo object, cut to what the wire takes; empty where it is not one. */
void client_claims(const cJSON *info, char *ret_claimed, size_t size);

/* ---- replies (reply.c) ---- */

struct reply {
	struct buf b;
	struct jw w; /* writes into b */
	struct json_slice id;
};

/* `{"jsonrpc":"2.0","id":…,"result":{`, and what every modern result carries.  reply_close() ends and queues it. */
void reply_open(struct front *f, struct reply *r, struct json_slice id, unsigned era);
/* The end of a subscription: a modern result that names it. */
void reply_open_listen_end(struct front *f, struct reply *r, struct json_slice id);
/* `{"jsonrpc":"2.0","method":…,"params":{`; reply_close() ends it too. */
void reply_open_notification(struct front *f, struct reply *r, const char *method);
/* Where it did not fit, an error goes instead. */
void reply_close(struct front *f, struct reply *r);

void reply_error(struct front *f, struct json_slice id, int code, const char *message);
/* -32022 with what is supported and what was asked for. */
void reply_bad_version(struct front *f, struct json_slice id, const char *requested);

#endif
