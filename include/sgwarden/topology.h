/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who exists, what each holds, how each is confined: the topology table.  One row per process; the supervisor
 * spawns from it, the child confines itself by it, a test compares every live process with it.
 * The rows stand in sandbox/topology.c.
 */
#ifndef SGWARDEN_TOPOLOGY_H
#define SGWARDEN_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum role {
	ROLE_SUPERVISOR = 0,
	ROLE_FRONT,
	ROLE_PLANNER,
	ROLE_BROKER,
	ROLE_NET,
	ROLE_CONSENT,
	ROLE_FIDO,
	ROLE_LOADER,
	ROLE_MAX,
};

#define ROLE_BIT(r) (1u << (unsigned)(r))

/* Every child: 0 and 1 are /dev/null, 2 the daemon's log, 3 its control socket.  From 4 on by its row. */
enum {
	FD_CONTROL = 3,
	FD_FIRST = 4,
	/* front */
	FD_FRONT_PLANNER = 4,
	FD_FRONT_CONNECTION = 5,
	FD_FRONT_IN = 6,  /* received over the connection: the client's stdin */
	FD_FRONT_OUT = 7, /* received over the connection: the client's stdout */
	/* planner */
	FD_PLANNER_BROKER = 4,
	FD_PLANNER_NET = 5,
	/* broker */
	FD_BROKER_PLANNER = 4,
	FD_BROKER_NET = 5,
	FD_BROKER_LOADER = 6,
	FD_BROKER_LEDGER = 7,  /* O_WRONLY | O_APPEND */
	FD_BROKER_KEYS = 8,    /* O_RDONLY, may be an empty file */
	FD_BROKER_POLICY = 9,  /* likewise */
	FD_BROKER_SEALED = 10, /* likewise */
	FD_BROKER_BOOT_TIMER = 11,
	FD_BROKER_WALL_TIMER = 12,
	/* net */
	FD_NET_BROKER = 4,
	FD_NET_PLANNER = 5,
	FD_NET_CA = 6, /* O_RDONLY; the configured CA bundle, /dev/null where it is absent */
	/* consent */
	FD_CONSENT_BROKER = 4,
	FD_CONSENT_TTY = 5,
	/* fido */
	FD_FIDO_BROKER = 4,
	FD_FIDO_CONSENT = 5,
	FD_FIDO_DEVICE = 6,
	/* loader */
	FD_LOADER_BROKER = 4,
	FD_LOADER_CREDENTIALS = 5, /* O_RDONLY; /dev/null where the file is absent */
	FD_LOADER_CONFIG = 6,      /* likewise */
	FD_LOADER_LEDGER = 7,      /* O_RDONLY */
#if SGW_TESTCLOCK
	/* eight bytes: the clock's offset in seconds, little endian */
	FD_TESTCLOCK = 15,
#endif
};

/* What a process in its own unit receives over its control socket: this byte, and its row's descriptors from 4 on. */
#define UNIT_FDS 3
#define UNIT_BYTE 'u'

/* A cell process's exit status when starting it again cannot help: a person must mend what the log names. */
#define EXIT_MEND 78 /* EX_CONFIG of sysexits.h */

enum life {
	LIFE_CELL,     /* one; its death restarts the cell */
	LIFE_CLIENT,   /* one per MCP client */
	LIFE_CEREMONY, /* per ceremony (fido: per plugged key) */
	LIFE_START,    /* runs before the broker serves, then ends */
};

/* What a descriptor of a row must be; the live test holds /proc/PID/fd against it. */
enum fd_kind {
	FDK_NULL,
	FDK_LOG,
	FDK_SEQPACKET,
	FDK_REGULAR_RO,
	FDK_REGULAR_APPEND,
	FDK_TTY,
	FDK_KEY,    /* hidraw; in test builds a socket */
	FDK_STREAM, /* what a client may hand over: pipe or socket */
	FDK_TIMER,  /* timerfd_create(2); the process makes it itself, before it is confined */
};

struct fd_row {
	int fd;
	enum fd_kind kind;
	const char *what;
};

#define TOPOLOGY_FDS_MAX 10
#define TOPOLOGY_PATHS_MAX 12
#define TOPOLOGY_PORTS_MAX 4

enum {
	NS_USER = 1u << 0, /* user namespace, where the process is not privileged already */
	NS_NET = 1u << 1,  /* an empty network namespace */
	NS_IPC = 1u << 2,
	NS_UTS = 1u << 3,
};

struct topology_row {
	enum role role;
	const char *name;       /* "front": the policy's and the log's name */
	const char *executable; /* below the libexec directory */
	const char *user; /* system mode: the account it becomes; user mode keeps the caller's */
	enum life life;
	uint32_t namespaces; /* NS_* */
	struct fd_row fds[TOPOLOGY_FDS_MAX];
	const char *read_paths
	    [TOPOLOGY_PATHS_MAX]; /* Landlock: readable beneath these; NULL ends; none = no files */
	/* Landlock: TCP ports that it may connect to where its command line names none; 0 ends; none = no TCP at all */
	uint16_t tcp_ports[TOPOLOGY_PORTS_MAX];
	uint64_t limit_nofile;
	uint64_t limit_as; /* bytes of address space */
	uint64_t
	    limit_nproc; /* threads of the uid where the kernel counts them per user namespace; 0 = unset */
	uint64_t limit_memlock;
	bool draws_random; /* once confined: its first byte is drawn before */
};

extern const struct topology_row TOPOLOGY[ROLE_MAX];

static inline const char *
role_name(enum role role)
{
	return role < ROLE_MAX ? TOPOLOGY[role].name : "?";
}

#endif
