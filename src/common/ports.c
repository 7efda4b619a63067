/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of TCP ports; see ports.h. */
#include <sgwarden/ports.h>

#include <stdio.h>
#include <string.h>

bool
ports_have(const struct ports *ports, uint16_t port)
{
	for (unsigned i = 0; i < ports->n; i++) {
		if (ports->port[i] == port)
			return true;
	}
	return false;
}

bool
ports_add(struct ports *ports, uint16_t port)
{
	unsigned at = 0;

	if (ports_have(ports, port))
		return true;
	if (port == 0 || ports->n == SGW_PORTS_MAX)
		return false;
	while (at < ports->n && ports->port[at] < port)
		at++;
	memmove(&ports->port[at + 1], &ports->port[at], (ports->n - at) * sizeof(port));
	ports->port[at] = port;
	ports->n++;
	return true;
}

void
ports_print(const struct ports *ports, char ret_text[PORTS_TEXT_MAX])
{
	size_t len = 0;

	ret_text[0] = 0;
	for (unsigned i = 0; i < ports->n; i++)
		len += (size_t)snprintf(ret_text + len, PORTS_TEXT_MAX - len, "%s%u",
		    i == 0 ? "" : ",", ports->port[i]);
}

/* One to five digits, no leading zero; 0 where it is none. */
static uint16_t
port_parse(const char *text, size_t len)
{
	unsigned long port = 0;

	if (len < 1 || len > 5 || text[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = port * 10 + (unsigned long)(text[i] - '0');
	}
	return port > UINT16_MAX ? 0 : (uint16_t)port;
}

bool
ports_parse(const char *text, struct ports *ret_ports)
{
	struct ports ports = {0};

	for (;;) {
		size_t len = strcspn(text, ",");
		uint16_t port = port_parse(text, len);

		if (port == 0 || ports.n == SGW_PORTS_MAX ||
		    (ports.n > 0 && port <= ports.port[ports.n - 1]))
			return false;
		ports.port[ports.n++] = port;
		if (text[len] == 0)
			break;
		text += len + 1;
	}
	*ret_ports = ports;
	return true;
}

uint16_t
ports_url(const char *url)
{
	bool tls = strncmp(url, "https://", 8) == 0;
	const char *host = url + (tls ? 8 : 7), *end, *colon;

	if (!tls && strncmp(url, "http://", 7) != 0)
		return 0;
	end = host + strcspn(host, "/");
	if (host[0] == '[')
		host = memchr(host, ']', (size_t)(end - host));
	if (host == NULL)
		return 0;
	colon = memchr(host, ':', (size_t)(end - host));
	if (colon == NULL)
		return tls ? 443 : 80;
	return port_parse(colon + 1, (size_t)(end - colon - 1));
}
