/* SPDX-License-Identifier: Apache-2.0 */
/* The configured profiles, their AWS keys, and whose account each is. */
#include "custody.h"

#include <stdio.h>

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

int
profiles_init(struct broker *b)
{
	if (secret_alloc(&b->secrets, sizeof(*b->vault)) < 0)
		return -1;
	b->vault = b->secrets.data;
	b->n_profiles = b->config.n_profiles;
	for (size_t i = 0; i < b->n_profiles; i++) {
		b->profiles[i] =
		    (struct profile){.conf = &b->config.profiles[i], .keys = b->vault->keys[i]};
		(void)FIELD_SET(b->profiles[i].account, b->config.profiles[i].account);
	}
	return 0;
}

struct profile *
profile_find(struct broker *b, const char *name)
{
	for (size_t i = 0; i < b->n_profiles; i++)
		if (strcmp(b->profiles[i].conf->name, name) == 0)
			return &b->profiles[i];
	return NULL;
}

bool
profile_allows(const struct profile *p, const char *region)
{
	for (size_t i = 0; i < p->conf->n_regions; i++)
		if (strcmp(p->conf->regions[i].name, region) == 0)
			return true;
	return false;
}

/* Which profile of the AWS files holds the keys of a tier. */
static const char *
section_of(const struct rec_profile_conf *conf, enum tier tier)
{
	if (tier == TIER_READER)
		return conf->reader[0] ? conf->reader : conf->name;
	if (tier == TIER_OPENER_SENSITIVE && conf->opener_sensitive[0])
		return conf->opener_sensitive;
	return conf->opener[0] ? conf->opener : conf->name;
}

static void
keys_take(struct profile_keys *keys, const struct msg_loaded_profile *m)
{
	(void)FIELD_SET(keys->access_key_id, m->access_key_id);
	(void)FIELD_SET(keys->secret_key, m->secret_key);
	(void)FIELD_SET(keys->token, m->token);
	keys->there = true;
}

void
profile_loaded(struct broker *b, struct msg_loaded_profile *m)
{
	bool whole = m->access_key_id[0] && m->secret_key[0];

	for (size_t i = 0; whole && i < b->n_profiles; i++) {
		struct profile *p = &b->profiles[i];

		for (enum tier tier = TIER_READER; tier < TIER_MAX; tier++)
			if (strcmp(section_of(p->conf, tier), m->name) == 0) {
				if (tier == TIER_READER || b->config.use != USE_READ_ONLY)
					keys_take(&p->keys[tier], m);
				p->plaintext[tier] = true;
				p->has_keys = p->has_keys || tier == TIER_READER;
			}
	}
	memory_erase(m, sizeof(*m));
}

void
profiles_tell(struct broker *b)
{
	struct msg_profiles *m = &b->out.profiles;

	b->out.id = MSG_PROFILES;
	m->n_profiles = (uint16_t)b->n_profiles;
	for (size_t i = 0; i < b->n_profiles; i++) {
		const struct profile *p = &b->profiles[i];
		struct rec_profile_info *info = &m->profiles[i];

		(void)FIELD_SET(info->name, p->conf->name);
		(void)FIELD_SET(info->account, p->account);
		info->is_default = p->conf->is_default;
		info->has_credentials = p->has_keys;
		info->n_regions = p->conf->n_regions;
		memcpy(info->regions, p->conf->regions, sizeof(info->regions));
		custody_describe(b, p, info);
	}
	send_planner(b);
}

/* STS is asked of a pinned account too: the keys may have been changed for another's. */
bool
identity_wanted(const struct profile *p)
{
	return p->has_keys && (!p->told || !p->account[0]);
}

void
identity_next(struct broker *b)
{
	if (b->calls[CALL_IDENTITY].number)
		return;
	for (size_t i = 0; i < b->n_profiles; i++) {
		struct profile *p = &b->profiles[i];

		if (!identity_wanted(p) || p->asking)
			continue;
		b->identity_of = i;
		p->asking = aws_read(b, CALL_IDENTITY, AWS_CALLER_IDENTITY, p,
				p->conf->regions[0].name, "") == SGW_ERR_NONE;
		if (p->asking) /* else it is the next one's turn */
			return;
	}
}

static void
account_learnt(struct broker *b, struct profile *p, const char *account)
{
	const char *pinned = p->conf->account;

	if (pinned[0] && strcmp(pinned, account) != 0 && !MUTATE(PINNED_ACCOUNT)) {
		log_write(LOG_LEVEL_ALERT,
		    "profile %s: its keys belong to account %s, not to %s as config.json says; "
		    "they are not used",
		    p->conf->name, account, pinned);
		p->has_keys = false;
	}
	(void)FIELD_SET(p->account, account);
	p->told = true;
	p->asking = false;
	profiles_tell(b);
}

/*
 * A profile whose account could not be learnt is asked about again when somebody next needs it; once at once, where AWS
 * has just said what the time is.
 */
void
identity_answer(struct broker *b, const struct aws_result *r)
{
	struct profile *p = &b->profiles[b->identity_of];
	enum sgw_error error = aws_error(r);

	if (error == SGW_ERR_NONE && account_ok(b->collected[CALL_IDENTITY].account)) {
		account_learnt(b, p, b->collected[CALL_IDENTITY].account);
	} else {
		log_warning("profile %s: STS does not say whose account it is: %s %s",
		    p->conf->name, error_row((uint16_t)error)->message, r->code);
		if (error == SGW_ERR_REQUEST_EXPIRED && !p->asked_again) {
			p->asked_again = true;
			p->asking = false;
		}
	}
	if (b->active && b->active->state == JOB_IDENTITY &&
	    profile_find(b, b->active->plan.profile) == p)
		job_answer(b, r);
	identity_next(b);
}
