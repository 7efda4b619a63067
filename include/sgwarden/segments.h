/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the ledger's files: 00000001.log, 00000002.log, … without a gap. */
#ifndef SGWARDEN_SEGMENTS_H
#define SGWARDEN_SEGMENTS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SEGMENT_NAME_LEN 12
#define SEGMENTS_MAX 99999999u /* eight digits */

static inline void
segment_name(uint32_t number, char ret_name[SEGMENT_NAME_LEN + 1])
{
	(void)snprintf(
	    ret_name, SEGMENT_NAME_LEN + 1, "%08u.log", (unsigned)(number % (SEGMENTS_MAX + 1)));
}

/* The number that a name stands for; 0: it is no segment's. */
static inline uint32_t
segment_number(const char *name)
{
	uint32_t number = 0;

	if (strlen(name) != SEGMENT_NAME_LEN || strcmp(name + 8, ".log") != 0)
		return 0;
	for (size_t i = 0; i < 8; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		number = number * 10 + (uint32_t)(name[i] - '0');
	}
	return number;
}

#endif
