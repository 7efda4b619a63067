/* SPDX-License-Identifier: Apache-2.0 */
/* Which TCP ports a configuration needs. */
#include <sgwarden/ports.h>
#include <sgwarden/wire.h>

#define PORT_HTTPS 443

_Static_assert(SGW_PORTS_MAX >= 2 * SGW_PROFILES_MAX + SGW_ADDRESS_SOURCES_MAX + 2,
    "every endpoint, every source, the proxy and DNS have room");

/* AWS's own name where there is no override. */
static void
endpoint_add(struct ports *ports, const char *override)
{
	(void)ports_add(ports, override[0] != 0 ? ports_url(override) : PORT_HTTPS);
}

void
ports_of_config(const struct rec_config *config, struct ports *ret_ports)
{
	*ret_ports = (struct ports){0};
	(void)ports_add(ret_ports, PORT_DNS);
	for (size_t i = 0; i < config->n_profiles; i++) {
		endpoint_add(ret_ports, config->profiles[i].ec2_endpoint);
		endpoint_add(ret_ports, config->profiles[i].sts_endpoint);
	}
	for (size_t i = 0; i < config->n_address_sources; i++)
		(void)ports_add(ret_ports, ports_url(config->address_sources[i].url));
	if (config->proxy[0] != 0)
		(void)ports_add(ret_ports, ports_url(config->proxy));
}
