/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consent screen: one terminal at a time, handed over by `sgwarden consent`, whose connection stays open for as
 * long as the terminal may be used.
 */
#include "supervisor.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

/* At most the 200 bytes that `sgwarden consent` reads. */
static const char NOT_ROOT[] =
    "root is no consent screen: its terminal may be a client's; log in as a person of the group "
    "sgw-screen, or `systemctl start sgwarden-consent@tty8`";

static void
refuse(int connection, const char *why)
{
	log_notice("consent screen refused: %s", why);
	(void)send(connection, why, strlen(why), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(connection);
}

/*
 * In system mode root is nobody in particular: `su` and `sudo` make it of whoever asks, in a terminal that an agent may
 * own, or behind a pty of root's that a program of the agent's draws and feeds.
 */
void
screen_accept(struct supervisor *s, int connection, uint32_t uid)
{
	if (s->opt.mode == MODE_SYSTEM && uid == 0 && !MUTATE(SCREEN_ROOT)) {
		refuse(connection, NOT_ROOT);
		return;
	}
	if (s->screen.connection >= 0) {
		refuse(connection, "another consent screen is open: close that one first");
		return;
	}
	s->screen = (struct screen){.connection = connection,
	    .tty = -1,
	    .uid = uid,
	    .shared = s->opt.mode != MODE_SYSTEM,
	    .deadline = clock_monotonic() + TTY_WAIT};
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid && s->children[i].role == ROLE_FRONT)
			screen_client(s, s->children[i].uid);
	if (watch(s, connection, SOURCE_SCREEN, 0) < 0) {
		close(connection);
		s->screen.connection = -1;
	}
}

void
screen_tell(struct supervisor *s)
{
	struct msg *m = &s->msg;

	m->id = MSG_SCREEN;
	m->screen = (struct msg_screen){.kind = DISPLAY_NONE, .uid = s->screen.uid};
	if (s->screen.tty >= 0) {
		m->screen.kind = s->screen.shared ? DISPLAY_SHARED : DISPLAY_TRUSTED;
		(void)FIELD_SET(m->screen.tty, s->screen.name);
	}
	cell_send(s, ROLE_BROKER, m, -1);
}

/* For the rest of the screen's life: what that client has started may outlive its connection. */
void
screen_client(struct supervisor *s, uint32_t uid)
{
	if (s->screen.connection < 0 || s->screen.shared || s->screen.uid != uid)
		return;
	s->screen.shared = true;
	if (s->screen.tty >= 0)
		screen_tell(s);
}

/* TCSANOW waits for nothing, so a terminal that takes no output cannot hold the supervisor up. */
void
screen_restore(struct supervisor *s)
{
	if (s->screen.tty >= 0)
		(void)tcsetattr(s->screen.tty, TCSANOW, &s->screen.modes);
}

static void
screen_drop(struct supervisor *s)
{
	bool had = s->screen.tty >= 0;

	close(s->screen.connection);
	screen_restore(s);
	if (had)
		close(s->screen.tty);
	s->screen = (struct screen){.connection = -1, .tty = -1};
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid && s->children[i].role == ROLE_CONSENT) {
			s->children[i].ending = true;
			child_kill(&s->children[i]); /* also one that was asked to end */
		}
	if (had)
		screen_tell(s);
}

/* One byte 'c' and one descriptor; everything else is refused. */
static int
receive_tty(int connection)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(connection, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&hdr) : NULL;
	int fd = -1;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	if (n == 1 && byte == 'c' && !(hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return fd;
	close(fd);
	return -1;
}

/*
 * A character device, said without asking a file system that the peer may have written himself: fstat(2) or ioctl(2)
 * on a FUSE file waits for its server for as long as that likes.
 */
static bool
is_device(int fd, struct statx *ret_st)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_UID, ret_st) ==
		   0 &&
	       S_ISCHR(ret_st->stx_mode);
}

/* A terminal that another uid owns could be fed and read by that uid, whoever holds it: no exception, not for root. */
static bool
tty_take(struct supervisor *s, int tty)
{
	char link[32], path[SGW_TTY_MAX + 8] = {0};
	struct statx st;
	ssize_t n;

	if (!is_device(tty, &st) || !isatty(tty))
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", tty);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 5 || n >= (ssize_t)sizeof(path) - 1 || strncmp(path, "/dev/", 5) != 0)
		return false;
	if ((st.stx_uid != s->screen.uid && !MUTATE(SCREEN_OWNER)) ||
	    (fcntl(tty, F_GETFL) & O_ACCMODE) != O_RDWR)
		return false;
	if (!FIELD_SET(s->screen.name, path + 5))
		return false;
	if (tcgetattr(tty, &s->screen.modes) < 0)
		return false;
	s->screen.tty = tty;
	s->screen.deadline = 0;
	return true;
}

/* A connection that sends nothing must not keep the only screen's place. */
int
screen_overdue(struct supervisor *s)
{
	int64_t left = s->screen.deadline - clock_monotonic();

	if (s->screen.connection < 0 || s->screen.deadline == 0)
		return -1;
	if (left > 0)
		return (int)left;
	refuse(s->screen.connection, "no terminal was handed over in time");
	s->screen = (struct screen){.connection = -1, .tty = -1};
	return -1;
}

void
screen_event(struct supervisor *s)
{
	int tty;

	if (s->screen.tty >= 0) { /* nothing may come any more but the end */
		screen_drop(s);
		return;
	}
	tty = receive_tty(s->screen.connection);
	if (tty < 0) {
		screen_drop(s);
		return;
	}
	if (!tty_take(s, tty)) {
		close(tty);
		refuse(s->screen.connection,
		    "that is no terminal of your own, open for reading and writing");
		s->screen = (struct screen){.connection = -1, .tty = -1};
		return;
	}
	log_info("consent screen on %s, uid %u", s->screen.name, (unsigned)s->screen.uid);
	screen_tell(s);
}
