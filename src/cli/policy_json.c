/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled policy as policy.json would say it, in full and in one order. */
#include <stdio.h>

#include "policy_file.h"

static cJSON *
ports_json(const struct rec_service *s)
{
	char text[24];

	if (s->protocol == PROTO_ALL)
		(void)snprintf(text, sizeof(text), "all");
	else if (s->protocol == PROTO_ICMP)
		(void)snprintf(text, sizeof(text), "icmp");
	else if (s->protocol == PROTO_ICMPV6)
		(void)snprintf(text, sizeof(text), "icmpv6");
	else if (s->from_port == s->to_port)
		(void)snprintf(text, sizeof(text), "%d/%s", (int)s->from_port,
		    s->protocol == PROTO_UDP ? "udp" : "tcp");
	else
		(void)snprintf(text, sizeof(text), "%d-%d/%s", (int)s->from_port, (int)s->to_port,
		    s->protocol == PROTO_UDP ? "udp" : "tcp");
	return cJSON_CreateString(text);
}

static void
put_span(cJSON *object, const char *key, uint32_t seconds)
{
	char text[24];
	bool hours = seconds % 3600 == 0, minutes = seconds % 60 == 0;

	(void)snprintf(text, sizeof(text), "%u%c",
	    (unsigned)(hours     ? seconds / 3600
		       : minutes ? seconds / 60
				 : seconds),
	    hours     ? 'h'
	    : minutes ? 'm'
		      : 's');
	cJSON_AddStringToObject(object, key, text);
}

static void
put_class(cJSON *classes, const char *name, const struct rec_class_rule *rule, bool opens)
{
	cJSON *object = cJSON_AddObjectToObject(classes, name);

	cJSON_AddBoolToObject(object, "pin", rule->pin);
	cJSON_AddBoolToObject(object, "trusted_display", rule->trusted_display);
	if (!opens)
		return;
	put_span(object, "lifetime_default", rule->lifetime_default);
	put_span(object, "lifetime_min", rule->lifetime_min);
	put_span(object, "lifetime_max", rule->lifetime_max);
}

static void
put_name(cJSON *scope, const char *key, const char *name)
{
	if (name[0])
		cJSON_AddItemToArray(cJSON_AddArrayToObject(scope, key), cJSON_CreateString(name));
}

static cJSON *
scope_json(const struct rec_scope *s)
{
	cJSON *scope = cJSON_CreateObject(), *list;

	put_name(scope, "profiles", s->profile);
	put_name(scope, "accounts", s->account);
	put_name(scope, "regions", s->region);
	put_name(scope, "groups", s->group_id);
	if (s->tag_key[0]) {
		cJSON *tag = cJSON_AddObjectToObject(scope, "tag");

		cJSON_AddStringToObject(tag, "key", s->tag_key);
		cJSON_AddStringToObject(tag, "value", s->tag_value);
	}
	if (s->n_ports == 0)
		return scope;
	list = cJSON_AddArrayToObject(scope, "ports");
	for (size_t i = 0; i < s->n_ports; i++)
		cJSON_AddItemToArray(list, ports_json(&s->ports[i]));
	return scope;
}

static void
put_lists(cJSON *tree, const struct rec_policy *p)
{
	cJSON *list;

	if (p->n_services > 0) {
		list = cJSON_AddObjectToObject(tree, "services");
		for (size_t i = 0; i < p->n_services; i++)
			cJSON_AddItemToObject(
			    list, p->services[i].name, ports_json(&p->services[i].ports));
	}
	list = cJSON_AddArrayToObject(tree, "sensitive_ports");
	for (size_t i = 0; i < p->n_sensitive; i++) {
		char text[24];

		(void)snprintf(text, sizeof(text),
		    p->sensitive[i].from == p->sensitive[i].to ? "%u" : "%u-%u",
		    (unsigned)p->sensitive[i].from, (unsigned)p->sensitive[i].to);
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	}
	if (p->n_scopes > 0) {
		list = cJSON_AddArrayToObject(tree, "scopes");
		for (size_t i = 0; i < p->n_scopes; i++)
			cJSON_AddItemToArray(list, scope_json(&p->scopes[i]));
	}
	if (p->n_askers > 0) {
		list = cJSON_AddArrayToObject(tree, "may_ask");
		for (size_t i = 0; i < p->n_askers; i++)
			cJSON_AddItemToArray(list, cJSON_CreateNumber(p->askers[i].uid));
	}
}

static void
put_prefixes(cJSON *prefixes, const char *family, unsigned wide, unsigned forbidden)
{
	cJSON *object = cJSON_AddObjectToObject(prefixes, family);

	cJSON_AddNumberToObject(object, "wide", wide);
	cJSON_AddNumberToObject(object, "forbidden", forbidden);
}

cJSON *
policy_json(const struct rec_policy *p)
{
	cJSON *tree = cJSON_CreateObject(), *object;

	object = cJSON_AddObjectToObject(tree, "prefixes");
	put_prefixes(object, "ipv4", p->v4_wide, p->v4_forbidden);
	put_prefixes(object, "ipv6", p->v6_wide, p->v6_forbidden);
	object = cJSON_AddObjectToObject(tree, "union_max");
	cJSON_AddNumberToObject(object, "ipv4", p->v4_union_max);
	cJSON_AddNumberToObject(object, "ipv6", p->v6_union_max);
	object = cJSON_AddObjectToObject(tree, "classes");
	put_class(object, "close-foreign", &p->on_foreign, false);
	put_class(object, "open", &p->on_open, true);
	put_class(object, "open-sensitive", &p->on_sensitive, true);
	put_class(object, "open-wide", &p->on_wide, true);
	put_lists(tree, p);
	cJSON_AddNumberToObject(tree, "bulk_max", p->bulk_ops);
	cJSON_AddNumberToObject(tree, "prompts_per_hour", p->prompts_per_hour);
	cJSON_AddNumberToObject(tree, "rules_per_group", p->rules_per_group);
	object = cJSON_AddObjectToObject(tree, "open_at_once");
	cJSON_AddNumberToObject(object, "all", p->open_most);
	cJSON_AddNumberToObject(object, "per_user", p->open_most_client);
	cJSON_AddBoolToObject(tree, "require_opt_in", p->require_opt_in);
	cJSON_AddBoolToObject(tree, "require_reason", p->require_reason);
	cJSON_AddStringToObject(tree, "require_ticket", p->ticket_prefix);
	cJSON_AddBoolToObject(tree, "allow_private", p->allow_private);
	cJSON_AddBoolToObject(tree, "allow_documentation", p->allow_documentation);
	cJSON_AddBoolToObject(tree, "allow_shared_display", p->allow_shared_display);
	cJSON_AddBoolToObject(tree, "allow_permanent", p->allow_permanent);
	cJSON_AddBoolToObject(tree, "client_lockdown", p->client_lockdown);
	return tree;
}
