/* SPDX-License-Identifier: Apache-2.0 */
/* How far the setting up is: files, sockets and what the daemon says; see setup.h. */
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "mcp_client.h"
#include "policy.h"
#include "setup_unit.h"
#include "table.h"

#define ENDING_MS 10000 /* longer than any of the daemon's processes is given to end */

static const struct {
	const char *name;
	const char *user;   /* what the person does for it; NULL: user mode has no such step */
	const char *system; /* likewise */
	bool wanted;        /* the setting up is incomplete without it */
} STEPS[] = {
    [STEP_MACHINE] = {"machine", NULL,
	"run `sgwarden setup` as root in a terminal: it makes accounts and directories", true},
    [STEP_CONFIG] = {"config", "run `sgwarden setup` in a terminal: it asks and writes config.json",
	"run `sgwarden setup` as root in a terminal: it asks and writes /etc/sgwarden/config.json",
	true},
    [STEP_COMPILED] = {"config load", "run `sgwarden config load`", "run `sgwarden config load`",
	true},
    [STEP_IAM] = {"iam", "run `sgwarden setup`: it writes the policies for the two AWS users",
	"run `sgwarden setup`: it writes the policies for the two AWS users", false},
    [STEP_GIVEN] = {"aws keys", NULL,
	"run `sgwarden setup` as root in a terminal: it encrypts the AWS keys to this machine, for "
	"the daemon alone",
	true},
    [STEP_DAEMON] = {"daemon",
	"run `systemctl --user restart sgwarden.service`; or `/usr/sbin/sgwardend --user` in a "
	"terminal, started anew after each config load",
	"run `systemctl enable --now sgwarden.service`; where it runs already, `systemctl restart "
	"sgwarden.service`",
	true},
    [STEP_SCREEN] = {"screen", "run `sgwarden consent` in a terminal of its own",
	"run `systemctl enable --now sgwarden-consent@tty8.service`; Ctrl-Alt-F8 is the screen "
	"then",
	false},
    [STEP_KEY] = {"key", "plug a security key in, run `sgwarden key enroll blue`",
	"plug a security key in, run `sgwarden key enroll blue`, go to the screen", true},
    [STEP_SECOND_KEY] = {"second key", "run `sgwarden key enroll red` with another key",
	"run `sgwarden key enroll red` with another key", false},
    [STEP_POLICY] = {"policy", NULL,
	"run `sgwarden policy load`: policy.json says otherwise than the policy in force", false},
    [STEP_CREDENTIALS] = {"credentials",
	"run `sgwarden cred seal PROFILE`, take the secret key out of the AWS files, restart the "
	"daemon",
	"run `sgwarden setup` as root in a terminal: it has the opener sealed, takes its key out "
	"of "
	"what the daemon is given and restarts the daemon",
	true},
};

const char *
setup_step_text(const struct setup *s, enum setup_step step)
{
	return s->system ? STEPS[step].system : STEPS[step].user;
}

unsigned
setup_step_number(const struct setup *s, enum setup_step step)
{
	unsigned n = 0;

	for (enum setup_step i = 0; i <= step; i++)
		n += setup_step_text(s, i) != NULL;
	return n;
}

bool
setup_complete(const struct setup *s)
{
	for (enum setup_step i = 0; i < STEP_MAX; i++)
		if (STEPS[i].wanted && !s->done[i])
			return false;
	return true;
}

/* ---- files ---- */

static bool
file_is(const char *path, const uint8_t *data, size_t len, struct timespec *ret_written)
{
	static uint8_t found[SGW_DATAGRAM_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return false;
	n = fstat(fd, &st) == 0 ? read(fd, found, sizeof(found)) : -1;
	close(fd);
	if (n >= 0)
		*ret_written = st.st_mtim;
	return n >= 0 && (size_t)n == len && memcmp(found, data, len) == 0;
}

/* A config.json that is there must be right: what is wrong with it is said as `config load` says it. */
static int
look_config(const struct args *args, struct setup *s, struct timespec *ret_loaded)
{
	static struct config_source source;
	static uint8_t bytes[SGW_DATAGRAM_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));
	char dir[CLI_PATH_MAX], path[CLI_PATH_MAX];
	int r;

	if (!path_config_dir(args, dir) || !path_join(path, dir, "config.json"))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--config", "no such path");
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = config_compile(args, &source, &s->config);
	free(source.text);
	if (r != 0)
		return r;
	s->done[STEP_CONFIG] = true;
	s->done[STEP_IAM] = path_join(path, dir, IAM_READER) && access(path, F_OK) == 0 &&
			    path_join(path, dir, IAM_OPENER) && access(path, F_OK) == 0;
	s->done[STEP_COMPILED] = rec_config_encode(&b, &s->config) && path_state_dir(args, dir) &&
				 path_join(path, dir, "config.bin") &&
				 file_is(path, bytes, b.len, ret_loaded);
	return 0;
}

/* ---- the daemon ---- */

/* The data of an ok answer of a tool without arguments; NULL having said why not, and *ret_status.  Free the envelope. */
static const cJSON *
asked(struct mcp_client *client, const struct args *args, const char *tool, cJSON **ret_envelope,
    int *ret_status)
{
	*ret_envelope = mcp_call(client, args, tool, NULL, NULL, ret_status);
	if (*ret_envelope && strcmp(mcp_status(*ret_envelope), "ok") != 0) {
		*ret_status = mcp_refused(args, *ret_envelope);
		cJSON_Delete(*ret_envelope);
		*ret_envelope = NULL;
	}
	return *ret_envelope ? cJSON_GetObjectItemCaseSensitive(*ret_envelope, "data") : NULL;
}

static bool
member_true(const cJSON *object, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* The first tier that is in plaintext though it opens; what is not sealed comes before what is. */
static void
look_profile(struct setup *s, const cJSON *profile)
{
	const cJSON *tier;

	cJSON_ArrayForEach(tier, cJSON_GetObjectItemCaseSensitive(profile, "tiers"))
	{
		enum setup_custody now =
		    member_true(tier, "sealed") ? CUSTODY_PLAINTEXT : CUSTODY_SEAL;

		if (!member_true(tier, "plaintext") ||
		    strcmp(json_text(tier, "tier"), "reader") == 0)
			continue;
		if (s->custody == CUSTODY_SEAL || (s->custody == now))
			continue;
		s->custody = now;
		snprintf(s->profile, sizeof(s->profile), "%s", json_text(profile, "name"));
		snprintf(s->tier, sizeof(s->tier), "%s", json_text(tier, "tier"));
	}
}

/* What the configuration calls an opener, with its key in root's own files: any program of root's can use it there. */
static void
look_home(struct setup *s)
{
	static struct aws_section list[SECTIONS_MAX];
	size_t n = aws_sections(list);

	for (size_t i = 0; i < n; i++) {
		if (!list[i].has_secret || !creds_opens(&s->config, list[i].name))
			continue;
		s->custody = CUSTODY_HOME;
		memcpy(s->profile, list[i].name, sizeof(s->profile));
	}
}

static int
look_custody(const struct args *args, struct mcp_client *client, struct setup *s)
{
	const cJSON *data, *profile;
	cJSON *envelope;
	int status = 0;

	data = asked(client, args, "cred_status", &envelope, &status);
	if (!data)
		return status;
	cJSON_ArrayForEach(profile, cJSON_GetObjectItemCaseSensitive(data, "profiles"))
	    look_profile(s, profile);
	cJSON_Delete(envelope);
	if (s->system && s->custody == CUSTODY_DONE)
		look_home(s);
	s->done[STEP_CREDENTIALS] = s->custody == CUSTODY_DONE || s->config.use != USE_FULL;
	return 0;
}

static int
look_keys(const struct args *args, struct mcp_client *client, struct setup *s)
{
	const cJSON *data;
	cJSON *envelope;
	int status = 0;

	data = asked(client, args, "key_list", &envelope, &status);
	if (!data)
		return status;
	s->keys = (unsigned)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(data, "keys"));
	cJSON_Delete(envelope);
	s->done[STEP_KEY] = s->keys > 0;
	s->done[STEP_SECOND_KEY] = s->keys > 1;
	return 0;
}

static int
look_screen(const struct args *args, struct mcp_client *client, struct setup *s)
{
	const cJSON *data, *c;
	cJSON *envelope;
	int status = 0;

	data = asked(client, args, "health", &envelope, &status);
	if (!data)
		return status;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(data, "components"))
	{
		if (strcmp(json_text(c, "name"), "consent screen") != 0)
			continue;
		s->done[STEP_SCREEN] = strcmp(json_text(c, "state"), "down") != 0;
		snprintf(s->screen, sizeof(s->screen), "%s", json_text(c, "detail"));
	}
	cJSON_Delete(envelope);
	return 0;
}

static int
look_daemon(const struct args *args, struct setup *s)
{
	struct mcp_client client;
	int status = mcp_client_open(args, "admin", &client);

	if (status != 0)
		return status;
	status = look_keys(args, &client, s);
	if (status == 0)
		status = look_custody(args, &client, s);
	mcp_client_close(&client);
	if (status != 0)
		return status;
	status = mcp_client_open(args, "mcp", &client);
	if (status != 0)
		return status;
	status = look_screen(args, &client, s);
	mcp_client_close(&client);
	return status == 0 && s->system ? policy_is_loaded(args, &s->done[STEP_POLICY]) : status;
}

/* Has the daemon that this was asked ended, or another one taken its place? */
static bool
is_another(const struct timespec *before)
{
	struct timespec now = {0};

	return !daemon_since(&now) || now.tv_sec != before->tv_sec ||
	       now.tv_nsec != before->tv_nsec;
}

/*
 * As look_daemon(), of a daemon that may be restarted under our eyes: then its step is not done, and setup waits for the
 * next one.  While it ends it still listens, and answers nobody.
 */
static int
look_running(const struct args *args, struct setup *s)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	static struct setup before;
	struct timespec since = {0};
	struct args silent = *args;
	uint16_t error = SGW_ERR_NONE;
	bool known;

	silent.held = &error;
	before = *s;
	known = daemon_since(&since);
	for (int left = ENDING_MS; look_daemon(&silent, s) != 0; left -= 200) {
		*s = before;
		if (known ? is_another(&since) : !s->system) {
			s->done[STEP_DAEMON] = false;
			return 0;
		}
		if (left <= 0 || (error != SGW_ERR_RESTARTED && error != SGW_ERR_NOT_RUNNING))
			return look_daemon(args, s);
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

bool
time_is_after(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

int
setup_look(const struct args *args, struct setup *ret)
{
	struct timespec loaded = {0}, since = {0};
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->system = setup_is_system(args);
	for (enum setup_step i = 0; i < STEP_MAX; i++)
		ret->done[i] = !setup_step_text(ret, i);
	r = look_config(args, ret, &loaded);
	if (ret->system)
		machine_look(ret, &loaded);
	else /* one that started before the last config load goes by an older configuration */
		ret->done[STEP_DAEMON] = r == 0 && ret->done[STEP_COMPILED] &&
					 daemon_since(&since) && time_is_after(&since, &loaded);
	return r == 0 && ret->done[STEP_DAEMON] ? look_running(args, ret) : r;
}

/* ---- the list ---- */

static const char *
use_name(const struct setup *s)
{
	static const char *const NAMES[] = {
	    [USE_FULL] = "full", [USE_DEMO] = "demo", [USE_READ_ONLY] = "read-only"};

	return NAMES[s->config.use];
}

static const char *
state_name(const struct setup *s, enum setup_step step)
{
	if (s->done[step])
		return "done";
	return STEPS[step].wanted ? "to do" : "advised";
}

static void
list_json(const struct setup *s)
{
	cJSON *tree = cJSON_CreateObject(), *data = cJSON_CreateObject(),
	      *steps = cJSON_CreateArray();

	for (enum setup_step i = 0; i < STEP_MAX; i++) {
		cJSON *step;

		if (!setup_step_text(s, i))
			continue;
		step = cJSON_CreateObject();
		cJSON_AddStringToObject(step, "name", STEPS[i].name);
		cJSON_AddStringToObject(step, "state", state_name(s, i));
		if (!s->done[i])
			cJSON_AddStringToObject(step, "next_step", setup_step_text(s, i));
		cJSON_AddItemToArray(steps, step);
	}
	cJSON_AddStringToObject(tree, "status", "ok");
	cJSON_AddItemToObject(tree, "data", data);
	cJSON_AddBoolToObject(data, "complete", setup_complete(s));
	cJSON_AddStringToObject(data, "use", use_name(s));
	cJSON_AddItemToObject(data, "steps", steps);
	cJSON_AddStringToObject(data, "mode", s->system ? "system" : "user");
	if (s->system)
		machine_people_json(data);
	out_json(tree);
}

void
setup_list(const struct args *args, const struct setup *s)
{
	if (args->json) {
		list_json(s);
		return;
	}
	for (enum setup_step i = 0; i < STEP_MAX; i++) {
		if (!setup_step_text(s, i))
			continue;
		printf("%-8s %s", state_name(s, i), STEPS[i].name);
		if (s->done[i]) {
			putchar('\n');
			continue;
		}
		fputs(":\n         ", stdout);
		out_wrapped(stdout, 9, setup_step_text(s, i));
	}
	if (s->config.use != USE_FULL)
		printf("use      %s\n", use_name(s));
	if (s->system)
		machine_tell_people();
}
