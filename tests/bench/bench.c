/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round trips through the running daemon beside what this machine does without it, in one run: a pipe echo, a
 * socketpair ping-pong, and the two in series.  Prints ratios; absolute figures mean nothing on another machine.
 *
 * usage: bench COMMAND [ARGS]   COMMAND is an MCP server on stdio, as a client would start it
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5000
#define WARM 200
#define LINE_MAX_BYTES (1 << 20)

struct pipes {
	pid_t pid;
	int to;
	int from;
};

static char answer[LINE_MAX_BYTES];

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
write_all(int fd, const char *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("write");
		at += (size_t)n;
	}
}

/* One line, its line feed included. */
static size_t
read_line(int fd)
{
	size_t len = 0;

	while (len == 0 || answer[len - 1] != '\n') {
		ssize_t n = read(fd, answer + len, sizeof(answer) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the server ended");
		len += (size_t)n;
	}
	return len;
}

static void
echo_forever(int from, int to)
{
	static char block[65536];
	ssize_t n;

	while ((n = read(from, block, sizeof(block))) > 0)
		write_all(to, block, (size_t)n);
	_exit(0);
}

static struct pipes
spawn(char *const argv[])
{
	int in[2], out[2];
	struct pipes p;

	if (pipe(in) < 0 || pipe(out) < 0)
		die("pipe");
	p = (struct pipes){.pid = fork(), .to = in[1], .from = out[0]};
	if (p.pid == 0) {
		(void)close(in[1]);
		(void)close(out[0]);
		if (!argv)
			echo_forever(in[0], out[1]);
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	return p;
}

static void
end(struct pipes p)
{
	(void)close(p.to);
	(void)close(p.from);
	(void)waitpid(p.pid, NULL, 0);
}

/* Round trips a second of one request line. */
static double
round_trips(struct pipes p, const char *line)
{
	size_t len = strlen(line);
	double start = 0;

	for (int i = 0; i < WARM + ROUNDS; i++) {
		if (i == WARM)
			start = now();
		write_all(p.to, line, len);
		(void)read_line(p.from);
	}
	return ROUNDS / (now() - start);
}

static double
socketpair_round_trips(size_t size)
{
	static char block[65536];
	int s[2];
	pid_t pid;
	double start = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) < 0)
		die("socketpair");
	pid = fork();
	if (pid == 0) {
		(void)close(s[0]);
		echo_forever(s[1], s[1]);
	}
	(void)close(s[1]);
	for (int i = 0; i < WARM + ROUNDS; i++) {
		if (i == WARM)
			start = now();
		write_all(s[0], block, size);
		if (read(s[0], block, sizeof(block)) <= 0)
			die("ping-pong");
	}
	start = ROUNDS / (now() - start);
	(void)close(s[0]);
	(void)waitpid(pid, NULL, 0);
	return start;
}

static void
row(const char *name, double rate, const char *limit_name, double limit)
{
	(void)printf(
	    "%-24s %9.0f/s   %-30s %9.0f/s   %.2f\n", name, rate, limit_name, limit, rate / limit);
}

int
main(int argc, char **argv)
{
	static const char PING[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
	static const char RULES[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":"
	    "\"list_rules\",\"arguments\":{\"security_group_id\":\"sg-0123456789abcdef0\"}}}\n";
	static const char HELLO[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
	    "\"protocolVersion\":\"2025-11-25\","
	    "\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}\n";
	static const char READY[] =
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
	struct pipes echo, server;
	double pipe_rate, pair_rate, ping, rules, first;

	if (argc < 2) {
		(void)fputs("usage: bench COMMAND [ARGS]\n", stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	echo = spawn(NULL);
	pipe_rate = round_trips(echo, PING);
	end(echo);
	pair_rate = socketpair_round_trips(512);
	first = now();
	server = spawn(argv + 1);
	write_all(server.to, HELLO, strlen(HELLO));
	(void)read_line(server.from);
	first = now() - first;
	write_all(server.to, READY, strlen(READY));
	ping = round_trips(server, PING);
	rules = round_trips(server, RULES);
	end(server);
	(void)printf("%-24s %11s   %-30s %11s   %s\n", "what", "rate", "limit", "rate", "ratio");
	row("ping", ping, "pipe echo", pipe_rate);
	row("list_rules, cached", rules, "pipe echo + socketpair",
	    1 / (1 / pipe_rate + 1 / pair_rate));
	(void)printf("start to first answer    %9.1f ms\n", first * 1e3);
	return 0;
}
