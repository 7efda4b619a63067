/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A later glibc's system calls over this one: loaded before it, it asks the kernel as glibc 2.41 does for a thread's first
 * random bytes (signals blocked, a state mapped with the kernel's flags), and as 2.42 for a terminal's settings.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "kernel.h"

#define DROPPABLE 0x08 /* MAP_DROPPABLE, Linux 6.11: an older kernel refuses it */
#define STATE 4096
#define ALL_SIGNALS 8 /* bytes of the kernel's set */
#define CONTROLS 19

struct settings {
	tcflag_t input, output, control, local;
	cc_t line;
	cc_t controls[CONTROLS];
	speed_t speed_in, speed_out;
};

_Static_assert(sizeof(struct settings) == 44, "struct termios2");

static void
state_take(void)
{
	static _Thread_local bool taken;
	unsigned long long all = ~0ULL, before;

	if (taken)
		return;
	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, ALL_SIGNALS);
	(void)syscall(
	    SYS_mmap, NULL, STATE, PROT_READ | PROT_WRITE, DROPPABLE | MAP_ANONYMOUS, -1, 0);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, ALL_SIGNALS);
	taken = true;
}

ssize_t
getrandom(void *data, size_t len, unsigned flags)
{
	state_take();
	return syscall(SYS_getrandom, data, len, flags);
}

int
getentropy(void *data, size_t len)
{
	return getrandom(data, len, 0) == (ssize_t)len ? 0 : -1;
}

void
arc4random_buf(void *data, size_t len)
{
	while (len > 0) {
		ssize_t n = getrandom(data, len, 0);

		if (n <= 0)
			_exit(99);
		data = (char *)data + n;
		len -= (size_t)n;
	}
}

int
tcgetattr(int fd, struct termios *ret)
{
	struct settings s;

	if (syscall(SYS_ioctl, fd, TERMIOS2_GET, &s) < 0)
		return -1;
	*ret = (struct termios){.c_iflag = s.input,
	    .c_oflag = s.output,
	    .c_cflag = s.control,
	    .c_lflag = s.local,
	    .c_line = s.line,
	    .c_ispeed = s.speed_in,
	    .c_ospeed = s.speed_out};
	memcpy(ret->c_cc, s.controls, sizeof(s.controls));
	return 0;
}

int
tcsetattr(int fd, int when, const struct termios *want)
{
	struct settings s = {.input = want->c_iflag,
	    .output = want->c_oflag,
	    .control = want->c_cflag,
	    .local = want->c_lflag,
	    .line = want->c_line,
	    .speed_in = want->c_ispeed,
	    .speed_out = want->c_ospeed};

	memcpy(s.controls, want->c_cc, sizeof(s.controls));
	/* TCSANOW, TCSADRAIN, TCSAFLUSH are 0, 1, 2; so are the calls' numbers from the first one on */
	return (int)syscall(SYS_ioctl, fd, TERMIOS2_SET + (unsigned long)when, &s);
}
