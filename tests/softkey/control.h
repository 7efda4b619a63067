/* SPDX-License-Identifier: Apache-2.0 */
/* The hand on the key: touches, pulling out and orders to lie come in here, events go out. main.c documents it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct control {
	int fd;       /* -1: nobody's hand */
	int event_fd; /* -1: nobody listens */
	bool waiting; /* a touch is asked for just now */
	bool touched; /* it came */
	bool pulled;
	bool quit;
	unsigned *misbehave;
	char line[64];
	size_t line_len;
};

/* Reads what there is. At end of file the hand is gone: fd becomes -1. */
void control_read(struct control *c);

/* Writes one line; dropped where the reader does not keep up, so that the key never stands still for it. */
__attribute__((format(printf, 2, 3))) void control_event(
    struct control *c, const char *format, ...);
