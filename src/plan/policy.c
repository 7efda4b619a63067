/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy's lines: one table, tried from the top, the first that applies decides.  What forbids stands above what
 * classes, and the classes fall from the gravest, so the first match is also the class of the gravest operation.
 */
#include "policy_lines.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/mutate.h>

/* ---- the table ---- */

enum scope {
	PLAN,  /* asked once, of any plan */
	ASKED, /* once, of a plan that opens, or closes what this appliance did not open */
	OPEN,  /* once, of a plan that opens */
	EACH_OPEN,
	EACH_FOREIGN, /* each closing of what this appliance did not open */
};

struct line {
	const char *id;
	enum scope scope;
	enum effect_class effect;
	enum sgw_error error;
	policy_line *applies;
	const char *about;
};

static const struct line LINES[] = {
    {"deny.malformed", PLAN, CLASS_FORBIDDEN, SGW_ERR_BAD_ARGUMENT, line_malformed,
	"the plan is not of the form that a plan has"},
    {"none.exists", PLAN, CLASS_READ, SGW_ERR_NONE, line_nothing_new,
	"every rule is there already"},
    {"deny.lockdown", OPEN, CLASS_FORBIDDEN, SGW_ERR_LOCKED_DOWN, line_locked_down,
	"openings are off there: lockdown"},
    {"deny.requester", ASKED, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_not_an_asker,
	"the policy names who may ask, and not this user"},
    {"deny.world-open", EACH_OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_world_open,
	"a source is the whole Internet"},
    {"deny.special-range", EACH_OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_special_range,
	"a source touches a special-purpose range"},
    {"deny.prefix-too-wide", EACH_OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_prefix_too_wide,
	"a source is wider than may be asked for"},
    {"deny.scope", EACH_OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_out_of_scope,
	"no scope takes in the place and the ports"},
    {"deny.scope", EACH_FOREIGN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_out_of_scope,
	"no scope takes in the place"},
    {"deny.permanent", OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_permanent_not_allowed,
	"permanent openings are not allowed, and nothing is made permanent afterwards"},
    {"deny.lifetime", OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_bad_lifetime,
	"the lifetime is not within the bounds of its class"},
    {"deny.lifetime-in-all", OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_too_long_in_all,
	"with what it has been open already the rule would be open for too long"},
    {"deny.not-opted-in", ASKED, CLASS_FORBIDDEN, SGW_ERR_NOT_OPTED_IN, line_not_opted_in,
	"the group is not opted in"},
    {"deny.reason", ASKED, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_no_reason,
	"a reason is asked for and none was given"},
    {"deny.ticket", ASKED, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_no_ticket,
	"a ticket is asked for and the reason names none"},
    {"deny.union", OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_union_too_large,
	"with what is open now a port would be open to too many"},
    {"deny.quota", OPEN, CLASS_FORBIDDEN, SGW_ERR_QUOTA, line_no_room,
	"the group would have more rules than AWS allows"},
    {"deny.open-at-once", OPEN, CLASS_FORBIDDEN, SGW_ERR_FORBIDDEN, line_too_many_open,
	"too many rules would be open at once"},
    {"wide.prefix", EACH_OPEN, CLASS_OPEN_WIDE, SGW_ERR_NONE, line_wide_prefix, "a source is wide"},
    {"wide.permanent", OPEN, CLASS_OPEN_WIDE, SGW_ERR_NONE, line_permanent,
	"it never closes by itself"},
    {"wide.bulk", OPEN, CLASS_OPEN_WIDE, SGW_ERR_NONE, line_bulk,
	"it is more than is read with care at once"},
    {"sensitive.port", EACH_OPEN, CLASS_OPEN_SENSITIVE, SGW_ERR_NONE, line_sensitive_port,
	"a port is or contains a sensitive one"},
    {"open.default", OPEN, CLASS_OPEN, SGW_ERR_NONE, line_opens, "any other opening"},
    {"close.foreign", EACH_FOREIGN, CLASS_CLOSE_FOREIGN, SGW_ERR_NONE, line_foreign,
	"a rule was not opened by this appliance"},
    {"close.own", PLAN, CLASS_CLOSE_OWN, SGW_ERR_NONE, line_own,
	"all was opened by this appliance"},
};

#define LINES_LEN (sizeof(LINES) / sizeof(LINES[0]))

/* ---- evaluation ---- */

/* Is the line asked about this operation? */
static bool
looks_at(const struct line *line, const struct judge *j, const struct rec_op *op)
{
	return line->scope == EACH_OPEN ? j->opens && !op_exists(j, op)
					: !j->opens && !op_is_ours(j, op);
}

static bool
is_asked(const struct line *line, const struct judge *j)
{
	if (line->scope == PLAN || (line->scope == ASKED && j->opens))
		return true;
	if (line->scope == OPEN)
		return j->opens;
	for (size_t i = 0; i < j->plan->n_ops; i++)
		if (looks_at(line, j, &j->plan->ops[i]))
			return true;
	return false;
}

static bool
line_applies(const struct line *line, struct judge *j)
{
	if (line->scope != EACH_OPEN && line->scope != EACH_FOREIGN)
		return line->applies(j);
	for (size_t i = 0; i < j->plan->n_ops; i++) {
		j->op = &j->plan->ops[i];
		if (!looks_at(line, j, j->op))
			continue;
		cidr_format(&j->op->source, j->source);
		if (line->applies(j))
			return true;
	}
	return false;
}

enum effect_class
opening_class(const struct judge *j)
{
	char text[SGW_DETAIL_MAX + 1];
	struct judge again = *j;

	again.text = text;
	for (size_t i = 0; i < LINES_LEN; i++)
		if (LINES[i].effect >= CLASS_OPEN && LINES[i].effect <= CLASS_OPEN_WIDE &&
		    is_asked(&LINES[i], &again) && line_applies(&LINES[i], &again))
			return LINES[i].effect;
	return CLASS_OPEN;
}

/* The last word: a class that needs a screen of its own user does not come onto a client's. */
static void
judge_needs(const struct judge *j, struct verdict *v)
{
	const struct rec_class_rule *rule = policy_class_rule(j->policy, v->effect);

	v->needs_consent = rule != NULL;
	v->needs_pin = rule != NULL && rule->pin;
	v->needs_trusted_display =
	    rule != NULL && (rule->trusted_display || !j->policy->allow_shared_display);
	if (!v->needs_trusted_display || j->facts->display != DISPLAY_SHARED)
		return;
	v->error = SGW_ERR_DISPLAY_NOT_TRUSTED;
	FIELD_SET(v->line, "deny.display");
	snprintf(v->text, sizeof(v->text),
	    "class %s is not approved on a screen of the client's own user", class_name(v->effect));
}

static void
evaluate(const struct rec_policy *policy, const struct rec_plan *plan,
    const struct policy_facts *facts, struct verdict *ret_verdict, struct policy_trace *trace)
{
	struct verdict v = {.effect = CLASS_FORBIDDEN, .error = SGW_ERR_FORBIDDEN};
	struct judge j = {.policy = policy, .plan = plan, .facts = facts, .text = v.text};

	j.opens =
	    plan->ops[0].action != ACTION_CLOSE; /* what stays longer is judged as what opens */
	for (size_t i = 0; i < LINES_LEN; i++) {
		bool asked = is_asked(&LINES[i], &j), applies = asked &&
								line_applies(&LINES[i], &j) &&
								!MUTATE_ROW("policy", LINES[i].id);

		if (trace != NULL && asked)
			trace->rows[trace->n++] =
			    (struct policy_trace_row){LINES[i].id, LINES[i].about, applies};
		if (!applies)
			continue;
		v.effect = LINES[i].effect;
		v.error = LINES[i].error;
		FIELD_SET(v.line, LINES[i].id);
		break;
	}
	v.quota_used = rules_of_family(facts, plan->ops[0].source.family);
	v.quota_lists = rules_of_lists(facts);
	judge_needs(&j, &v);
	*ret_verdict = v;
}

void
policy_evaluate(const struct rec_policy *policy, const struct rec_plan *plan,
    const struct policy_facts *facts, struct verdict *ret_verdict)
{
	evaluate(policy, plan, facts, ret_verdict, NULL);
}

void
policy_explain(const struct rec_policy *policy, const struct rec_plan *plan,
    const struct policy_facts *facts, struct verdict *ret_verdict, struct policy_trace *ret_trace)
{
	_Static_assert(LINES_LEN < SGW_TRACE_MAX, "a trace holds every line and deny.display");
	ret_trace->n = 0;
	evaluate(policy, plan, facts, ret_verdict, ret_trace);
	if (strcmp(ret_verdict->line, "deny.display") == 0)
		ret_trace->rows[ret_trace->n++] = (struct policy_trace_row){
		    "deny.display", "the screen at hand may not approve this class", true};
}

void
verdict_merge(struct verdict *verdict, const struct verdict *other)
{
	const struct verdict before = *verdict;

	if (before.error != SGW_ERR_NONE)
		return;
	if (other->error != SGW_ERR_NONE || other->effect > before.effect)
		*verdict = *other;
	verdict->needs_consent = before.needs_consent || other->needs_consent;
	verdict->needs_pin = before.needs_pin || other->needs_pin;
	verdict->needs_trusted_display =
	    before.needs_trusted_display || other->needs_trusted_display;
	verdict->quota_used = before.quota_used;
	verdict->quota_lists = before.quota_lists;
}

uint32_t
policy_lifetime(
    const struct rec_policy *policy, const struct rec_plan *plan, const struct policy_facts *facts)
{
	struct judge j = {.policy = policy, .plan = plan, .facts = facts, .opens = true};

	return policy_class_rule(policy, opening_class(&j))->lifetime_default;
}

const struct rec_class_rule *
policy_class_rule(const struct rec_policy *policy, enum effect_class effect)
{
	switch (effect) {
	case CLASS_CLOSE_FOREIGN:
		return &policy->on_foreign;
	case CLASS_OPEN:
		return &policy->on_open;
	case CLASS_OPEN_SENSITIVE:
		return &policy->on_sensitive;
	case CLASS_OPEN_WIDE:
		return &policy->on_wide;
	default:
		return NULL;
	}
}
