/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the probe share: a child in the real sandbox of a role, and how it ended. */
#ifndef TESTS_SANDBOX_PROBE_H
#define TESTS_SANDBOX_PROBE_H

#include "world.h"

struct probe {
	enum role role;
	bool tight;
	enum run_mode mode;
	uid_t uid; /* system mode: to become */
	gid_t gid;
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

/* Prints "ok" or "NOT OK" and the text; counts. */
void report(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The suites. */
void suite_matrix(const struct setting *s);
void suite_twins(const struct setting *s);
void suite_status(const struct setting *s);
void suite_layers(const struct setting *s);
void suite_faults(const struct setting *s);

#endif
