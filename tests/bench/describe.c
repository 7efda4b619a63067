/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeSecurityGroupRules against the canned server: through client, planner, broker (which signs) and net, with the
 * cache off; beside it one bare loop that signs with the broker's own code, asks with libcurl over a kept connection and
 * reads with expat; and expat alone over the same bytes.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <expat.h>

#include "canned.h"
#include "sigv4.h"

struct bare {
	const char *endpoint; /* http://127.0.0.1:PORT */
	const char *host;
	CURL *easy;
	char body[256];
	unsigned rules; /* seen */
	struct text xml;
};

static void XMLCALL
on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct bare *b = context;

	b->rules += strcmp(name, "securityGroupRuleId") == 0;
}

static void XMLCALL
on_end(void *context, const XML_Char *name)
{
}

static void XMLCALL
on_text(void *context, const XML_Char *text, int len)
{
}

static XML_Parser
parser_new(struct bare *b)
{
	XML_Parser p = XML_ParserCreate(NULL);

	if (p == NULL)
		die("memory");
	XML_SetUserData(p, b);
	XML_SetElementHandler(p, on_start, on_end);
	XML_SetCharacterDataHandler(p, on_text);
	return p;
}

static size_t
on_body(char *data, size_t size, size_t n, void *context)
{
	return XML_Parse(context, data, (int)n, 0) == XML_STATUS_OK ? n : 0;
}

static struct curl_slist *
headers_for(struct bare *b)
{
	static const struct sigv4_keys keys = {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
	    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	    .token = ""};
	char date[SIGV4_DATE_LEN], authorization[SGW_AUTHORIZATION_MAX + 1], line[1024];
	struct sigv4_post post = {.host = b->host,
	    .region = "us-east-1",
	    .service = "ec2",
	    .amz_date = date,
	    .body = b->body,
	    .body_len = strlen(b->body)};
	struct curl_slist *list;

	sigv4_date(time(NULL), date);
	if (!sigv4_sign_post(&post, &keys, authorization, sizeof(authorization)))
		die("signing");
	(void)snprintf(line, sizeof(line), "Authorization: %s", authorization);
	list = curl_slist_append(NULL, line);
	(void)snprintf(line, sizeof(line), "X-Amz-Date: %s", date);
	list = curl_slist_append(list, line);
	list = curl_slist_append(list, "Content-Type: " SIGV4_CONTENT_TYPE);
	return curl_slist_append(list, "Expect:");
}

static void
run_bare(void *context, unsigned n)
{
	struct bare *b = context;

	while (n-- > 0) {
		XML_Parser p = parser_new(b);
		struct curl_slist *headers = headers_for(b);

		b->rules = 0;
		(void)curl_easy_setopt(b->easy, CURLOPT_URL, b->endpoint);
		(void)curl_easy_setopt(b->easy, CURLOPT_HTTPHEADER, headers);
		(void)curl_easy_setopt(b->easy, CURLOPT_POSTFIELDS, b->body);
		(void)curl_easy_setopt(b->easy, CURLOPT_WRITEFUNCTION, on_body);
		(void)curl_easy_setopt(b->easy, CURLOPT_WRITEDATA, p);
		if (curl_easy_perform(b->easy) != CURLE_OK ||
		    XML_Parse(p, "", 0, 1) != XML_STATUS_OK || b->rules == 0)
			die("the bare loop");
		curl_slist_free_all(headers);
		XML_ParserFree(p);
	}
}

static void
run_expat(void *context, unsigned n)
{
	struct bare *b = context;

	while (n-- > 0) {
		XML_Parser p = parser_new(b);

		if (XML_Parse(p, b->xml.at, (int)b->xml.len, 1) != XML_STATUS_OK)
			die("expat alone");
		XML_ParserFree(p);
	}
}

/* ---- the product ---- */

struct asking {
	struct pipes *server;
	char line[512];
};

/* One rule is shown of however many are read: what is measured is the reading. */
static void
run_one_by_one(void *context, unsigned n)
{
	struct asking *a = context;

	while (n-- > 0)
		(void)ask(a->server, a->line);
}

static void
run_at_once(void *context, unsigned n)
{
	struct asking *a = context;
	size_t len = strlen(a->line);
	char *group = strstr(a->line, "sg-") + 3;
	unsigned sent = 0, got = 0;

	for (; got < n; got++) {
		for (; sent < n && sent - got < IN_FLIGHT; sent++) {
			/* an id and a group of its own: reads of one group would be made one */
			char own = (char)('1' + sent % (IN_FLIGHT + 1));

			a->line[sizeof("{\"jsonrpc\":\"2.0\",\"id\":") - 1] = own;
			group[0] = own;
			write_all(a->server->to, a->line, len);
		}
		(void)read_line(a->server);
		if (memmem(a->server->line, a->server->len, "\"isError\":true", 14) != NULL)
			die("a describe that failed");
	}
}

/*
 * The broker lets a planner order 200 reads at once and 50 a second from then on, so that AWS's request quota stays
 * the person's.  A row stays below that, and waits until it may have as many again.
 */
#define EACH_TURN 12
#define REFILL_US 4100000

/* What travels between the processes: the question, what the broker is asked, what it signed, the records, the answer. */
#define QUESTION 100
#define READ 60
#define SIGNED 900
#define RECORDS 60
#define RECORDS_RULE 120
#define ANSWER 220

static void
row(struct asking *a, const char *what, const char *limit_name, struct side limit, double target)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "describe, %s, %s", what, how());
	(void)usleep(quick ? 0 : REFILL_US);
	compare(name, limit_name, (struct side){at_once ? run_at_once : run_one_by_one, a}, limit,
	    quick ? 1 : EACH_TURN, target);
}

/* The bare loop again, with as many processes around it as a describe goes through. */
static void
row_relay(struct asking *a, struct bare *b, unsigned rules, const char *what)
{
	struct bare own = *b;
	size_t back = ask(a->server, a->line), page = RECORDS + rules * RECORDS_RULE;
	struct ring r = {.n = 7,
	    .sizes = {strlen(a->line), QUESTION, READ, SIGNED, page, ANSWER, back},
	    .worker = 3,
	    .work = {run_bare, &own}};

	own.easy = curl_easy_init(); /* a connection of its own */
	if (own.easy == NULL)
		die("libcurl");
	ring_start(&r);
	row(a, what, "that loop behind bare processes", (struct side){run_ring, &r}, 0);
	ring_end(&r);
	curl_easy_cleanup(own.easy);
}

static void
rows(struct pipes *server, struct bare *b, unsigned rules, const char *what, bool large)
{
	struct asking a = {.server = server};

	(void)snprintf(a.line, sizeof(a.line),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
	    "call\",\"params\":{\"name\":\"list_rules\","
	    "\"arguments\":{\"security_group_id\":\"" GROUP_FORM "\",\"limit\":1}}}\n",
	    rules);
	(void)snprintf(b->body, sizeof(b->body),
	    "Action=DescribeSecurityGroupRules&Version=2016-11-15&Filter.1.Name=group-id&"
	    "Filter.1.Value.1=" GROUP_FORM "&MaxResults=1000",
	    rules);
	b->xml.len = 0;
	canned_rules(&b->xml, rules, "");
	row(&a, what, "bare libcurl + SigV4 + expat", (struct side){run_bare, b}, large ? 0 : 0.8);
	row_relay(&a, b, rules, what);
	if (large)
		row(&a, what, "expat alone", (struct side){run_expat, b}, at_once ? 0 : 1 / 1.3);
}

int
bench_describes(const char *endpoint, char *const argv[])
{
	struct pipes server = spawn(argv, NULL, NULL);
	struct bare b = {.endpoint = endpoint, .host = endpoint + sizeof("http://") - 1};

	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	b.easy = curl_easy_init();
	if (b.easy == NULL)
		die("libcurl");
	(void)handshake(&server);
	rows(&server, &b, CANNED_SMALL, "7 KB", false);
	rows(&server, &b, CANNED_LARGE, "513 KB", true);
	curl_easy_cleanup(b.easy);
	curl_global_cleanup();
	free(b.xml.at);
	end(&server);
	return 0;
}
