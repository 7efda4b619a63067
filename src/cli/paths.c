/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files are: what the option says, else the user's place where it exists, else the system's. */
#include "cli.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_CONFIG "/etc/sgwarden"
#define SYSTEM_STATE "/var/lib/sgwarden"

bool
path_join(char ret_path[CLI_PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(ret_path, CLI_PATH_MAX, "%s/%s", dir, name);

	return n > 0 && n < CLI_PATH_MAX;
}

/* The user's directory: $VARIABLE/sgwarden, else HOME/fallback/sgwarden (XDG Base Directory Specification). */
static bool
path_user(char ret_path[CLI_PATH_MAX], const char *variable, const char *fallback)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *base = getenv(variable), *home = getenv("HOME");
	char below[CLI_PATH_MAX];

	if (base && base[0] == '/')
		return path_join(ret_path, base, "sgwarden");
	if (!home || home[0] != '/')
		home = pw ? pw->pw_dir : NULL;
	return home && path_join(below, home, fallback) && path_join(ret_path, below, "sgwarden");
}

/* `given`, else the user's where `probe` is in it; else the system's where it is in that. */
static bool
path_dir(char ret_path[CLI_PATH_MAX], const char *given, const char *variable, const char *fallback,
    const char *system_dir, const char *probe)
{
	char file[CLI_PATH_MAX];

	if (given) {
		int n = snprintf(ret_path, CLI_PATH_MAX, "%s", given);

		return n > 0 && n < CLI_PATH_MAX;
	}
	if (!path_user(ret_path, variable, fallback))
		return false;
	if (path_join(file, ret_path, probe) && access(file, F_OK) == 0)
		return true;
	if (path_join(file, system_dir, probe) && access(file, F_OK) == 0)
		return snprintf(ret_path, CLI_PATH_MAX, "%s", system_dir) > 0;
	return true;
}

/* Root, on a machine that has the units: whoever sets the machine up, unless XDG's variable asks for root's own place. */
static bool
is_for_machine(void)
{
	return geteuid() == 0 && !getenv("XDG_CONFIG_HOME") &&
	       access(SGW_UNITS "/sgwarden.service", F_OK) == 0;
}

bool
path_config_dir(const struct args *args, char ret_path[CLI_PATH_MAX])
{
	char file[CLI_PATH_MAX];

	if (!path_dir(
		ret_path, args->config, "XDG_CONFIG_HOME", ".config", SYSTEM_CONFIG, "config.json"))
		return false;
	if (args->config || !is_for_machine() ||
	    (path_join(file, ret_path, "config.json") && access(file, F_OK) == 0))
		return true;
	return snprintf(ret_path, CLI_PATH_MAX, "%s", SYSTEM_CONFIG) > 0;
}

bool
path_is_system(const char *config_dir)
{
	return strcmp(config_dir, SYSTEM_CONFIG) == 0;
}

/* Until a first `config load` has written config.bin somewhere, the configuration says whose state it is. */
bool
path_state_dir(const struct args *args, char ret_path[CLI_PATH_MAX])
{
	char config[CLI_PATH_MAX], file[CLI_PATH_MAX];

	if (!path_dir(ret_path, args->state, "XDG_STATE_HOME", ".local/state", SYSTEM_STATE,
		"config.bin"))
		return false;
	if (args->state || args->config || !path_config_dir(args, config) ||
	    !path_is_system(config))
		return true;
	if (path_join(file, ret_path, "config.bin") && access(file, F_OK) == 0)
		return true;
	return snprintf(ret_path, CLI_PATH_MAX, "%s", SYSTEM_STATE) > 0;
}
