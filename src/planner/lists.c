/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists.  A call walks its snapshot in the order of the ids; `at` and `left` say how far it is, so that a part that
 * finds no room is simply made again.
 */
#include "lists.h"

#include <string.h>

#include <sgwarden/clock.h>

#include "calls.h"
#include "clients.h"
#include "cursor.h"
#include "lockdown.h"
#include "snap.h"

/* The first place behind `id` in the snapshot's order. */
static size_t
place_after(const struct snap *s, const char *id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *at = s->what == AWS_DESCRIBE_GROUPS ? s->groups[s->order[mid]].id
								: s->rules[s->order[mid]].rule_id;

		if (strcmp(at, id) > 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The page's beginning; false: the cursor is not one of this list. */
static bool
list_begin(struct call *call, const struct snap *s, const struct cursor_of *of, const char *cursor)
{
	const char *id = cursor[0] != 0 ? cursor_read(of, cursor) : NULL;

	if (cursor[0] != 0 && id == NULL) {
		call_fail(call, SGW_ERR_BAD_CURSOR, "cursor", "");
		return false;
	}
	call->at = id != NULL ? place_after(s, id) : 0;
	call->told = true;
	return true;
}

/* ---- groups ---- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does `text` contain `query`, whatever the case of ASCII letters?  Anything contains the empty query. */
static bool
text_has(const char *text, const char *query)
{
	do {
		size_t n = 0;

		while (query[n] != 0 && lower(text[n]) == lower(query[n]))
			n++;
		if (query[n] == 0)
			return true;
	} while (*text++ != 0);
	return false;
}

static bool
group_found(const struct rec_group *group, const char *query)
{
	bool found = text_has(group->group_id, query) || text_has(group->name, query);

	for (size_t i = 0; i < group->n_tags && !found; i++)
		found =
		    text_has(group->tags[i].key, query) || text_has(group->tags[i].value, query);
	return found;
}

static bool
group_wanted(const struct msg_ask_groups *ask, const struct rec_group *group)
{
	bool tagged = ask->tag_key[0] == 0;

	if (ask->managed_only && !group->managed)
		return false;
	if (!group_found(group, ask->query))
		return false;
	if (ask->vpc_id[0] != 0 && strcmp(ask->vpc_id, group->vpc_id) != 0)
		return false;
	for (size_t i = 0; i < group->n_tags && !tagged; i++)
		tagged =
		    strcmp(group->tags[i].key, ask->tag_key) == 0 &&
		    (ask->tag_value[0] == 0 || strcmp(group->tags[i].value, ask->tag_value) == 0);
	return tagged;
}

/* The next wanted group at or behind `at`, into ret_group; s->n: none. */
static size_t
group_next(
    const struct snap *s, const struct msg_ask_groups *ask, size_t at, struct rec_group *ret_group)
{
	for (; at < s->n; at++) {
		snap_group(s, s->order[at], ret_group);
		if (group_wanted(ask, ret_group))
			break;
	}
	return at;
}

bool
run_groups(struct planner *p, struct call *call)
{
	const struct msg_ask_groups *ask = &call->ask.groups;
	const struct snap *s = call->got[AWS_DESCRIBE_GROUPS];
	struct msg_groups *out = &p->out.groups;
	struct cursor_of of;

	cursor_of_groups(ask, &of);
	if (!call->told && !list_begin(call, s, &of, ask->cursor))
		return false;
	for (;;) {
		size_t at = group_next(s, ask, call->at, &p->group), last = at;

		p->out.id = MSG_GROUPS;
		out->request = call->request;
		FIELD_SET(out->profile, call->profile->name);
		FIELD_SET(out->account, call_account(p, call));
		FIELD_SET(out->region, call->region);
		out->n_groups = 0;
		while (at < s->n && out->n_groups < call->left && out->n_groups < SGW_GROUPS_PAGE) {
			out->groups[out->n_groups++] = p->group;
			last = at;
			at = group_next(s, ask, at + 1, &p->group);
		}
		out->more = at < s->n && call->left > out->n_groups;
		out->next_cursor[0] = 0;
		if (at < s->n && !out->more)
			cursor_make(&of, s->groups[s->order[last]].id, out->next_cursor);
		if (client_send(p, call->client) == SENT_BLOCKED)
			return false;
		if (!out->more)
			return true;
		call->at = at;
		call->left -= out->n_groups;
	}
}

/* ---- rules ---- */

bool
rule_has_port(const struct rec_rule *rule, uint16_t port)
{
	if (rule->protocol == PROTO_TCP || rule->protocol == PROTO_UDP)
		return rule->from_port <= port && port <= rule->to_port;
	return rule->protocol != PROTO_ICMP && rule->protocol != PROTO_ICMPV6;
}

static bool
rule_wanted(
    const struct msg_ask_rules *ask, const struct rec_rule *rule, const struct rule_note *note)
{
	if (rule->egress != ask->egress)
		return false;
	if ((ask->filter & RULES_OWN_ONLY) && !note->own)
		return false;
	if ((ask->filter & RULES_FOREIGN_ONLY) && note->own)
		return false;
	if ((ask->filter & RULES_BY_SOURCE) &&
	    (rule->source_kind != SOURCE_CIDR || (!cidr_contains(&rule->source, &ask->source) &&
						     !cidr_contains(&ask->source, &rule->source))))
		return false;
	return !(ask->filter & RULES_BY_PORT) || rule_has_port(rule, ask->port);
}

static size_t
rule_next(const struct snap *s, const struct msg_ask_rules *ask, size_t at)
{
	while (at < s->n && !rule_wanted(ask, &s->rules[s->order[at]], &s->notes[s->order[at]]))
		at++;
	return at;
}

static void
rule_view(const struct rec_rule *rule, const struct rule_note *note, int64_t now,
    struct rec_rule_view *ret_view)
{
	ret_view->rule = *rule;
	ret_view->own = note->own;
	FIELD_SET(ret_view->receipt, note->receipt);
	ret_view->expires = note->expires;
	ret_view->flags = note->flags;
	if (note->own && note->expires != 0 && note->expires < now)
		ret_view->flags |= VIEW_OVERDUE;
}

bool
rules_of_known_group(struct planner *p, struct call *call)
{
	const struct snap *groups = call->got[AWS_DESCRIBE_GROUPS];

	if (call->got[AWS_DESCRIBE_RULES]->n > 0 || (groups != NULL && groups->n > 0))
		return true;
	if (groups != NULL) {
		call_fail(call, SGW_ERR_NO_SUCH_GROUP, "security_group_id", "");
		return false;
	}
	call->needs |= NEED_GROUP;
	p->stirred = true;
	return false;
}

bool
run_rules(struct planner *p, struct call *call)
{
	const struct msg_ask_rules *ask = &call->ask.rules;
	struct snap *s = call->got[AWS_DESCRIBE_RULES];
	struct msg_rules *out = &p->out.rules;
	int64_t now = clock_now();
	struct cursor_of of;

	if (!rules_of_known_group(p, call))
		return false;
	snap_annotate(p, s);
	if (ask->cursor[0] != 0)
		cursor_of_rules(ask, &of);
	if (!call->told && !list_begin(call, s, &of, ask->cursor))
		return false;
	for (;;) {
		size_t at = rule_next(s, ask, call->at), last = at;

		p->out.id = MSG_RULES;
		out->request = call->request;
		FIELD_SET(out->profile, call->profile->name);
		FIELD_SET(out->account, call_account(p, call));
		FIELD_SET(out->region, call->region);
		FIELD_SET(out->group_id, ask->group_id);
		lockdown_note(p, call->profile->name, ask->group_id, out->lockdown);
		out->n_rules = 0;
		while (at < s->n && out->n_rules < call->left && out->n_rules < SGW_RULES_PAGE) {
			rule_view(&s->rules[s->order[at]], &s->notes[s->order[at]], now,
			    &out->rules[out->n_rules++]);
			last = at;
			at = rule_next(s, ask, at + 1);
		}
		out->more = at < s->n && call->left > out->n_rules;
		out->next_cursor[0] = 0;
		if (at < s->n && !out->more) {
			cursor_of_rules(ask, &of);
			cursor_make(&of, s->rules[s->order[last]].rule_id, out->next_cursor);
		}
		if (client_send(p, call->client) == SENT_BLOCKED)
			return false;
		if (!out->more)
			return true;
		call->at = at;
		call->left -= out->n_rules;
	}
}

/* ---- grants ---- */

static bool
grant_wanted(const struct rec_grant *grant, enum grant_filter filter, int64_t now)
{
	bool foreign = grant->state == GRANT_FOREIGN, closed = grant->state == GRANT_CLOSED;

	switch (filter) {
	case GRANTS_OPEN:
		return grant->state == GRANT_OPEN;
	case GRANTS_CLOSING:
		return grant->state == GRANT_CLOSING;
	case GRANTS_AMBIGUOUS:
		return foreign || grant->state == GRANT_AMBIGUOUS;
	case GRANTS_OVERDUE:
		return !foreign && !closed && grant->closes < now;
	case GRANTS_CLOSED:
		return closed;
	default:
		return !foreign && !closed;
	}
}

size_t
grants_order(struct planner *p, const char *group_id, const struct rec_cidr *covers,
    enum grant_filter filter)
{
	int64_t now = clock_now();
	size_t n = 0;

	for (size_t i = 0; i < p->n_told; i++) {
		const struct rec_grant *grant = &p->grants[i];
		size_t at = n;

		if (!grant_wanted(grant, filter, now) ||
		    (group_id[0] != 0 && strcmp(grant->group_id, group_id) != 0) ||
		    (covers != NULL && !cidr_contains(&grant->source, covers)))
			continue;
		for (; at > 0 && p->grants[p->order[at - 1]].closes > grant->closes; at--)
			p->order[at] = p->order[at - 1];
		p->order[at] = (uint32_t)i;
		n++;
	}
	return n;
}

void
grant_view(const struct rec_grant *grant, int64_t now, struct rec_grant_view *ret_view)
{
	int64_t left = grant->closes - now;

	ret_view->grant = *grant;
	ret_view->seconds_left = left <= 0 ? 0 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

bool
run_opened(struct planner *p, struct call *call)
{
	struct msg_opened *out = &p->out.opened;
	size_t n = grants_order(p, call->ask.opened.group_id, NULL, call->ask.opened.filter);

	if (!call->told)
		call->grants_generation = p->grants_generation;
	call->told = true;
	/* What changed behind the parts that have gone out would be told twice or not at all. */
	if (call->grants_generation != p->grants_generation) {
		call_fail(call, SGW_ERR_BUSY, "", "the grants changed while they were listed");
		return false;
	}
	for (;;) {
		p->out.id = MSG_OPENED;
		out->request = call->request;
		lockdown_note(p, NULL, NULL, out->lockdown);
		out->n_grants = 0;
		while (call->at + out->n_grants < n && out->n_grants < call->left &&
		       out->n_grants < SGW_GRANTS_PAGE) {
			grant_view(&p->grants[p->order[call->at + out->n_grants]], clock_now(),
			    &out->grants[out->n_grants]);
			out->n_grants++;
		}
		out->more = call->at + out->n_grants < n && call->left > out->n_grants;
		out->left_out = out->more ? 0 : (uint16_t)(n - call->at - out->n_grants);
		if (client_send(p, call->client) == SENT_BLOCKED)
			return false;
		if (!out->more)
			return true;
		call->at += out->n_grants;
		call->left -= out->n_grants;
	}
}
