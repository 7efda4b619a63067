/* SPDX-License-Identifier: Apache-2.0 */
/* Names for ports: those that are built in, and those that a policy gives. */
#include <sgwarden/policy.h>

#include <string.h>

static const struct rec_named_service BUILT_IN[] = {
    {"ssh", {PROTO_TCP, 22, 22}},
    {"http", {PROTO_TCP, 80, 80}},
    {"https", {PROTO_TCP, 443, 443}},
    {"rdp", {PROTO_TCP, 3389, 3389}},
    {"postgres", {PROTO_TCP, 5432, 5432}},
    {"mysql", {PROTO_TCP, 3306, 3306}},
    {"mssql", {PROTO_TCP, 1433, 1433}},
    {"redis", {PROTO_TCP, 6379, 6379}},
    {"mongodb", {PROTO_TCP, 27017, 27017}},
    {"wireguard", {PROTO_UDP, 51820, 51820}},
    {"icmp", {PROTO_ICMP, -1, -1}},
    {"icmpv6", {PROTO_ICMPV6, -1, -1}},
    {"all", {PROTO_ALL, -1, -1}},
};

const char SERVICE_NAMES[] =
    "ssh, http, https, rdp, postgres, mysql, mssql, redis, mongodb, wireguard";

static const struct rec_service *
find(const struct rec_named_service *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i].ports;
	return NULL;
}

const struct rec_service *
service_builtin(const char *name)
{
	return find(BUILT_IN, sizeof(BUILT_IN) / sizeof(BUILT_IN[0]), name);
}

const struct rec_service *
policy_service(const struct rec_policy *policy, const char *name)
{
	return find(policy->services, policy->n_services, name);
}

bool
service_name_ok(const char *name)
{
	size_t n = strnlen(name, SGW_SERVICE_MAX + 1);

	return n >= 1 && n <= SGW_SERVICE_MAX && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}
