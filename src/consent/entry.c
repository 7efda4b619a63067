/* SPDX-License-Identifier: Apache-2.0 */
/* See entry.h. */
#include "entry.h"

#include <string.h>

#include <sgwarden/secret.h>

enum {
	CTRL_C = 0x03,
	CTRL_D = 0x04,
	BACKSPACE = 0x08,
	CTRL_U = 0x15,
	ESCAPE = 0x1b,
	DELETE = 0x7f,
};

void
entry_start(struct entry *e, char *memory, size_t size, bool secret)
{
	*e = (struct entry){.text = memory, .most = size - 1, .secret = secret};
	memory_erase(memory, size);
}

/* Arrow keys and the like: ESC [ … final, ESC O x, or ESC and one byte.  True while the byte belongs to one. */
static bool
skip_sequence(struct entry *e, uint8_t byte)
{
	if (e->skip == 0 && byte != ESCAPE)
		return false;
	if (byte == ESCAPE)
		e->skip = 1;
	else if (byte < 0x20) {
		e->skip = 0; /* Enter or Ctrl-C after a lone ESC means what it says */
		return false;
	} else if (e->skip == 1)
		e->skip = byte == '[' || byte == 'O' ? 2 : 0;
	else if (byte >= 0x40 && byte <= 0x7e)
		e->skip = 0;
	return true;
}

/* A character of a PIN may be several bytes; they go together. */
static enum entry_event
erase_last(struct entry *e)
{
	if (e->len == 0)
		return ENTRY_SAME;
	e->too_long = false;
	do
		e->len--;
	while (e->len > 0 && ((uint8_t)e->text[e->len] & 0xc0) == 0x80);
	memory_erase(e->text + e->len, e->most + 1 - e->len);
	return ENTRY_CHANGED;
}

static enum entry_event
erase_all(struct entry *e)
{
	memory_erase(e->text, e->most + 1);
	e->len = 0;
	e->too_long = false;
	return ENTRY_CHANGED;
}

static enum entry_event
add(struct entry *e, uint8_t byte)
{
	if (byte < 0x20 || byte == 0x7f || (byte > 0x7e && !e->secret))
		return ENTRY_SAME;
	if (e->len == e->most) {
		e->too_long = true;
		return ENTRY_SAME;
	}
	e->text[e->len++] = (char)byte;
	return ENTRY_CHANGED;
}

enum entry_event
entry_byte(struct entry *e, uint8_t byte)
{
	if (skip_sequence(e, byte))
		return ENTRY_SAME;
	switch (byte) {
	case CTRL_C:
		return ENTRY_INTERRUPT;
	case CTRL_D:
		return ENTRY_END;
	case '\r':
	case '\n':
		return ENTRY_DONE;
	case BACKSPACE:
	case DELETE:
		return erase_last(e);
	case CTRL_U:
		return erase_all(e);
	default:
		return add(e, byte);
	}
}

bool
entry_is(const struct entry *e, const char *word)
{
	return !e->too_long && strcmp(e->text, word) == 0;
}
