/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of authenticatorMakeCredential and authenticatorGetAssertion, decoded. */
#pragma once

#include "cbor.h"

#include <stdbool.h>
#include <stdint.h>

/* Spans and the list's reader borrow the message. */
struct request {
	struct cbor_span rp_id;
	struct cbor_span client_data_hash; /* 32 bytes */
	struct cbor_in list;               /* excludeList or allowList, behind its array head */
	size_t list_items;
	bool have_list;
	bool have_user;
	bool have_algs;
	bool es256; /* one of the algorithms offered is ES256 */
	bool hmac_asked;
	bool hmac_make; /* makeCredential: hmac-secret: true */
	uint8_t hmac_peer[64];
	struct cbor_span hmac_salt_enc;
	struct cbor_span hmac_salt_tag;
	uint64_t hmac_protocol; /* 1 where the platform did not say */
	bool up;                /* true unless the platform says false */
	bool rk;
	bool uv;
	struct cbor_span pin_tag;
	uint64_t pin_protocol;
};

/* Both return a CTAP status, and CTAP_OK only with every mandatory parameter present. */
uint8_t request_make_parse(struct cbor_in msg, struct request *ret);
uint8_t request_assert_parse(struct cbor_in msg, struct request *ret);

/* The next credential id of the list; false at its end or where it is not a descriptor. */
bool request_list_next(struct request *r, struct cbor_span *ret_id);
