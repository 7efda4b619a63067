/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdown, which anybody may ask for whom the policy lets, and what lifts it. */
#include "ask.h"

#include <sgwarden/lockdown.h>

/* The scope's own argument and no other one. */
static bool
scope_take(const struct args *a, struct rec_lockdown *ret, struct complaint *c)
{
	*ret = (struct rec_lockdown){.scope = a->scope};
	if (given_arg(a, ARG_PROFILE) != (a->scope == LOCKDOWN_PROFILE))
		return complain_about(c, ARG_PROFILE, "it goes with the scope profile");
	if (given_arg(a, ARG_GROUP) != (a->scope == LOCKDOWN_GROUP))
		return complain_about(c, ARG_GROUP, "it goes with the scope group");
	return FIELD_SET(ret->name, a->scope == LOCKDOWN_GROUP ? a->group_id : a->profile);
}

bool
ask_lockdown(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_lockdown *m = ASK(ASK_LOCKDOWN, ask_lockdown);
	struct rec_lockdown l;

	if (!scope_take(a, &l, c))
		return false;
	m->request = who->request;
	m->scope = l.scope;
	return FIELD_SET(m->name, l.name);
}

/* The act's subject is the lockdown's one form; empty: all of them. */
bool
ask_unlock(const struct args *a, const struct asker *who, struct msg *ret_m, struct complaint *c)
{
	struct msg_ask_admin *m = ASK(ASK_ADMIN, ask_admin);
	char text[LOCKDOWN_TEXT_MAX + 1] = "";
	struct rec_lockdown l;

	if (!scope_take(a, &l, c))
		return false;
	if (given_arg(a, ARG_SCOPE))
		lockdown_text(&l, text);
	m->request = who->request;
	m->progress = who->progress;
	m->act = ACT_ENABLE;
	return FIELD_SET(m->subject, text);
}
