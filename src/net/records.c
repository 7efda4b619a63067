/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, groups and tags: what must hold of each as a whole, and the pages they travel in. */
#include "answer.h"

#include <string.h>
#include <strings.h>

#include <sgwarden/clock.h>
#include <sgwarden/plan.h>

/* A full page always fits into one datagram: two bytes of length for each text and list, with room to spare. */
_Static_assert(sizeof(struct rec_group) + 64 <= SGW_DATAGRAM_MAX / SGW_GROUPS_PAGE &&
		   sizeof(struct rec_rule) + 64 <= SGW_DATAGRAM_MAX / SGW_RULES_PAGE,
    "pages are too long for a datagram");

/* Sends what is in the page, if anything. */
bool
page_flush(struct answer *a)
{
	bool empty = a->page.id == 0;

	if (!empty && !a->sink->page(a->sink->context, &a->page)) {
		answer_fail(a, "nobody takes the answer", NULL);
		return false;
	}
	a->page.id = (enum msg_id)0;
	return true;
}

/* ---- rules ---- */

bool
rule_begin(struct answer *a)
{
	memset(&a->rule, 0, sizeof(a->rule));
	a->rule.from_port = a->rule.to_port = -1;
	a->rule.source.family = 4;
	a->rule_sources = 0;
	return true;
}

bool
rule_tag_end(struct answer *a)
{
	int64_t when;

	if (a->tag_too_long)
		return true;
	if (strcmp(a->tag.key, "sgwarden:receipt") == 0 && receipt_id_ok(a->tag.value))
		(void)FIELD_SET(a->rule.receipt, a->tag.value);
	if (strcmp(a->tag.key, "sgwarden:expires") == 0 &&
	    clock_parse(a->tag.value, strlen(a->tag.value), &when) == 0)
		(void)FIELD_SET(a->rule.expires, a->tag.value);
	return true;
}

/* Only four protocols have ports; for every other EC2 means all of them, whatever it says. */
static void
rule_ports(struct rec_rule *rule)
{
	if (rule->protocol == PROTO_TCP || rule->protocol == PROTO_UDP ||
	    rule->protocol == PROTO_ICMP || rule->protocol == PROTO_ICMPV6)
		return;
	rule->from_port = rule->to_port = -1;
}

bool
rule_end(struct answer *a)
{
	struct msg_aws_rules *page = &a->page.aws_rules;

	rule_ports(&a->rule);
	if (a->rule_sources != 1 || !rule_id_ok(a->rule.rule_id) ||
	    !group_id_ok(a->rule.group_id) ||
	    !op_is_canonical(a->rule.protocol, a->rule.from_port, a->rule.to_port))
		return false;
	if (a->page.id == 0) {
		a->page.id = MSG_AWS_RULES;
		page->request = a->request;
		page->n_rules = 0;
	}
	page->rules[page->n_rules++] = a->rule;
	return page->n_rules < SGW_RULES_PAGE || page_flush(a);
}

/* A revoke names a rule that is not there. */
bool
unknown_permission(struct answer *a)
{
	a->unknown++;
	return true;
}

/* ---- groups ---- */

bool
group_begin(struct answer *a)
{
	memset(&a->group, 0, sizeof(a->group));
	return true;
}

static bool
count_up(uint16_t *count)
{
	if (*count == UINT16_MAX)
		return false;
	(*count)++;
	return true;
}

bool
group_rule_in(struct answer *a)
{
	return count_up(&a->group.rules_in);
}

bool
group_rule_out(struct answer *a)
{
	return count_up(&a->group.rules_out);
}

bool
group_end(struct answer *a)
{
	struct msg_aws_groups *page = &a->page.aws_groups;

	if (!group_id_ok(a->group.group_id) || !account_ok(a->group.owner))
		return false;
	if (a->page.id == 0) {
		a->page.id = MSG_AWS_GROUPS;
		page->request = a->request;
		page->n_groups = 0;
	}
	page->groups[page->n_groups++] = a->group;
	return page->n_groups < SGW_GROUPS_PAGE || page_flush(a);
}

/* ---- tags ---- */

bool
tag_begin(struct answer *a)
{
	a->tag.key[0] = a->tag.value[0] = 0;
	a->tag_too_long = false;
	return true;
}

/* Who else writes to this group?  Key in any case, a word in its value. */
static const struct {
	const char *key;
	const char *value;
} IAC_TAGS[] = {
    {"aws:cloudformation:stack-name", ""},
    {"aws:cloudformation:stack-id", ""},
    {"terraform", ""},
    {"managedby", "terraform"},
    {"managed-by", "terraform"},
    {"managed_by", "terraform"},
    {"provisioner", "terraform"},
};

static bool
tag_is_iac(const struct rec_tag *tag)
{
	if (strcasecmp(tag->value, "false") == 0)
		return false;
	for (size_t i = 0; i < sizeof(IAC_TAGS) / sizeof(IAC_TAGS[0]); i++) {
		if (strcasecmp(tag->key, IAC_TAGS[i].key) == 0 &&
		    strcasestr(tag->value, IAC_TAGS[i].value) != NULL)
			return true;
	}
	return false;
}

/* Which tags travel when not all do: the lowest first. */
static unsigned
tag_rank(const struct rec_tag *tag)
{
	if (strncmp(tag->key, "sgwarden:", 9) == 0)
		return 0;
	if (strcmp(tag->key, "Name") == 0)
		return 1;
	return tag_is_iac(tag) ? 2 : 3;
}

bool
group_tag_end(struct answer *a)
{
	struct rec_group *group = &a->group;
	uint16_t at = group->n_tags;

	if (a->tag_too_long)
		return count_up(&group->tags_left_out);
	if (strcmp(a->tag.key, "sgwarden:managed") == 0 && strcmp(a->tag.value, "true") == 0)
		group->managed = true;
	if (tag_is_iac(&a->tag))
		group->iac = true;
	while (at > 0 && tag_rank(&group->tags[at - 1]) > tag_rank(&a->tag))
		at--;
	if (group->n_tags == SGW_TAGS_MAX && !count_up(&group->tags_left_out))
		return false;
	if (at == SGW_TAGS_MAX)
		return true;
	if (group->n_tags < SGW_TAGS_MAX)
		group->n_tags++;
	for (uint16_t i = (uint16_t)(group->n_tags - 1); i > at; i--)
		group->tags[i] = group->tags[i - 1];
	group->tags[at] = a->tag;
	return true;
}
