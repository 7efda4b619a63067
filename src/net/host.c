/* SPDX-License-Identifier: Apache-2.0 */
/* Possible hosts: overrides of the configuration, else {ec2,sts}.REGION.SUFFIX of the regions it allows. */
#include "host.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/mutate.h>
#include <sgwarden/plan.h>

/* The digits of a port and nothing behind them. */
static bool
port_ok(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= 5 && text[n] == 0;
}

bool
host_is_loopback(const char *host)
{
	size_t len = strcspn(host, ":");
	struct rec_cidr cidr;

	if (strncmp(host, "[::1]", 5) == 0)
		len = 5;
	else if (memchr(host, '/', len) != NULL || cidr_parse(host, len, &cidr) != CIDR_OK ||
		 cidr.family != 4 || cidr.addr[0] != 127)
		return false;
	return host[len] == 0 || (host[len] == ':' && port_ok(host + len + 1));
}

/* Does scheme://host[:port][/] name this host over this transport? */
static bool
endpoint_is(const char *endpoint, const char *host, bool tls)
{
	const char *scheme = tls ? "https://" : "http://";
	size_t n = strlen(scheme), len = strlen(host);

	if (strncmp(endpoint, scheme, n) != 0 || strncmp(endpoint + n, host, len) != 0)
		return false;
	endpoint += n + len;
	return endpoint[0] == 0 || (endpoint[0] == '/' && endpoint[1] == 0);
}

static bool
regional_is(const struct rec_profile_conf *profile, const char *service, const char *host)
{
	for (size_t i = 0; i < profile->n_regions; i++) {
		const char *region = profile->regions[i].name, *suffix = region_suffix(region);
		char name[SGW_HOST_MAX + 1];

		if (suffix == NULL)
			continue;
		(void)snprintf(name, sizeof(name), "%s.%s.%s", service, region, suffix);
		if (strcmp(name, host) == 0)
			return true;
	}
	return false;
}

static bool
service_is(const struct rec_profile_conf *profile, const char *service, const char *override,
    const char *host, bool tls)
{
	if (override[0] != 0)
		return endpoint_is(override, host, tls);
	return tls && regional_is(profile, service, host);
}

bool
host_possible(const struct rec_config *config, const char *host, bool tls)
{
	if (host[0] == 0)
		return false;
	if (!tls && !(config->http_loopback && host_is_loopback(host)) && !MUTATE(PLAINTEXT))
		return false;
	for (size_t i = 0; i < config->n_profiles; i++) {
		const struct rec_profile_conf *profile = &config->profiles[i];

		if (service_is(profile, "ec2", profile->ec2_endpoint, host, tls) ||
		    service_is(profile, "sts", profile->sts_endpoint, host, tls))
			return true;
	}
	return false;
}

bool
host_source_possible(const struct rec_config *config, const char *url)
{
	char host[SGW_HOST_MAX + 1];

	if (strncmp(url, "https://", 8) == 0)
		return true;
	return strncmp(url, "http://", 7) == 0 && config->http_loopback &&
	       field_copy(host, sizeof(host), url + 7, strcspn(url + 7, "/")) &&
	       host_is_loopback(host);
}
