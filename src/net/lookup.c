/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks one source from which address this machine is seen: GET, over one family alone, with nothing in the request
 * that is anybody's.  It has nothing of exchange.c but the transport: no header, no body, no credential can come here.
 *
 * Past a proxy: that one's own address would be the answer.
 */
#include "net.h"

#include <stdlib.h>
#include <string.h>

#include <sgwarden/address.h>
#include <sgwarden/log.h>

#include "host.h"
#include "transport.h"

#define USER_AGENT "sgwarden/" SGW_VERSION
#define HEAD_MAX 16384                         /* bytes of an answer's head */
#define BODY_MAX (SGW_ADDRESS_ANSWER_MAX + 64) /* white space included */

struct lookup {
	struct transfer transfer; /* first: libcurl's private pointer */
	struct net *net;
	CURL *easy;
	struct curl_slist *headers;
	uint32_t request;
	enum ip_family family;
	bool too_long;
	size_t head_len, body_len;
	char body[BODY_MAX];
};

static size_t
on_header(char *line, size_t size, size_t n, void *context)
{
	struct lookup *l = context;

	l->head_len += n;
	l->too_long = l->head_len > HEAD_MAX;
	return l->too_long ? 0 : n;
}

static size_t
on_body(char *data, size_t size, size_t n, void *context)
{
	struct lookup *l = context;

	if (n > sizeof(l->body) - l->body_len) {
		l->too_long = true;
		return CURL_WRITEFUNC_ERROR;
	}
	memcpy(l->body + l->body_len, data, n);
	l->body_len += n;
	return n;
}

/* What was asked over the other family is no answer, whatever libcurl's caches did. */
static bool
family_kept(struct lookup *l)
{
	const char *remote = NULL;

	return curl_easy_getinfo(l->easy, CURLINFO_PRIMARY_IP, &remote) == CURLE_OK &&
	       remote != NULL && (strchr(remote, ':') != NULL) == (l->family == IP_V6);
}

static void
judge(struct lookup *l, CURLcode result, struct rec_seen *ret_seen)
{
	long status = 0;

	*ret_seen = (struct rec_seen){.state = SEEN_UNREACHABLE};
	ret_seen->address.family = l->family == IP_V4 ? 4 : 6;
	(void)curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &status);
	if (l->too_long)
		ret_seen->state = SEEN_NOT_AN_ADDRESS;
	else if (result != CURLE_OK || !family_kept(l))
		return;
	else if (status != 200)
		ret_seen->state = SEEN_STATUS;
	else if (address_parse(l->body, l->body_len, l->family, &ret_seen->address))
		ret_seen->state = SEEN_OK;
	else
		ret_seen->state = SEEN_NOT_AN_ADDRESS;
}

static void
tell(struct net *net, uint32_t request, const struct rec_seen *seen)
{
	net->msg.id = MSG_SEEN;
	net->msg.seen = (struct msg_seen){.request = request, .seen = *seen};
	if (chan_send(&net->broker, net->scratch, &net->msg, -1, false) < 0)
		net->broken = true;
}

static void
lookup_free(struct lookup *l)
{
	l->net->lookups--;
	curl_easy_cleanup(l->easy);
	curl_slist_free_all(l->headers);
	free(l);
}

static void
lookup_finish(struct transfer *t, CURLcode result)
{
	struct lookup *l = (struct lookup *)(void *)t;
	struct rec_seen seen;

	judge(l, result, &seen);
	(void)curl_multi_remove_handle(l->net->multi, l->easy);
	tell(l->net, l->request, &seen);
	lookup_free(l);
}

#define SET(option, value) (curl_easy_setopt(l->easy, (option), (value)) == CURLE_OK)

/* A kept connection or a cached name might be of the other family. */
static bool
lookup_set(struct lookup *l, const char *url, uint32_t timeout)
{
	long most =
	    timeout > NET_TIMEOUT_MAX_MS || timeout == 0 ? NET_TIMEOUT_MAX_MS : (long)timeout;

	l->headers = curl_slist_append(NULL, "Accept:");
	return l->headers != NULL &&
	       transport_set(l->easy, l->net, strncmp(url, "https:", 6) == 0, "") &&
	       SET(CURLOPT_HTTPGET, 1L) && SET(CURLOPT_URL, url) &&
	       SET(CURLOPT_HTTPHEADER, l->headers) && SET(CURLOPT_USERAGENT, USER_AGENT) &&
	       SET(CURLOPT_IPRESOLVE,
		   l->family == IP_V4 ? (long)CURL_IPRESOLVE_V4 : (long)CURL_IPRESOLVE_V6) &&
	       SET(CURLOPT_FRESH_CONNECT, 1L) && SET(CURLOPT_FORBID_REUSE, 1L) &&
	       SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L) && SET(CURLOPT_TIMEOUT_MS, most) &&
	       SET(CURLOPT_PRIVATE, (void *)&l->transfer) &&
	       SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, (void *)l) &&
	       SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, (void *)l);
}

static bool
lookup_begin(struct net *net, const struct msg_ask_source *m)
{
	const char *url = net->config.address_sources[m->source].url;
	struct lookup *l;

	if (!host_source_possible(&net->config, url) || !ports_have(&net->ports, ports_url(url)) ||
	    net->lookups == NET_LOOKUPS_MAX)
		return false;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return false;
	net->lookups++;
	l->transfer.finish = lookup_finish;
	l->net = net;
	l->request = m->request;
	l->family = m->family;
	l->easy = curl_easy_init();
	if (l->easy != NULL && lookup_set(l, url, m->timeout) &&
	    curl_multi_add_handle(net->multi, l->easy) == CURLM_OK)
		return true;
	lookup_free(l);
	return false;
}

void
lookup_start(struct net *net, const struct msg_ask_source *m)
{
	const struct msg_ask_source ask = *m; /* it may lie in net->msg */
	struct rec_seen nothing = {.state = SEEN_UNREACHABLE};

	nothing.address.family = ask.family == IP_V4 ? 4 : 6;
	if (ask.source >= net->config.n_address_sources) {
		log_error("the broker names a source that is not configured");
		net->broken = true;
	} else if (!lookup_begin(net, &ask))
		tell(net, ask.request, &nothing);
}
