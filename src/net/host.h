/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts the configuration makes possible.  The broker asks for no other; a bug there, or a lie, ends here. */
#ifndef SGWARDEN_NET_HOST_H
#define SGWARDEN_NET_HOST_H

#include <stdbool.h>

#include <sgwarden/wire.h>

/* host[:port] is a literal address of this machine: 127.0.0.0/8 or [::1]. */
bool host_is_loopback(const char *host);

/*
 * Is host[:port] an endpoint of some profile: its override, or EC2's or STS's regional name in an allowed region?
 * Without tls only a loopback address will do, and only where the configuration allows http.
 */
bool host_possible(const struct rec_config *config, const char *host, bool tls);

/* Is it https, or http to a loopback address where the configuration allows that? */
bool host_source_possible(const struct rec_config *config, const char *url);

#endif
