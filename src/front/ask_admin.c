/* SPDX-License-Identifier: Apache-2.0 */
/* The administrator's questions: each is an act with a record of its own, or changes nothing. */
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include "out.h"

static bool
ask_admin(const struct args *a, const struct asker *who, enum admin_act act, const char *subject,
    struct msg *ret_m)
{
	struct msg_ask_admin *m = ASK(ASK_ADMIN, ask_admin);

	m->request = who->request;
	m->progress = who->progress;
	m->act = act;
	return FIELD_SET(m->subject, subject);
}

bool
ask_key_remove(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_admin(a, who, ACT_REMOVE_KEY, a->name, ret_m);
}

bool
ask_cred_status(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_list_profiles(a, who, ret_m, c);
}

/* "PROFILE TIER": no profile's name has a blank in it. */
static bool
ask_cred(const struct args *a, const struct asker *who, enum admin_act act, struct msg *ret_m,
    struct complaint *c)
{
	char subject[SGW_SUBJECT_MAX + 1];

	if (strchr(a->profile, ' '))
		return complain_about(
		    c, ARG_PROFILE, "no configured profile has a blank in its name");
	(void)snprintf(subject, sizeof(subject), "%s %s", a->profile,
	    tier_name(a->tier == TIER_READER ? TIER_OPENER : a->tier));
	return ask_admin(a, who, act, subject, ret_m);
}

bool
ask_cred_seal(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_cred(a, who, ACT_SEAL, ret_m, c);
}

bool
ask_cred_rotate(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_cred(a, who, ACT_ROTATE, ret_m, c);
}

/* The group in the act's data: it is tried on that one. */
bool
ask_cred_test(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_admin *m = &ret_m->ask_admin;

	if (!ask_cred(a, who, ACT_TEST_OPENER, ret_m, c))
		return false;
	m->data_len = (uint16_t)strlen(a->group_id);
	memcpy(m->data, a->group_id, m->data_len);
	return true;
}

bool
ask_key_test(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_admin(a, who, ACT_TEST_KEY, a->name, ret_m);
}

bool
ask_key_phrase(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_admin(a, who, ACT_PHRASE, "", ret_m);
}

bool
ask_recovery_make(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_admin(a, who, ACT_MAKE_CODE, "", ret_m);
}

bool
ask_recovery_drop(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	return ask_admin(a, who, ACT_DROP_CODE, "", ret_m);
}

bool
ask_recovery_use(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	if (!ask_key_enroll(a, who, ret_m, c))
		return false;
	ret_m->ask_enroll.by_code = true;
	return true;
}

bool
ask_policy_show(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	ASK(ASK_POLICY, ask_policy)->request = who->request;
	return true;
}

bool
ask_policy_load(
    const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	size_t digits = strlen(a->policy_hex);

	if (!ask_admin(a, who, ACT_POLICY, "policy", ret_m))
		return false;
	ret_m->ask_admin.data_len = (uint16_t)(digits / 2);
	return hex_decode(a->policy_hex, digits, ret_m->ask_admin.data, digits / 2);
}
