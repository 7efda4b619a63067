/* SPDX-License-Identifier: Apache-2.0 */
/* What one client does again and again: ping, and list_rules out of the planner's cache. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One request line, sent again and again, one at a time or IN_FLIGHT at once. */
struct asking {
	struct pipes *server;
	char line[512];
	char batch[IN_FLIGHT * 512];
};

#define PING "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"ping\"}\n"
#define RULES                                                                                      \
	"{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/"                                       \
	"call\",\"params\":{\"name\":\"list_rules\","                                              \
	"\"arguments\":{\"security_group_id\":\"" GROUP_FORM "\"}}}\n"

/* No rules: a ping. */
static void
asking_make(struct asking *a, struct pipes *server, unsigned rules)
{
	size_t at = 0;

	a->server = server;
	for (unsigned i = 0; i < IN_FLIGHT; i++) {
		if (rules == 0)
			(void)snprintf(a->line, sizeof(a->line), PING, i + 1);
		else
			(void)snprintf(a->line, sizeof(a->line), RULES, i + 1, rules);
		memcpy(a->batch + at, a->line, strlen(a->line) + 1);
		at += strlen(a->line);
	}
}

static void
run_sequential(void *context, unsigned n)
{
	struct asking *a = context;
	size_t len = strlen(a->line);

	while (n-- > 0) {
		write_all(a->server->to, a->line, len);
		(void)read_line(a->server);
	}
}

static void
run_pipelined(void *context, unsigned n)
{
	struct asking *a = context;
	size_t len = strlen(a->batch);

	for (; n > 0; n -= n < IN_FLIGHT ? n : IN_FLIGHT) {
		write_all(a->server->to, a->batch, len);
		for (unsigned i = 0; i < IN_FLIGHT; i++)
			(void)read_line(a->server);
	}
}

/*
 * In series with the client's pipes stands the planner's socket.  What travels there: a question of about a hundred
 * bytes, and per rule what one costs on the wire.
 */
#define QUESTION 100
#define ANSWER 80
#define ANSWER_RULE 137

static void
row_one(struct asking *a, unsigned rules, const char *what, double target)
{
	size_t len = ask(a->server, a->line);
	char name[64], limit[64];
	struct echo e;

	echo_start(&e, strlen(a->line), len, QUESTION, ANSWER + rules * ANSWER_RULE);
	(void)snprintf(
	    limit, sizeof(limit), rules > 0 ? "pipe %zu B + socketpair" : "pipe echo", len);
	(void)snprintf(name, sizeof(name), "%s, %s", what, how());
	compare(name, limit, (struct side){run_sequential, a},
	    (struct side){rules > 0 ? run_series : run_pipe_echo, &e}, rules > 10 ? 500 : 2000,
	    target);
	echo_end(&e);
}

static void
row_at_once(struct asking *a, unsigned rules, const char *what, double target)
{
	size_t len = ask(a->server, a->line);
	char name[64], *answer = strndup(a->server->line, len);
	struct asking bare_asking;
	struct pipes bare;

	if (answer == NULL)
		die("memory");
	bare = cjson_server(answer);
	asking_make(&bare_asking, &bare, rules);
	(void)snprintf(name, sizeof(name), "%s, %s", what, how());
	compare(name, "bare cJSON server, as many", (struct side){run_pipelined, a},
	    (struct side){run_pipelined, &bare_asking}, rules > 10 ? 500 : 2000, target);
	end(&bare);
	free(answer);
}

static void
row(struct pipes *server, unsigned rules, const char *what)
{
	struct asking a;

	asking_make(&a, server, rules);
	if (at_once)
		row_at_once(&a, rules, what, 0.7);
	else
		row_one(&a, rules, what, rules > 0 ? 0.5 : 0.6);
}

int
bench_calls(char *const argv[])
{
	struct pipes server = spawn(argv, NULL, NULL);

	(void)handshake(&server);
	row(&server, 0, "ping");
	row(&server, 1, "list_rules, 1 rule, cached");
	row(&server, 10, "list_rules, 10 rules, cached");
	row(&server, 50, "list_rules, 50 rules, cached");
	end(&server);
	return 0;
}

int
bench_start(char *const argv[])
{
	double times[41];
	size_t n = quick ? 3 : 41;

	for (size_t i = 0; i < n; i++) {
		double start = now();
		struct pipes server = spawn(argv, NULL, NULL);

		(void)handshake(&server);
		times[i] = (now() - start) * 1000;
		end(&server);
	}
	value_row("start to first answer", median(times, n), "ms", "<= 10");
	return 0;
}
