/* SPDX-License-Identifier: Apache-2.0 */
/* Processes on pipes, lines, and the rows of the report. */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_FIRST (1u << 20)

bool quick, at_once;

void
die(const char *what)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
write_all(int fd, const void *data, size_t len)
{
	const char *text = data;

	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, text + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("write");
		at += (size_t)n;
	}
}

/* ---- processes ---- */

void
pipes_over(struct pipes *p, int to, int from)
{
	*p = (struct pipes){.to = to, .from = from, .size = LINE_FIRST, .line = malloc(LINE_FIRST)};
	if (p->line == NULL)
		die("memory");
}

struct pipes
spawn(char *const argv[], void (*serve)(int in, int out, const void *arg), const void *arg)
{
	int in[2], out[2];
	struct pipes p;
	pid_t pid;

	if (pipe(in) < 0 || pipe(out) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		(void)close(in[1]);
		(void)close(out[0]);
		if (argv == NULL) {
			serve(in[0], out[1], arg);
			_exit(0);
		}
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)close(in[0]);
		(void)close(out[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	pipes_over(&p, in[1], out[0]);
	p.pid = pid;
	return p;
}

void
end(struct pipes *p)
{
	(void)close(p->to);
	(void)close(p->from);
	free(p->line);
	if (p->pid > 0)
		(void)waitpid(p->pid, NULL, 0);
	*p = (struct pipes){.to = -1, .from = -1};
}

/* ---- lines ---- */

size_t
read_line(struct pipes *p)
{
	const char *feed;

	p->rest -= p->len;
	memmove(p->line, p->line + p->len, p->rest);
	p->len = 0;
	while ((feed = memchr(p->line, '\n', p->rest)) == NULL) {
		ssize_t n = read(p->from, p->line + p->rest, p->size - p->rest);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the server ended");
		p->rest += (size_t)n;
	}
	p->len = (size_t)(feed - p->line) + 1;
	return p->len;
}

size_t
ask(struct pipes *p, const char *line)
{
	static const char failed[] = "\"isError\":true";

	write_all(p->to, line, strlen(line));
	(void)read_line(p);
	if (memmem(p->line, p->len, "\"result\"", 8) == NULL ||
	    memmem(p->line, p->len, failed, sizeof(failed) - 1) != NULL) {
		(void)fprintf(stderr, "bench: %.*s", (int)p->len, p->line);
		die("not the answer that was expected");
	}
	return p->len;
}

bool
answer_text(const struct pipes *p, const char *name, char *ret_text, size_t size)
{
	char key[64];
	int n = snprintf(key, sizeof(key), "\"%s\":\"", name);
	const char *at = memmem(p->line, p->len, key, (size_t)n), *quote;

	if (at == NULL)
		return false;
	at += n;
	quote = memchr(at, '"', (size_t)(p->line + p->len - at));
	if (quote == NULL || (size_t)(quote - at) >= size)
		return false;
	memcpy(ret_text, at, (size_t)(quote - at));
	ret_text[quote - at] = 0;
	return true;
}

double
handshake(struct pipes *p)
{
	static const char HELLO[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
	    "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
	    "\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}\n";
	static const char READY[] =
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
	double start = now();

	(void)ask(p, HELLO);
	start = now() - start;
	write_all(p->to, READY, sizeof(READY) - 1);
	return start;
}

/* ---- rows ---- */

static bool
all_cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

const char *
how(void)
{
	static char text[64];

	if (!at_once)
		return "one at a time";
	(void)snprintf(
	    text, sizeof(text), "%d at once%s", IN_FLIGHT, all_cores() ? ", all cores" : "");
	return text;
}

static int
by_value(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

double
median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double
rate(struct side s, unsigned n)
{
	double start = now();

	s.run(s.context, n);
	return n / (now() - start);
}

void
compare(const char *name, const char *limit_name, struct side product, struct side limit,
    unsigned n, double target)
{
	double rates[ROUNDS_MAX], limits[ROUNDS_MAX], ratios[ROUNDS_MAX], ratio;
	size_t rounds = quick ? 2 : ROUNDS_MAX;

	n = quick ? n / 50 + 1 : n;
	product.run(product.context, n / 10 + 1);
	limit.run(limit.context, n / 10 + 1);
	for (size_t i = 0; i < rounds; i++) {
		limits[i] = rate(limit, n);
		rates[i] = rate(product, n);
		ratios[i] = rates[i] / limits[i];
	}
	ratio = median(ratios, rounds);
	(void)printf("%-50s %8.0f/s  %-32s %8.0f/s  %6.3f", name, median(rates, rounds), limit_name,
	    median(limits, rounds), ratio);
	if (target > 0 && !all_cores())
		(void)printf("  >= %.2f %s", target, ratio >= target ? "" : "SHORT");
	(void)printf("\n");
	(void)fflush(stdout);
}

void
value_row(const char *name, double value, const char *unit, const char *target)
{
	(void)printf(
	    "%-50s %8.2f %s%s%s\n", name, value, unit, target[0] != 0 ? "   target " : "", target);
	(void)fflush(stdout);
}
