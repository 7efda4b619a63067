/* SPDX-License-Identifier: Apache-2.0 */
/* What setup does otherwise for the machine's sgwarden, as root: see setup_flow.h.  Each act is asked for before. */
#include "setup_flow.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "mcp_client.h"
#include "setup_ask.h"

/* ---- the machine ---- */

int
system_machine(struct flow *f)
{
	static const char *const MAKE[][5] = {
	    {"systemd-sysusers", "sgwarden.conf"},
	    {"systemd-tmpfiles", "--create", "sgwarden.conf"},
	    {"systemctl", "daemon-reload"},
	};
	static const char *const PROFILES[] = {
	    "apparmor_parser", "-r", "-T", "-W", "/etc/apparmor.d/sgwarden", NULL};

	step_say(f, STEP_MACHINE,
	    "This machine: the accounts, folders and profiles that the units need.");
	if (access("/run/systemd/system", F_OK) < 0) {
		out_wrapped(stdout, 0,
		    "systemd does not run here, and system mode needs it. Without it there is user "
		    "mode: as the user, `sgwarden setup --config ~/.config/sgwarden`.");
		return 1;
	}
	machine_tell();
	switch (setup_offer("`make` what is missing, or `no`", "make")) {
	case OFFER_ENDED:
		return input_ended();
	case OFFER_NO:
		puts("Nothing was made. `sgwarden setup` goes on here.");
		return 1;
	case OFFER_YES:
		break;
	}
	for (size_t i = 0; i < sizeof(MAKE) / sizeof(MAKE[0]); i++)
		if (!did(MAKE[i]))
			return 1;
	return access(PROFILES[4], F_OK) == 0 &&
		       access("/sys/kernel/security/apparmor", F_OK) == 0 && !did(PROFILES)
		   ? 1
		   : 0;
}

/* ---- the configuration ---- */

/* What this kernel lacks, as config.json must name it; the daemon does not start otherwise. */
static int
degraded_ask(struct flow *f, cJSON *ret_accepted)
{
	cJSON *machine = cJSON_CreateArray(), *layers = cJSON_CreateArray();
	const cJSON *finding;
	int r = doctor_prove(f->args, false, machine, layers);

	cJSON_ArrayForEach(finding, machine)
	{
		const char *name = json_text(finding, "name");

		if (strcmp(json_text(finding, "state"), "missing") != 0)
			continue;
		if (cJSON_GetArraySize(ret_accepted) == 0)
			puts("This machine lacks, each of it a layer of defence:");
		printf("  %s: ", name);
		out_words(stdout, 4, json_text(finding, "detail"));
		cJSON_AddItemToArray(ret_accepted, cJSON_CreateString(name));
	}
	cJSON_Delete(machine);
	cJSON_Delete(layers);
	if (r != 0 || cJSON_GetArraySize(ret_accepted) == 0)
		return r;
	switch (setup_offer("`accept` it, or `no`: the daemon does not start then", "accept")) {
	case OFFER_ENDED:
		return input_ended();
	case OFFER_NO:
		while (cJSON_GetArraySize(ret_accepted) > 0)
			cJSON_DeleteItemFromArray(ret_accepted, 0);
		break;
	case OFFER_YES:
		break;
	}
	return 0;
}

int
system_config(struct flow *f)
{
	cJSON *accepted = cJSON_CreateArray();
	struct setup_answers a = {.degraded = accepted};
	char reader[SETUP_ANSWER_MAX + 8], opener[SETUP_ANSWER_MAX + 8];
	int r;

	step_say(f, STEP_CONFIG,
	    "Which AWS profile and region? sgwarden uses two AWS users: a reader, which reads and "
	    "closes, and an opener, which opens and will be sealed to your security key. They may "
	    "not be the same. Names now; their keys come later.");
	r = setup_ask("A name for both together", "prod", a.profile) ? 0 : input_ended();
	snprintf(reader, sizeof(reader), "%s-reader", a.profile);
	snprintf(opener, sizeof(opener), "%s-opener", a.profile);
	if (r == 0 && (!setup_ask("The reader's profile", reader, a.reader) ||
			  !setup_ask("The opener's profile", opener, a.opener) ||
			  !setup_ask("Region", "eu-west-1", a.region)))
		r = input_ended();
	if (r == 0)
		r = degraded_ask(f, accepted);
	if (r == 0) {
		if (strcmp(a.reader, a.opener) == 0)
			puts("One user for both cannot be sealed: it will be in plaintext.");
		r = setup_write_config(f->args, &a);
		if (r == 2) {
			puts("Once more.");
			r = 0;
		}
	}
	cJSON_Delete(accepted);
	return r;
}

/* ---- the AWS keys ---- */

/* Closed to all but root; -1, having said why. */
static int
keys_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
	const char *problem = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		problem = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		problem = "not a regular file";
	else if (st.st_uid != 0 || st.st_mode & 0077)
		problem = "not root's alone: chown it to root, chmod it 0600";
	if (!problem)
		return fd;
	out_vis(stdout, path, strlen(path), 64);
	printf(": %s\n", problem);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* In plaintext it is of no use any more; a file with other sections is the person's to edit. */
static int
keys_remove(struct flow *f, const char *path, const struct aws_section *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!creds_name(&f->now.config, list[i].name)) {
			puts("The file has other sections too: take these two out of it yourself.");
			return 0;
		}
	switch (setup_offer("`remove` that file, or `keep` it", "remove")) {
	case OFFER_ENDED:
		return input_ended();
	case OFFER_NO:
		puts("Remove it soon: whoever reads it needs no touch.");
		return 0;
	case OFFER_YES:
		break;
	}
	if (unlink(path) < 0)
		printf("It could not be removed: %s\n", strerror(errno));
	return 0;
}

int
system_given(struct flow *f)
{
	static struct aws_section list[SECTIONS_MAX];
	char path[SETUP_ANSWER_MAX];
	const char *lacks;
	size_t n;
	bool given;
	int fd;

	step_say(f, STEP_GIVEN,
	    "The AWS keys, for the daemon alone: systemd-creds encrypts them to this machine. "
	    "Write them into a file, mode 0600, as ~/.aws/credentials has them: a section for the "
	    "reader, one for the opener. What lies below /run is memory, and no disk.");
	if (!setup_ask("That file", "/run/aws-keys", path))
		return input_ended();
	fd = keys_open(path);
	if (fd < 0)
		return 0;
	n = aws_sections_of(fd, list);
	lacks = creds_missing(&f->now.config, list, n);
	if (lacks) {
		printf("It has no secret key in a section [%s]", lacks);
		puts(".");
		switch (setup_offer("`again`, or `as it is`", "again")) {
		case OFFER_ENDED:
			close(fd);
			return input_ended();
		case OFFER_YES:
			close(fd);
			return 0;
		case OFFER_NO:
			break;
		}
	}
	given = lseek(fd, 0, SEEK_SET) == 0 && creds_give(fd);
	close(fd);
	if (!given) {
		puts("systemd-creds, of systemd 250 or later, did not encrypt it: nothing was "
		     "changed.");
		return once_more("Mend that; Enter tries again");
	}
	puts("encrypted " GIVEN_FILE);
	return keys_remove(f, path, list, n);
}

/* ---- the policy ---- */

int
system_policy(struct flow *f)
{
	struct args args = *f->args;

	step_say(f, STEP_POLICY,
	    "policy.json says otherwise than the policy in force. A key agrees to it, on the "
	    "screen.");
	switch (setup_offer("`load` it, or `later`", "load")) {
	case OFFER_ENDED:
		return input_ended();
	case OFFER_NO:
		f->policy_later = true;
		return 0;
	case OFFER_YES:
		break;
	}
	fflush(stdout);
	args.n_rest = 0;
	if (policy_load_run(&args) == 0)
		return 0;
	return once_more("Enter asks again");
}

/* ---- what was sealed ---- */

int
system_take_out(struct flow *f)
{
	setup_say(
	    "What is sealed is still in what the daemon is given, in plaintext for it. Now it "
	    "can go: the reader's key stays, the opener's is taken out, and the daemon is "
	    "restarted.");
	switch (setup_offer("`take` it out, or `no`", "take")) {
	case OFFER_ENDED:
		return input_ended();
	case OFFER_NO:
		puts("Then nothing is gained by the seal yet. `sgwarden setup` goes on here.");
		return 1;
	case OFFER_YES:
		break;
	}
	if (!creds_take_out(&f->now.config)) {
		puts("No opener's section could be taken out: nothing was changed. Mend that, or "
		     "have\n"
		     "a file without it encrypted by hand (docs/HARDENING.md), and run setup "
		     "again.");
		return 1;
	}
	puts("encrypted " GIVEN_FILE);
	return system_restart();
}

int
system_home(struct flow *f)
{
	printf("\nroot's own ~/.aws has the opener's key too, in [%s].\n", f->now.profile);
	return once_more("Take it out there; Enter looks again");
}
