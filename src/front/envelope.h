/* SPDX-License-Identifier: Apache-2.0 */
/* What a result is made of before it is written: results.c writes the envelope, answers.c fills it. */
#ifndef FRONT_ENVELOPE_H
#define FRONT_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/enums.h>

#include "json_out.h"

struct front;
struct call;

#define WARNINGS_MAX 6

struct result {
	enum status status;
	bool is_error;
	const char *profile, *account, *region; /* or NULL */
	uint16_t error;                         /* SGW_ERR_NONE: none */
	const char *field, *detail;             /* or NULL */
	const char *warnings[WARNINGS_MAX];
	unsigned n_warnings;
	void (*data)(struct jw *w, const void *view); /* or NULL */
	const void *view;
};

/* Sends it; one that is too long becomes an error. */
void result_send(struct front *f, const struct call *c, const struct result *r);
/* Sends it where it is not too long; false: nothing was sent. */
bool result_try(struct front *f, const struct call *c, const struct result *r);
/* The status that goes with an error, by the exit code the command line gives it. */
enum status result_status(uint16_t error);

#endif
