/* SPDX-License-Identifier: Apache-2.0 */
/* System mode: what the machine has of what the units need, and who may ask and agree; see setup.h. */
#include "setup.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup_unit.h"

#define APPARMOR_PROFILES "/sys/kernel/security/apparmor/profiles"
#define MCP_SOCKET "/run/sgwarden/mcp.sock"
#define SCREEN_GROUP "sgw-screen"

bool
setup_is_system(const struct args *args)
{
	char dir[CLI_PATH_MAX];

	return !args->config && !args->state && path_config_dir(args, dir) && path_is_system(dir);
}

/* ---- what the packages make: sysusers.conf and tmpfiles.conf say as whose ---- */

static const char *const ACCOUNTS[] = {"sgwarden", "sgw-front", "sgw-planner", "sgw-broker",
    "sgw-net", "sgw-consent", "sgw-fido", "sgw-load", SCREEN_GROUP};

static const struct {
	const char *path, *owner;
	mode_t most; /* of its mode */
} FOLDERS[] = {
    {"/etc/sgwarden", "root", 0755},
    {"/run/sgwarden", "root", 0755},
    {"/var/lib/sgwarden", "sgwarden", 0700},
    {"/var/lib/sgwarden/ledger", "sgwarden", 0700},
    {"/etc/credstore.encrypted", "root", 0700},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool
folder_is_right(size_t i)
{
	const struct passwd *owner = getpwnam(FOLDERS[i].owner);
	struct stat st;

	return owner && stat(FOLDERS[i].path, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == owner->pw_uid && (st.st_mode & 07777 & ~FOLDERS[i].most) == 0;
}

/* Where AppArmor is on the units want their profiles; a kernel without it has no such file. */
static bool
profile_is_there(void)
{
	FILE *f = fopen(APPARMOR_PROFILES, "re");
	char line[256];
	bool found = f == NULL;

	while (!found && fgets(line, sizeof(line), f))
		found = strncmp(line, "sgwardend (", 11) == 0;
	if (f)
		fclose(f);
	return found;
}

/* Each thing that is missing, by `tell`, which may be NULL; how many. */
static size_t
missing(void (*tell)(const char *what, const char *name))
{
	struct unit_state unit;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(ACCOUNTS); i++)
		if ((!getpwnam(ACCOUNTS[i]) || !getgrnam(ACCOUNTS[i])) && ++n && tell)
			tell("account", ACCOUNTS[i]);
	for (size_t i = 0; i < COUNT(FOLDERS); i++)
		if (!folder_is_right(i) && ++n && tell)
			tell("folder", FOLDERS[i].path);
	if (!profile_is_there() && ++n && tell)
		tell("AppArmor profile", "sgwardend");
	if ((!unit_look(MANAGER_SYSTEM, DAEMON_UNIT, &unit) || !unit.loaded) && ++n && tell)
		tell("unit", DAEMON_UNIT);
	return n;
}

static void
tell_missing(const char *what, const char *name)
{
	printf("missing  %s %s\n", what, name);
}

void
machine_tell(void)
{
	(void)missing(tell_missing);
}

/* ---- how far it is ---- */

static bool
file_written(const char *path, struct timespec *ret_when)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	*ret_when = st.st_mtim;
	return true;
}

void
machine_look(struct setup *s, const struct timespec *loaded)
{
	struct timespec given = {0};
	struct unit_state unit;

	s->done[STEP_MACHINE] = missing(NULL) == 0;
	s->done[STEP_GIVEN] = file_written(GIVEN_FILE, &given);
	if (!unit_look(MANAGER_SYSTEM, DAEMON_UNIT, &unit))
		return;
	s->runs = unit.active;
	/* It reads both when it starts. */
	s->done[STEP_DAEMON] = s->done[STEP_COMPILED] && s->done[STEP_GIVEN] && unit.active &&
			       unit.enabled && time_is_after(&unit.since, loaded) &&
			       time_is_after(&unit.since, &given);
}

/* ---- people ---- */

/* NULL: everybody.  Else the group that the socket is for; its name stays until the next group is looked up. */
static const char *
asking_group(void)
{
	const struct group *gr;
	struct stat st;

	if (stat(MCP_SOCKET, &st) < 0 || st.st_mode & S_IWOTH)
		return NULL;
	gr = getgrgid(st.st_gid);
	return gr ? gr->gr_name : "of no name";
}

void
machine_tell_people(void)
{
	const char *asking = asking_group();
	const struct group *screen;
	char text[256];
	size_t len;

	if (asking)
		snprintf(text, sizeof(text), "the group %s and root", asking);
	else
		snprintf(text, sizeof(text), "every account of this machine");
	fputs("asks     ", stdout);
	out_words(stdout, 9, text);
	len = (size_t)snprintf(text, sizeof(text), "%s", SCREEN_GROUP);
	screen = getgrnam(SCREEN_GROUP);
	for (size_t i = 0; screen && screen->gr_mem[i] && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", %s", screen->gr_mem[i]);
	fputs("screen   ", stdout);
	out_words(stdout, 9, text);
}

void
machine_people_json(cJSON *data)
{
	const char *asking = asking_group();
	const struct group *screen;
	cJSON *accounts = cJSON_CreateArray();

	cJSON_AddItemToObject(
	    data, "asks", asking ? cJSON_CreateString(asking) : cJSON_CreateNull());
	cJSON_AddItemToArray(accounts, cJSON_CreateString(SCREEN_GROUP));
	screen = getgrnam(SCREEN_GROUP);
	for (size_t i = 0; screen && screen->gr_mem[i]; i++)
		cJSON_AddItemToArray(accounts, cJSON_CreateString(screen->gr_mem[i]));
	cJSON_AddItemToObject(data, "screen_accounts", accounts);
}
