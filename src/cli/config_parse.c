/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json to struct rec_config.  The tables below are all that the file may say; every message names its place
 * and what is allowed there.
 */
#include "config_keys.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/plan.h>
#include <sgwarden/policy.h>
#include <sgwarden/sandbox.h>
#include <sgwarden/vis.h>

static bool
take_lifetime(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	p->lifetime = v;
	if (row->offset == offsetof(struct rec_policy, on_open.lifetime_default))
		p->lifetime_default_given = true;
	return take_u32(p, row, v, into);
}

static bool
take_ca_bundle(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_config *config = into;

	(void)row;
	if (v->text[0] != '/' || !text_is_ascii(v->text, strlen(v->text)) ||
	    !FIELD_SET(config->ca_bundle, v->text))
		return fail(p, v->at,
		    "allowed here: the absolute path of a PEM file, at most 240 plain characters");
	return true;
}

static bool
take_proxy(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_config *config = into;
	const char *problem = proxy_problem(v->text);

	(void)row;
	if (problem)
		return fail(p, v->at, "%s", problem);
	(void)FIELD_SET(config->proxy, v->text);
	return true;
}

static bool
take_degraded(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} KNOWN[] = {
#define X(bit, NAME, name, why) {1u << (bit), name},
	    SGW_DEGRADATIONS(X)
#undef X
	};
	struct rec_config *config = into;
	const size_t n = sizeof(KNOWN) / sizeof(KNOWN[0]);
	char allowed[JTREE_ERROR_MAX / 2] = "";
	size_t len = 0;

	(void)row;
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(
		    allowed + len, sizeof(allowed) - len, "%s%s", i ? ", " : "", KNOWN[i].name);
	for (const struct jt_node *v = list->first; v; v = v->next) {
		size_t i = 0;

		if (!want_type(p, v, JT_STRING))
			return false;
		while (i < n && strcmp(v->text, KNOWN[i].name) != 0)
			i++;
		if (i == n)
			return fail(p, v->at, "no degradation is called \"%s\"; allowed here: %s",
			    shown(v->text).text, allowed);
		config->allow_degraded |= KNOWN[i].bit;
	}
	return true;
}

/* ---- profiles ---- */

static bool
take_regions(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	struct rec_profile_conf *profile = into;

	(void)row;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		if (!want_type(p, v, JT_STRING))
			return false;
		if (strlen(v->text) > SGW_REGION_MAX || !region_ok(v->text))
			return fail(p, v->at, "\"%s\" is not of the form of a region (eu-west-1)",
			    shown(v->text).text);
		for (size_t i = 0; i < profile->n_regions; i++)
			if (strcmp(profile->regions[i].name, v->text) == 0)
				return fail(p, v->at, "this region stands here twice");
		if (profile->n_regions == SGW_REGIONS_MAX)
			return fail(p, v->at, "more than %d regions", SGW_REGIONS_MAX);
		(void)FIELD_SET(profile->regions[profile->n_regions++].name, v->text);
	}
	return profile->n_regions > 0 ||
	       fail(p, list->at, "name at least one region; the first is the default");
}

static bool
take_default(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_profile_conf *profile = into;

	(void)row;
	if (v->truth && p->default_given)
		return fail(p, v->at, "another profile is the default already");
	profile->is_default = v->truth;
	p->default_given = p->default_given || v->truth;
	return true;
}

static bool
take_account(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_profile_conf *profile = into;

	(void)row;
	if (strlen(v->text) > SGW_ACCOUNT_MAX || !account_ok(v->text))
		return fail(p, v->at, "an account is 12 digits in quotes");
	(void)FIELD_SET(profile->account, v->text);
	return true;
}

static bool
take_endpoint(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	const char *problem = endpoint_problem(v->text, p->config->http_loopback);

	if (problem)
		return fail(p, v->at, "%s", problem);
	memcpy((char *)into + row->offset, v->text, strlen(v->text) + 1);
	return true;
}

static bool
take_section(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	const char *problem = profile_name_problem(v->text);

	if (problem)
		return fail(p, v->at, "%s", problem);
	memcpy((char *)into + row->offset, v->text, strlen(v->text) + 1);
	return true;
}

#define PROFILE(member) offsetof(struct rec_profile_conf, member)

static const struct key_row PROFILE_KEYS[] = {
    {"regions", JT_ARRAY, take_regions, 0, 0, 0, NULL},
    {"default", JT_BOOL, take_default, 0, 0, 0, NULL},
    {"account", JT_STRING, take_account, 0, 0, 0, NULL},
    {"ec2_endpoint", JT_STRING, take_endpoint, PROFILE(ec2_endpoint), 0, 0, NULL},
    {"sts_endpoint", JT_STRING, take_endpoint, PROFILE(sts_endpoint), 0, 0, NULL},
    {"reader", JT_STRING, take_section, PROFILE(reader), 0, 0, NULL},
    {"opener", JT_STRING, take_section, PROFILE(opener), 0, 0, NULL},
    {"opener_sensitive", JT_STRING, take_section, PROFILE(opener_sensitive), 0, 0, NULL},
};

static bool
take_profiles(struct parse *p, const struct key_row *row, const struct jt_node *object, void *into)
{
	struct rec_config *config = into;

	(void)row;
	for (const struct jt_node *m = object->first; m; m = m->next) {
		const char *problem = profile_name_problem(m->key);
		struct rec_profile_conf *profile;
		size_t len = field_push(p, m->key);

		if (problem)
			return fail(p, m->key_at, "%s", problem);
		if (config->n_profiles == SGW_PROFILES_MAX)
			return fail(p, m->key_at, "more than %d profiles", SGW_PROFILES_MAX);
		profile = &config->profiles[config->n_profiles++];
		(void)FIELD_SET(profile->name, m->key);
		if (!want_type(p, m, JT_OBJECT) || !OBJECT_TAKE(p, PROFILE_KEYS, m, profile))
			return false;
		if (profile->n_regions == 0)
			return fail(
			    p, m->at, "this profile needs \"regions\": [\"eu-west-1\", ...]");
		(void)field_pop(p, len, true);
	}
	if (config->n_profiles == 0)
		return fail(p, object->at, "name at least one profile, as in ~/.aws/credentials");
	if (config->n_profiles == 1)
		config->profiles[0].is_default = true;
	return true;
}

/* ---- sources of the own address ---- */

static bool
source_ok(struct parse *p, const struct jt_node *v)
{
	const char *problem = source_problem(v->text, p->config->http_loopback);

	return problem ? fail(p, v->at, "%s", problem) : true;
}

static bool
take_checkip(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_config *config = into;

	(void)row;
	return source_ok(p, v) && FIELD_SET(config->address_sources[0].url, v->text);
}

/* The second and the third; AWS's own is there already. */
static bool
take_sources(struct parse *p, const struct key_row *row, const struct jt_node *list, void *into)
{
	struct rec_config *config = into;

	(void)row;
	for (const struct jt_node *v = list->first; v; v = v->next) {
		if (!want_type(p, v, JT_STRING) || !source_ok(p, v))
			return false;
		if (config->n_address_sources == SGW_ADDRESS_SOURCES_MAX)
			return fail(p, v->at, "allowed here: at most %d sources besides AWS's own",
			    SGW_ADDRESS_SOURCES_MAX - 1);
		(void)FIELD_SET(config->address_sources[config->n_address_sources++].url, v->text);
	}
	p->sources = list;
	return true;
}

/* One voice must not count twice, wherever checkip_endpoint stands in the file. */
static bool
sources_differ(struct parse *p)
{
	const struct rec_config *config = p->config;
	const struct jt_node *v = p->sources ? p->sources->first : NULL;

	for (size_t i = 1; v && i < config->n_address_sources; i++, v = v->next)
		for (size_t k = 0; k < i; k++)
			if (sources_same(
				config->address_sources[i].url, config->address_sources[k].url)) {
				(void)field_push(p, "address_sources");
				return fail(p, v->at,
				    "the sources must be of different hosts: this one is asked "
				    "already");
			}
	return true;
}

/* ---- policy and the whole ---- */

#define POLICY(member) offsetof(struct rec_policy, member)

static const struct key_row POLICY_KEYS[] = {
    {"allow_documentation", JT_BOOL, take_bool, POLICY(allow_documentation), 0, 0, NULL},
    {"allow_private", JT_BOOL, take_bool, POLICY(allow_private), 0, 0, NULL},
    {"allow_shared_display", JT_BOOL, take_bool, POLICY(allow_shared_display), 0, 0, NULL},
    {"lifetime_default", JT_NUMBER, take_lifetime, POLICY(on_open.lifetime_default),
	SGW_LIFETIME_MIN, SGW_LIFETIME_MAX, "seconds"},
    {"lifetime_max", JT_NUMBER, take_lifetime, POLICY(on_open.lifetime_max), SGW_LIFETIME_MIN,
	SGW_LIFETIME_MAX, "seconds"},
    {"prompts_per_hour", JT_NUMBER, take_u16, POLICY(prompts_per_hour), 1, 60, "consent screens"},
    {"require_opt_in", JT_BOOL, take_bool, POLICY(require_opt_in), 0, 0, NULL},
};

static bool
take_policy(struct parse *p, const struct key_row *row, const struct jt_node *object, void *into)
{
	struct rec_policy *policy = &((struct rec_config *)into)->policy;
	struct rec_class_rule *open = &policy->on_open;

	(void)row;
	if (!OBJECT_TAKE(p, POLICY_KEYS, object, policy))
		return false;
	if (!p->lifetime_default_given && open->lifetime_default > open->lifetime_max)
		open->lifetime_default = open->lifetime_max;
	if (open->lifetime_default > open->lifetime_max)
		return fail(p, p->lifetime->at,
		    "lifetime_default (%u) is longer than lifetime_max (%u)",
		    open->lifetime_default, open->lifetime_max);
	policy->on_sensitive.lifetime_default = policy->on_wide.lifetime_default =
	    open->lifetime_default;
	policy->on_sensitive.lifetime_max = policy->on_wide.lifetime_max = open->lifetime_max;
	return true;
}

/* What setup offers besides sealing; by default the appliance is for everything. */
static bool
take_use(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into)
{
	struct rec_config *config = into;

	(void)row;
	if (strcmp(v->text, "demo") == 0)
		config->use = USE_DEMO;
	else if (strcmp(v->text, "read-only") == 0)
		config->use = USE_READ_ONLY;
	else
		return fail(p, v->at, "allowed here: \"demo\" and \"read-only\"");
	return true;
}

#define CONFIG(member) offsetof(struct rec_config, member)

static const struct key_row TOP_KEYS[] = {
    {"profiles", JT_OBJECT, take_profiles, 0, 0, 0, NULL},
    {"policy", JT_OBJECT, take_policy, 0, 0, 0, NULL},
    {"use", JT_STRING, take_use, 0, 0, 0, NULL},
    {"cache_ttl", JT_NUMBER, take_u32, CONFIG(cache_ttl), 0, 3600, "seconds"},
    {"checkip_endpoint", JT_STRING, take_checkip, 0, 0, 0, NULL},
    {"address_sources", JT_ARRAY, take_sources, 0, 0, 0, NULL},
    {"http_loopback", JT_BOOL, take_bool, CONFIG(http_loopback), 0, 0, NULL},
    {"ca_bundle", JT_STRING, take_ca_bundle, 0, 0, 0, NULL},
    {"proxy", JT_STRING, take_proxy, 0, 0, 0, NULL},
    {"allow_degraded", JT_ARRAY, take_degraded, 0, 0, 0, NULL},
};

bool
config_parse(char *text, size_t len, struct rec_config *ret_config, struct config_error *ret_error)
{
	static struct jtree tree;
	struct parse p = {.error = ret_error, .config = ret_config};
	const struct jt_node *root, *loopback;

	memset(ret_config, 0, sizeof(*ret_config));
	memset(ret_error, 0, sizeof(*ret_error));
	policy_builtin(&ret_config->policy);
	ret_config->cache_ttl = 30;
	(void)FIELD_SET(ret_config->ca_bundle, "/etc/ssl/certs/ca-certificates.crt");
	(void)FIELD_SET(ret_config->address_sources[0].url, "https://checkip.amazonaws.com");
	ret_config->n_address_sources = 1;
	root = jtree_parse(&tree, text, len);
	if (!root)
		return fail(&p, tree.error_at, "%s", tree.error);
	if (!want_type(&p, root, JT_OBJECT))
		return false;
	/* Endpoints are judged by it, wherever it stands. */
	loopback = jt_member(root, "http_loopback");
	if (loopback && loopback->type == JT_BOOL)
		ret_config->http_loopback = loopback->truth;
	if (!OBJECT_TAKE(&p, TOP_KEYS, root, ret_config) || !sources_differ(&p))
		return false;
	if (ret_config->n_profiles == 0)
		return fail(&p, root->at,
		    "\"profiles\" is missing: { \"profiles\": { \"NAME\": { \"regions\": [...] } } "
		    "}");
	return true;
}
