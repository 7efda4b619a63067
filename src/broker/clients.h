/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, and how much of the person's patience each has used up; the functions stand in broker.h. */
#ifndef BROKER_CLIENTS_H
#define BROKER_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/limits.h>

struct client {
	uint32_t number; /* 0: free */
	bool admin;
	bool chain_verified;
	uint32_t uid;
	uint32_t pid;
	char user[SGW_USER_MAX + 1];
	char chain[SGW_CHAIN_MAX + 1];
};

/* Kept by user, so that a new connection is no new quota. */
struct quota {
	bool used;
	uint64_t whose; /* see quota_whose() */
	/* quota_now() */
	int64_t prompts[SGW_PROMPTS_KEPT]; /* when, newest overwrite oldest; 0: none */
	unsigned next;
	int64_t cool_until;
	int64_t blocked_until;
	int64_t plans; /* tokens: what may still be asked before it is not even recorded */
	int64_t refilled;
};
#define PLANS_PER_PROMPT                                                                           \
	5 /* plans an hour for each prompt an hour: most plans are refused before anybody is asked */
#define READS_BURST 200 /* reads the planner may order at once, refilled at READS_PER_SECOND */
#define READS_PER_SECOND 50

#endif
