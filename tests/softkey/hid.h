/* SPDX-License-Identifier: Apache-2.0 */
/* CTAPHID (CTAP 2.1, section 11.2) over a SOCK_SEQPACKET socket: one datagram is one 64-byte report. */
#pragma once

#include "control.h"
#include "ctap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HID_REPORT 64

struct hid {
	int fd;
	uint32_t last_cid; /* channels are handed out 1, 2, 3, … */
	uint32_t cid;      /* whose transaction is under way; 0: none */
	uint8_t cmd;
	uint8_t seq;
	size_t want;
	size_t have;
	uint8_t buf[CTAP_MSG_MAX];
	uint64_t deadline; /* ms, monotonic: when the rest of a message must be here */
	bool busy;         /* a complete message is being worked on */
	bool cancelled;    /* its platform cancelled it */
	bool aborted;      /* INIT came: nobody wants its answer any more */
	uint64_t reports;  /* received since the start */
	struct authenticator *auth;
	struct control *control;
};

/* Reads one report and acts on it. False when the other end is closed. */
bool hid_read(struct hid *h, uint64_t now);

/* Ends a message whose continuation did not come in time. */
void hid_timeout(struct hid *h, uint64_t now);

/* "Still busy: waiting for the touch", due every 100 ms. */
void hid_keepalive(struct hid *h);
