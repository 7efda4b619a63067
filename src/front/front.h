/* SPDX-License-Identifier: Apache-2.0 */
/* Everything one front knows: its ends, its client, the calls under way.  One object, in main.c. */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/limits.h>
#include <sgwarden/wire.h>

#include "calls.h"
#include "client.h"
#include "json_check.h"

struct front {
	struct chan control;
	struct chan planner;
	struct client client;
	int64_t owed;    /* clock_machine() since when an answer is owed without a word; 0: none is */
	uint32_t number; /* the supervisor's number for this client */
	bool admin;      /* which table of tools it gets */
	bool
	    handshake; /* a legacy initialize was answered: requests without _meta are legacy now */
	char claimed[SGW_CLAIMED_MAX + 1]; /* legacy: clientInfo of that initialize */
	struct calls calls;
	struct msg msg;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	struct json_scratch json;
	uint8_t work[SGW_REPLY_MAX / 2]; /* a result's structuredContent while it is made */
};

#endif
