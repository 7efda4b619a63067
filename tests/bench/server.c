/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server with canned answers, on loopback: as fast as it can be, so that what is measured is what asks.
 * It judges no signature.  It remembers the rules that it was told to add, so that a ceremony can be read back.
 *
 * usage: bench_aws     prints its port; ends with its standard input
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "canned.h"

#define CONNECTIONS_MAX 64
#define REQUEST_MAX 65536

struct connection {
	int fd; /* -1: free */
	size_t len;
	char request[REQUEST_MAX];
};

static struct connection connections[CONNECTIONS_MAX];
static struct text rules_of[CANNED_RULES_MAX + 1]; /* made when they are asked for first */
static struct text pages[CANNED_GROUPS / CANNED_PAGE];
static char opened[64]; /* the CIDR that was opened, or empty */
static unsigned opened_count;

/* ---- what is asked ---- */

/* A parameter's value as it stands there; empty where it does not. */
static void
param(const char *body, const char *name, char *ret_value, size_t size)
{
	char key[64];
	const char *at;
	size_t len;

	(void)snprintf(key, sizeof(key), "%s=", name);
	at = strstr(body, key);
	ret_value[0] = 0;
	if (at == NULL)
		return;
	at += strlen(key);
	len = strcspn(at, "&");
	if (len >= size)
		die("a parameter too long");
	memcpy(ret_value, at, len);
	ret_value[len] = 0;
}

/* Of a CIDR alone: "%2F" is its slash. */
static void
unescape(char *text)
{
	char *at = strstr(text, "%2F");

	if (at == NULL)
		return;
	*at = '/';
	memmove(at + 1, at + 3, strlen(at + 3) + 1);
}

/* ---- answers ---- */

/* True: the text is kept for the next time. */
static bool
answer_rules(struct text *t, const char *body)
{
	char group[32];
	struct text extra = {0};
	unsigned n;

	param(body, "Filter.1.Value.1", group, sizeof(group));
	n = (unsigned)strtoul(group + strlen(group) - (strlen(group) >= 5 ? 5 : 0), NULL, 10);
	if (n > CANNED_RULES_MAX)
		die("a group with too many rules");
	if (opened[0] != 0 && n == 1) {
		canned_rule(&extra, group, 100000 + opened_count, opened);
		canned_rules(t, n, extra.at);
		free(extra.at);
		return false;
	}
	if (rules_of[n].at == NULL)
		canned_rules(&rules_of[n], n, "");
	*t = rules_of[n];
	return true;
}

static bool
answer_groups(struct text *t, const char *body)
{
	char group[32], token[32];
	unsigned first;

	param(body, "GroupId.1", group, sizeof(group));
	if (group[0] != 0) {
		canned_group(t, group);
		return false;
	}
	param(body, "NextToken", token, sizeof(token));
	first = token[0] != 0 ? (unsigned)strtoul(token + 4, NULL, 10) : 0;
	if (pages[first / CANNED_PAGE].at == NULL)
		canned_groups(&pages[first / CANNED_PAGE], first);
	*t = pages[first / CANNED_PAGE];
	return true;
}

/* DryRun succeeds as an error (EC2 API, "DryRun"). */
static unsigned
answer_change(struct text *t, const char *body, const char *action, bool opens)
{
	char cidr[64], dry[8], group[32];

	param(body, "DryRun", dry, sizeof(dry));
	param(body, "GroupId", group, sizeof(group));
	param(body, "IpRanges.1.CidrIp", cidr, sizeof(cidr));
	unescape(cidr);
	if (dry[0] != 0) {
		text_add(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
			    "<Code>DryRunOperation</Code><Message>Request would have succeeded"
			    "</Message></Error></Errors><RequestID>bench</RequestID></Response>");
		return 412;
	}
	text_add(t,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%sResponse "
	    "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n<requestId>bench</requestId>\n"
	    "<return>true</return>\n",
	    action);
	if (opens) {
		(void)snprintf(opened, sizeof(opened), "%s", cidr);
		opened_count++;
		text_add(t, "<securityGroupRuleSet>\n");
		canned_rule(t, group, 100000 + opened_count, cidr);
		text_add(t, "</securityGroupRuleSet>\n");
	} else {
		opened[0] = 0;
	}
	text_add(t, "</%sResponse>", action);
	return 200;
}

/* True: the text is kept for the next time. */
static bool
answer_for(const char *body, struct text *t, unsigned *ret_status)
{
	char action[64];

	param(body, "Action", action, sizeof(action));
	*ret_status = 200;
	if (strcmp(action, "DescribeSecurityGroupRules") == 0)
		return answer_rules(t, body);
	if (strcmp(action, "DescribeSecurityGroups") == 0)
		return answer_groups(t, body);
	if (strcmp(action, "GetCallerIdentity") == 0)
		canned_identity(t);
	else if (strcmp(action, "AuthorizeSecurityGroupIngress") == 0)
		*ret_status = answer_change(t, body, action, true);
	else if (strcmp(action, "RevokeSecurityGroupIngress") == 0)
		*ret_status = answer_change(t, body, action, false);
	else
		die(action);
	return false;
}

/* ---- connections ---- */

static void
answer(struct connection *c, const char *body)
{
	char head[256];
	struct text t = {0};
	unsigned status;
	bool kept = answer_for(body, &t, &status);
	char date[40];
	time_t seconds = time(NULL);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 %u %s\r\nContent-Type: text/xml;charset=UTF-8\r\nDate: %s\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    status, status == 200 ? "OK" : "Precondition Failed", date, t.len);
	(void)send(c->fd, head, strlen(head), MSG_MORE | MSG_NOSIGNAL);
	write_all(c->fd, t.at, t.len);
	if (!kept)
		free(t.at);
}

/* All whole requests that are there; false: the connection is over. */
static bool
serve(struct connection *c)
{
	ssize_t n = read(c->fd, c->request + c->len, REQUEST_MAX - 1 - c->len);

	if (n <= 0)
		return false;
	c->len += (size_t)n;
	for (;;) {
		const char *head_end, *length;
		size_t head, body;
		char last;

		c->request[c->len] = 0;
		head_end = strstr(c->request, "\r\n\r\n");
		length = strcasestr(c->request, "\r\nContent-Length:");
		if (head_end == NULL || length == NULL)
			return true;
		head = (size_t)(head_end - c->request) + 4;
		body = strtoul(length + 17, NULL, 10);
		if (c->len < head + body)
			return true;
		last = c->request[head + body];
		c->request[head + body] = 0;
		answer(c, c->request + head);
		c->request[head + body] = last;
		c->len -= head + body;
		memmove(c->request, c->request + head + body, c->len);
	}
}

static void
take(int listener)
{
	int one = 1, fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].fd < 0) {
			connections[i].fd = fd;
			connections[i].len = 0;
			return;
		}
	(void)close(fd);
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		die("listen");
	(void)printf("%u\n", (unsigned)ntohs(a.sin_port));
	(void)fflush(stdout);
	return fd;
}

int
main(void)
{
	int listener = listen_on_loopback();

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		connections[i].fd = -1;
	for (;;) {
		struct pollfd p[CONNECTIONS_MAX + 2];

		p[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
		p[1] = (struct pollfd){.fd = listener, .events = POLLIN};
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			p[2 + i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
		if (poll(p, CONNECTIONS_MAX + 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (p[0].revents != 0)
			return 0;
		if (p[1].revents != 0)
			take(listener);
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			if (p[2 + i].fd >= 0 && p[2 + i].revents != 0 && !serve(&connections[i])) {
				(void)close(connections[i].fd);
				connections[i].fd = -1;
			}
	}
}
