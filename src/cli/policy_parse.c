/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json to struct rec_policy: the tables below, with those of policy_places.c and policy_case_keys.c, are all
 * that the file may say. */
#include <stdio.h>
#include <string.h>

#include "policy_keys.h"

#define POLICY(member) offsetof(struct rec_policy, member)
#define IN_FILE(member) (offsetof(struct policy_file, policy) + POLICY(member))

/* ---- prefixes and unions ---- */

static const struct key_row V4_KEYS[] = {
    {"wide", JT_NUMBER, take_u8, POLICY(v4_wide), POLICY_V4_FORBIDDEN_LEAST, 32,
	"a prefix length: shorter ones are class open-wide"},
    {"forbidden", JT_NUMBER, take_u8, POLICY(v4_forbidden), POLICY_V4_FORBIDDEN_LEAST, 32,
	"a prefix length: shorter ones are forbidden"},
};

static const struct key_row V6_KEYS[] = {
    {"wide", JT_NUMBER, take_u8, POLICY(v6_wide), POLICY_V6_FORBIDDEN_LEAST, 128,
	"a prefix length: shorter ones are class open-wide"},
    {"forbidden", JT_NUMBER, take_u8, POLICY(v6_forbidden), POLICY_V6_FORBIDDEN_LEAST, 128,
	"a prefix length: shorter ones are forbidden"},
};

static bool
take_v4(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return OBJECT_TAKE(p, V4_KEYS, v, into);
}

static bool
take_v6(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return OBJECT_TAKE(p, V6_KEYS, v, into);
}

static const struct key_row PREFIX_KEYS[] = {
    {"ipv4", JT_OBJECT, take_v4, 0, 0, 0, NULL},
    {"ipv6", JT_OBJECT, take_v6, 0, 0, 0, NULL},
};

static const struct key_row UNION_KEYS[] = {
    {"ipv4", JT_NUMBER, take_u32, POLICY(v4_union_max), 1, POLICY_UNION_MOST,
	"IPv4 addresses per port"},
    {"ipv6", JT_NUMBER, take_u32, POLICY(v6_union_max), 1, POLICY_UNION_MOST,
	"IPv6 /64 networks per port"},
};

static bool
take_prefixes(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return OBJECT_TAKE(p, PREFIX_KEYS, v, &((struct policy_file *)into)->policy);
}

static bool
take_unions(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)row;
	return OBJECT_TAKE(p, UNION_KEYS, v, &((struct policy_file *)into)->policy);
}

/* ---- classes ---- */

#define RULE(member) offsetof(struct rec_class_rule, member)

static const struct key_row CLOSING_KEYS[] = {
    {"pin", JT_BOOL, take_bool, RULE(pin), 0, 0, NULL},
    {"trusted_display", JT_BOOL, take_bool, RULE(trusted_display), 0, 0, NULL},
};

static const struct key_row OPENING_KEYS[] = {
    {"pin", JT_BOOL, take_bool, RULE(pin), 0, 0, NULL},
    {"trusted_display", JT_BOOL, take_bool, RULE(trusted_display), 0, 0, NULL},
    {"lifetime_default", JT_STRING, take_span, RULE(lifetime_default), 0, 0, NULL},
    {"lifetime_min", JT_STRING, take_span, RULE(lifetime_min), 0, 0, NULL},
    {"lifetime_max", JT_STRING, take_span, RULE(lifetime_max), 0, 0, NULL},
};

static bool
take_closing(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	return OBJECT_TAKE(p, CLOSING_KEYS, v, (char *)into + row->offset);
}

static bool
take_opening(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	return OBJECT_TAKE(p, OPENING_KEYS, v, (char *)into + row->offset);
}

static const struct key_row CLASS_KEYS[] = {
    {"close-foreign", JT_OBJECT, take_closing, POLICY(on_foreign), 0, 0, NULL},
    {"open", JT_OBJECT, take_opening, POLICY(on_open), 0, 0, NULL},
    {"open-sensitive", JT_OBJECT, take_opening, POLICY(on_sensitive), 0, 0, NULL},
    {"open-wide", JT_OBJECT, take_opening, POLICY(on_wide), 0, 0, NULL},
};

static bool
is_given(const struct jt_node *object, const char *key)
{
	return object && jt_member(object, key);
}

/* What a class does not say follows the class before it, as far as that is stricter, and its own bounds. */
static void
class_follow(
    struct rec_class_rule *rule, const struct rec_class_rule *lighter, const struct jt_node *said)
{
	if (!is_given(said, "pin"))
		rule->pin = rule->pin || lighter->pin;
	if (!is_given(said, "trusted_display"))
		rule->trusted_display = rule->trusted_display || lighter->trusted_display;
	if (!is_given(said, "lifetime_max") && rule->lifetime_max > lighter->lifetime_max)
		rule->lifetime_max = lighter->lifetime_max;
	if (!is_given(said, "lifetime_min") && rule->lifetime_min < lighter->lifetime_min)
		rule->lifetime_min = lighter->lifetime_min;
	if (is_given(said, "lifetime_default"))
		return;
	if (rule->lifetime_default > rule->lifetime_max)
		rule->lifetime_default = rule->lifetime_max;
	if (rule->lifetime_default < rule->lifetime_min)
		rule->lifetime_default = rule->lifetime_min;
}

static bool
take_classes(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_policy *policy = &((struct policy_file *)into)->policy;

	(void)row;
	if (!OBJECT_TAKE(p, CLASS_KEYS, v, policy))
		return false;
	class_follow(&policy->on_open, &policy->on_open, jt_member(v, "open"));
	class_follow(&policy->on_sensitive, &policy->on_open, jt_member(v, "open-sensitive"));
	class_follow(&policy->on_wide, &policy->on_sensitive, jt_member(v, "open-wide"));
	return true;
}

/* ---- the whole ---- */

static const struct key_row AT_ONCE_KEYS[] = {
    {"all", JT_NUMBER, take_u16, POLICY(open_most), 1, SGW_GRANTS_MAX, "rules"},
    {"per_user", JT_NUMBER, take_u16, POLICY(open_most_client), 1, SGW_GRANTS_MAX, "rules"},
};

static bool
take_at_once(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_policy *policy = &((struct policy_file *)into)->policy;

	(void)row;
	if (!OBJECT_TAKE(p, AT_ONCE_KEYS, v, policy))
		return false;
	if (!is_given(v, "per_user") && policy->open_most_client > policy->open_most)
		policy->open_most_client = policy->open_most;
	return true;
}

/* They are taken before all others, which may use their names. */
static bool
take_earlier(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	(void)p;
	(void)row;
	(void)v;
	(void)into;
	return true;
}

static const struct key_row TOP_KEYS[] = {
    {"prefixes", JT_OBJECT, take_prefixes, 0, 0, 0, NULL},
    {"union_max", JT_OBJECT, take_unions, 0, 0, 0, NULL},
    {"classes", JT_OBJECT, take_classes, 0, 0, 0, NULL},
    {"services", JT_OBJECT, take_earlier, 0, 0, 0, NULL},
    {"sensitive_ports", JT_ARRAY, take_sensitive, 0, 0, 0, NULL},
    {"scopes", JT_ARRAY, take_scopes, 0, 0, 0, NULL},
    {"may_ask", JT_ARRAY, take_askers, 0, 0, 0, NULL},
    {"bulk_max", JT_NUMBER, take_u8, IN_FILE(bulk_ops), 1, SGW_OPS_MAX,
	"openings of a plan that is not class open-wide"},
    {"prompts_per_hour", JT_NUMBER, take_u16, IN_FILE(prompts_per_hour), 1, POLICY_PROMPTS_MOST,
	"consent screens"},
    {"rules_per_group", JT_NUMBER, take_u16, IN_FILE(rules_per_group), 1, POLICY_RULES_MOST,
	"rules, as AWS allows this account"},
    {"open_at_once", JT_OBJECT, take_at_once, 0, 0, 0, NULL},
    {"require_opt_in", JT_BOOL, take_bool, IN_FILE(require_opt_in), 0, 0, NULL},
    {"require_reason", JT_BOOL, take_bool, IN_FILE(require_reason), 0, 0, NULL},
    {"require_ticket", JT_STRING, take_ticket, 0, 0, 0, NULL},
    {"allow_private", JT_BOOL, take_bool, IN_FILE(allow_private), 0, 0, NULL},
    {"allow_documentation", JT_BOOL, take_bool, IN_FILE(allow_documentation), 0, 0, NULL},
    {"allow_shared_display", JT_BOOL, take_bool, IN_FILE(allow_shared_display), 0, 0, NULL},
    {"allow_permanent", JT_BOOL, take_bool, IN_FILE(allow_permanent), 0, 0, NULL},
    {"client_lockdown", JT_BOOL, take_bool, IN_FILE(client_lockdown), 0, 0, NULL},
    {"must_allow", JT_ARRAY, take_must_allow, 0, 0, 0, NULL},
    {"must_deny", JT_ARRAY, take_must_deny, 0, 0, 0, NULL},
};

#define TOP_LEN (sizeof(TOP_KEYS) / sizeof(TOP_KEYS[0]))

static bool
services_first(struct parse *p, const struct jt_node *root, struct policy_file *file)
{
	const struct jt_node *services = jt_member(root, "services");
	size_t len = field_push(p, "services");

	return field_pop(p, len,
	    !services ||
		(want_type(p, services, JT_OBJECT) && take_services(p, NULL, services, file)));
}

bool
policy_parse(char *text, size_t len, struct policy_file *ret_file, struct config_error *ret_error)
{
	static struct jtree tree;
	struct parse p = {.error = ret_error, .policy = ret_file};
	char why[POLICY_PROBLEM_MAX];
	const struct jt_node *root;

	memset(ret_file, 0, sizeof(*ret_file));
	memset(ret_error, 0, sizeof(*ret_error));
	policy_builtin(&ret_file->policy);
	root = jtree_parse(&tree, text, len);
	if (!root)
		return fail(&p, tree.error_at, "%s", tree.error);
	if (!want_type(&p, root, JT_OBJECT) || !services_first(&p, root, ret_file))
		return false;
	for (const struct jt_node *m = root->first; m; m = m->next) {
		if (!member_take(&p, TOP_KEYS, TOP_LEN, m, ret_file))
			return false;
		/* What belongs together stands in one member: whatever is wrong now is wrong here. */
		if (policy_problem(&ret_file->policy, why)) {
			(void)field_push(&p, m->key);
			return fail(&p, m->at, "%s", why);
		}
	}
	return true;
}
