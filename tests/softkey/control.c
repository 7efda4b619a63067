/* SPDX-License-Identifier: Apache-2.0 */
/* The hand on the key: see control.h. */
#include "control.h"

#include "misbehave.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
control_line(struct control *c)
{
	static const char head[] = "misbehave ";
	const char *word;
	unsigned bit;

	c->line[c->line_len] = '\0';
	c->line_len = 0;
	word = c->line + sizeof head - 1;
	if (strncmp(c->line, head, sizeof head - 1) != 0) {
		control_event(c, "unknown");
		return;
	}
	bit = misbehave_bit(word);
	if (strcmp(word, "none") == 0)
		*c->misbehave = 0;
	else if (bit == 0) {
		control_event(c, "unknown");
		return;
	}
	*c->misbehave |= bit;
	control_event(c, "misbehave %s", word);
}

static void
control_byte(struct control *c, char byte)
{
	if (c->line_len > 0 || byte == 'm') {
		if (byte == '\n')
			control_line(c);
		else if (c->line_len < sizeof c->line - 1)
			c->line[c->line_len++] = byte;
	} else if (byte == 't') {
		if (c->waiting)
			c->touched = true;
		else
			control_event(c, "touch-ignored");
	} else if (byte == 'x') {
		c->pulled = true;
	} else if (byte == 'q') {
		c->quit = true;
	} else if (byte != '\n') {
		control_event(c, "unknown");
	}
}

void
control_read(struct control *c)
{
	char buf[256];
	ssize_t n = read(c->fd, buf, sizeof buf);

	if (n <= 0) {
		c->fd = -1;
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		control_byte(c, buf[i]);
}

void
control_event(struct control *c, const char *format, ...)
{
	struct pollfd p = {.fd = c->event_fd, .events = POLLOUT};
	char line[128];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line - 1, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line - 1)
		return;
	line[n++] = '\n';
	if (c->event_fd < 0 || poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return;
	if (write(c->event_fd, line, (size_t)n) < 0)
		c->event_fd = -1;
}
