/* SPDX-License-Identifier: Apache-2.0 */
/* Lists come in parts and are cut where a reply would grow too long; a cursor says where to go on. */
#include "list.h"

#include <stdio.h>

#define LIST_FRAME_MAX 6144 /* bytes of a reply around the two copies of the entries */

/* Do the entries so far fit into a reply?  What has been counted is not counted again. */
static bool
entries_fit(struct call *c)
{
	size_t most = SGW_REPLY_MAX - LIST_FRAME_MAX, cost;

	if (c->part.failed)
		return false;
	if (c->part.len <= most / 3) /* a byte costs three at most */
		return true;
	cost = c->cost + jw_cost_twice(c->part.data + c->costed, c->part.len - c->costed);
	if (cost > most)
		return false;
	c->cost = cost;
	c->costed = c->part.len;
	return true;
}

/* One entry more, where it may still be shown and still fits; after the first that does not, none. */
static void
list_add(struct call *c, void (*write)(struct jw *w, const void *entry), const void *entry)
{
	struct jw w = {.b = &c->part, .comma = c->shown > 0};
	struct buf before = c->part;

	if (c->skip > 0) {
		c->skip--;
		return;
	}
	if (c->cut)
		return;
	write(&w, entry);
	if (entries_fit(c)) {
		c->shown++;
		return;
	}
	c->part = before;
	c->cut = true;
}

static void
entry_group(struct jw *w, const void *entry)
{
	const struct rec_group *v = entry;

	out_group(w, v);
}

static void
entry_rule(struct jw *w, const void *entry)
{
	const struct rec_rule_view *v = entry;

	out_rule(w, v);
}

static void
entry_grant(struct jw *w, const void *entry)
{
	const struct rec_grant_view *v = entry;

	out_grant(w, v);
}

bool
list_goes_on(const struct msg *m)
{
	return (m->id == MSG_GROUPS && m->groups.more) || (m->id == MSG_RULES && m->rules.more) ||
	       (m->id == MSG_OPENED && m->opened.more);
}

void
list_part(struct call *c, const struct msg *m)
{
	if (m->id == MSG_GROUPS)
		for (size_t i = 0; i < m->groups.n_groups; i++)
			list_add(c, entry_group, &m->groups.groups[i]);
	else if (m->id == MSG_OPENED)
		for (size_t i = 0; i < m->opened.n_grants; i++)
			list_add(c, entry_grant, &m->opened.grants[i]);
	else
		for (size_t i = 0; i < m->rules.n_rules; i++)
			list_add(c, entry_rule, &m->rules.rules[i]);
}

/*
 * Where the next page begins: behind what was shown of the planner's page, or at the planner's next one.  A cursor
 * is "how many to skip : the planner's cursor".
 */
void
list_next_cursor(const struct call *c, const char *planners, char ret_cursor[ARGS_CURSOR_MAX + 1])
{
	ret_cursor[0] = 0;
	if (c->cut || planners == NULL)
		snprintf(ret_cursor, ARGS_CURSOR_MAX + 1, "%u:%s",
		    (unsigned)c->page.skip + c->shown, c->page.cursor);
	else if (planners[0] != 0)
		snprintf(ret_cursor, ARGS_CURSOR_MAX + 1, "0:%s", planners);
}
