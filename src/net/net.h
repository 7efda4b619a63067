/* SPDX-License-Identifier: Apache-2.0 */
/* What the whole process holds, and one HTTP exchange. */
#ifndef SGWARDEN_NET_NET_H
#define SGWARDEN_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <sgwarden/ports.h>
#include <sgwarden/wire.h>

#define NET_EXCHANGES_MAX 64   /* at once; more are refused */
#define NET_LOOKUPS_MAX 12     /* two rounds of every source in each family */
#define NET_CONNECTIONS_MAX 16 /* at once; more exchanges wait inside their own timeout */
#define NET_IDLE_MAX 8         /* connections kept for the next request */
#define NET_CONNECT_MS 10000
#define NET_TIMEOUT_MAX_MS 120000
#define NET_SLOW_BYTES 16   /* a second: slower than this … */
#define NET_SLOW_SECONDS 20 /* … for so long is no answer */
#define NET_CA_MAX (1u << 20)

struct exchange;

struct net {
	CURLM *multi;
	struct chan control, broker, planner;
	struct rec_config config;
	struct ports ports;  /* that it may connect to */
	bool configured;     /* CELL came; before that nothing is read from the broker */
	bool broken;         /* a reader is gone or stuck: the process ends */
	unsigned long salt;  /* of expat's hash tables */
	struct curl_blob ca; /* the CA bundle, PEM */
	unsigned lookups;    /* under way */
	struct exchange *exchanges[NET_EXCHANGES_MAX];
	struct msg msg;
	uint8_t scratch[SGW_DATAGRAM_MAX];
};

/* Starts what SEND asks for, or says at once why it was not sent.  `send` may lie in net->msg, which is then used. */
void exchange_start(struct net *net, const struct msg_send *send);
/* Starts what ASK_SOURCE asks for, or says at once that nothing was heard.  `m` may lie in net->msg. */
void lookup_start(struct net *net, const struct msg_ask_source *m);

#endif
