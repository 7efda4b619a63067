/* SPDX-License-Identifier: Apache-2.0 */
/* One typed line: the word, or the PIN.  The memory belongs to the caller. */
#ifndef CONSENT_ENTRY_H
#define CONSENT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry {
	char *text; /* always ends in a NUL */
	size_t len;
	size_t most;   /* without the NUL */
	bool secret;   /* bytes beyond ASCII are taken too, and nothing is ever shown */
	bool too_long; /* more was typed than fits: it equals nothing */
	unsigned
	    skip; /* inside an escape sequence of a special key: 1 behind ESC, 2 behind CSI or SS3 */
};

enum entry_event {
	ENTRY_SAME, /* nothing to redraw */
	ENTRY_CHANGED,
	ENTRY_DONE,      /* Enter */
	ENTRY_INTERRUPT, /* Ctrl-C */
	ENTRY_END,       /* Ctrl-D */
};

void entry_start(struct entry *e, char *memory, size_t size, bool secret);
enum entry_event entry_byte(struct entry *e, uint8_t byte);
bool entry_is(const struct entry *e, const char *word);

#endif
