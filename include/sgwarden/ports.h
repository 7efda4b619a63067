/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP ports that net may connect to: what the configuration needs, what net's command line says, what Landlock leaves
 * it.  A set is sorted and holds each port once, so it has one form as text: "53,443".
 */
#ifndef SGWARDEN_PORTS_H
#define SGWARDEN_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/limits.h>

#define PORT_DNS 53
#define PORTS_TEXT_MAX                                                                             \
	(6 * SGW_PORTS_MAX) /* five digits and a comma each; the last comma is the NUL */

struct ports {
	unsigned n;
	uint16_t port[SGW_PORTS_MAX];
};

/* False where there is no room, or port is 0. */
bool ports_add(struct ports *ports, uint16_t port);
bool ports_have(const struct ports *ports, uint16_t port);
void ports_print(const struct ports *ports, char ret_text[PORTS_TEXT_MAX]);

/* Takes what ports_print() writes of a set that is not empty, and nothing else.  Otherwise *ret_ports is untouched. */
bool ports_parse(const char *text, struct ports *ret_ports);

/* The port of http(s)://host[:port][/path]; 0 where it is no such URL. */
uint16_t ports_url(const char *url);

struct rec_config;

/*
 * Every port that net connects to under this configuration: the endpoints of its profiles (443 where AWS's own are
 * meant), its proxy, its sources of the own address, and name servers.
 */
void ports_of_config(const struct rec_config *config, struct ports *ret_ports);

#endif
