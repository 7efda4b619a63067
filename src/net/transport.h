/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every connection that this process makes, whatever it is for. */
#ifndef SGWARDEN_NET_TRANSPORT_H
#define SGWARDEN_NET_TRANSPORT_H

#include <stdbool.h>

#include <curl/curl.h>

struct net;

/* What libcurl's CURLOPT_PRIVATE points to: the first member of whatever is under way. */
struct transfer {
	void (*finish)(
	    struct transfer *t, CURLcode result); /* decides what became of it, says so, frees it */
};

/*
 * TLS by the configured bundle alone, no redirect, no netrc, no proxy but the given one ("" for none), nothing of the
 * environment.  False where libcurl refuses an option.
 */
bool transport_set(CURL *easy, struct net *net, bool tls, const char *proxy);

#endif
