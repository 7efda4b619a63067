/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden setup`: what there is to do, what of it is done, and the files that it writes. */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include <sgwarden/wire.h>

#include "cli.h"

#define SECTIONS_MAX 64
#define SETUP_ANSWER_MAX 128

/* In the order in which a person does it. */
enum setup_step {
	STEP_CONFIG,
	STEP_COMPILED,
	STEP_IAM,
	STEP_DAEMON,
	STEP_SCREEN,
	STEP_KEY,
	STEP_SECOND_KEY,
	STEP_CREDENTIALS,
	STEP_MAX,
};

/* What stands in the way of a tier's credential being sealed and nowhere else. */
enum setup_custody {
	CUSTODY_DONE,      /* none of that uid can authorise: sealed, or absent */
	CUSTODY_SEAL,      /* in plaintext, not sealed */
	CUSTODY_PLAINTEXT, /* sealed, and the plaintext is there too */
};

struct setup {
	bool done[STEP_MAX];
	struct rec_config config; /* where STEP_CONFIG is done */
	unsigned keys;
	enum setup_custody custody;
	char profile[SGW_PROFILE_MAX + 1]; /* of what stands in the way */
	char tier[20];
};

/* ---- setup_look.c ---- */

/* Looks at everything as it is now, asks nobody.  0, or the exit status, having said what is broken. */
int setup_look(const struct args *args, struct setup *ret);
const char *setup_step_text(enum setup_step step);
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

/* ---- setup_config.c ---- */

struct setup_answers {
	char profile[SETUP_ANSWER_MAX], reader[SETUP_ANSWER_MAX], opener[SETUP_ANSWER_MAX],
	    region[SETUP_ANSWER_MAX];
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
