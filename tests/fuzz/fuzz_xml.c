/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer from whoever owns the other end of the connection.  The first byte says which call it answers (A
 * DescribeSecurityGroups … E RevokeSecurityGroupIngress), the second in pieces of which size it arrives.  Whatever
 * comes out must be a message that the wire takes, and an answer that is taken must not depend on the pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

struct seen {
	uint64_t hash; /* of all pages */
	bool taken;
};

static struct answer answer;
static struct msg done, again;
static uint8_t datagram[SGW_DATAGRAM_MAX];

/* FNV-1a over a message that must be one. */
static void
message(struct seen *seen, const struct msg *m)
{
	struct buf b = buf_over(datagram, sizeof(datagram));

	MUST(msg_encode(&b, m));
	MUST(msg_decode(b.data, b.len, &again));
	for (size_t i = 0; i < b.len; i++)
		seen->hash = (seen->hash ^ datagram[i]) * UINT64_C(1099511628211);
}

static bool
on_page(void *context, const struct msg *m)
{
	message(context, m);
	return true;
}

static struct seen
read_in(enum aws_op op, const char *text, size_t len, size_t piece)
{
	struct seen seen = {.hash = UINT64_C(14695981039346656037)};
	const struct answer_sink sink = {on_page, &seen};
	bool ok = true;

	if (!answer_open(&answer, op, 1, 42, &sink)) {
		MUST(fuzz_failing());
		answer_close(&answer);
		return seen;
	}
	for (size_t at = 0; ok && at < len; at += piece)
		ok = answer_feed(&answer, text + at, len - at < piece ? len - at : piece);
	seen.taken = answer_finish(&answer);
	answer_close(&answer);
	MUST(seen.taken == (answer.why == NULL));
	MUST(!seen.taken || answer.shape != NULL);
	memset(&done, 0, sizeof(done));
	done.id = MSG_DONE;
	MUST(
	    FIELD_SET(done.done.code, answer.code) && FIELD_SET(done.done.message, answer.message));
	MUST(FIELD_SET(done.done.aws_request_id, answer.request_id));
	MUST(FIELD_SET(done.done.next_token, answer.next_token));
	message(&seen, &done);
	return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum aws_op op;
	struct seen whole, pieces;
	const char *text = (const char *)data + 2;

	if (len < 3)
		return 0;
	op = (enum aws_op)(data[0] >= 'A' ? (data[0] - 'A') % AWS_OP_MAX : data[0] % AWS_OP_MAX);
	whole = read_in(op, text, len - 2, len - 2);
	pieces = read_in(op, text, len - 2, 1u + data[1] % 64u);
	MUST(whole.taken == pieces.taken || fuzz_failing());
	MUST(!whole.taken || !pieces.taken || whole.hash == pieces.hash);
	return 0;
}
