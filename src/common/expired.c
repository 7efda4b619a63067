/* SPDX-License-Identifier: Apache-2.0 */
/* See expired.h. */
#include <sgwarden/expired.h>

#include <stddef.h>
#include <string.h>

static const struct {
	const char *code;
	const char *begins; /* the message, so; "" any */
} ROWS[] = {
    {"RequestExpired", ""},
    {"InvalidSecurity.RequestHasExpired", ""},
    {"SignatureDoesNotMatch", "Signature expired: "},
    {"SignatureDoesNotMatch", "Signature not yet current: "},
};

bool
says_expired(const char *code, const char *message)
{
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		if (strcmp(code, ROWS[i].code) == 0 &&
		    strncmp(message, ROWS[i].begins, strlen(ROWS[i].begins)) == 0)
			return true;
	return false;
}
