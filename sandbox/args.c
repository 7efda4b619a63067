/* SPDX-License-Identifier: Apache-2.0 */
/* The command line by which the supervisor tells a child who it is to be: five options, nothing else. */
#include <sgwarden/sandbox.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <sgwarden/log.h>

enum option {
	OPTION_MODE,
	OPTION_PARENT,
	OPTION_UID,
	OPTION_GID,
	OPTION_PORTS,
	OPTION_MAX,
};

static const char *const OPTIONS[OPTION_MAX] = {
    "--mode=", "--parent=", "--uid=", "--gid=", "--ports="};

/* A decimal number without sign, blank or leading zero, 1..INT_MAX: no option here may be 0. */
static int
number_parse(const char *text, int *ret_number)
{
	long long n = 0;

	if (text[0] == '0' || text[0] == 0)
		return -1;
	for (; *text != 0; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
		if (n > INT_MAX)
			return -1;
	}
	*ret_number = (int)n;
	return 0;
}

static int
mode_parse(const char *text, int *ret_mode)
{
	if (strcmp(text, "user") == 0)
		*ret_mode = MODE_USER;
	else if (strcmp(text, "system") == 0)
		*ret_mode = MODE_SYSTEM;
	else if (strcmp(text, "unit") == 0)
		*ret_mode = MODE_UNIT;
	else
		return -1;
	return 0;
}

static int
option_parse(const char *arg, int values[OPTION_MAX], bool seen[OPTION_MAX], struct ports *ports)
{
	for (size_t i = 0; i < OPTION_MAX; i++) {
		size_t len = strlen(OPTIONS[i]);
		const char *value = arg + len;

		if (strncmp(arg, OPTIONS[i], len) != 0)
			continue;
		if (seen[i])
			return -1;
		seen[i] = true;
		if (i == OPTION_PORTS)
			return ports_parse(value, ports) ? 0 : -1;
		return i == OPTION_MODE ? mode_parse(value, &values[i])
					: number_parse(value, &values[i]);
	}
	return -1;
}

int
sandbox_args_parse(int argc, char **argv, struct sandbox_args *ret_args)
{
	int values[OPTION_MAX] = {0};
	bool seen[OPTION_MAX] = {false};
	struct ports ports = {0};

	for (int i = 1; i < argc; i++) {
		if (option_parse(argv[i], values, seen, &ports) < 0) {
			log_error("argument not understood: %s", argv[i]);
			return -1;
		}
	}
	if (!seen[OPTION_MODE] || !seen[OPTION_PARENT]) {
		log_error(
		    "started without --mode and --parent: the supervisor starts this program");
		return -1;
	}
	if (values[OPTION_MODE] == MODE_SYSTEM && (!seen[OPTION_UID] || !seen[OPTION_GID])) {
		log_error("system mode without --uid and --gid");
		return -1;
	}
	*ret_args = (struct sandbox_args){
	    .mode = (enum run_mode)values[OPTION_MODE],
	    .parent = values[OPTION_PARENT],
	    .uid = (uid_t)values[OPTION_UID],
	    .gid = (gid_t)values[OPTION_GID],
	    .ports = ports,
	};
	return 0;
}
