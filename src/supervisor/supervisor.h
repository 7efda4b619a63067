/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's own state: who runs, what listens, where the files are. */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#include <sgwarden/sandbox.h>
#include <sgwarden/wire.h>

#define KEY_DEVICES_MAX 4 /* security keys asked in one ceremony */
#define CHILDREN_MAX (SGW_CLIENTS_MAX + 16)
#define RESTARTS_MAX 5 /* of the cell, within RESTARTS_SECONDS, before giving up */
#define RESTARTS_SECONDS 60
#define TTY_WAIT 10000  /* ms that a screen's connection may take to hand its terminal over */
#define PONG_WAIT 15000 /* ms that the planner may take to say that it is not stuck */
#define END_GRACE 300   /* ms that a child may take to end, once it is asked to */
#define END_WORK                                                                                   \
	5000 /* … that has something to do first, and may have no turn for a while: end_grace() */

struct options {
	enum run_mode mode;
	char config_dir[240];  /* config.json lives there; only its digest is compared */
	char state_dir[240];   /* config.bin, keys, appliance, ledger/ */
	char runtime_dir[240]; /* the sockets */
	char aws_dir[240];     /* credentials and config */
	char
	    unit_dir[240]; /* those that the unit brings (systemd.exec(5), CREDENTIALS); or empty */
	char libexec[240];
	char net_socket[108]; /* of net's own unit; empty: net is a child like the others */
#if SGW_SOFTKEY
	size_t n_softkeys;
	int softkey_fd[KEY_DEVICES_MAX];
#endif
#if SGW_TESTCLOCK
	int clock_fd; /* -1: none */
#endif
};

/* A process in a unit of its own: no kernel has this number (PID_MAX_LIMIT is 2^22), so a kill() would find nobody. */
#define PID_ELSEWHERE INT_MAX

struct child {
	enum role role;
	pid_t
	    pid; /* 0: this slot is free; PID_ELSEWHERE: not ours to reap, it ends with its connection */
	struct chan control;
	uint32_t number; /* front: client; consent and fido: ceremony */
	uint8_t index;   /* fido: which key */
	uint8_t count;   /* fido: of how many */
	bool ending;     /* ended by us: its death is no failure */
	int64_t kill_at; /* monotonic ms: asked to end, and killed then; 0: not asked */
	/* the other ends of its edges, kept until it is READY and then ATTACHed */
	int to_planner;
	int to_broker;
	int to_consent;
	/* front: what the kernel says of the client */
	bool admin;
	bool chain_verified;
	uint32_t uid;
	uint32_t client_pid;
	int64_t since;     /* clock_machine(): when it came */
	unsigned silences; /* times that it said that the planner is silent */
	int client;        /* pidfd: readable once the client's process has ended; -1: none */
	char user[SGW_USER_MAX + 1];
	char chain[SGW_CHAIN_MAX + 1];
};

enum listener {
	LISTEN_MCP,
	LISTEN_CONSENT,
	LISTEN_ADMIN,
	LISTEN_MAX,
};

struct screen {
	int connection; /* -1: none */
	int tty;        /* -1: not handed over yet */
	uint32_t uid;
	bool shared;          /* a client of its uid has been here since it came */
	int64_t deadline;     /* monotonic ms: for its terminal; 0: that is here */
	struct termios modes; /* as they were when it came */
	char name[SGW_TTY_MAX + 1];
};

struct supervisor {
	struct options opt;
	struct rec_config config;
	char appliance[SGW_APPLIANCE_LEN + 1];
	char boot_id[37];
	int state; /* the state directory */
	int lock;
	int ledger_dir;
	uint32_t segments; /* files of the ledger that hold anything, at least 1 */
	int dev_null;
	int epoll;
	int signals;
	int listeners[LISTEN_MAX];
	size_t clients_most; /* at once */
	bool listening;      /* the broker serves: clients are accepted */
	bool accepting;      /* it has served before: they are told at once when it does not */
	unsigned asked;      /* children asked to end and not yet reaped */
	bool quitting;
	bool failed; /* quitting, and not because we were asked to */
	bool mend;   /* failed, and will again until a person has mended something */
	struct screen screen;
	struct child children[CHILDREN_MAX];
	uint32_t last_client;
	uint32_t degraded;              /* of the cell's processes together */
	int64_t restarts[RESTARTS_MAX]; /* monotonic ms */
	unsigned restart_next;
	bool restarting;  /* the cell, as soon as the broker that was has ended */
	uint32_t pinged;  /* client of the planner's PING that is under way */
	int64_t pong_due; /* monotonic ms; 0: none is under way */
	int64_t watchdog; /* ms between two signs of life; 0: nobody waits for one */
	int64_t watchdog_due;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	struct msg msg;
};

/* options.c: 0, 1 (help or version was printed: exit 0) or -1 (said why). */
int options_parse(int argc, char **argv, struct options *ret_opt);

/* advice.c: what a person can do about that errno of a file; whether the next start will meet it again. */
const char *advice(int error);
bool stays(int error);

/* state.c: opens and checks everything below the state directory.  0, or -1 with a line in the log. */
int state_open(struct supervisor *s);
int state_file_open(
    struct supervisor *s, enum state_file file); /* for reading; made where it is not there */
bool state_commit(struct supervisor *s, enum state_file file, const void *data, size_t len);

/*
 * segments.c: the ledger's files.  0 with their number in s->segments, or -1 with a line in the log: one is missing, or
 * the directory cannot be read.
 */
int segments_count(struct supervisor *s);
int segments_first(struct supervisor *s); /* to be read */
int segments_last(struct supervisor *s);  /* to be written on */
/* Answers the broker, which wants to begin one, or the loader, which wants to read one. */
void segments_next(struct supervisor *s, struct child *c, uint32_t number);

/* journal.c: is our log the journal?  Then the broker's heads go there as fields, and as a line where that fails. */
bool journal_is_log(void);
void journal_anchor(const struct supervisor *s, const struct msg_anchor *m);
/* Those that a child which ends has sent and that nobody has read. */
void journal_drain(struct supervisor *s, struct child *c);

/* spawn.c: descriptors of a child, by the numbers of its row; the supervisor keeps what it passes. */
struct spawn_fd {
	int from;
	int to;
};
/* A new child of `role`, its control channel open and watched; NULL with a line in the log. */
struct child *spawn(struct supervisor *s, enum role role, const struct spawn_fd *fds, size_t n);
/* One that runs already, at the other end of `control`, which is closed where there is no room: then NULL. */
struct child *child_register(struct supervisor *s, enum role role, pid_t pid, int control);
int edge_pair(int ret_ends[2]);   /* SOCK_SEQPACKET, close-on-exec */
void child_kill(struct child *c); /* at once; reaped later */
void child_end(struct child *c);  /* the same, and its death is no failure */
void child_ask(struct supervisor *s,
    struct child *c); /* closes its control end; SIGKILL where it does not take the hint */
int children_overdue(struct supervisor *s); /* kills those; ms until the next, -1: none */
void child_forget(struct supervisor *s, struct child *c);
struct child *child_find(struct supervisor *s, enum role role, uint32_t number);

/* identity.c: in system mode, where we are root: the supervisor's own account.  0, or -1 with a line in the log. */
int identity_take(struct supervisor *s);

/* unit.c: a child in its own unit (net's row has UNIT_FDS descriptors); NULL with a line in the log. */
struct child *unit_start(struct supervisor *s, enum role role, const struct spawn_fd fds[UNIT_FDS]);

/* watchdog.c: tells the service manager that this loop goes round, where it wants to know. */
void watchdog_open(struct supervisor *s);
int watchdog_overdue(
    struct supervisor *s); /* says so where it is time; ms until the next, -1: never */

/* cell.c */
int cell_start(struct supervisor *s);
void cell_stop(struct supervisor *s);
int cell_restart(struct supervisor *s); /* -1: too often */
/* A process has ended: a restart that waits for it goes on. */
int cell_resume(struct supervisor *s);
void cell_ready(struct supervisor *s, struct child *c, uint32_t degraded);
/* Sends to a cell process; a failure there is its end, and the reaper restarts the cell. */
void cell_send(struct supervisor *s, enum role role, const struct msg *m, int fd);
/* Asks the planner whether it is stuck, where it is not asked already: only while clients come and go. */
void cell_ping(struct supervisor *s, uint32_t client);
void cell_pong(struct supervisor *s, uint32_t client);
int cell_overdue(
    struct supervisor *s); /* ends a planner that is; ms until it would be, -1: never */

/* clients.c */
int listeners_open(struct supervisor *s);
/* From the first time that it serves on: until then whoever comes waits, the client that had it started among them. */
int listeners_watch(struct supervisor *s);
void listeners_close(struct supervisor *s);
void client_accept(struct supervisor *s, enum listener which);
/* Its process may have: then its front is asked to end. */
void client_ended(struct supervisor *s, struct child *front);
void client_ready(struct supervisor *s, struct child *front);
void client_silent(struct supervisor *s, struct child *front, uint32_t client);
void client_gone(struct supervisor *s, struct child *front);

/* screen.c */
void screen_accept(struct supervisor *s, int connection, uint32_t uid);
void screen_event(struct supervisor *s);
void screen_restore(
    struct supervisor *s); /* the terminal's modes: a killed consent left its own behind */
int screen_overdue(struct supervisor *s); /* ms until it is, -1: never */
void screen_client(
    struct supervisor *s, uint32_t uid); /* a client came: its own uid's screen is shared */
void screen_tell(struct supervisor *s);

/* ceremony.c: the broker's fixed-size requests */
void ceremony_start(struct supervisor *s, uint32_t number);
void ceremony_keys(struct supervisor *s, uint32_t number);
void ceremony_end(struct supervisor *s, uint32_t number, bool keys_only);
void ceremony_ready(struct supervisor *s, struct child *c);

/* devices.c: descriptors of plugged FIDO keys, owned by the caller. */
size_t devices_open(const struct supervisor *s, int ret_fds[KEY_DEVICES_MAX]);

/* chain.c: the processes above a client, nearest first, as printable text; true where the kernel held the identity. */
/* A pidfd of the process that connected, the caller's; -1: there is none any more, or the kernel has none to give. */
int peer_pidfd(int connection, pid_t pid);
bool chain_read(int connection, pid_t pid, char ret_chain[SGW_CHAIN_MAX + 1]);

/* events: what an epoll entry stands for */
enum source {
	SOURCE_SIGNALS,
	SOURCE_LISTENER, /* index: enum listener */
	SOURCE_SCREEN,
	SOURCE_CHILD,  /* index: slot in children */
	SOURCE_CLIENT, /* index: slot of its front in children */
};
int watch(struct supervisor *s, int fd, enum source source, uint32_t index);

#endif
