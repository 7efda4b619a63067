/* SPDX-License-Identifier: Apache-2.0 */
/* Whose connection it is: the processes above it are shown as verified only while its own process lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor.h"

#define SO_PEERPIDFD_SINCE_6_5 77 /* asm-generic/socket.h */

struct peer {
	int listener, connection;
	int leave; /* written to, it ends */
	pid_t pid;
};

/* A process of its own that connects, and stays until it is told to go. */
static struct peer
peer_start(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX}; /* the kernel finds it a name */
	socklen_t len = sizeof(at);
	struct peer p = {.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
	int leave[2];
	char byte;

	assert_int_equal(bind(p.listener, (struct sockaddr *)&at, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(p.listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(listen(p.listener, 1), 0);
	assert_int_equal(pipe(leave), 0);
	p.pid = fork();
	if (p.pid == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

		close(leave[1]);
		_exit(
		    connect(fd, (struct sockaddr *)&at, len) != 0 || read(leave[0], &byte, 1) < 0);
	}
	close(leave[0]);
	p.leave = leave[1];
	p.connection = accept(p.listener, NULL, NULL);
	assert_true(p.connection >= 0);
	return p;
}

/* It ends, and stays a zombie, so that /proc still knows its number. */
static void
peer_ends(struct peer *p)
{
	siginfo_t info;

	close(p->leave);
	p->leave = -1;
	assert_int_equal(waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOWAIT), 0);
}

static void
peer_stop(struct peer *p)
{
	if (p->leave >= 0)
		close(p->leave);
	close(p->connection);
	close(p->listener);
	assert_int_equal(waitpid(p->pid, NULL, 0), p->pid);
}

static bool
kernel_holds(int connection)
{
	int fd = -1;
	socklen_t len = sizeof(fd);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD_SINCE_6_5, &fd, &len) < 0)
		return false;
	close(fd);
	return true;
}

static void
test_while_it_lives(void **state)
{
	struct peer p = peer_start();
	char chain[SGW_CHAIN_MAX + 1];

	assert_int_equal(chain_read(p.connection, p.pid, chain), kernel_holds(p.connection));
	assert_memory_equal(chain, "test_chain(", 11);
	assert_non_null(strstr(chain, " <- "));
	peer_stop(&p);
}

static void
test_after_its_end(void **state)
{
	struct peer p = peer_start();
	char chain[SGW_CHAIN_MAX + 1];

	peer_ends(&p);
	assert_false(chain_read(p.connection, p.pid, chain));
	assert_memory_equal(chain, "test_chain(", 11); /* it is still shown */
	peer_stop(&p);
}

static void
test_nobody(void **state)
{
	struct peer p = peer_start();
	char chain[SGW_CHAIN_MAX + 1];

	assert_false(chain_read(p.connection, 0, chain));
	assert_string_equal(chain, "unknown");
	peer_stop(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_while_it_lives),
	    cmocka_unit_test(test_after_its_end),
	    cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
