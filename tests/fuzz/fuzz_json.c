/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line from a hostile client, through the strict layer, cJSON, the era, the arguments and the question for the
 * planner.  What the strict layer takes, cJSON takes whole; whatever comes back is itself strict JSON, one line, below
 * its limit; what reaches the planner decodes.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include <cjson/cJSON.h>

#include "front.h"
#include "fuzz.h"
#include "rpc.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static struct front front;
static struct json_scratch scratch;
static struct msg heard;
static uint8_t datagram[SGW_DATAGRAM_MAX];

static bool
inside(struct json_slice slice, const char *text, size_t len)
{
	return slice.at == NULL ||
	       (slice.at >= text && slice.len > 0 && slice.at + slice.len <= text + len);
}

static void
strict_layer(const char *text, size_t len)
{
	struct json_ids ids;
	const char *end = NULL;
	cJSON *root;

	if (json_check(text, len, &scratch, &ids) != JSON_OK)
		return;
	MUST(inside(ids.id, text, len) && inside(ids.request_id, text, len));
	MUST(inside(ids.progress_token, text, len));
	MUST(json_slice_equal(ids.id, ids.id) == json_slice_is_id(ids.id));
	root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	MUST(root != NULL || fuzz_failing());
	if (root == NULL)
		return;
	for (; end < text + len; end++)
		MUST(*end == ' ' || *end == '\t' || *end == '\r' || *end == '\n');
	cJSON_Delete(root);
}

/* Both eras, and the table with tools of either audience. */
static void
one_line(const char *text, size_t len, bool handshake, bool admin, int planner)
{
	struct json_ids ids;
	const char *out = (const char *)front.client.out, *end;
	size_t left;
	ssize_t n;

	memset(front.calls.rows, 0, sizeof(front.calls.rows));
	front.calls.tokens = CALLS_BURST;
	front.client.out_at = front.client.out_len = 0;
	front.handshake = handshake;
	front.admin = admin;
	rpc_line(&front, text, len);
	for (left = front.client.out_len; left > 0;
	     left -= (size_t)(end + 1 - out), out = end + 1) {
		end = memchr(out, '\n', left);
		MUST(end != NULL && end - out < SGW_REPLY_MAX);
		MUST(json_check(out, (size_t)(end - out), &scratch, &ids) == JSON_OK);
	}
	while ((n = recv(planner, datagram, sizeof(datagram), MSG_DONTWAIT)) > 0)
		MUST(msg_decode(datagram, (size_t)n, &heard));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int ends[2] = {-1, -1};
	const char *text = (const char *)data;

	if (ends[0] < 0) {
		MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
		front.planner = chan_open(ends[0], ROLE_FRONT, ROLE_PLANNER);
	}
	strict_layer(text, len);
	one_line(text, len, true, false, ends[1]);
	one_line(text, len, false, true, ends[1]);
	return 0;
}
