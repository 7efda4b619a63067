/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden setup`: what there is to do, what of it is done, and the files that it writes. */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include <cjson/cJSON.h>

#include <sgwarden/wire.h>

#include "cli.h"

#define SECTIONS_MAX 64
#define SETUP_ANSWER_MAX 128

/* In the order in which a person does it. */
enum setup_step {
	STEP_MACHINE, /* system mode: accounts, directories, units */
	STEP_CONFIG,
	STEP_COMPILED,
	STEP_IAM,
	STEP_GIVEN, /* system mode: the AWS keys, encrypted for the daemon's unit */
	STEP_DAEMON,
	STEP_SCREEN,
	STEP_KEY,
	STEP_SECOND_KEY,
	STEP_POLICY, /* system mode: policy.json, where there is one */
	STEP_CREDENTIALS,
	STEP_MAX,
};

/* What stands in the way of a tier's credential being sealed and nowhere else. */
enum setup_custody {
	CUSTODY_DONE,      /* none of that uid can authorise: sealed, or absent */
	CUSTODY_SEAL,      /* in plaintext, not sealed */
	CUSTODY_PLAINTEXT, /* sealed, and the plaintext is there too */
	CUSTODY_HOME,      /* system mode: in root's own AWS files */
};

struct setup {
	bool system;              /* the machine's sgwarden, by root */
	bool done[STEP_MAX];      /* one that this mode has not is done */
	struct rec_config config; /* where STEP_CONFIG is done */
	bool runs; /* system mode: the daemon does, maybe by an older configuration */
	unsigned keys;
	enum setup_custody custody;
	char profile[SGW_PROFILE_MAX + 1]; /* of what stands in the way */
	char tier[20];
	char screen[64]; /* what health says of the screen */
};

/* ---- setup_look.c ---- */

/* Looks at everything as it is now, asks nobody.  0, or the exit status, having said what is broken. */
int setup_look(const struct args *args, struct setup *ret);
const char *setup_step_text(const struct setup *s, enum setup_step step);
/* Which one it is in this mode, from 1. */
unsigned setup_step_number(const struct setup *s, enum setup_step step);
/* Is one before the other? */
bool time_is_after(const struct timespec *a, const struct timespec *b);
/* Is nothing left to do that must be done? */
bool setup_complete(const struct setup *s);
/* The steps as a table, or as JSON. */
void setup_list(const struct args *args, const struct setup *s);

/* ---- setup_aws.c: names from the AWS files; what stands behind the keys is skipped, never kept ---- */

struct aws_section {
	char name[SGW_PROFILE_MAX + 1];
	bool has_secret; /* it has an aws_secret_access_key */
};

/* The sections of ~/.aws/credentials and ~/.aws/config that name a profile; how many. */
size_t aws_sections(struct aws_section ret[SECTIONS_MAX]);
/* Of one file alone, from where it stands. */
size_t aws_sections_of(int fd, struct aws_section ret[SECTIONS_MAX]);
/* A header's name: "[name]" or "[profile name]"; false where it is no profile's.  The line is changed. */
bool aws_header(char *line, char ret_name[SGW_PROFILE_MAX + 1]);

/* ---- setup_machine.c: system mode ---- */

/* Is it the machine's sgwarden that these arguments mean?  In whose directory it is, whoever asks. */
bool setup_is_system(const struct args *args);
/* The steps that need no daemon, and the daemon's unit; what was compiled at `loaded` must be older than that. */
void machine_look(struct setup *s, const struct timespec *loaded);
/* A line for each thing that the machine lacks. */
void machine_tell(void);
/* Who may ask, and which accounts may be the screen. */
void machine_tell_people(void);
void machine_people_json(cJSON *data);

/* ---- setup_creds.c: system mode, what the daemon is given; it passes through in locked memory, if at all ---- */

#define GIVEN_FOLDER "/etc/credstore.encrypted"
#define GIVEN_FILE GIVEN_FOLDER "/sgwarden-credentials"

/* Is this section one that only opens? */
bool creds_opens(const struct rec_config *config, const char *section);
/* Does a profile name it at all? */
bool creds_name(const struct rec_config *config, const char *section);
/* The first section that the configuration names and the list has not, with a secret key; or NULL. */
const char *creds_missing(
    const struct rec_config *config, const struct aws_section *list, size_t n);
/* Encrypts a file to this machine, in the place of what was given before; false: that stays, and why was said. */
bool creds_give(int fd);
/* Takes the opener's sections out of what is given; false: likewise, or there was none. */
bool creds_take_out(const struct rec_config *config);

/* ---- setup_config.c ---- */

struct setup_answers {
	char profile[SETUP_ANSWER_MAX], reader[SETUP_ANSWER_MAX], opener[SETUP_ANSWER_MAX],
	    region[SETUP_ANSWER_MAX];
	const cJSON *degraded; /* system mode: findings that it is to accept, or NULL */
};

/* Writes a new config.json, which must not be there yet.  0 or the exit status, having said why. */
int setup_write_config(const struct args *args, const struct setup_answers *a);
/* Puts "use" into config.json as a line of its own.  0 or the exit status. */
int setup_write_use(const struct args *args, const char *use);

/* The policies for AWS: what each tier may do and no more. */

/* The names of the policies' files in the configuration's directory. */
#define IAM_READER "iam-reader.json"
#define IAM_OPENER "iam-opener.json"
/* Writes both files into the configuration's directory, over older ones.  0 or the exit status. */
int setup_write_iam(const struct args *args, const struct rec_config *config);

#endif
