/* SPDX-License-Identifier: Apache-2.0 */
/* See screen.h. */
#include "screen.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sgwarden/mutate.h>

#define ROWS_USUAL 24
#define COLUMNS_USUAL 80
#define ROWS_LEAST 8
#define COLUMNS_LEAST 20

static void
put(struct screen *s, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s->n_out == sizeof(s->out))
			screen_flush(s);
		s->out[s->n_out++] = (uint8_t)bytes[i];
	}
}

int
screen_open(struct screen *s, int fd)
{
	struct termios own;

	s->fd = fd;
	s->n_out = 0;
	s->gone = false;
	if (tcgetattr(fd, &s->found) < 0)
		return -1;
	own = s->found;
	own.c_iflag &= ~(tcflag_t)(IXON | IXOFF | ISTRIP | INLCR | IGNCR);
	own.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHOE | ECHOK | ECHONL | ISIG | IEXTEN);
	own.c_cc[VMIN] = 1;
	own.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &own) < 0)
		return -1;
	s->open = true;
	s->rows = ROWS_USUAL;
	s->columns = COLUMNS_USUAL;
	screen_measure(s);
	return 0;
}

void
screen_close(struct screen *s)
{
	if (!s->open)
		return;
	screen_flush(s);
	(void)tcsetattr(s->fd, TCSAFLUSH, &s->found);
	s->open = false;
}

bool
screen_measure(struct screen *s)
{
	unsigned rows = s->rows, columns = s->columns;
	struct winsize size;

	if (ioctl(s->fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		rows = size.ws_row < ROWS_LEAST ? ROWS_LEAST : size.ws_row;
		columns = size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
	}
	if (rows == s->rows && columns == s->columns)
		return false;
	s->rows = rows;
	s->columns = columns;
	return true;
}

void
screen_clear(struct screen *s)
{
	static const char home_and_clear[] = "\x1b[H\x1b[2J";

	put(s, home_and_clear, sizeof(home_and_clear) - 1);
}

void
screen_text(struct screen *s, const char *text, size_t len)
{
	/* Everything that is shown was made printable where it came in: this is the last of the checks. */
	for (size_t i = 0; i < len; i++)
		put(s, text[i] >= 0x20 && text[i] <= 0x7e ? text + i : "?", 1);
}

void
screen_puts(struct screen *s, const char *text)
{
	screen_text(s, text, strlen(text));
}

void
screen_feed(struct screen *s)
{
	put(s, "\r\n", 2);
}

void
screen_line_again(struct screen *s)
{
	static const char back_and_erase[] = "\r\x1b[K";

	put(s, back_and_erase, sizeof(back_and_erase) - 1);
}

static void
write_all(struct screen *s, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t at = 0;

	while (at < len && !s->gone) {
		ssize_t n = write(s->fd, from + at, len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			s->gone = true;
	}
}

void
screen_flush(struct screen *s)
{
	write_all(s, s->out, s->n_out);
	s->n_out = 0;
}

void
screen_secret(struct screen *s, const char *text, size_t len)
{
	screen_flush(s);
	write_all(s, text, len);
}

void
screen_wipe(struct screen *s)
{
	put(s, "\x1b[H", 3);
	for (unsigned row = 0; row < s->rows; row++) {
		if (row > 0)
			screen_feed(s);
		screen_line_again(s);
	}
	put(s, "\x1b[H", 3);
	screen_flush(s);
}

void
screen_forget_typed(struct screen *s)
{
	if (MUTATE(TYPED_AHEAD))
		return;
	(void)tcflush(s->fd, TCIFLUSH);
}

int
screen_read(struct screen *s, uint8_t *ret_bytes, size_t size)
{
	ssize_t n = s->gone ? 0 : read(s->fd, ret_bytes, size);

	if (n > 0)
		return (int)n;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	s->gone = true;
	return -1;
}
