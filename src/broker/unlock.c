/* SPDX-License-Identifier: Apache-2.0 */
/* Openings again, after a lockdown: an administrative act, which says what is turned on again and what stays off. */
#include "admin.h"

#include <stdio.h>

#include <sgwarden/clock.h>

/* What the act's subject names; false: everything. */
static bool
named(const struct broker *b, struct rec_lockdown *ret)
{
	const char *subject = b->admin->subject;

	*ret = (struct rec_lockdown){0};
	return lockdown_parse(subject, strlen(subject), ret);
}

static void
say(struct admin *a, const struct rec_lockdown *l)
{
	char text[LOCKDOWN_TEXT_MAX + 1], since[CLOCK_TEXT_LEN];

	lockdown_text(l, text);
	clock_format(l->since, since);
	admin_say(a, "%s", text);
	admin_say(a, "  off since %s by uid %u, %s", since, (unsigned)l->uid,
	    l->client ? "over MCP" : "by the administrator");
}

enum sgw_error
enable_prepare(struct broker *b, const char **ret_detail)
{
	const struct lockdowns *all = &b->lockdowns;
	struct admin *a = b->admin;
	struct rec_lockdown only;
	bool one, found = false;

	*ret_detail = "no lockdown is on";
	if (all->n == 0)
		return SGW_ERR_BAD_ARGUMENT;
	if (a->subject[0] == 0)
		(void)FIELD_SET(a->subject, LOCKDOWN_EVERYTHING);
	one = named(b, &only);
	*ret_detail = "no such lockdown is on: see `sgwarden health`";
	if (!one && strcmp(a->subject, LOCKDOWN_EVERYTHING) != 0)
		return SGW_ERR_BAD_ARGUMENT;
	admin_say(a, "Openings can be asked for again in:");
	for (size_t i = 0; i < all->n; i++) {
		if (one && !lockdown_equal(&all->on[i], &only))
			continue;
		say(a, &all->on[i]);
		found = true;
	}
	if (!found)
		return SGW_ERR_BAD_ARGUMENT;
	if (one && all->n > 1)
		admin_say(a, "%zu other lockdowns stay on.", all->n - 1);
	admin_say(a, "What the lockdown closed stays closed.");
	*ret_detail = "";
	return SGW_ERR_NONE;
}

void
enable_applied(struct broker *b)
{
	struct rec_lockdown only;

	lockdowns_lift(b, named(b, &only) ? &only : NULL);
	if (b->lockdowns.n)
		(void)snprintf(b->admin->detail, sizeof(b->admin->detail),
		    "openings can be asked for again there; %zu other lockdowns stay on",
		    b->lockdowns.n);
	else
		(void)FIELD_SET(b->admin->detail, "openings can be asked for again");
}
