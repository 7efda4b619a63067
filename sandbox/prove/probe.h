/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the probe share: a child in the real sandbox of a role, and how it ended. */
#ifndef SANDBOX_PROVE_PROBE_H
#define SANDBOX_PROVE_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "world.h"

struct probe {
	enum role role;
	bool tight;
	enum run_mode mode;
	uid_t uid; /* system mode: to become */
	gid_t gid;
	struct ports ports;           /* as its command line would name them */
	const char *without[4];       /* steps of the lockdown to leave out; NULL ends */
	void (*before)(const void *); /* in the child, before the lockdown */
	const void *before_arg;
	int (*act)(const void *); /* in the sandbox; its result is the exit status */
	const void *act_arg;
};

/* What the machine and the options make of every probe. */
struct setting {
	enum run_mode mode;
	uid_t uid;
	gid_t gid;
};

#define SETTING_SKIPPED 77

/*
 * From --as=UID (all of it runs as that ordinary uid) or --system=UID (confined as in system mode); both take root.
 * 1: taken; 0: `option` is neither, it is user mode as whoever calls; SETTING_SKIPPED (said so): not root.
 */
int setting_take(const char *option, struct setting *ret_setting);

/* Runs it and returns the wait status; *ret_degraded is what the lockdown said, where it came that far. */
int probe_run(const struct probe *p, uint32_t *ret_degraded);

/* The same, and leaves the child waiting in the sandbox: its pid; probe_end() ends it. */
pid_t probe_start(const struct probe *p, struct world *w);
int probe_end(pid_t pid, struct world *w);

struct probe probe_for(const struct setting *s, unsigned which);

/* Front's second filter counts as one more. */
#define PROBES (ROLE_MAX + 1)
#define PROBE_TIGHT ROLE_MAX
const char *probe_name(unsigned which);

/* An act: connect() or bind() of a TCP socket to this port of the loopback.  errno, 0 for success. */
int tcp_act(int (*call)(int, const struct sockaddr *, socklen_t), uint16_t port);

/*
 * What was seen, as one line; counts.  `layer` is the step of the lockdown that it speaks of, or "work": what the
 * process is there for.  For people: "ok" or "NOT OK" and the text; with report_lines() three fields with tabs between
 * them: held, FAILED or missing; the layer; the text.
 */
void report(const char *layer, bool ok, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* This kernel has no such layer. */
void report_missing(const char *layer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_lines(bool on);
/* How many there were. */
unsigned report_run(void);
unsigned report_failed(void);

/* The suites.  offered: the degradations by which this machine says what it lacks. */
void suite_offered(const struct setting *s);
void suite_matrix(const struct setting *s);
void suite_twins(const struct setting *s);
void suite_status(const struct setting *s);
void suite_layers(const struct setting *s);
void suite_ports(const struct setting *s);

#endif
