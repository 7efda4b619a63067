/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench: the product beside what the same machine does without it, in turns within one run, so that whatever else
 * the machine does falls on both.  Only ratios mean anything elsewhere.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ROUNDS_MAX 15
#define IN_FLIGHT 8 /* calls that a client may have at once */

extern bool quick;   /* a smoke run: few repetitions, the same rows */
extern bool at_once; /* IN_FLIGHT calls under way, not one */

/* "one at a time" or "8 at once", and whether the processes may run side by side. */
const char *how(void);

void __attribute__((noreturn)) die(const char *what);
double now(void); /* s */
void write_all(int fd, const void *data, size_t len);

/* ---- who is measured ---- */

struct pipes {
	pid_t pid;
	int to;
	int from;
	char *line; /* the last line read, its line feed included */
	size_t size, len, rest;
};

/* A program on two pipes, or with argv NULL a child that runs `serve(in, out, arg)`. */
struct pipes spawn(
    char *const argv[], void (*serve)(int in, int out, const void *arg), const void *arg);
void end(struct pipes *p);
void pipes_over(struct pipes *p, int to, int from);
/* The next line; p->line until the next call. */
size_t read_line(struct pipes *p);
/* An MCP client's beginning; the seconds until its answer is there. */
double handshake(struct pipes *p);
/* One request, whose answer must be a result that is no error; the answer's length. */
size_t ask(struct pipes *p, const char *line);
/* `"name":"` and what stands behind it in the last line, up to the quote; false where it does not stand there. */
bool answer_text(const struct pipes *p, const char *name, char *ret_text, size_t size);

/* ---- rows ---- */

/* Does its work `n` times. */
struct side {
	void (*run)(void *context, unsigned n);
	void *context;
};

/*
 * Both in turns, ROUNDS times; prints the medians of the rates and of the ratio, and the target beside it (0: none;
 * nor is there one where the processes may run side by side).  `n`: how often in one turn.
 */
void compare(const char *name, const char *limit_name, struct side product, struct side limit,
    unsigned n, double target);
/* A row without a limit of its own. */
void value_row(const char *name, double value, const char *unit, const char *target);
double median(double *values, size_t n);

/* ---- limits ---- */

/* Round trips: so many bytes there, so many back.  Pipes to a child that echoes, a socketpair, both in series. */
struct echo {
	size_t there, back;
	struct pipes pipe;
	int pair;
	size_t pair_there, pair_back;
	pid_t pair_pid;
};

void echo_start(struct echo *e, size_t there, size_t back, size_t pair_there, size_t pair_back);
void echo_end(struct echo *e);
void run_pipe_echo(void *echo, unsigned n);
void run_series(void *echo, unsigned n); /* one after the other */

/*
 * A call's way without the product: bare processes, one a hop, each of which reads a message and writes the next one.
 * The client's pipes stand at both ends, SOCK_SEQPACKET pairs between; the process `work` does its work before it
 * writes.  `sizes`: bytes of the messages, the request's first, the answer's last.
 */
#define RING_MAX 8

struct ring {
	size_t n; /* messages: one process less */
	size_t sizes[RING_MAX];
	size_t worker; /* the process that does `work`, from 0 */
	struct side work;
	pid_t pids[RING_MAX];
	struct pipes client;
};

void ring_start(struct ring *r);
void ring_end(struct ring *r);
void run_ring(void *ring, unsigned n); /* one at a time, or IN_FLIGHT */

/* A server on pipes that does nothing but parse each line with cJSON and print its answer with cJSON. */
struct pipes cjson_server(const char *answer);

/* ---- sections ---- */

int bench_start(char *const argv[]);                           /* start to first answer */
int bench_calls(char *const argv[]);                           /* ping and cached list_rules */
int bench_describes(const char *endpoint, char *const argv[]); /* through the broker and net */
int bench_ceremony(int key_fd, char *const argv[]);            /* argv: sgwarden */
int bench_clients(unsigned n, const char *socket);             /* many at once */
int bench_pages(char *const argv[]);                           /* a large account */

/* The group with so many rules, as the canned answers have it. */
#define GROUP_FORM "sg-%017u"

#endif
