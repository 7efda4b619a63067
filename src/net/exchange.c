/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange: POST / with exactly the signed body and headers, the answer straight into the parser, and an honest
 * word on what became of it.
 *
 * NOT_SENT is said only where libcurl never came to the point of sending (CURLOPT_PREREQFUNCTION: name, connection
 * and TLS handshake are behind it then).  libcurl sends a request a second time by itself in one case alone: a kept
 * connection turns out to be dead.  Calls that change something therefore never take a kept connection.
 */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

#include "answer.h"
#include "header.h"
#include "host.h"
#include "transport.h"

#define USER_AGENT "sgwarden/" SGW_VERSION
#define URL_MAX (SGW_HOST_MAX + 16)

struct exchange {
	struct transfer transfer; /* first: libcurl's private pointer */
	struct net *net;
	struct chan *to; /* who gets the answer */
	CURL *easy;
	struct curl_slist *headers;
	bool left;     /* the request may have begun to leave this machine */
	int64_t until; /* boot clock ms: what ends later was under way while the machine slept */
	int64_t server_date;
	char request_id[SGW_AWS_CODE_MAX + 1]; /* of the head; the body's own comes first */
	char error[CURL_ERROR_SIZE];
	struct answer_sink sink;
	struct answer answer;
};

/* ---- libcurl's callbacks ---- */

static int
on_ready_to_send(void *context, char *remote, char *local, int remote_port, int local_port)
{
	struct exchange *x = context;

	x->left = true;
	return CURL_PREREQFUNC_OK;
}

static bool
value_is(const char *value, size_t len, const char *want)
{
	return len == strlen(want) && strncasecmp(value, want, len) == 0;
}

/* Nothing was asked to be compressed, and nothing compressed is taken. */
static size_t
on_header(char *line, size_t size, size_t n, void *context)
{
	struct exchange *x = context;
	const char *value;
	size_t len;

	if (header_is(line, n, "Content-Encoding", &value, &len) &&
	    !value_is(value, len, "identity"))
		answer_fail(&x->answer, "it is encoded", "Content-Encoding");
	else if (header_is(line, n, "Transfer-Encoding", &value, &len) &&
		 !value_is(value, len, "chunked"))
		answer_fail(&x->answer, "it is encoded", "Transfer-Encoding");
	else if (header_is(line, n, "Date", &value, &len))
		(void)http_date_parse(value, len, &x->server_date);
	else if (header_is(line, n, "x-amzn-RequestId", &value, &len) && text_is_ascii(value, len))
		(void)field_copy(x->request_id, sizeof(x->request_id), value, len);
	return x->answer.why == NULL ? n : 0;
}

static size_t
on_body(char *data, size_t size, size_t n, void *context)
{
	struct exchange *x = context;

	return answer_feed(&x->answer, data, n) ? n : CURL_WRITEFUNC_ERROR;
}

static bool
on_page(void *context, const struct msg *m)
{
	struct exchange *x = context;

	if (chan_send(x->to, x->net->scratch, m, -1, false) < 0)
		x->net->broken = true;
	return !x->net->broken;
}

/* ---- how it is sent ---- */

#define SET(x, option, value) (curl_easy_setopt((x)->easy, (option), (value)) == CURLE_OK)

static bool
add_header(struct exchange *x, const char *name, const char *value)
{
	char line[SGW_SESSION_TOKEN_MAX + 64];
	struct curl_slist *more;

	if (snprintf(line, sizeof(line), "%s: %s", name, value) >= (int)sizeof(line))
		return false;
	more = curl_slist_append(x->headers, line);
	if (more == NULL)
		return false;
	x->headers = more;
	return true;
}

static void
url_of(const struct msg_send *send, char ret_url[URL_MAX])
{
	(void)snprintf(ret_url, URL_MAX, "%s://%s/", send->tls ? "https" : "http", send->host);
}

/* Exactly what the signature covers, and a name; libcurl's own Accept and Expect are taken out. */
static bool
set_request(struct exchange *x, const struct msg_send *send)
{
	char url[URL_MAX];

	url_of(send, url);
	return add_header(x, "Host", send->host) &&
	       add_header(x, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8") &&
	       add_header(x, "X-Amz-Date", send->amz_date) &&
	       add_header(x, "Authorization", send->authorization) &&
	       (send->token[0] == 0 || add_header(x, "X-Amz-Security-Token", send->token)) &&
	       add_header(x, "Accept", "") && add_header(x, "Expect", "") &&
	       SET(x, CURLOPT_HTTPHEADER, x->headers) && SET(x, CURLOPT_URL, url) &&
	       SET(x, CURLOPT_USERAGENT, USER_AGENT) && SET(x, CURLOPT_POST, 1L) &&
	       SET(x, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)send->body_len) &&
	       SET(x, CURLOPT_COPYPOSTFIELDS, (const char *)send->body);
}

static bool
set_exchange(struct exchange *x, const struct msg_send *send)
{
	bool writes = send->op == AWS_AUTHORIZE_INGRESS || send->op == AWS_REVOKE_INGRESS;
	long timeout = send->timeout > NET_TIMEOUT_MAX_MS || send->timeout == 0
			   ? NET_TIMEOUT_MAX_MS
			   : (long)send->timeout;

	x->until = clock_monotonic() + timeout;
	return SET(x, CURLOPT_FRESH_CONNECT, (long)writes) && SET(x, CURLOPT_TIMEOUT_MS, timeout) &&
	       SET(x, CURLOPT_PRIVATE, (void *)&x->transfer) &&
	       SET(x, CURLOPT_ERRORBUFFER, x->error) &&
	       SET(x, CURLOPT_PREREQFUNCTION, on_ready_to_send) &&
	       SET(x, CURLOPT_PREREQDATA, (void *)x) && SET(x, CURLOPT_HEADERFUNCTION, on_header) &&
	       SET(x, CURLOPT_HEADERDATA, (void *)x) && SET(x, CURLOPT_WRITEFUNCTION, on_body) &&
	       SET(x, CURLOPT_WRITEDATA, (void *)x);
}

/* ---- how it ended ---- */

/* "our words: path" or libcurl's words, printable and cut. */
static void
say(struct msg_done *done, const char *text, const char *where)
{
	char line[CURL_ERROR_SIZE + 256];

	(void)snprintf(line, sizeof(line), "%s%s%s", text, where != NULL ? ": " : "",
	    where != NULL ? where : "");
	(void)vis(done->message, sizeof(done->message), line, strlen(line));
}

static void
take_answer(struct exchange *x, struct msg_done *done)
{
	struct answer *a = &x->answer;

	(void)FIELD_SET(done->next_token, a->next_token);
	(void)FIELD_SET(done->code, a->code);
	(void)FIELD_SET(done->message, a->message);
	if (a->request_id[0] != 0)
		(void)FIELD_SET(done->aws_request_id, a->request_id);
	if (a->unknown > 0)
		(void)FIELD_SET(done->code, "UnknownIpPermissions");
}

static enum net_outcome
outcome_of(struct exchange *x, CURLcode result, struct msg_done *done)
{
	struct answer *a = &x->answer;

	if (a->why == NULL && result != CURLE_OK) {
		say(done, x->error[0] != 0 ? x->error : curl_easy_strerror(result), NULL);
		return x->left ? NET_NO_ANSWER : NET_NOT_SENT;
	}
	if (answer_finish(a) && a->shape->error == (done->http_status == 200))
		answer_fail(a, "the HTTP status and the body disagree", NULL);
	if (a->why != NULL) {
		say(done, a->why, a->where);
		return NET_BAD_ANSWER;
	}
	take_answer(x, done);
	return NET_ANSWERED;
}

static void
send_done(struct net *net, struct chan *to)
{
	const struct msg_done *done = &net->msg.done;

	if (done->outcome != NET_ANSWERED)
		log_notice("request %u: outcome %d, HTTP %u: %s", done->request, (int)done->outcome,
		    done->http_status, done->message);
	if (chan_send(to, net->scratch, &net->msg, -1, false) < 0)
		net->broken = true;
}

/* The planner's answers pass the broker by, which signs for AWS's time: of a refusal it hears that time. */
static void
send_date(const struct exchange *x)
{
	struct net *net = x->net;
	const struct msg_done *done = &net->msg.done;

	if (x->to == &net->broker || done->outcome != NET_ANSWERED || done->code[0] == 0 ||
	    x->server_date == 0 || clock_monotonic() > x->until)
		return;
	net->msg.id = MSG_AWS_DATE;
	net->msg.aws_date.server_date = x->server_date;
	if (chan_send(&net->broker, net->scratch, &net->msg, -1, false) < 0)
		net->broken = true;
}

static void
exchange_free(struct exchange *x)
{
	curl_easy_cleanup(x->easy);
	curl_slist_free_all(x->headers);
	answer_close(&x->answer);
	free(x);
}

static struct exchange **
slot_of(struct net *net, const struct exchange *x)
{
	for (size_t i = 0; i < NET_EXCHANGES_MAX; i++) {
		if (net->exchanges[i] == x)
			return &net->exchanges[i];
	}
	return NULL;
}

static void
exchange_finish(struct transfer *t, CURLcode result)
{
	struct exchange *x = (struct exchange *)(void *)t;
	struct net *net = x->net;
	struct msg_done *done = &net->msg.done;
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_multi_remove_handle(net->multi, x->easy);
	memset(done, 0, sizeof(*done));
	net->msg.id = MSG_DONE;
	done->request = x->answer.request;
	done->http_status = (uint16_t)status;
	done->server_date = x->server_date;
	(void)FIELD_SET(done->aws_request_id, x->request_id);
	done->outcome = outcome_of(x, result, done);
	send_done(net, x->to);
	send_date(x);
	*slot_of(net, x) = NULL;
	exchange_free(x);
}

/* ---- how it begins ---- */

static const char *
proxy_for(const struct net *net, const char *host)
{
	return host_is_loopback(host) ? "" : net->config.proxy;
}

/* Landlock refuses any other port where the kernel has it; here it is said why. */
static bool
port_allowed(const struct net *net, const struct msg_send *send)
{
	const char *proxy = proxy_for(net, send->host);
	char url[URL_MAX];

	url_of(send, url);
	return ports_have(&net->ports, ports_url(proxy[0] != 0 ? proxy : url)) ||
	       MUTATE(NET_PORT_ASKED);
}

static const char *
exchange_prepare(struct exchange *x, const struct msg_send *send)
{
	struct net *net = x->net;
	const char *proxy = proxy_for(net, send->host);

	x->sink = (struct answer_sink){.page = on_page, .context = x};
	x->easy = curl_easy_init();
	if (x->easy == NULL ||
	    !answer_open(&x->answer, send->op, send->request, net->salt, &x->sink))
		return "no memory";
	if (!transport_set(x->easy, net, send->tls, proxy) || !set_request(x, send) ||
	    !set_exchange(x, send))
		return "libcurl refuses an option";
	if (curl_multi_add_handle(net->multi, x->easy) != CURLM_OK)
		return "libcurl refuses the exchange";
	return NULL;
}

static void
not_sent(struct net *net, uint32_t request, struct chan *to, const char *why)
{
	struct msg_done *done = &net->msg.done;

	memset(done, 0, sizeof(*done));
	net->msg.id = MSG_DONE;
	done->request = request;
	done->outcome = NET_NOT_SENT;
	say(done, why, NULL);
	send_done(net, to);
}

void
exchange_start(struct net *net, const struct msg_send *send)
{
	struct chan *to = send->to_planner ? &net->planner : &net->broker;
	struct exchange **slot = slot_of(net, NULL), *x;
	uint32_t request = send->request;
	const char *why;

	if (!host_possible(&net->config, send->host, send->tls)) {
		not_sent(net, request, to, "the configuration does not make this host possible");
		return;
	}
	if (!port_allowed(net, send)) {
		not_sent(net, request, to,
		    "its TCP port is not among SGWARDEN_NET_PORTS of sgwarden-net@.service");
		return;
	}
	x = slot != NULL ? malloc(sizeof(*x)) : NULL;
	if (x == NULL) {
		not_sent(net, request, to, "too much is under way");
		return;
	}
	memset(x, 0, offsetof(struct exchange, answer)); /* answer_open() begins that */
	x->answer.parser = NULL;
	x->transfer.finish = exchange_finish;
	x->net = net;
	x->to = to;
	why = exchange_prepare(x, send);
	if (why != NULL) {
		exchange_free(x);
		not_sent(net, request, to, why);
		return;
	}
	*slot = x;
}
