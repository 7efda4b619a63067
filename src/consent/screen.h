/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal: what goes out is printable ASCII, line ends and three control sequences, whatever was asked for; what
 * comes in is bytes, not echoed.  Works on anything that knows CSI H, CSI J and CSI K; no colours.
 */
#ifndef CONSENT_SCREEN_H
#define CONSENT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#define SCREEN_OUT_MAX 4096

struct screen {
	int fd;
	bool open;
	bool gone; /* the terminal was hung up */
	struct termios found;
	unsigned rows;
	unsigned columns;
	uint8_t out[SCREEN_OUT_MAX];
	size_t n_out;
};

/* Takes the terminal over: no echo, no line editing, no signals from keys; what was typed ahead is thrown away. */
int screen_open(struct screen *s, int fd);
/* Puts the terminal back as it was found.  Harmless on one that is not open. */
void screen_close(struct screen *s);

/* Asks for the size anew; true where it has changed. */
bool screen_measure(struct screen *s);

void screen_clear(struct screen *s);
void screen_text(struct screen *s, const char *text, size_t len);
void screen_puts(struct screen *s, const char *text);
void screen_feed(struct screen *s);       /* to the next line */
void screen_line_again(struct screen *s); /* to the start of this line, which is erased */
void screen_flush(struct screen *s);
/* A secret, from the caller's region straight to the terminal; printable ASCII. */
void screen_secret(struct screen *s, const char *text, size_t len);
/* Overwrites every line where it stands: what is only cleared, some terminals keep above the first one. */
void screen_wipe(struct screen *s);

void screen_forget_typed(struct screen *s);

/* What was typed, at most `size` bytes; 0: nothing now; -1: the terminal has gone. */
int screen_read(struct screen *s, uint8_t *ret_bytes, size_t size);

#endif
