/* SPDX-License-Identifier: Apache-2.0 */
/* See existing.h.  Each operation has a rule of its own, which was opened through us or made by others. */
#include "existing.h"

#include <stdio.h>
#include <string.h>

#include "calls.h"

struct owners {
	size_t own;                   /* how many of the rules are ours */
	const struct rule_note *note; /* of the first of those */
	bool one_receipt, one_time;   /* and of all others of them */
};

/* NULL: others made the rule. */
static const struct rule_note *
note_of_op(const struct call *call, const struct rec_op_view *view)
{
	const struct snap *rules = call_group_find(call, view->op.group_id)->rules;

	for (size_t i = 0; i < rules->n; i++)
		if (strcmp(rules->rules[i].rule_id, view->done.rule_id) == 0)
			return rules->notes[i].own ? &rules->notes[i] : NULL;
	return NULL;
}

static struct owners
owners_of(const struct call *call, const struct plan *plan)
{
	struct owners o = {.one_receipt = true, .one_time = true};

	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct rule_note *note = note_of_op(call, &plan->ops[i]);

		if (note == NULL)
			continue;
		if (o.own++ == 0)
			o.note = note;
		o.one_receipt = o.one_receipt && strcmp(note->receipt, o.note->receipt) == 0;
		o.one_time = o.one_time && note->expires == o.note->expires;
	}
	return o;
}

static void
say_own(const struct owners *o, struct msg_result *result)
{
	snprintf(result->detail, sizeof(result->detail), "open already, by %s: nothing was done%s",
	    o->one_receipt ? "an earlier request" : "earlier requests",
	    o->one_time ? "" : ", and each closes at its own time: see list_grants");
	if (o->one_receipt)
		FIELD_SET(result->receipt, o->note->receipt);
	if (o->one_time)
		result->closes = o->note->expires;
}

void
existing_settle(const struct call *call, struct plan *plan)
{
	const struct owners o = owners_of(call, plan);
	struct msg_result *result = &plan->result;

	plan->state = PLAN_SETTLED;
	plan->stage = STAGE_DONE;
	plan->plan.lifetime = 0;
	plan->note[0] = 0; /* it is of what would have been opened */
	result->status = STATUS_OK;
	if (o.own == plan->n_ops)
		say_own(&o, result);
	else if (o.own == 0)
		FIELD_SET(result->detail,
		    "open already, by others: nothing was done, and it will not close by itself");
	else
		snprintf(result->detail, sizeof(result->detail),
		    "open already, %zu of %zu by others, which will not close by themselves: "
		    "nothing was done; list_grants shows when the rest closes",
		    plan->n_ops - o.own, (size_t)plan->n_ops);
}
