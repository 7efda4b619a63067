/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `sgwarden policy` share. */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include "cli.h"
#include "policy_file.h"

/* Reads and compiles the file that the arguments mean.  0, or the exit status, having said where and why. */
int policy_compile(
    const struct args *args, struct policy_file *ret_file, char ret_path[CLI_PATH_MAX]);
/* The same, and its cases hold. */
int policy_compile_held(
    const struct args *args, struct policy_file *ret_file, char ret_path[CLI_PATH_MAX]);

void policy_digest_text(const struct rec_policy *policy, char ret_hex[2 * HASH_LEN + 1]);
/* The policy as JSON, with where it is from. */
void policy_print(const struct args *args, const struct rec_policy *policy, const char *from);

/* ---- policy_daemon.c ---- */
int policy_show_in_force(const struct args *args);
/* Does policy.json, if there is one, say what is in force?  0, or the exit status, having said what is wrong with it. */
int policy_is_loaded(const struct args *args, bool *ret_loaded);

#endif
