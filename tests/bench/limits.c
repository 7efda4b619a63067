/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine does without the product: echoes of as many bytes, and JSON with cJSON alone. */
#include "bench.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#define BLOCK (1u << 20)

static char block[BLOCK];

static void
read_exactly(int fd, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, block, len);

		if (n <= 0)
			die("the echo ended");
		len -= (size_t)n;
	}
}

/* Whatever comes is one request: below PIPE_BUF a write arrives as one. */
static void
serve_echo(int in, int out, const void *arg)
{
	const struct echo *e = arg;

	while (read(in, block, sizeof(block)) > 0)
		write_all(out, block, e->back);
}

void
echo_start(struct echo *e, size_t there, size_t back, size_t pair_there, size_t pair_back)
{
	int s[2];

	*e = (struct echo){
	    .there = there, .back = back, .pair_there = pair_there, .pair_back = pair_back};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		die("socketpair");
	e->pair = s[0];
	e->pair_pid = fork();
	if (e->pair_pid == 0) {
		(void)close(s[0]);
		while (read(s[1], block, sizeof(block)) > 0)
			write_all(s[1], block, e->pair_back);
		_exit(0);
	}
	(void)close(s[1]);
	e->pipe = spawn(NULL, serve_echo, e);
}

void
echo_end(struct echo *e)
{
	(void)close(e->pair);
	(void)kill(e->pair_pid, SIGTERM); /* the pipe's child holds a copy of our end */
	(void)waitpid(e->pair_pid, NULL, 0);
	end(&e->pipe);
}

static void
pipe_echo(struct echo *e)
{
	write_all(e->pipe.to, block, e->there);
	read_exactly(e->pipe.from, e->back);
}

void
run_pipe_echo(void *echo, unsigned n)
{
	while (n-- > 0)
		pipe_echo(echo);
}

void
run_series(void *echo, unsigned n)
{
	struct echo *e = echo;

	while (n-- > 0) {
		pipe_echo(e);
		write_all(e->pair, block, e->pair_there);
		if (read(e->pair, block, sizeof(block)) <= 0)
			die("ping-pong");
	}
}

/* ---- the way of a call ---- */

#define RING_PART 8192 /* bytes of a datagram, as net's pages have */

/* The process `i`: what it reads is the message i, what it writes the next one. */
static void
ring_serve(const struct ring *r, size_t i, int in, int out)
{
	size_t got = 0;
	ssize_t n;

	while ((n = read(in, block, r->sizes[i] - got)) > 0) {
		got += (size_t)n;
		if (got < r->sizes[i])
			continue;
		got = 0;
		if (i == r->worker)
			r->work.run(r->work.context, 1);
		for (size_t left = r->sizes[i + 1], part; left > 0; left -= part) {
			part = left < RING_PART ? left : RING_PART;
			write_all(out, block, part);
		}
	}
}

void
ring_start(struct ring *r)
{
	int to[2], from[2], in;

	if (pipe(to) < 0 || pipe(from) < 0)
		die("pipe");
	pipes_over(&r->client, to[1], from[0]);
	in = to[0];
	for (size_t i = 0; i + 1 < r->n; i++) {
		int s[2] = {from[1], -1};

		if (i + 2 < r->n && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) < 0)
			die("socketpair");
		r->pids[i] = fork();
		if (r->pids[i] == 0) {
			(void)close(to[1]);
			(void)close(s[1]);
			ring_serve(r, i, in, s[0]);
			_exit(0);
		}
		(void)close(in);
		(void)close(s[0]);
		in = s[1];
	}
}

void
ring_end(struct ring *r)
{
	end(&r->client);
	for (size_t i = 0; i + 1 < r->n; i++)
		(void)waitpid(r->pids[i], NULL, 0);
}

void
run_ring(void *ring, unsigned n)
{
	struct ring *r = ring;
	unsigned sent = 0, most = at_once ? IN_FLIGHT : 1;

	for (unsigned got = 0; got < n; got++) {
		for (; sent < n && sent - got < most; sent++)
			write_all(r->client.to, block, r->sizes[0]);
		read_exactly(r->client.from, r->sizes[r->n - 1]);
	}
}

/* ---- cJSON ---- */

static void
answer_line(const char *line, size_t len, cJSON *answer, int out)
{
	cJSON *request = cJSON_ParseWithLength(line, len);
	cJSON *id = cJSON_DetachItemFromObject(request, "id");
	char *text;

	if (id == NULL || !cJSON_ReplaceItemInObject(answer, "id", id))
		die("the bare loop's request");
	text = cJSON_PrintUnformatted(answer);
	if (text == NULL)
		die("memory");
	len = strlen(text);
	text[len] = '\n'; /* over the NUL */
	write_all(out, text, len + 1);
	cJSON_free(text);
	cJSON_Delete(request);
}

static void
serve_cjson(int in, int out, const void *arg)
{
	cJSON *answer = cJSON_Parse(arg);
	size_t len = 0;
	ssize_t n;

	while ((n = read(in, block + len, sizeof(block) - len)) > 0) {
		char *from = block, *feed;

		len += (size_t)n;
		while ((feed = memchr(from, '\n', len - (size_t)(from - block))) != NULL) {
			answer_line(from, (size_t)(feed - from), answer, out);
			from = feed + 1;
		}
		len -= (size_t)(from - block);
		memmove(block, from, len);
	}
}

struct pipes
cjson_server(const char *answer)
{
	return spawn(NULL, serve_cjson, answer);
}
