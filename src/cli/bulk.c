/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden bulk`: openings and closings from a file, one consent for all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sgwarden/limits.h>

#include "change.h"

#define FILE_MAX (256u * 1024)
#define COLUMNS 5 /* action, group, ip, port, rule */

/* The whole file as text, to be freed; NULL having said why not. */
static char *
file_read(const struct args *args, int *ret_status)
{
	FILE *file = fopen(args->file, "re");
	char *text = file ? malloc(FILE_MAX + 1) : NULL;
	size_t n = text ? fread(text, 1, FILE_MAX + 1, file) : 0;
	bool bad = !text || ferror(file) || n > FILE_MAX;

	if (bad)
		*ret_status = out_error(args, SGW_ERR_BAD_ARGUMENT, "--file", "%s: %s", args->file,
		    n > FILE_MAX ? "it is longer than 256 KiB" : strerror(errno));
	if (file)
		fclose(file);
	if (bad) {
		free(text);
		return NULL;
	}
	text[n] = 0;
	if (strlen(text) < n) { /* the rest would be passed over */
		*ret_status = out_error(args, SGW_ERR_BAD_ARGUMENT, "--file",
		    "%s: there is a NUL in it: it is no text", args->file);
		free(text);
		return NULL;
	}
	return text;
}

/* Cuts the line at its commas; blanks around a value go.  How many there are; COLUMNS + 1: too many. */
static size_t
columns_cut(char *line, char *ret_column[COLUMNS])
{
	size_t n = 0;

	for (char *next; line && n <= COLUMNS; line = next) {
		char *value = line + strspn(line, " \t"), *end;

		next = strchr(line, ',');
		if (next)
			*next++ = 0;
		end = value + strlen(value);
		while (end > value && strchr(" \t\r", end[-1]))
			*--end = 0;
		if (n < COLUMNS)
			ret_column[n] = value;
		n++;
	}
	return n;
}

static void
add_text(cJSON *entry, const char *key, const char *value)
{
	if (value && *value)
		cJSON_AddStringToObject(entry, key, value);
}

/* "add,sg-…,203.0.113.7,443" or "remove,sg-…,,,sgr-…"; NULL: no such line. */
static cJSON *
entry_of(char *line)
{
	char *c[COLUMNS] = {0};
	size_t n = columns_cut(line, c);
	cJSON *entry;

	if (n < 2 || n > COLUMNS)
		return NULL;
	entry = cJSON_CreateObject();
	add_text(entry, "action", c[0]);
	add_text(entry, "security_group_id", c[1]);
	if (strcmp(c[0], "remove") == 0 && c[4] && *c[4]) {
		const char *id = c[4];

		cJSON_AddItemToObject(entry, "rule_ids", cJSON_CreateStringArray(&id, 1));
		return entry;
	}
	if (strcmp(c[0], "remove") == 0) {
		cJSON *match = cJSON_AddObjectToObject(entry, "match");

		add_text(match, "ip", c[2]);
		if (c[3] && *c[3] && !ask_ports(match, c[3])) {
			cJSON_Delete(entry);
			return NULL;
		}
		return entry;
	}
	add_text(entry, "ip", c[2]);
	if (!c[3] || !*c[3] || !ask_ports(entry, c[3])) {
		cJSON_Delete(entry);
		return NULL;
	}
	return entry;
}

static cJSON *
csv_read(const struct args *args, char *text, int *ret_status)
{
	cJSON *entries = cJSON_CreateArray();
	unsigned number = 0;

	for (char *next, *line = text; line; line = next) {
		cJSON *entry;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		number++;
		line += strspn(line, " \t\r");
		if (*line == 0 || *line == '#' || (number == 1 && strncmp(line, "action,", 7) == 0))
			continue;
		entry = entry_of(line);
		if (!entry) {
			*ret_status = out_error(args, SGW_ERR_BAD_ARGUMENT, "--file",
			    "%s, line %u: action,group,ip,port,rule, such as "
			    "add,sg-0123456789abcdef0,203.0.113.7,443 or "
			    "remove,sg-0123456789abcdef0,,,sgr-0123456789abcdef0",
			    args->file, number);
			cJSON_Delete(entries);
			return NULL;
		}
		cJSON_AddItemToArray(entries, entry);
	}
	return entries;
}

/* A list of entries, or an object with such a list under "entries" and nothing else: nothing is passed over. */
static cJSON *
json_read(const struct args *args, const char *text, int *ret_status)
{
	cJSON *tree = cJSON_ParseWithOpts(text, NULL, true), *entries = tree;

	if (cJSON_IsObject(tree)) {
		entries = cJSON_DetachItemFromObjectCaseSensitive(tree, "entries");
		if (cJSON_IsArray(entries) && tree->child) {
			*ret_status = out_error(args, SGW_ERR_BAD_ARGUMENT, "--file",
			    "%s: '%s' stands beside the entries: what is not an entry is an option "
			    "here",
			    args->file, tree->child->string);
			cJSON_Delete(entries);
			cJSON_Delete(tree);
			return NULL;
		}
		cJSON_Delete(tree);
	}
	if (cJSON_IsArray(entries))
		return entries;
	cJSON_Delete(entries);
	*ret_status = out_error(args, SGW_ERR_BAD_ARGUMENT, "--file",
	    "%s is no JSON list of entries as the tool whitelist_bulk takes them", args->file);
	return NULL;
}

static cJSON *
entries_read(const struct args *args, int *ret_status)
{
	char *text = file_read(args, ret_status);
	const char *first = text ? text + strspn(text, " \t\r\n") : "";
	cJSON *entries = NULL;

	if (text)
		entries = *first == '[' || *first == '{' ? json_read(args, text, ret_status)
							 : csv_read(args, text, ret_status);
	free(text);
	return entries;
}

int
bulk_run(const struct args *args)
{
	cJSON *arguments, *entries;
	int status = 0;

	if (!args->file || !args->why)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, args->file ? "--why" : "--file",
		    args->file ? "say why: the person reads it" : "say which file");
	entries = entries_read(args, &status);
	if (!entries)
		return status;
	arguments = ask_target(args);
	cJSON_AddItemToObject(arguments, "entries", entries);
	cJSON_AddStringToObject(arguments, "reason", args->why);
	if (args->lasts)
		cJSON_AddStringToObject(arguments, "expires_in", args->lasts);
	if (args->best_effort)
		cJSON_AddStringToObject(arguments, "atomicity", "best_effort");
	return args->plan ? plan_run(args, NULL, arguments)
			  : change_run(args, "whitelist_bulk", arguments);
}
