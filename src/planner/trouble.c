/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's error codes (EC2 and STS, "Error codes" pages) as our own. */
#include "trouble.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/expired.h>

struct code_row {
	const char *code; /* with a '*' at the end: whatever begins so */
	uint16_t error;
	bool transient;
};

/* The first row that fits decides; a code that is not here is a refusal. */
static const struct code_row CODES[] = {
    {"InvalidGroup.NotFound", SGW_ERR_NO_SUCH_GROUP, false},
    {"InvalidGroupId.*", SGW_ERR_NO_SUCH_GROUP, false},
    {"InvalidSecurityGroupID.*", SGW_ERR_NO_SUCH_GROUP, false},
    {"InvalidSecurityGroupId.*", SGW_ERR_NO_SUCH_GROUP, false},
    {"InvalidSecurityGroupRuleId.*", SGW_ERR_NO_SUCH_RULE, false},
    {"ExpiredToken*", SGW_ERR_CREDENTIALS_EXPIRED, false},
    {"RequestLimitExceeded", SGW_ERR_THROTTLED, true},
    {"Throttl*", SGW_ERR_THROTTLED, true},
    {"RequestThrottled*", SGW_ERR_THROTTLED, true},
    {"EC2ThrottledException", SGW_ERR_THROTTLED, true},
    {"TooManyRequestsException", SGW_ERR_THROTTLED, true},
    {"BandwidthLimitExceeded", SGW_ERR_THROTTLED, true},
    {"SlowDown", SGW_ERR_THROTTLED, true},
    {"InternalError", SGW_ERR_AWS_UNREACHABLE, true},
    {"InternalFailure", SGW_ERR_AWS_UNREACHABLE, true},
    {"ServerInternal", SGW_ERR_AWS_UNREACHABLE, true},
    {"ServiceUnavailable", SGW_ERR_AWS_UNREACHABLE, true},
    {"Unavailable", SGW_ERR_AWS_UNREACHABLE, true},
    {"RequestTimeout*", SGW_ERR_AWS_UNREACHABLE, true},
    {"*", SGW_ERR_AWS_REFUSED, false},
};

static const struct code_row *
code_row(const char *code)
{
	const struct code_row *row = CODES;

	for (;; row++) {
		size_t len = strlen(row->code);
		bool open = row->code[len - 1] == '*';

		if (open ? strncmp(code, row->code, len - 1) == 0 : strcmp(code, row->code) == 0)
			return row;
	}
}

/* AWS's words up to the encoded authorization message: a blob that nobody here can read. */
static int
words_len(const char *message)
{
	const char *blob = strstr(message, "Encoded authorization failure message");

	return blob ? (int)(blob - message) : (int)strlen(message);
}

static void
say(struct trouble *t, const struct msg_done *done)
{
	const char *between = done->code[0] != 0 && done->message[0] != 0 ? ": " : "";
	char text[2 * SGW_AWS_CODE_MAX + SGW_AWS_MESSAGE_MAX + 32];

	snprintf(text, sizeof(text), "%s%s%.*s%s%s", done->code, between, words_len(done->message),
	    done->message, done->aws_request_id[0] ? " request " : "", done->aws_request_id);
	text[SGW_DETAIL_MAX] = 0;
	FIELD_SET(t->detail, text);
}

void
trouble_of_read(const struct msg_done *done, struct trouble *ret_trouble)
{
	struct trouble *t = ret_trouble;

	*t = (struct trouble){0};
	switch (done->outcome) {
	case NET_NOT_SENT:
	case NET_NO_ANSWER:
		t->error = SGW_ERR_AWS_UNREACHABLE;
		t->transient = true;
		break;
	case NET_BAD_ANSWER:
		t->error = SGW_ERR_AWS_BAD_ANSWER;
		break;
	default:
		if (says_expired(done->code, done->message)) {
			t->error = SGW_ERR_REQUEST_EXPIRED;
			t->transient = true; /* the broker has heard AWS's time by then */
		} else if (done->code[0] != 0) {
			t->error = code_row(done->code)->error;
			t->transient = code_row(done->code)->transient;
		} else if (done->http_status >= 500) {
			t->error = SGW_ERR_AWS_UNREACHABLE;
			t->transient = true;
		} else if (done->http_status != 200)
			t->error = SGW_ERR_AWS_BAD_ANSWER;
		break;
	}
	if (t->error != SGW_ERR_NONE)
		say(t, done);
}
