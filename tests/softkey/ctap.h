/* SPDX-License-Identifier: Apache-2.0 */
/* The authenticator behind the transport: CTAP 2.0 commands with clientPin and hmac-secret. */
#pragma once

#include "pin.h"
#include "state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CTAP 2.1, section 8.2. */
enum ctap_status {
	CTAP_OK = 0x00,
	CTAP_INVALID_COMMAND = 0x01,
	CTAP_INVALID_PARAMETER = 0x02,
	CTAP_INVALID_CBOR = 0x12,
	CTAP_MISSING_PARAMETER = 0x14,
	CTAP_CREDENTIAL_EXCLUDED = 0x19,
	CTAP_UNSUPPORTED_ALGORITHM = 0x26,
	CTAP_UNSUPPORTED_OPTION = 0x2b,
	CTAP_INVALID_OPTION = 0x2c,
	CTAP_KEEPALIVE_CANCEL = 0x2d,
	CTAP_NO_CREDENTIALS = 0x2e,
	CTAP_USER_ACTION_TIMEOUT = 0x2f,
	CTAP_PIN_INVALID = 0x31,
	CTAP_PIN_BLOCKED = 0x32,
	CTAP_PIN_AUTH_INVALID = 0x33,
	CTAP_PIN_AUTH_BLOCKED = 0x34,
	CTAP_PIN_NOT_SET = 0x35,
	CTAP_PIN_REQUIRED = 0x36,
	CTAP_PIN_POLICY_VIOLATION = 0x37,
	CTAP_OTHER = 0x7f,
};

#define CTAP_MSG_MAX 7609 /* 57 + 128 * 59 bytes: the longest CTAPHID message */
#define CTAP_AUTHDATA_MAX 1024

struct authenticator {
	struct key_state state;
	const char *state_path; /* NULL: nothing is kept */
	struct pin_session pin;
	unsigned misbehave;              /* enum misbehave */
	unsigned pin_protocols;          /* bit 1 and bit 2 */
	uint8_t last[CTAP_AUTHDATA_MAX]; /* the last honest assertion's answer, for MIS_REPLAY */
	size_t last_len;

	/* Waits for a touch; returns CTAP_OK, CTAP_USER_ACTION_TIMEOUT or CTAP_KEEPALIVE_CANCEL. */
	uint8_t (*wait_touch)(void *arg);
	void *wait_arg;
};

/* Answers one CBOR message. Returns the answer's length, status byte included; 0 means: do not answer. */
size_t ctap_handle(
    struct authenticator *a, const uint8_t *msg, size_t len, uint8_t *resp, size_t cap);
