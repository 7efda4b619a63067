/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose rule it is that stands where ours was, or may be.  Its tag and its description are in the signed body of the
 * opening, so that every repetition of it has them; what somebody else makes of the same port and source has neither.
 * One of the two suffices, as anybody may have taken the other away.
 */
#include "receipts.h"

#include <sgwarden/mutate.h>

const struct rec_rule *
rule_of(const struct collected *c, const struct grant *g)
{
	const struct rec_op op = {.protocol = g->g.protocol,
	    .from_port = g->g.from_port,
	    .to_port = g->g.to_port,
	    .source = g->g.source};

	for (size_t i = 0; i < c->n_rules; i++)
		if (!c->rules[i].egress && op_equals_rule(&op, &c->rules[i]))
			return &c->rules[i];
	return NULL;
}

/* The receipt at the description's end, or an empty text. */
static const char *
described(const struct rec_rule *rule)
{
	size_t len = strlen(rule->description);
	const char *id = rule->description + len - (len > SGW_RECEIPT_LEN ? SGW_RECEIPT_LEN : len);

	return id > rule->description && id[-1] == '#' && receipt_id_ok(id) ? id : "";
}

/*
 * It is the grant's own, or that of an earlier opening of the same rule, whose closing the grant has taken over: not one
 * that is open still, and has a closing of its own.
 */
static bool
is_meant(struct broker *b, const struct grant *g, const char *id)
{
	const struct rec_op op = {.protocol = g->g.protocol,
	    .from_port = g->g.from_port,
	    .to_port = g->g.to_port,
	    .source = g->g.source};
	const struct rcpt *r = id[0] ? receipt_find(b, id) : NULL;

	if (strcmp(id, g->g.receipt) == 0)
		return true;
	for (size_t i = 0; r && i < b->grants_top; i++)
		if (grant_is_live(&b->grants[i]) && strcmp(b->grants[i].g.receipt, id) == 0 &&
		    op_equals_grant(&op, g->g.group_id, &b->grants[i].g))
			return false;
	return r && strcmp(r->head.receipt, id) == 0;
}

bool
rule_is_ours(struct broker *b, const struct grant *g, const struct rec_rule *rule)
{
	return is_meant(b, g, rule->receipt) || is_meant(b, g, described(rule)) ||
	       MUTATE(LOOK_ALIKE);
}
