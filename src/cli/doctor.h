/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sgwarden doctor`: what stands between an attacker and the authority on this very machine, layer by layer, each with
 * its evidence.  A finding is held (seen to hold), missing (this machine has it not), down (a part of the daemon's that
 * does not work now, and weakens no protection) or failed.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "cli.h"

/* Findings are objects of an array: {"state", "name", "detail", "evidence": how many observations}. */
void doctor_say(cJSON *findings, const char *state, const char *name, int evidence,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * doctor_prove.c: runs sgw-prove, which confines itself as each process does and tries what they must not.  `all`: the
 * trials too; else what the machine offers alone.  0, or the exit status, having said why there is none.
 */
int doctor_prove(const struct args *args, bool all, cJSON *machine, cJSON *layers);

/* doctor_mac.c: which of AppArmor and SELinux is on, and the label of each process of ours that runs. */
void doctor_mac(cJSON *findings);

#endif
