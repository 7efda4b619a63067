/* SPDX-License-Identifier: Apache-2.0 */
/* must_allow and must_deny of policy.json: drafts of changes, and what must become of them. */
#include <stdio.h>
#include <string.h>

#include <sgwarden/vis.h>

#include "policy_keys.h"

#define CASE(member) offsetof(struct policy_case, member)
#define PLAN(member) (CASE(plan) + offsetof(struct rec_plan, member))

/* A draft while it is read. */
struct draft {
	struct policy_case *c;
	struct rec_cidr source;
	bool has_source, has_lifetime;
	struct rec_service ports[SGW_SCOPE_PORTS_MAX];
	size_t n_ports;
	struct policy_case read; /* plain values */
};

#define READ(member) (offsetof(struct draft, read) + CASE(member))
#define READ_PLAN(member) (offsetof(struct draft, read) + PLAN(member))

static bool
cidr_value(struct parse *p, const struct jt_node *v, struct rec_cidr *ret_cidr)
{
	if (!want_type(p, v, JT_STRING))
		return false;
	if (cidr_parse(v->text, strlen(v->text), ret_cidr) != CIDR_OK)
		return fail(p, v->at,
		    "allowed here: an address or prefix such as \"198.51.100.7\" or "
		    "\"2001:db8::/64\", without host bits");
	return true;
}

static bool
take_from(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct draft *d = into;

	(void)row;
	d->has_source = true;
	return cidr_value(p, v, &d->source);
}

static bool
take_case_ports(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	struct draft *d = into;

	(void)row;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		if (d->n_ports == SGW_SCOPE_PORTS_MAX)
			return fail(p, v->at, "more than %d ports or ranges", SGW_SCOPE_PORTS_MAX);
		if (!ports_value(p, v, &d->ports[d->n_ports++]))
			return false;
	}
	return true;
}

/* Lifetimes that no policy allows may be asked for here. */
static bool
take_for(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct draft *d = into;
	unsigned number = 0;
	char unit = 0, more = 0;
	uint64_t seconds;

	(void)row;
	d->has_lifetime = true;
	if (strcmp(v->text, "permanent") == 0) {
		d->read.plan.lifetime = SGW_LIFETIME_PERMANENT;
		return true;
	}
	if (sscanf(v->text, "%7u%c%c", &number, &unit, &more) != 2 || !strchr("smhd", unit) ||
	    v->text[0] < '0' || v->text[0] > '9')
		return fail(p, v->at,
		    "allowed here: a time such as \"90m\", \"8h\" or \"7d\", or \"permanent\"");
	seconds = (uint64_t)number * (unit == 's'      ? 1
					 : unit == 'm' ? 60
					 : unit == 'h' ? 3600
						       : 86400);
	if (seconds < 1 || seconds >= SGW_LIFETIME_PERMANENT)
		return fail(p, v->at, "this time is out of every range");
	d->read.plan.lifetime = (uint32_t)seconds;
	return true;
}

static bool
take_action(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct draft *d = into;

	(void)row;
	if (strcmp(v->text, "open") != 0 && strcmp(v->text, "close") != 0)
		return fail(p, v->at, "allowed here: \"open\" or \"close\"");
	d->read.plan.ops[0].action = v->text[0] == 'o' ? ACTION_OPEN : ACTION_CLOSE;
	return true;
}

static bool
take_name(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return text_value(p, v, ((struct draft *)into)->read.name, POLICY_NAME_MAX);
}

static bool
take_reason(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return text_value(p, v, ((struct draft *)into)->read.plan.reason, SGW_REASON_CHARS_MAX);
}

static bool
take_profile(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return profile_value(p, v, ((struct draft *)into)->read.plan.profile);
}

static bool
take_account(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return account_value(p, v, ((struct draft *)into)->read.plan.account);
}

static bool
take_region(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return region_value(p, v, ((struct draft *)into)->read.plan.region);
}

static bool
take_group(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return group_value(p, v, ((struct draft *)into)->read.group.group_id);
}

static bool
take_case_tag(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_group *group = &((struct draft *)into)->read.group;
	char key[SGW_POLICY_TAG_MAX + 1], value[SGW_POLICY_TAG_MAX + 1];

	(void)row;
	if (!tag_value(p, v, key, value))
		return false;
	group->n_tags = 1;
	(void)FIELD_SET(group->tags[0].key, key);
	(void)FIELD_SET(group->tags[0].value, value);
	return true;
}

static bool
take_display(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct draft *d = into;

	(void)row;
	if (strcmp(v->text, "shared") != 0 && strcmp(v->text, "trusted") != 0)
		return fail(p, v->at, "allowed here: \"shared\" or \"trusted\"");
	d->read.display = v->text[0] == 's' ? DISPLAY_SHARED : DISPLAY_TRUSTED;
	return true;
}

static bool
take_class(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct draft *d = into;

	(void)row;
	for (enum effect_class e = CLASS_READ; e < CLASS_FORBIDDEN; e++)
		if (strcmp(v->text, class_name(e)) == 0) {
			d->read.effect = (int)e;
			return true;
		}
	return fail(p, v->at,
	    "allowed here: read, close-own, close-foreign, open, open-sensitive, "
	    "open-wide");
}

static bool
take_line(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return text_value(p, v, ((struct draft *)into)->read.line, SGW_LINE_ID_MAX);
}

/* ---- rules that are open already ---- */

static const struct key_row RULE_KEYS[] = {
    {"from", JT_STRING, take_from, 0, 0, 0, NULL},
    {"ports", JT_ARRAY, take_case_ports, 0, 0, 0, NULL},
};

static bool
take_rules(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	struct policy_case *to = &((struct draft *)into)->read;

	(void)row;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		struct draft rule = {0};

		if (!want_type(p, v, JT_OBJECT) || !OBJECT_TAKE(p, RULE_KEYS, v, &rule))
			return false;
		if (!rule.has_source || rule.n_ports == 0)
			return fail(p, v->at, "an open rule needs \"from\" and \"ports\"");
		for (size_t i = 0; i < rule.n_ports; i++) {
			struct rec_rule *r = &to->rules[to->n_rules];

			if (to->n_rules == POLICY_CASE_RULES_MAX)
				return fail(p, v->at, "more than %d rules", POLICY_CASE_RULES_MAX);
			*r = (struct rec_rule){.protocol = rule.ports[i].protocol,
			    .from_port = rule.ports[i].from_port,
			    .to_port = rule.ports[i].to_port,
			    .source_kind = SOURCE_CIDR,
			    .source = rule.source};
			to->n_rules++;
		}
	}
	return true;
}

/* ---- one case ---- */

static const struct key_row CASE_KEYS[] = {
    {"name", JT_STRING, take_name, 0, 0, 0, NULL},
    {"action", JT_STRING, take_action, 0, 0, 0, NULL},
    {"from", JT_STRING, take_from, 0, 0, 0, NULL},
    {"ports", JT_ARRAY, take_case_ports, 0, 0, 0, NULL},
    {"for", JT_STRING, take_for, 0, 0, 0, NULL},
    {"reason", JT_STRING, take_reason, 0, 0, 0, NULL},
    {"profile", JT_STRING, take_profile, 0, 0, 0, NULL},
    {"account", JT_STRING, take_account, 0, 0, 0, NULL},
    {"region", JT_STRING, take_region, 0, 0, 0, NULL},
    {"group", JT_STRING, take_group, 0, 0, 0, NULL},
    {"tag", JT_OBJECT, take_case_tag, 0, 0, 0, NULL},
    {"managed", JT_BOOL, take_bool, READ(group.managed), 0, 0, NULL},
    {"uid", JT_NUMBER, take_u32, READ(uid), 0, UINT32_MAX - 1, "a user's number"},
    {"display", JT_STRING, take_display, 0, 0, 0, NULL},
    {"open", JT_ARRAY, take_rules, 0, 0, 0, NULL},
    {"class", JT_STRING, take_class, 0, 0, 0, NULL},
    {"line", JT_STRING, take_line, 0, 0, 0, NULL},
};

static void
draft_start(struct draft *d)
{
	struct policy_case *c = &d->read;

	c->effect = -1;
	c->group.managed = true;
	(void)FIELD_SET(c->plan.profile, "default");
	(void)FIELD_SET(c->plan.account, "111122223333");
	(void)FIELD_SET(c->plan.region, "eu-west-1");
	(void)FIELD_SET(c->group.group_id, "sg-0123456789abcdef0");
}

/* One operation for each of its ports. */
static void
draft_ops(struct draft *d)
{
	struct rec_plan *plan = &d->read.plan;
	enum action action = plan->ops[0].action;

	plan->n_ops = (uint16_t)d->n_ports;
	plan->n_groups = 1;
	(void)FIELD_SET(plan->groups[0].group_id, d->read.group.group_id);
	for (size_t i = 0; i < d->n_ports; i++) {
		struct rec_op *op = &plan->ops[i];

		*op = (struct rec_op){.action = action,
		    .protocol = d->ports[i].protocol,
		    .from_port = d->ports[i].from_port,
		    .to_port = d->ports[i].to_port,
		    .source = d->source};
		(void)FIELD_SET(op->group_id, d->read.group.group_id);
		if (action == ACTION_CLOSE)
			(void)snprintf(op->rule_id, sizeof(op->rule_id), "sgr-%017zx", i);
	}
	if (action == ACTION_OPEN && !d->has_lifetime)
		plan->lifetime = SGW_LIFETIME_DEFAULT;
}

static bool
take_case(struct parse *p, const struct jt_node *v, struct policy_case *ret_case)
{
	static struct draft d;
	const char *problem;

	memset(&d, 0, sizeof(d));
	draft_start(&d);
	if (!want_type(p, v, JT_OBJECT) || !OBJECT_TAKE(p, CASE_KEYS, v, &d))
		return false;
	if (!d.has_source || d.n_ports == 0)
		return fail(p, v->at, "a case needs \"from\" and \"ports\"");
	if (d.read.plan.ops[0].action == ACTION_CLOSE && d.has_lifetime)
		return fail(p, v->at, "a closing has no \"for\"");
	draft_ops(&d);
	problem = plan_problem(&d.read.plan);
	if (problem)
		return fail(p, v->at, "this is no change that can be asked for: %s", problem);
	d.read.at = v->at;
	*ret_case = d.read;
	return true;
}

static bool
take_cases(struct parse *p, const struct jt_node *list, struct policy_file *file, bool must_allow)
{
	uint16_t number = 0;

	for (const struct jt_node *v = list->first; v; v = v->next) {
		struct policy_case *c = &file->cases[file->n_cases];

		if (file->n_cases == POLICY_CASES_MAX)
			return fail(p, v->at, "more than %d cases", POLICY_CASES_MAX);
		if (!take_case(p, v, c))
			return false;
		c->must_allow = must_allow;
		c->number = number++;
		file->n_cases++;
	}
	return true;
}

bool
take_must_allow(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return take_cases(p, v, into, true);
}

bool
take_must_deny(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return take_cases(p, v, into, false);
}
