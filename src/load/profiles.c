/* SPDX-License-Identifier: Apache-2.0 */
/* Which profile has which keys; see profiles.h. */
#include "profiles.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/vis.h>

static void
report(struct profiles *p, enum input_file file, uint32_t line, struct slice name, const char *what)
{
	char shown[4 * 24 + 1], detail[SGW_DETAIL_MAX + 1];

	if (name.len == 0) {
		p->problem(p->context, file, line, what);
		return;
	}
	/* A name that is cut stays recognisable by its line. */
	vis(shown, sizeof(shown), name.at, name.len);
	(void)snprintf(detail, sizeof(detail), "profile \"%s\": %.120s", shown, what);
	p->problem(p->context, file, line, detail);
}

/* `"a name"` as a shell would read it: botocore does, for names with blanks. */
static struct slice
unquoted(struct slice name)
{
	if (name.len >= 2 && (name.at[0] == '"' || name.at[0] == '\'') &&
	    name.at[name.len - 1] == name.at[0])
		return (struct slice){name.at + 1, name.len - 2};
	return name;
}

/* The profile's name in a section's header; false: this section is no profile. */
static bool
section_profile(enum input_file file, struct slice header, struct slice *ret_name)
{
	static const char word[] = "profile";
	size_t len = sizeof(word) - 1;

	if (file == INPUT_CREDENTIALS || slice_is(header, "default")) {
		*ret_name = unquoted(header);
		return true;
	}
	if (header.len <= len || memcmp(header.at, word, len) != 0 ||
	    (header.at[len] != ' ' && header.at[len] != '\t'))
		return false;
	*ret_name = unquoted(slice_trim((struct slice){header.at + len, header.len - len}));
	return ret_name->len > 0;
}

static const char *
name_problem(enum input_file file, struct slice name)
{
	if (name.len > SGW_PROFILE_MAX)
		return "its name is longer than 64 characters";
	if (!text_is_ascii(name.at, name.len))
		return "its name is not plain ASCII";
	if (file == INPUT_CREDENTIALS && name.len > 8 && memcmp(name.at, "profile ", 8) == 0)
		return "in this file a section is [NAME], without the word profile";
	return NULL;
}

static struct profile *
profile_get(struct profiles *p, struct slice name)
{
	for (size_t i = 0; i < p->n; i++) {
		struct profile *profile = &p->profile[i];

		if (profile->name.len == name.len &&
		    memcmp(profile->name.at, name.at, name.len) == 0)
			return profile;
	}
	if (p->n == PROFILES_IN_FILES_MAX) {
		p->full = true;
		return NULL;
	}
	p->profile[p->n] = (struct profile){.name = name};
	return &p->profile[p->n++];
}

static struct profile *
section_begin(struct profiles *p, enum input_file file, const struct ini_item *item)
{
	struct profile *profile;
	struct slice name;
	const char *problem;
	bool was_full = p->full;

	if (!section_profile(file, item->name, &name))
		return NULL;
	problem = name_problem(file, name);
	if (problem != NULL) {
		report(p, file, item->line, name, problem);
		return NULL;
	}
	profile = profile_get(p, name);
	if (profile == NULL) {
		if (!was_full)
			report(p, file, item->line, (struct slice){0},
			    "more than 256 profiles: this one and those behind it are not read");
		return NULL;
	}
	if (profile->file[file].line != 0) {
		report(
		    p, file, item->line, name, "it stands in this file twice; it is not offered");
		profile->broken = true;
		return NULL;
	}
	profile->file[file].line = item->line;
	return profile;
}

/* The keys that we read, and where each goes; all others are somebody else's. */
struct option_row {
	const char *key;
	size_t offset; /* in struct profile_keys; SIZE_MAX: `how` */
	unsigned how;
	size_t most;
};

#define KEY(key, field, most)                                                                      \
	{                                                                                          \
		key, offsetof(struct profile_keys, field), 0, most                                 \
	}
#define HOW(key, how)                                                                              \
	{                                                                                          \
		key, SIZE_MAX, how, 0                                                              \
	}
static const struct option_row OPTIONS[] = {
    KEY("aws_access_key_id", access_key_id, SGW_ACCESS_KEY_ID_MAX),
    KEY("aws_secret_access_key", secret_key, SGW_SECRET_KEY_MAX),
    KEY("aws_session_token", token, SGW_SESSION_TOKEN_MAX),
    KEY("aws_security_token", old_token, SGW_SESSION_TOKEN_MAX),
    KEY("region", region, SGW_REGION_MAX),
    HOW("role_arn", PROFILE_ROLE),
    HOW("web_identity_token_file", PROFILE_WEB),
    HOW("sso_session", PROFILE_SSO),
    HOW("sso_start_url", PROFILE_SSO),
    HOW("sso_account_id", PROFILE_SSO),
    HOW("credential_process", PROFILE_PROCESS),
    HOW("login_session", PROFILE_LOGIN),
};
#undef KEY
#undef HOW

static const struct option_row *
option_row(struct slice key)
{
	for (size_t i = 0; i < sizeof(OPTIONS) / sizeof(OPTIONS[0]); i++)
		if (slice_is_nocase(key, OPTIONS[i].key))
			return &OPTIONS[i];
	return NULL;
}

static const char *
value_problem(const struct option_row *row, struct slice value, bool again)
{
	if (again)
		return "stands there twice";
	if (value.len == 0)
		return "has no value";
	if (value.len > row->most)
		return "has a value that is too long";
	if (!text_is_ascii(value.at, value.len) || memchr(value.at, ' ', value.len) != NULL)
		return "has a value with blanks or other characters that no key has";
	if (value.at[0] == '"' || value.at[0] == '\'')
		return "has its value in quotes; write it without";
	return NULL;
}

static void
option_broken(struct profiles *p, struct profile *profile, enum input_file file, uint32_t line,
    const char *key, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "%s %s; the profile is not offered", key, what);
	report(p, file, line, profile->name, text);
	profile->broken = true;
}

static void
option_set(
    struct profiles *p, struct profile *profile, enum input_file file, const struct ini_item *item)
{
	const struct option_row *row = option_row(item->name);
	const char *problem;
	struct slice *field;

	if (row == NULL)
		return;
	if (row->offset == SIZE_MAX) {
		profile->how |= row->how;
		profile->how_line = item->line;
		profile->how_file = file;
		return;
	}
	field = (struct slice *)(void *)((char *)&profile->file[file] + row->offset);
	problem = value_problem(row, item->value, field->at != NULL);
	if (problem != NULL)
		option_broken(p, profile, file, item->line, row->key, problem);
	else
		*field = item->value;
}

void
profiles_read(struct profiles *p, enum input_file file, const char *text, size_t len)
{
	struct ini ini = ini_over(text, len);
	struct profile *profile = NULL;
	struct ini_item item;

	for (;;) {
		ini_next(&ini, &item);
		switch (item.event) {
		case INI_END:
			return;
		case INI_SECTION:
			profile = section_begin(p, file, &item);
			break;
		case INI_OPTION:
			if (profile != NULL)
				option_set(p, profile, file, &item);
			break;
		case INI_CONTINUED:
			if (profile != NULL && option_row(item.name) != NULL)
				option_broken(p, profile, file, item.line,
				    option_row(item.name)->key, "goes on in an indented line");
			break;
		case INI_BAD:
			if (item.header)
				profile = NULL; /* what follows is nobody's */
			report(p, file, item.line,
			    profile != NULL ? profile->name : (struct slice){0}, item.problem);
			if (profile != NULL)
				profile->broken = true;
			break;
		}
	}
}

/* Ways to get credentials that this build does not offer, in botocore's order. */
static const struct {
	unsigned how;
	const char *what;
} NOT_OFFERED[] = {
    {PROFILE_ROLE, "role_arn: assuming a role is not offered yet"},
    {PROFILE_WEB, "web_identity_token_file is not offered yet"},
    {PROFILE_SSO, "sso: single sign-on is not offered yet"},
    {PROFILE_LOGIN, "login_session is not offered yet"},
    {PROFILE_PROCESS, "credential_process is not offered yet"},
};

static bool
how_refused(struct profiles *p, const struct profile *profile, unsigned how)
{
	for (size_t i = 0; i < sizeof(NOT_OFFERED) / sizeof(NOT_OFFERED[0]); i++) {
		if (!(profile->how & how & NOT_OFFERED[i].how))
			continue;
		report(p, profile->how_file, profile->how_line, profile->name, NOT_OFFERED[i].what);
		return true;
	}
	return false;
}

bool
profile_resolve(struct profiles *p, const struct profile *profile, struct profile_loaded *ret)
{
	const struct profile_keys *cred = &profile->file[INPUT_CREDENTIALS];
	const struct profile_keys *conf = &profile->file[INPUT_CONFIG];
	enum input_file file = INPUT_CREDENTIALS;
	const struct profile_keys *keys = cred;

	if (profile->broken || how_refused(p, profile, ~(unsigned)PROFILE_PROCESS))
		return false;
	if (cred->access_key_id.len == 0 && cred->secret_key.len == 0) {
		if (how_refused(p, profile, PROFILE_PROCESS))
			return false;
		keys = conf;
		file = INPUT_CONFIG;
	}
	if (keys->access_key_id.len == 0 && keys->secret_key.len == 0)
		return false; /* no keys at all: settings for somebody else */
	if (keys->access_key_id.len == 0 || keys->secret_key.len == 0) {
		report(p, file, keys->line, profile->name,
		    keys->secret_key.len == 0
			? "it has aws_access_key_id but no aws_secret_access_key"
			: "it has aws_secret_access_key but no aws_access_key_id");
		return false;
	}
	*ret = (struct profile_loaded){
	    .name = profile->name,
	    .access_key_id = keys->access_key_id,
	    .secret_key = keys->secret_key,
	    .token = keys->old_token.len > 0 ? keys->old_token : keys->token,
	    .region = cred->region.len > 0 ? cred->region : conf->region,
	};
	return true;
}
