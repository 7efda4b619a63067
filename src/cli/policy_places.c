/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes of policy.json.  One there may list profiles, accounts, regions and groups: it becomes a typed scope for
 * each combination of them.
 */
#include "policy_keys.h"

#include <string.h>

#include <sgwarden/plan.h>
#include <sgwarden/vis.h>

bool
profile_value(struct parse *p, const struct jt_node *v, char ret_name[SGW_PROFILE_MAX + 1])
{
	const char *problem;

	if (!want_type(p, v, JT_STRING))
		return false;
	problem = profile_name_problem(v->text);
	if (problem)
		return fail(p, v->at, "%s", problem);
	memcpy(ret_name, v->text, strlen(v->text) + 1);
	return true;
}

bool
account_value(struct parse *p, const struct jt_node *v, char ret_id[SGW_ACCOUNT_MAX + 1])
{
	if (!want_type(p, v, JT_STRING))
		return false;
	if (strlen(v->text) > SGW_ACCOUNT_MAX || !account_ok(v->text))
		return fail(p, v->at, "an account is 12 digits in quotes");
	memcpy(ret_id, v->text, strlen(v->text) + 1);
	return true;
}

bool
region_value(struct parse *p, const struct jt_node *v, char ret_name[SGW_REGION_MAX + 1])
{
	if (!want_type(p, v, JT_STRING))
		return false;
	if (strlen(v->text) > SGW_REGION_MAX || !region_ok(v->text))
		return fail(p, v->at, "\"%s\" is not of the form of a region (eu-west-1)",
		    shown(v->text).text);
	memcpy(ret_name, v->text, strlen(v->text) + 1);
	return true;
}

bool
group_value(struct parse *p, const struct jt_node *v, char ret_id[SGW_GROUP_ID_MAX + 1])
{
	if (!want_type(p, v, JT_STRING))
		return false;
	if (strlen(v->text) > SGW_GROUP_ID_MAX || !group_id_ok(v->text))
		return fail(p, v->at, "a group is sg- and 8 or 17 lower-case hex digits");
	memcpy(ret_id, v->text, strlen(v->text) + 1);
	return true;
}

struct tag {
	char key[SGW_POLICY_TAG_MAX + 1], value[SGW_POLICY_TAG_MAX + 1];
};

static bool
take_tag_text(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	return text_value(p, v, (char *)into + row->offset, SGW_POLICY_TAG_MAX);
}

static const struct key_row TAG_KEYS[] = {
    {"key", JT_STRING, take_tag_text, offsetof(struct tag, key), 0, 0, NULL},
    {"value", JT_STRING, take_tag_text, offsetof(struct tag, value), 0, 0, NULL},
};

bool
tag_value(struct parse *p, const struct jt_node *v, char ret_key[SGW_POLICY_TAG_MAX + 1],
    char ret_value[SGW_POLICY_TAG_MAX + 1])
{
	struct tag tag = {0};

	if (!OBJECT_TAKE(p, TAG_KEYS, v, &tag))
		return false;
	if (!tag.key[0])
		return fail(p, v->at, "a tag needs its \"key\", and \"value\" unless it is empty");
	memcpy(ret_key, tag.key, sizeof(tag.key));
	memcpy(ret_value, tag.value, sizeof(tag.value));
	return true;
}

/* ---- one scope of the file ---- */

struct wide_scope {
	const struct jt_node *profiles, *accounts, *regions, *groups; /* lists, or NULL */
	struct rec_scope scope;                                       /* tag and ports */
};

static bool
take_list(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	if (!v->first)
		return fail(p, v->at, "name at least one, or leave \"%s\" out", row->name);
	memcpy((char *)into + row->offset, &v, sizeof(v));
	return true;
}

static bool
take_tag(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_scope *scope = &((struct wide_scope *)into)->scope;

	(void)row;
	return tag_value(p, v, scope->tag_key, scope->tag_value);
}

static bool
take_ports(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	struct rec_scope *scope = &((struct wide_scope *)into)->scope;

	(void)row;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		struct rec_service ports;
		size_t k = scope->n_ports;

		if (!ports_value(p, v, &ports))
			return false;
		if (k == SGW_SCOPE_PORTS_MAX)
			return fail(p, v->at, "more than %d ports or ranges: make another scope",
			    SGW_SCOPE_PORTS_MAX);
		for (; k > 0 && policy_service_order(&scope->ports[k - 1], &ports) > 0; k--)
			scope->ports[k] = scope->ports[k - 1];
		if (k > 0 && policy_service_order(&scope->ports[k - 1], &ports) == 0)
			return fail(p, v->at, "these ports stand here twice");
		scope->ports[k] = ports;
		scope->n_ports++;
	}
	return scope->n_ports > 0 ||
	       fail(p, list->at, "name at least one, or leave \"ports\" out: then all are meant");
}

static const struct key_row SCOPE_KEYS[] = {
    {"profiles", JT_ARRAY, take_list, offsetof(struct wide_scope, profiles), 0, 0, NULL},
    {"accounts", JT_ARRAY, take_list, offsetof(struct wide_scope, accounts), 0, 0, NULL},
    {"regions", JT_ARRAY, take_list, offsetof(struct wide_scope, regions), 0, 0, NULL},
    {"groups", JT_ARRAY, take_list, offsetof(struct wide_scope, groups), 0, 0, NULL},
    {"tag", JT_OBJECT, take_tag, 0, 0, 0, NULL},
    {"ports", JT_ARRAY, take_ports, 0, 0, 0, NULL},
};

/* ---- its combinations ---- */

/* In the canonical order of policy_problem(); the same scope twice is one. */
static bool
scope_add(struct parse *p, const struct rec_scope *scope, struct jt_place at)
{
	struct rec_policy *policy = &p->policy->policy;
	size_t k = policy->n_scopes;

	for (size_t i = 0; i < k; i++)
		if (policy_scope_order(&policy->scopes[i], scope) == 0)
			return true;
	if (k == SGW_SCOPES_MAX)
		return fail(p, at,
		    "the scopes stand for more than %d combinations of profile, "
		    "account, region and group",
		    SGW_SCOPES_MAX);
	for (; k > 0 && policy_scope_order(&policy->scopes[k - 1], scope) > 0; k--)
		policy->scopes[k] = policy->scopes[k - 1];
	policy->scopes[k] = *scope;
	policy->n_scopes++;
	return true;
}

/* A list that was not given stands for one that names nothing. */
static bool
scopes_of_groups(
    struct parse *p, const struct wide_scope *w, struct rec_scope *scope, struct jt_place at)
{
	if (!w->groups)
		return scope_add(p, scope, at);
	for (const struct jt_node *g = w->groups->first; g; g = g->next)
		if (!group_value(p, g, scope->group_id) || !scope_add(p, scope, at))
			return false;
	return true;
}

static bool
scopes_of_regions(
    struct parse *p, const struct wide_scope *w, struct rec_scope *scope, struct jt_place at)
{
	if (!w->regions)
		return scopes_of_groups(p, w, scope, at);
	for (const struct jt_node *r = w->regions->first; r; r = r->next)
		if (!region_value(p, r, scope->region) || !scopes_of_groups(p, w, scope, at))
			return false;
	return true;
}

static bool
scopes_of_accounts(
    struct parse *p, const struct wide_scope *w, struct rec_scope *scope, struct jt_place at)
{
	if (!w->accounts)
		return scopes_of_regions(p, w, scope, at);
	for (const struct jt_node *a = w->accounts->first; a; a = a->next)
		if (!account_value(p, a, scope->account) || !scopes_of_regions(p, w, scope, at))
			return false;
	return true;
}

static bool
scopes_of_profiles(struct parse *p, const struct wide_scope *w, struct jt_place at)
{
	struct rec_scope scope = w->scope;

	if (!w->profiles)
		return scopes_of_accounts(p, w, &scope, at);
	for (const struct jt_node *v = w->profiles->first; v; v = v->next)
		if (!profile_value(p, v, scope.profile) || !scopes_of_accounts(p, w, &scope, at))
			return false;
	return true;
}

bool
take_scopes(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	(void)row;
	(void)into;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		struct wide_scope w = {0};

		if (!want_type(p, v, JT_OBJECT) || !OBJECT_TAKE(p, SCOPE_KEYS, v, &w) ||
		    !scopes_of_profiles(p, &w, v->at))
			return false;
	}
	return list->first != NULL ||
	       fail(p, list->at,
		   "name at least one scope, or leave scopes out: then changes may "
		   "be made wherever the configuration reaches");
}
