/* SPDX-License-Identifier: Apache-2.0 */
/* Whose terminal may be the consent screen, and which is told to the broker as trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor.h"

#define AGENT 4711
#define PERSON 4712

static struct supervisor S;
static struct msg_screen told; /* the last that the broker heard of it */
static const struct child *killed;

void
cell_send(struct supervisor *s, enum role role, const struct msg *m, int fd)
{
	assert_int_equal(role, ROLE_BROKER);
	assert_int_equal(fd, -1);
	told = m->screen;
}

void
child_kill(struct child *c)
{
	killed = c;
}

int
watch(struct supervisor *s, int fd, enum source source, uint32_t index)
{
	return 0;
}

/* A pseudo-terminal of that uid.  Only root can give one away: else it is said to be the uid of whoever runs this. */
static int
terminal_of(uid_t *uid, int *ret_master)
{
	int tty = -1;

	assert_int_equal(openpty(ret_master, &tty, NULL, NULL, NULL), 0);
	if (getuid() == 0)
		assert_int_equal(fchown(tty, *uid, (gid_t)-1), 0);
	else
		*uid = getuid();
	return tty;
}

static void
hand_over(int connection, int tty)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte = 'c';
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr hdr = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &tty, sizeof(int));
	assert_int_equal(sendmsg(connection, &hdr, MSG_NOSIGNAL), 1);
}

/* `peer` comes with a terminal of `owner`'s; what was said to it, empty: it is the screen. */
static const char *
screen_try(enum run_mode mode, uid_t peer, int tty)
{
	static char said[200];
	int ends[2];
	ssize_t n;

	S = (struct supervisor){.opt.mode = mode, .screen = {.connection = -1, .tty = -1}};
	told = (struct msg_screen){.kind = DISPLAY_NONE};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	screen_accept(&S, ends[1], peer);
	if (S.screen.connection >= 0) {
		hand_over(ends[0], tty);
		screen_event(&S);
	}
	n = recv(ends[0], said, sizeof(said) - 1, MSG_DONTWAIT);
	said[n > 0 ? n : 0] = 0;
	close(ends[0]);
	return said;
}

static void
screen_leave(int tty, int master)
{
	if (S.screen.tty >= 0)
		screen_event(&S);
	close(tty);
	close(master);
}

/* 200: `su -c 'sgwarden consent'` in the terminal of the uid that runs the assistant was a trusted screen. */
static void
test_root_in_an_agents_terminal(void **state)
{
	uid_t agent = AGENT;
	int master, tty = terminal_of(&agent, &master);

	assert_non_null(strstr(screen_try(MODE_SYSTEM, 0, tty), "group sgw-screen"));
	assert_int_equal(S.screen.connection, -1);
	assert_int_equal(told.kind, DISPLAY_NONE);
	screen_leave(tty, master);
}

/* … and through a pty of its own, as sudo makes one, which the agent's terminal feeds and shows. */
static void
test_root_in_a_terminal_of_roots(void **state)
{
	uid_t root = 0;
	int master, tty = terminal_of(&root, &master);

	assert_non_null(strstr(screen_try(MODE_SYSTEM, 0, tty), "group sgw-screen"));
	assert_int_equal(told.kind, DISPLAY_NONE);
	screen_leave(tty, master);
}

/* Whose it is decides, not whose way in it was: also in user mode, where the display is shared in any case. */
static void
test_a_terminal_of_anothers(void **state)
{
	uid_t agent = AGENT;
	int master, tty = terminal_of(&agent, &master);

	assert_non_null(strstr(screen_try(MODE_SYSTEM, PERSON, tty), "no terminal of your own"));
	assert_int_equal(told.kind, DISPLAY_NONE);
	if (agent != 0) {
		assert_non_null(strstr(screen_try(MODE_USER, 0, tty), "no terminal of your own"));
		assert_int_equal(told.kind, DISPLAY_NONE);
	}
	screen_leave(tty, master);
}

static void
test_a_persons_own(void **state)
{
	uid_t person = PERSON;
	int master, tty = terminal_of(&person, &master);

	assert_string_equal(screen_try(MODE_SYSTEM, person, tty), "");
	assert_int_equal(told.kind, DISPLAY_TRUSTED);
	assert_int_equal(told.uid, person);
	screen_client(&S, AGENT);
	assert_int_equal(told.kind, DISPLAY_TRUSTED);
	screen_client(&S, person); /* an assistant of the person's */
	assert_int_equal(told.kind, DISPLAY_SHARED);
	S.children[3] =
	    (struct child){.role = ROLE_CONSENT, .pid = 1, .ending = true, .kill_at = 1};
	screen_leave(tty, master);
	assert_int_equal(told.kind, DISPLAY_NONE);
	assert_ptr_equal(
	    killed, &S.children[3]); /* one that was asked to end has the terminal too */
}

/* Root in user mode is a user like any: containers and these tests. */
static void
test_root_in_user_mode(void **state)
{
	uid_t root = 0;
	int master, tty = terminal_of(&root, &master);

	assert_string_equal(screen_try(MODE_USER, root, tty), "");
	assert_int_equal(told.kind, DISPLAY_SHARED);
	screen_leave(tty, master);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_root_in_an_agents_terminal),
	    cmocka_unit_test(test_root_in_a_terminal_of_roots),
	    cmocka_unit_test(test_a_terminal_of_anothers),
	    cmocka_unit_test(test_a_persons_own),
	    cmocka_unit_test(test_root_in_user_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
