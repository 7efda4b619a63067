/* SPDX-License-Identifier: Apache-2.0 */
/* The error table of errors.def as an enum and a look-up. */
#ifndef SGWARDEN_ERRORS_H
#define SGWARDEN_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sgw_error {
#define ERR(number, NAME, name, retryable, exit_status, message, next_step)                        \
	SGW_ERR_##NAME = (number),
#include <sgwarden/errors.def>
#undef ERR
};

struct error_row {
	uint16_t number;
	const char *name;
	bool retryable;
	int exit_status;
	const char *message;
	const char *next_step;
};

/* The row of a number; an unknown number gives the row of SGW_ERR_INTERNAL. */
const struct error_row *error_row(uint16_t number);
/* The number of a name, as the ledger has it; SGW_ERR_INTERNAL where there is none of that name. */
uint16_t error_number(const char *name, size_t len);

#endif
