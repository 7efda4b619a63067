/* SPDX-License-Identifier: Apache-2.0 */
/* A change from request to answer, with a person who takes no time: the word as soon as it is asked for, the touch as
 * soon as the key blinks.  What is counted is what the appliance takes: until it asks, until the key blinks, until it
 * answers. */
#include "bench.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORD "443-0001"
#define PATIENCE 60000 /* ms */
#define QUIET 1500     /* ms: longer than the countdown takes from one number to the next */

struct ear {
	int fd;
	size_t len;
	char text[1u << 16];
};

/* Until the text comes, behind what was heard before. */
static void
hear(struct ear *e, const char *what)
{
	struct pollfd p = {.fd = e->fd, .events = POLLIN};
	char *at;

	while ((at = memmem(e->text, e->len, what, strlen(what))) == NULL) {
		ssize_t n;

		if (e->len == sizeof(e->text)) {
			memmove(e->text, e->text + sizeof(e->text) / 2, sizeof(e->text) / 2);
			e->len = sizeof(e->text) / 2;
		}
		if (poll(&p, 1, PATIENCE) != 1)
			die(what);
		n = read(e->fd, e->text + e->len, sizeof(e->text) - e->len);
		if (n <= 0)
			die(what);
		e->len += (size_t)n;
	}
	at += strlen(what);
	e->len -= (size_t)(at - e->text);
	memmove(e->text, at, e->len);
}

/* Everything up to now, until nothing more has come for a while. */
static void
forget(struct ear *e)
{
	struct pollfd p = {.fd = e->fd, .events = POLLIN};

	while (poll(&p, 1, QUIET) == 1)
		if (read(e->fd, e->text, sizeof(e->text)) <= 0)
			die("the screen ended");
	e->len = 0;
}

/* What was typed before a question stands there whole is thrown away: the countdown follows it. */
static void
answer_question(struct ear *screen, const char *question, const char *word)
{
	hear(screen, question);
	hear(screen, " s] >");
	hear(screen, " s] >");
	write_all(screen->fd, word, strlen(word));
	write_all(screen->fd, "\r", 1);
}

int
bench_ceremony(int key_fd, char *const argv[])
{
	static struct ear screen, key;
	double asked[16], blinked[16], answered[16];
	size_t n = quick ? 1 : 7;
	char mcp[] = "mcp";
	struct pipes server;
	pid_t pid = forkpty(&screen.fd, NULL, NULL, NULL);

	if (pid == 0) {
		execl(argv[0], argv[0], "consent", (char *)NULL);
		_exit(127);
	}
	key.fd = key_fd;
	hear(&screen, "Waiting for requests");
	server = spawn((char *[]){argv[0], mcp, NULL}, NULL, NULL);
	(void)handshake(&server);
	for (size_t i = 0; i < n; i++) {
		char line[512];
		double start = now();

		(void)snprintf(line, sizeof(line),
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
		    "\"whitelist_add\",\"arguments\":{\"security_group_id\":\"" GROUP_FORM "\","
		    "\"ip\":\"203.0.113.%zu\",\"port\":443,\"reason\":\"bench\"}}}\n",
		    1u, i + 1);
		write_all(server.to, line, strlen(line));
		hear(&screen, WORD);
		asked[i] = (now() - start) * 1000;
		answer_question(&screen, " s] >", WORD);
		start = now();
		hear(&key, "up-wait");
		blinked[i] = (now() - start) * 1000;
		start = now();
		write_all(key_fd, "t", 1);
		(void)read_line(&server);
		answered[i] = (now() - start) * 1000;
		if (memmem(server.line, server.len, "\"status\":\"ok\"", 13) == NULL)
			die(server.line);
		forget(&screen); /* the word stands on the outcome's page as well */
	}
	value_row("ceremony: request to the question", median(asked, n), "ms", "");
	value_row("ceremony: word to the blinking key", median(blinked, n), "ms", "");
	value_row("ceremony: touch to the answer", median(answered, n), "ms", "");
	end(&server);
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
