/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: growing while an answer comes in, then immutable but for the notes. */
#include "snap.h"

#include <stdlib.h>
#include <string.h>

#define RULES_FIRST 64
#define GROUPS_FIRST 64
#define BLOB_FIRST 16384

struct snap *
snap_new(struct planner *p, enum aws_op what)
{
	struct snap *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->refs = 1;
	s->what = what;
	s->bytes = sizeof(*s);
	p->snaps_bytes += s->bytes;
	return s;
}

struct snap *
snap_ref(struct snap *s)
{
	s->refs++;
	return s;
}

void
snap_unref(struct planner *p, struct snap *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	p->snaps_bytes -= s->bytes;
	free(s->order);
	free(s->rules);
	free(s->notes);
	free(s->groups);
	free(s->blob);
	free(s);
}

/* Room for `cap` elements in one of the snapshot's arrays, accounted for before it is taken. */
static enum snap_result
array_grow(struct planner *p, struct snap *s, void *array, size_t old_cap, size_t cap, size_t each)
{
	size_t more = (cap - old_cap) * each;
	void *old, *grown;

	if (s->bytes + more > SNAP_BYTES_MAX)
		return SNAP_TOO_MUCH;
	if (p->snaps_bytes + more > SNAPS_BYTES_MAX)
		return SNAP_BUSY;
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, cap * each);
	if (grown == NULL)
		return SNAP_BUSY;
	memset((char *)grown + old_cap * each, 0, more);
	memcpy(array, &grown, sizeof(grown));
	s->bytes += more;
	p->snaps_bytes += more;
	return SNAP_OK;
}

static size_t
doubled(size_t cap, size_t first, size_t want, size_t most)
{
	cap = cap == 0 ? first : cap;
	while (cap < want)
		cap *= 2;
	return cap > most ? most : cap;
}

enum snap_result
snap_add_rules(struct planner *p, struct snap *s, const struct msg_aws_rules *part)
{
	size_t want = s->n + part->n_rules;

	if (want > SNAP_RULES_MAX)
		return SNAP_TOO_MUCH;
	if (want > s->cap) {
		size_t cap = doubled(s->cap, RULES_FIRST, want, SNAP_RULES_MAX);
		enum snap_result r = array_grow(p, s, &s->rules, s->cap, cap, sizeof(*s->rules));

		if (r != SNAP_OK)
			return r;
		s->cap = cap;
	}
	memcpy(s->rules + s->n, part->rules, part->n_rules * sizeof(*s->rules));
	s->n = want;
	return SNAP_OK;
}

static enum snap_result
group_add(struct planner *p, struct snap *s, const struct rec_group *group, uint8_t *scratch)
{
	struct buf b = buf_over(scratch, SGW_DATAGRAM_MAX);
	struct group_index *to;
	enum snap_result r = SNAP_OK;

	if (s->n == SNAP_GROUPS_MAX || !rec_group_encode(&b, group))
		return SNAP_TOO_MUCH;
	if (s->n == s->cap) {
		size_t cap = doubled(s->cap, GROUPS_FIRST, s->n + 1, SNAP_GROUPS_MAX);

		r = array_grow(p, s, &s->groups, s->cap, cap, sizeof(*s->groups));
		if (r != SNAP_OK)
			return r;
		s->cap = cap;
	}
	if (s->blob_len + b.len > s->blob_cap) {
		size_t cap = doubled(s->blob_cap, BLOB_FIRST, s->blob_len + b.len, SNAP_BYTES_MAX);

		r = array_grow(p, s, &s->blob, s->blob_cap, cap, 1);
		if (r != SNAP_OK)
			return r;
		s->blob_cap = cap;
	}
	to = &s->groups[s->n++];
	to->at = (uint32_t)s->blob_len;
	to->len = (uint32_t)b.len;
	FIELD_SET(to->id, group->group_id);
	memcpy(s->blob + s->blob_len, b.data, b.len);
	s->blob_len += b.len;
	return SNAP_OK;
}

enum snap_result
snap_add_groups(struct planner *p, struct snap *s, const struct msg_aws_groups *part)
{
	for (size_t i = 0; i < part->n_groups; i++) {
		enum snap_result r = group_add(p, s, &part->groups[i], p->scratch);

		if (r != SNAP_OK)
			return r;
	}
	return SNAP_OK;
}

enum snap_result
snap_finish(struct planner *p, struct snap *s)
{
	enum snap_result r;

	if (s->n == 0)
		return SNAP_OK;
	r = array_grow(p, s, &s->order, 0, s->n, sizeof(*s->order));
	if (r != SNAP_OK)
		return r;
	if (s->what == AWS_DESCRIBE_GROUPS) {
		order_by_id(s->groups[0].id, sizeof(s->groups[0]), s->order, s->n);
		return SNAP_OK;
	}
	order_by_id(s->rules[0].rule_id, sizeof(s->rules[0]), s->order, s->n);
	return array_grow(p, s, &s->notes, 0, s->n, sizeof(*s->notes));
}

static bool
rule_is_grant(const struct rec_rule *rule, const struct rec_grant *grant)
{
	return !rule->egress && rule->source_kind == SOURCE_CIDR && grant->state != GRANT_CLOSED &&
	       rule->protocol == grant->protocol && rule->from_port == grant->from_port &&
	       rule->to_port == grant->to_port && cidr_equal(&rule->source, &grant->source) &&
	       strcmp(rule->group_id, grant->group_id) == 0;
}

const struct rec_rule *
snap_rule_of(const struct snap *s, const struct rec_grant *grant)
{
	for (size_t i = 0; i < s->n; i++)
		if (rule_is_grant(&s->rules[i], grant))
			return &s->rules[i];
	return NULL;
}

static void
rule_note(struct planner *p, const struct rec_rule *rule, struct rule_note *note)
{
	*note = (struct rule_note){0};
	for (size_t i = 0; i < p->n_grants && !note->own; i++) {
		const struct rec_grant *grant = &p->grants[i];

		if (!rule_is_grant(rule, grant))
			continue;
		note->own = true;
		note->expires = grant->closes;
		FIELD_SET(note->receipt, grant->receipt);
	}
	if (!note->own)
		note->flags |= VIEW_FOREIGN;
	if (rule->source_kind == SOURCE_CIDR && rule->source.prefix == 0)
		note->flags |= VIEW_WORLD_OPEN;
	if (!rule->egress &&
	    policy_sensitive(&p->config.policy, rule->protocol, rule->from_port, rule->to_port))
		note->flags |= VIEW_SENSITIVE;
}

void
snap_annotate(struct planner *p, struct snap *s)
{
	if (s->annotated == p->grants_generation)
		return;
	for (size_t i = 0; i < s->n; i++)
		rule_note(p, &s->rules[i], &s->notes[i]);
	s->annotated = p->grants_generation;
}

/* The bytes are what rec_group_encode() wrote, so they decode. */
void
snap_group(const struct snap *s, size_t i, struct rec_group *ret_group)
{
	struct cur c = cur_over(s->blob + s->groups[i].at, s->groups[i].len);

	rec_group_decode(&c, ret_group);
}
