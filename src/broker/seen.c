/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that the active plan's groups had when it was judged, so that a change until its call is found and can be
 * named.  What this process changes itself in the meantime, by a step of the plan or by a closing, counts for nothing:
 * such a rule is loose, there or not there.
 */
#include "broker.h"

#include <stdio.h>

#include <sgwarden/clock.h>

#define NAMED_MOST 3 /* changes that are named one by one */

void
seen_clear(struct broker *b)
{
	b->n_seen = 0;
}

bool
seen_keep(struct broker *b, const char *group_id, const struct collected *c)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		const struct rec_rule *rule = &c->rules[i];
		struct seen_rule *seen = &b->seen[b->n_seen];

		if (b->n_seen == SEEN_MAX)
			return false;
		*seen = (struct seen_rule){.protocol = rule->protocol,
		    .from_port = rule->from_port,
		    .to_port = rule->to_port,
		    .source_kind = rule->source_kind,
		    .source = rule->source};
		(void)FIELD_SET(seen->group_id, group_id);
		rule_digest(rule, seen->digest);
		b->n_seen++;
	}
	return true;
}

static bool
is_like(const struct seen_rule *seen, const struct rec_grant *g)
{
	return strcmp(seen->group_id, g->group_id) == 0 && seen->source_kind == SOURCE_CIDR &&
	       seen->protocol == g->protocol && seen->from_port == g->from_port &&
	       seen->to_port == g->to_port && cidr_equal(&seen->source, &g->source);
}

void
seen_loosen(struct broker *b, const struct rec_grant *g)
{
	struct seen_rule *seen = NULL;

	for (size_t i = 0; i < b->n_seen; i++)
		if (is_like(&b->seen[i], g)) {
			b->seen[i].loose = true;
			return;
		}
	if (b->n_seen == SEEN_MAX)
		return; /* then its coming back is taken for somebody else's work: void, and no harm */
	seen = &b->seen[b->n_seen++];
	*seen = (struct seen_rule){.loose = true,
	    .protocol = g->protocol,
	    .from_port = g->from_port,
	    .to_port = g->to_port,
	    .source_kind = SOURCE_CIDR,
	    .source = g->source};
	(void)FIELD_SET(seen->group_id, g->group_id);
}

static bool
is_same(const struct seen_rule *seen, const struct rec_rule *rule, const uint8_t digest[HASH_LEN])
{
	if (!seen->loose)
		return memcmp(seen->digest, digest, HASH_LEN) == 0;
	return rule->source_kind == SOURCE_CIDR && seen->protocol == rule->protocol &&
	       seen->from_port == rule->from_port && seen->to_port == rule->to_port &&
	       cidr_equal(&seen->source, &rule->source);
}

/* "added tcp/22 from 198.51.100.0/28": all of it printable by its types. */
static void
name_change(struct buf *text, unsigned *n, const char *what, const struct seen_rule *rule)
{
	char ports[48], source[CIDR_TEXT_LEN] = "a list or group";

	if (++*n > NAMED_MOST)
		return;
	op_ports_text(rule->protocol, rule->from_port, rule->to_port, ports, sizeof(ports));
	if (rule->source_kind == SOURCE_CIDR)
		cidr_format(&rule->source, source);
	buf_printf(text, "%s%s %s from %s", *n > 1 ? ", " : "", what, ports, source);
}

static const struct seen_rule *
find(const struct broker *b, const char *group_id, const struct rec_rule *rule, bool *found)
{
	uint8_t digest[HASH_LEN];

	rule_digest(rule, digest);
	for (size_t i = 0; i < b->n_seen; i++)
		if (!found[i] && strcmp(b->seen[i].group_id, group_id) == 0 &&
		    is_same(&b->seen[i], rule, digest)) {
			found[i] = true;
			return &b->seen[i];
		}
	return NULL;
}

bool
seen_holds(const struct broker *b, const char *group_id, const struct collected *c,
    char ret_text[SGW_DETAIL_MAX + 1])
{
	static bool found[SEEN_MAX];
	struct buf text = buf_over(ret_text, SGW_DETAIL_MAX + 1);
	unsigned n = 0;

	memset(found, 0, sizeof(found));
	buf_printf(&text, "%s: ", group_id);
	for (size_t i = 0; i < c->n_rules; i++) {
		const struct rec_rule *rule = &c->rules[i];
		const struct seen_rule as_seen = {.protocol = rule->protocol,
		    .from_port = rule->from_port,
		    .to_port = rule->to_port,
		    .source_kind = rule->source_kind,
		    .source = rule->source};

		if (!find(b, group_id, rule, found))
			name_change(&text, &n, "added", &as_seen);
	}
	for (size_t i = 0; i < b->n_seen; i++)
		if (!found[i] && !b->seen[i].loose && strcmp(b->seen[i].group_id, group_id) == 0)
			name_change(&text, &n, "removed", &b->seen[i]);
	if (n > NAMED_MOST)
		buf_printf(&text, " and %u more", n - NAMED_MOST);
	(void)buf_put_c(&text);
	return n == 0;
}
