/* SPDX-License-Identifier: Apache-2.0 */
/* The configured profiles, their AWS keys, and whose account each is. */
#include "broker.h"

#include <stdio.h>

#include <sgwarden/log.h>

int
profiles_init(struct broker *b)
{
	struct profile_keys *keys;

	if (secret_alloc(&b->secrets, sizeof(*keys) * SGW_PROFILES_MAX) < 0)
		return -1;
	keys = b->secrets.data;
	b->n_profiles = b->config.n_profiles;
	for (size_t i = 0; i < b->n_profiles; i++) {
		b->profiles[i] = (struct profile){.conf = &b->config.profiles[i], .keys = &keys[i]};
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

void
profile_loaded(struct broker *b, struct msg_loaded_profile *m)
{
	struct profile *p = profile_find(b, m->name);

	if (p && m->access_key_id[0] && m->secret_key[0]) {
		(void)FIELD_SET(p->keys->access_key_id, m->access_key_id);
		(void)FIELD_SET(p->keys->secret_key, m->secret_key);
		(void)FIELD_SET(p->keys->token, m->token);
		p->has_keys = true;
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
	}
	send_planner(b);
}

void
identity_next(struct broker *b)
{
	if (b->calls[CALL_IDENTITY].number)
		return;
	for (size_t i = 0; i < b->n_profiles; i++) {
		struct profile *p = &b->profiles[i];

		if (!p->has_keys || p->account[0] || p->asking)
			continue;
		b->identity_of = i;
		p->asking = aws_read(b, CALL_IDENTITY, AWS_CALLER_IDENTITY, p,
				p->conf->regions[0].name, "") == SGW_ERR_NONE;
		return;
	}
}

/* A profile whose account could not be learnt is asked about again when somebody next needs it. */
void
identity_answer(struct broker *b, const struct aws_result *r)
{
	struct profile *p = &b->profiles[b->identity_of];
	enum sgw_error error = aws_error(r);

	if (error == SGW_ERR_NONE && account_ok(b->collected[CALL_IDENTITY].account)) {
		(void)FIELD_SET(p->account, b->collected[CALL_IDENTITY].account);
		p->asking = false;
		profiles_tell(b);
	} else {
		log_warning("profile %s: STS does not say whose account it is: %s %s",
		    p->conf->name, error_row((uint16_t)error)->message, r->code);
	}
	if (b->active && b->active->state == JOB_IDENTITY &&
	    profile_find(b, b->active->plan.profile) == p)
		job_answer(b, r);
	identity_next(b);
}
