/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles of ~/.aws/credentials and ~/.aws/config, in botocore's order of precedence: a profile that assumes a
 * role or signs on (SSO, web identity) is that whatever static keys stand beside it; keys in the credentials file
 * win over a credential process, and that over keys in the config file.  Pure; every slice points into the files'
 * text, so no secret is copied here.
 */
#ifndef LOAD_PROFILES_H
#define LOAD_PROFILES_H

#include <sgwarden/enums.h>
#include <sgwarden/limits.h>

#include "ini.h"

#define PROFILES_IN_FILES_MAX 256

enum {
	PROFILE_ROLE = 1u << 0,    /* role_arn */
	PROFILE_WEB = 1u << 1,     /* web_identity_token_file */
	PROFILE_SSO = 1u << 2,     /* sso_session, sso_start_url, … */
	PROFILE_PROCESS = 1u << 3, /* credential_process */
	PROFILE_LOGIN = 1u << 4,   /* login_session */
};

struct profile_keys {
	struct slice access_key_id;
	struct slice secret_key;
	struct slice token;
	struct slice old_token; /* aws_security_token: botocore looks there first */
	struct slice region;
	uint32_t line; /* of its section; 0: the file has none for this profile */
};

struct profile {
	struct slice name;
	struct profile_keys file[INPUT_LEDGER]; /* by INPUT_CREDENTIALS, INPUT_CONFIG */
	unsigned how;                           /* PROFILE_* */
	uint32_t how_line;
	enum input_file how_file;
	bool broken; /* a line of it could not be read: not offered at all */
};

/* Called once per problem; `detail` is printable ASCII, at most SGW_DETAIL_MAX bytes, and never holds a value. */
typedef void profile_problem_fn(
    void *context, enum input_file file, uint32_t line, const char *detail);

struct profiles {
	profile_problem_fn *problem;
	void *context;
	size_t n;
	bool full;
	struct profile profile[PROFILES_IN_FILES_MAX];
};

/* Adds a file's sections; the text must outlive the table. */
void profiles_read(struct profiles *p, enum input_file file, const char *text, size_t len);

/* What the broker may have of a profile; false: nothing, and where that needs mending it was reported. */
struct profile_loaded {
	struct slice name;
	struct slice access_key_id;
	struct slice secret_key;
	struct slice token; /* len 0: none */
	struct slice region;
};
bool profile_resolve(struct profiles *p, const struct profile *profile, struct profile_loaded *ret);

#endif
