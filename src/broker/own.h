/* SPDX-License-Identifier: Apache-2.0 */
/* This machine's own address, as the configured sources reported it to the broker through net. */
#ifndef BROKER_OWN_H
#define BROKER_OWN_H

#include <sgwarden/record.h>
#include <sgwarden/wire.h>

struct broker;

/* In one family. */
struct own {
	bool asking;
	uint32_t request; /* the planner's, that gets the answer */
	int64_t deadline; /* monotonic ms */
	int64_t heard;    /* monotonic ms: the last answer */
	/* by index of the source */
	uint32_t number[SGW_ADDRESS_SOURCES_MAX]; /* 0: nothing is awaited */
	struct rec_seen seen[SGW_ADDRESS_SOURCES_MAX];
};

void own_ask(struct broker *b, const struct msg_ask_own *m);
void own_seen(struct broker *b, const struct msg_seen *m);
void own_timeouts(struct broker *b);
int64_t own_next_deadline(const struct broker *b); /* monotonic ms, INT64_MAX: none */
/* Marks an opening to an address that sources have said is this machine's. */
void own_record(const struct broker *b, const struct rec_plan *plan, struct record *r);

#endif
