/* SPDX-License-Identifier: Apache-2.0 */
/* errors.def as a table. */
#include <sgwarden/errors.h>

#include <stddef.h>

static const struct error_row ROWS[] = {
#define ERR(number, NAME, name, retryable, exit_status, message, next_step)                        \
	{number, name, retryable, exit_status, message, next_step},
#include <sgwarden/errors.def>
#undef ERR
};

const struct error_row *
error_row(uint16_t number)
{
	const struct error_row *internal = &ROWS[0];

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		if (ROWS[i].number == number)
			return &ROWS[i];
		if (ROWS[i].number == SGW_ERR_INTERNAL)
			internal = &ROWS[i];
	}
	return internal;
}
