/* SPDX-License-Identifier: Apache-2.0 */
/* Lists come in parts and are cut where a reply would grow too long; a cursor says where to go on. */
#include "list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define CLOSES_DIGITS 18 /* of a time in seconds, at most */

/* "1795282200-2": behind the second of that time. */
bool
list_grants_begin(struct call *c, uint16_t most)
{
	const char *cursor = c->page.cursor;
	size_t closes = strspn(cursor, "0123456789"), ties;

	c->skip = 0;
	c->grants = (struct grants_page){.most = most, .after = INT64_MIN, .last = INT64_MIN};
	if (cursor[0] == 0)
		return c->page.skip == 0;
	if (closes == 0 || closes > CLOSES_DIGITS || cursor[closes] != '-')
		return false;
	ties = strspn(cursor + closes + 1, "0123456789");
	if (ties == 0 || ties > 3 || cursor[closes + 1 + ties] != 0)
		return false;
	c->grants.after = c->grants.last = strtoll(cursor, NULL, 10);
	c->grants.behind = c->grants.ties = (uint16_t)strtoul(cursor + closes + 1, NULL, 10);
	return true;
}

static void
grant_add(struct call *c, const struct rec_grant_view *v)
{
	struct grants_page *page = &c->grants;
	uint16_t shown = c->shown;

	if (v->grant.closes < page->after)
		return;
	if (v->grant.closes == page->after && page->behind > 0) {
		page->behind--;
		return;
	}
	if (shown < page->most)
		list_add(c, entry_grant, v);
	if (c->shown == shown) {
		page->left_out++;
		return;
	}
	page->ties = v->grant.closes == page->last ? (uint16_t)(page->ties + 1) : 1;
	page->last = v->grant.closes;
}

static void
entry_receipt(struct jw *w, const void *entry)
{
	const struct rec_receipt *v = entry;

	out_receipt(w, v);
}

static void
entry_drift(struct jw *w, const void *entry)
{
	const struct rec_drift *v = entry;

	out_drift(w, v);
}

bool
list_goes_on(const struct msg *m)
{
	return (m->id == MSG_GROUPS && m->groups.more) || (m->id == MSG_RULES && m->rules.more) ||
	       (m->id == MSG_OPENED && m->opened.more) || (m->id == MSG_DRIFT && m->drift.more);
}

void
list_part(struct call *c, const struct msg *m)
{
	if (m->id == MSG_GROUPS)
		for (size_t i = 0; i < m->groups.n_groups; i++)
			list_add(c, entry_group, &m->groups.groups[i]);
	else if (m->id == MSG_RECEIPTS)
		for (size_t i = 0; i < m->receipts.n_receipts; i++)
			list_add(c, entry_receipt, &m->receipts.receipts[i]);
	else if (m->id == MSG_DRIFT)
		for (size_t i = 0; i < m->drift.n_findings; i++)
			list_add(c, entry_drift, &m->drift.findings[i]);
	else if (m->id == MSG_OPENED)
		for (size_t i = 0; i < m->opened.n_grants; i++)
			grant_add(c, &m->opened.grants[i]);
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
	if (c->tool->answer == MSG_OPENED) {
		if (planners == NULL)
			snprintf(ret_cursor, ARGS_CURSOR_MAX + 1, "%u:%" PRId64 "-%u",
			    (unsigned)c->page.skip + c->shown, c->grants.last, c->grants.ties);
	} else if (c->cut || planners == NULL)
		snprintf(ret_cursor, ARGS_CURSOR_MAX + 1, "%u:%s",
		    (unsigned)c->page.skip + c->shown, c->page.cursor);
	else if (planners[0] != 0)
		snprintf(ret_cursor, ARGS_CURSOR_MAX + 1, "0:%s", planners);
}
