/* SPDX-License-Identifier: Apache-2.0 */
/* One run of setup: what its steps share. */
#ifndef CLI_SETUP_FLOW_H
#define CLI_SETUP_FLOW_H

#include "setup.h"

/* What the person put off in this run stands in it. */
struct flow {
	const struct args *args;
	struct setup now;
	bool key_later, without_pin, policy_later;
};

/* A step's work: 0 to look again, or the exit status, having said why. */
typedef int step_do(struct flow *f);

/* ---- setup.c ---- */

/* Says that no more was typed; the exit status. */
int input_ended(void);
/* Waits until the person has done what the question says.  0 to look again, or the exit status. */
int once_more(const char *question);
/* The step's number and a paragraph. */
void step_say(const struct flow *f, enum setup_step step, const char *text);
/* Says what it waits for until the step is done, however that comes.  0, or the exit status. */
int wait_for(struct flow *f, enum setup_step step, const char *what);

/* ---- setup_system.c: the steps that system mode has, or does otherwise ---- */

step_do system_machine, system_config, system_given, system_policy;
/* What is sealed leaves what the daemon is given, and the daemon starts anew. */
int system_take_out(struct flow *f);
/* The opener stands in root's own files. */
int system_home(struct flow *f);

/* ---- setup_service.c: the units ---- */

step_do system_daemon, system_screen;
/* Runs a program of the machine; where it fails, shows what it said. */
bool did(const char *const argv[]);
/* Has the daemon's unit start anew, now and with the machine.  0 to look again, 1 at the end of the input. */
int system_restart(void);
/* Where the screen is, as the person gets there. */
void screen_hint(const struct setup *s, char ret_text[80]);

#endif
