/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of single values of config.json. */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool
port_ok(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= 5 && text[n] == 0 && text[0] != '0' && strtol(text, NULL, 10) <= 65535;
}

/* Labels of lower-case letters, digits and '-' (RFC 1123), or an IPv4 address; or an IPv6 address in brackets. */
static bool
host_ok(const char *host, size_t len)
{
	char copy[SGW_HOST_MAX + 1];
	struct in6_addr v6;
	bool label = false;

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, host, len);
	copy[len] = 0;
	if (copy[0] == '[') {
		if (copy[len - 1] != ']')
			return false;
		copy[len - 1] = 0;
		return inet_pton(AF_INET6, copy + 1, &v6) == 1;
	}
	for (const char *p = copy; *p; p++) {
		bool edge = !label || !p[1] || p[1] == '.';

		if (*p == '.' ? !label
			      : !strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *p) ||
				    (*p == '-' && edge))
			return false;
		label = *p != '.';
	}
	return label;
}

static bool
host_is_loopback(const char *host, size_t len)
{
	char copy[INET_ADDRSTRLEN];
	struct in_addr v4;

	if (len == 5 && memcmp(host, "[::1]", 5) == 0)
		return true;
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, host, len);
	copy[len] = 0;
	return inet_pton(AF_INET, copy, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* host[:port] with nothing behind it; ret_len is the host's. */
static bool
authority_ok(const char *text, size_t *ret_len)
{
	size_t len = *text == '[' ? strcspn(text, "]") : strcspn(text, ":");

	if (*text == '[')
		len += text[len] == ']';
	*ret_len = len;
	return host_ok(text, len) &&
	       (text[len] == 0 || (text[len] == ':' && port_ok(text + len + 1)));
}

const char *
endpoint_problem(const char *url, bool http_loopback)
{
	bool http = strncmp(url, "http://", 7) == 0;
	const char *authority = url + (http ? 7 : 8);
	size_t len;

	if (strlen(url) > SGW_HOST_MAX)
		return "longer than 255 bytes";
	if (!http && strncmp(url, "https://", 8) != 0)
		return "an endpoint is https://host or https://host:port, nothing behind it";
	if (!authority_ok(authority, &len))
		return "the host is not of the form host or host:port, in lower case, with nothing "
		       "behind it";
	if (http && !host_is_loopback(authority, len))
		return "http:// is allowed to 127.x.x.x and [::1] alone: use https://";
	if (http && !http_loopback)
		return "http:// to loopback needs \"http_loopback\": true";
	return NULL;
}

const char *
source_problem(const char *url, bool http_loopback)
{
	static const char ALLOWED[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._~-";
	char endpoint[SGW_HOST_MAX + 1];
	const char *authority = strstr(url, "://");
	size_t len = authority ? strcspn(authority + 3, "/") + (size_t)(authority + 3 - url) : 0;

	if (strlen(url) > SGW_HOST_MAX)
		return "longer than 255 bytes";
	memcpy(endpoint, url, len);
	endpoint[len] = 0;
	if (endpoint_problem(endpoint, http_loopback))
		return authority ? endpoint_problem(endpoint, http_loopback)
				 : "a source is https://host or https://host/path";
	if (strspn(url + len, ALLOWED) != strlen(url + len))
		return "a source's path has letters, digits, / . _ ~ and - alone: no query";
	return NULL;
}

bool
sources_same(const char *a, const char *b)
{
	const char *host_a = strstr(a, "://") + 3, *host_b = strstr(b, "://") + 3;
	size_t len_a = strcspn(host_a, ":/"), len_b = strcspn(host_b, ":/");

	if (*host_a == '[')
		len_a = strcspn(host_a, "]") + 1;
	if (*host_b == '[')
		len_b = strcspn(host_b, "]") + 1;
	if (host_is_loopback(host_a, len_a))
		return strcmp(a, b) == 0;
	return len_a == len_b && memcmp(host_a, host_b, len_a) == 0;
}

const char *
proxy_problem(const char *url)
{
	bool http = strncmp(url, "http://", 7) == 0;
	const char *authority = url + (http ? 7 : 8);
	size_t len;

	if (strlen(url) > 240)
		return "longer than 240 bytes";
	if (!http && strncmp(url, "https://", 8) != 0)
		return "a proxy is http://host:port or https://host:port";
	if (strchr(authority, '@'))
		return "a proxy with a user name or password is not supported: secrets do not "
		       "belong in this file";
	if (!authority_ok(authority, &len) || authority[len] != ':')
		return "a proxy is http://host:port or https://host:port";
	return NULL;
}

const char *
profile_name_problem(const char *name)
{
	static const char ALLOWED[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+=:/-";
	size_t len = strlen(name);

	if (len == 0 || len > SGW_PROFILE_MAX || strspn(name, ALLOWED) != len)
		return "a profile's name has 1 to 64 letters, digits or any of . _ @ + = : / -";
	return NULL;
}
