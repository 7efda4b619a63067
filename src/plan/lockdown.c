/* SPDX-License-Identifier: Apache-2.0 */
/* A lockdown in words, and what it takes in; see lockdown.h. */
#include <sgwarden/lockdown.h>

#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>

static const char *const SCOPES[LOCKDOWN_SCOPE_MAX] = {
    [LOCKDOWN_ALL] = "all",
    [LOCKDOWN_PROFILE] = "profile ",
    [LOCKDOWN_GROUP] = "group ",
};

void
lockdown_text(const struct rec_lockdown *l, char ret_text[LOCKDOWN_TEXT_MAX + 1])
{
	(void)snprintf(ret_text, LOCKDOWN_TEXT_MAX + 1, "%s%s", SCOPES[l->scope],
	    l->scope == LOCKDOWN_ALL ? "" : l->name);
}

bool
lockdown_parse(const char *text, size_t len, struct rec_lockdown *ret)
{
	for (unsigned scope = 0; scope < LOCKDOWN_SCOPE_MAX; scope++) {
		size_t n = strlen(SCOPES[scope]);

		if (len < n || memcmp(text, SCOPES[scope], n) != 0)
			continue;
		ret->scope = (enum lockdown_scope)scope;
		if (!field_copy(ret->name, sizeof(ret->name), text + n, len - n))
			return false;
		return scope == LOCKDOWN_ALL       ? len == n
		       : scope == LOCKDOWN_PROFILE ? len > n
						   : group_id_ok(ret->name);
	}
	return false;
}

bool
lockdown_equal(const struct rec_lockdown *a, const struct rec_lockdown *b)
{
	return a->scope == b->scope && (a->scope == LOCKDOWN_ALL || strcmp(a->name, b->name) == 0);
}

bool
lockdown_covers(const struct rec_lockdown *l, const char *profile, const char *group_id)
{
	return l->scope == LOCKDOWN_ALL ||
	       strcmp(l->name, l->scope == LOCKDOWN_PROFILE ? profile : group_id) == 0;
}

const struct rec_lockdown *
lockdown_of(const struct rec_lockdown *list, size_t n, const struct rec_plan *plan)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < plan->n_ops; k++)
			if (plan->ops[k].action != ACTION_CLOSE &&
			    lockdown_covers(&list[i], plan->profile, plan->ops[k].group_id))
				return &list[i];
	return NULL;
}

void
lockdown_sentence(const struct rec_lockdown *l, char ret_text[SGW_DETAIL_MAX + 1])
{
	char text[LOCKDOWN_TEXT_MAX + 1], since[CLOCK_TEXT_LEN];

	lockdown_text(l, text);
	clock_format(l->since, since);
	(void)snprintf(ret_text, SGW_DETAIL_MAX + 1, "openings are off since %s (lockdown of %s)",
	    since, text);
}

size_t
lockdown_find(const struct rec_lockdown *list, size_t n, const struct rec_lockdown *l)
{
	size_t i = 0;

	while (i < n && !lockdown_equal(&list[i], l))
		i++;
	return i;
}
