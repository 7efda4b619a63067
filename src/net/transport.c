/* SPDX-License-Identifier: Apache-2.0 */
/* Options of libcurl that every transfer has; see transport.h. */
#include "transport.h"

#include "net.h"

#include <sgwarden/mutate.h>

static const struct {
	CURLoption option;
	long value;
} FIXED_OPTIONS[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_HTTP_CONTENT_DECODING, 0},
    {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    {CURLOPT_CONNECTTIMEOUT_MS, NET_CONNECT_MS},
    {CURLOPT_LOW_SPEED_LIMIT, NET_SLOW_BYTES},
    {CURLOPT_LOW_SPEED_TIME, NET_SLOW_SECONDS},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_PROXY_SSL_VERIFYPEER, 1},
    {CURLOPT_PROXY_SSL_VERIFYHOST, 2},
};

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

/*
 * The configured bundle is the only trust: an empty path keeps libcurl's built-in directory out.  libcurl copies the
 * bundle for each request, so it is given only where there is TLS to check with it.
 */
bool
transport_set(CURL *easy, struct net *net, bool tls, const char *proxy)
{
	for (size_t i = 0; i < sizeof(FIXED_OPTIONS) / sizeof(FIXED_OPTIONS[0]); i++) {
		if ((FIXED_OPTIONS[i].option == CURLOPT_SSL_VERIFYPEER && MUTATE(TLS_AUTHORITY)) ||
		    (FIXED_OPTIONS[i].option == CURLOPT_SSL_VERIFYHOST && MUTATE(TLS_NAME)) ||
		    (FIXED_OPTIONS[i].option == CURLOPT_FOLLOWLOCATION && MUTATE(REDIRECT))) {
			(void)SET(FIXED_OPTIONS[i].option,
			    FIXED_OPTIONS[i].option == CURLOPT_FOLLOWLOCATION);
			continue;
		}
		if (!SET(FIXED_OPTIONS[i].option, FIXED_OPTIONS[i].value))
			return false;
	}
	return SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http") && SET(CURLOPT_PROXY, proxy) &&
	       SET(CURLOPT_NOPROXY, "") && SET(CURLOPT_CAPATH, NULL) &&
	       (!tls || SET(CURLOPT_CAINFO_BLOB, &net->ca)) && SET(CURLOPT_PROXY_CAPATH, NULL) &&
	       (proxy[0] == 0 || SET(CURLOPT_PROXY_CAINFO_BLOB, &net->ca));
}
