/* SPDX-License-Identifier: Apache-2.0 */
/* errors.def as a table. */
#include <sgwarden/errors.h>

#include <string.h>

static const struct error_row ROWS[] = {
#define ERR(number, NAME, name, retryable, exit_status, message, next_step)                        \
	{number, name, retryable, exit_status, message, next_step},
#include <sgwarden/errors.def>
#undef ERR
};

/* Where each stands in the table. */
enum {
#define ERR(number, NAME, name, retryable, exit_status, message, next_step) ROW_##NAME,
#include <sgwarden/errors.def>
#undef ERR
};

/* A number that stands there twice does not compile. */
const struct error_row *
error_row(uint16_t number)
{
	switch (number) {
#define ERR(number, NAME, name, retryable, exit_status, message, next_step)                        \
	case number:                                                                               \
		return &ROWS[ROW_##NAME];
#include <sgwarden/errors.def>
#undef ERR
	default:
		return &ROWS[ROW_INTERNAL];
	}
}

uint16_t
error_number(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		if (strlen(ROWS[i].name) == len && memcmp(ROWS[i].name, name, len) == 0)
			return ROWS[i].number;
	return SGW_ERR_INTERNAL;
}
