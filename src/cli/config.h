/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: what it may say, and what it becomes. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <sgwarden/wire.h>

#include "jtree.h"

#define CONFIG_FILE_MAX (256u << 10)

struct config_error {
	struct jt_place at;
	char field[128];            /* profiles.prod.regions; empty: the file as a whole */
	char text[JTREE_ERROR_MAX]; /* printable: what is wrong, what is allowed */
};

/*
 * Compiles the text of config.json (changed by it, a NUL at [len]) into the canonical form.  source_name and
 * source_digest are the caller's to fill.  Nothing is looked up outside the text.
 */
bool config_parse(
    char *text, size_t len, struct rec_config *ret_config, struct config_error *ret_error);

/* ---- config_values.c: the forms of single values; each NULL, or what is wrong ---- */

const char *endpoint_problem(const char *url, bool http_loopback);
/* A source of the own address: an endpoint, and a path of plain characters if need be. */
const char *source_problem(const char *url, bool http_loopback);
/* Are two sources of one host?  On loopback, where tests are, a source is its whole URL. */
bool sources_same(const char *a, const char *b);
const char *proxy_problem(const char *url);
const char *profile_name_problem(const char *name);

/* ---- config_file.c ---- */

struct args;

struct config_source {
	char path[4096];
	char *text; /* free() */
	size_t len;
};

/* Reads the file that the arguments name, else `name` in the configuration's directory.  0, or the exit status. */
int config_read(const struct args *args, const char *name, struct config_source *ret_source);
/* config.c: reads, compiles, fills what the text itself does not say; source->text is the caller's.  0, or the exit status. */
int config_compile(
    const struct args *args, struct config_source *source, struct rec_config *ret_config);
/* config.c: says FILE:LINE:COLUMN and what is wrong, the form that editors jump by; the exit status. */
int config_refuse(const struct args *args, const char *path, const struct config_error *e);
/* Writes config.bin in the state directory: the old or the new, never less.  0, or the exit status. */
int config_write(const struct args *args, const void *data, size_t len, char ret_path[4096]);

#endif
