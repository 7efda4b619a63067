/* SPDX-License-Identifier: Apache-2.0 */
/* The topology table.  Descriptors 0 and 1 (/dev/null), 2 (the log) and 3 (control) are every child's. */
#include <sgwarden/limits.h>
#include <sgwarden/ports.h>
#include <sgwarden/topology.h>

#define MIB (UINT64_C(1) << 20)
#define NS_ALONE (NS_USER | NS_NET | NS_IPC | NS_UTS)

const struct topology_row TOPOLOGY[ROLE_MAX] = {
    /* Trusted: it confines the others.  Its own unit confines it in system mode. */
    [ROLE_SUPERVISOR] =
	{
	    .role = ROLE_SUPERVISOR,
	    .name = "supervisor",
	    .executable = "sgwardend",
	    .user = "sgwarden",
	    .life = LIFE_CELL,
	},
    [ROLE_FRONT] =
	{
	    .role = ROLE_FRONT,
	    .name = "front",
	    .executable = "sgw-front",
	    .user = "sgw-front",
	    .life = LIFE_CLIENT,
	    .namespaces = NS_ALONE,
	    .fds =
		{
		    {FD_FRONT_PLANNER, FDK_SEQPACKET, "planner"},
		    {FD_FRONT_CONNECTION, FDK_SEQPACKET,
			"the client's connection, closed once its fds are in"},
		    {FD_FRONT_IN, FDK_STREAM, "the client's stdin"},
		    {FD_FRONT_OUT, FDK_STREAM, "the client's stdout"},
		},
	    .limit_nofile = 16,
	    .limit_as = 128 * MIB,
	    .limit_nproc = 1,
	},
    [ROLE_PLANNER] =
	{
	    .role = ROLE_PLANNER,
	    .name = "planner",
	    .executable = "sgw-planner",
	    .user = "sgw-planner",
	    .life = LIFE_CELL,
	    .namespaces = NS_ALONE,
	    .fds =
		{
		    {FD_PLANNER_BROKER, FDK_SEQPACKET, "broker"},
		    {FD_PLANNER_NET, FDK_SEQPACKET, "net: typed answers to reads"},
		},
	    .limit_nofile = SGW_CLIENTS_MAX + 64, /* one per front */
	    .limit_as = 256 * MIB,
	    .limit_nproc = 1,
	},
    [ROLE_BROKER] =
	{
	    .role = ROLE_BROKER,
	    .name = "broker",
	    .executable = "sgw-broker",
	    .user = "sgw-broker",
	    .life = LIFE_CELL,
	    .namespaces = NS_ALONE,
	    .fds =
		{
		    {FD_BROKER_PLANNER, FDK_SEQPACKET, "planner: questions and plans in"},
		    {FD_BROKER_NET, FDK_SEQPACKET, "net: signed requests out"},
		    {FD_BROKER_LOADER, FDK_SEQPACKET, "loader: typed records, then end"},
		    {FD_BROKER_LEDGER, FDK_REGULAR_APPEND, "the ledger"},
		    {FD_BROKER_KEYS, FDK_REGULAR_RO, "enrolled public keys"},
		    {FD_BROKER_POLICY, FDK_REGULAR_RO, "the policy that was touched for"},
		    {FD_BROKER_SEALED, FDK_REGULAR_RO, "sealed credentials"},
		    {FD_BROKER_BOOT_TIMER, FDK_TIMER, "the next closing, suspend counted"},
		    {FD_BROKER_WALL_TIMER, FDK_TIMER, "the same by the wall clock"},
		},
	    .limit_nofile = 64,
	    .limit_as = 128 * MIB,
	    .limit_nproc = 1,
	    .limit_memlock = 8 * MIB,
	    .draws_random = true,
	},
    /* The only one with a network; its TCP ports are not restricted by Landlock, see sandbox/landlock.c. */
    [ROLE_NET] =
	{
	    .role = ROLE_NET,
	    .name = "net",
	    .executable = "sgw-net",
	    .user = "sgw-net",
	    .life = LIFE_CELL,
	    .namespaces = NS_USER | NS_IPC | NS_UTS,
	    .fds =
		{
		    {FD_NET_BROKER, FDK_SEQPACKET, "broker: signed requests"},
		    {FD_NET_PLANNER, FDK_SEQPACKET, "planner: typed answers to reads"},
		    {FD_NET_CA, FDK_REGULAR_RO, "the CA bundle"},
		},
	    .read_paths =
		{
		    "/etc/resolv.conf",
		    "/run/systemd/resolve",
		    "/run/resolvconf",
		    "/run/NetworkManager",
		    "/etc/hosts",
		    "/etc/host.conf",
		    "/etc/nsswitch.conf",
		    "/etc/gai.conf",
		},
	    .tcp_ports = {PORT_DNS, 443},
	    .limit_nofile = 128,
	    .limit_as = 512 * MIB, /* each resolver thread reserves a stack */
	    .limit_nproc = 32,
	    .draws_random = true,
	},
    [ROLE_CONSENT] =
	{
	    .role = ROLE_CONSENT,
	    .name = "consent",
	    .executable = "sgw-consent",
	    .user = "sgw-consent",
	    .life = LIFE_CEREMONY,
	    .namespaces = NS_ALONE,
	    .fds =
		{
		    {FD_CONSENT_BROKER, FDK_SEQPACKET, "broker: the record"},
		    {FD_CONSENT_TTY, FDK_TTY, "the screen"},
		},
	    .limit_nofile = 16, /* fido's ends are attached once the word is typed */
	    .limit_as = 128 * MIB,
	    .limit_nproc = 1,
	    .limit_memlock = 8 * MIB,
	},
    [ROLE_FIDO] =
	{
	    .role = ROLE_FIDO,
	    .name = "fido",
	    .executable = "sgw-fido",
	    .user = "sgw-fido",
	    .life = LIFE_CEREMONY,
	    .namespaces = NS_ALONE,
	    .fds =
		{
		    {FD_FIDO_BROKER, FDK_SEQPACKET, "broker: credential ids in, assertion out"},
		    {FD_FIDO_CONSENT, FDK_SEQPACKET, "consent: the record and the PIN"},
		    {FD_FIDO_DEVICE, FDK_KEY, "one security key"},
		},
	    .limit_nofile = 16,
	    .limit_as = 128 * MIB,
	    .limit_nproc = 1,
	    .limit_memlock = 8 * MIB,
	    .draws_random = true,
	},
    [ROLE_LOADER] =
	{
	    .role = ROLE_LOADER,
	    .name = "loader",
	    .executable = "sgw-load",
	    .user = "sgw-load",
	    .life = LIFE_START,
	    .namespaces = NS_ALONE,
	    .fds =
		{
		    {FD_LOADER_BROKER, FDK_SEQPACKET, "broker: typed records out"},
		    {FD_LOADER_CREDENTIALS, FDK_REGULAR_RO, "the profile's credentials"},
		    {FD_LOADER_CONFIG, FDK_REGULAR_RO, "the profile's configuration"},
		    {FD_LOADER_LEDGER, FDK_REGULAR_RO, "the ledger, to be replayed"},
		},
	    .limit_nofile = 16,
	    .limit_as = 128 * MIB,
	    .limit_nproc = 1,
	    .limit_memlock = 8 * MIB,
	},
};
