/* SPDX-License-Identifier: Apache-2.0 */
/* See entries.h. */
#include "entries.h"

#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "plan_make.h"

#define WHAT_MAX 160

/* "add tcp/443 from 203.0.113.7/32 in sg-…", "remove sgr-… in sg-…": canonical parts, nobody's words. */
static void
what_text(const struct rec_wanted *w, char ret_text[WHAT_MAX])
{
	char ports[48], source[CIDR_TEXT_LEN];
	struct buf b = buf_over(ret_text, WHAT_MAX - 1);

	buf_puts(&b, w->action == ACTION_OPEN ? "add" : "remove");
	if (w->given & WANTED_RULE_ID)
		buf_printf(&b, " %s", w->rule_id);
	if ((w->given & (WANTED_PORTS | WANTED_PROTOCOL)) != 0) {
		op_ports_text(w->protocol, w->given & WANTED_PORTS ? w->from_port : -1,
		    w->given & WANTED_PORTS ? w->to_port : -1, ports, sizeof(ports));
		buf_printf(&b, " %s", ports);
	}
	if (w->given & WANTED_SOURCE) {
		cidr_format(&w->source, source);
		buf_printf(&b, " from %s", source);
	} else if (w->given & WANTED_CURRENT)
		buf_puts(&b, " from current");
	buf_printf(&b, " in %s", w->group_id);
	ret_text[b.len] = 0;
}

static void
name_it(const struct rec_wanted *w, const char *field, const char *detail, struct refusal *ret)
{
	char what[WHAT_MAX];

	what_text(w, what);
	snprintf(ret->space, sizeof(ret->space), "entries[%u]%s%.40s", w->entry - 1u,
	    field[0] != 0 ? "." : "", field);
	ret->field = ret->space;
	snprintf(
	    ret->detail, sizeof(ret->detail), "%s%s%s", what, detail[0] != 0 ? ": " : "", detail);
}

void
entries_name(const struct rec_wanted *w, struct refusal *r)
{
	char detail[SGW_DETAIL_MAX + 1];

	if (w->entry == 0 || r->error == SGW_ERR_NONE)
		return;
	FIELD_SET(detail, r->detail);
	name_it(w, r->field, detail, r);
}

void
entries_fail(struct call *call, const struct rec_wanted *w, uint16_t error, const char *field,
    const char *detail)
{
	struct refusal r;

	if (w == NULL || w->entry == 0) {
		call_fail(call, error, field, detail);
		return;
	}
	name_it(w, field, detail, &r);
	call_fail(call, error, r.field, r.detail);
}

const struct rec_wanted *
entries_of_group(const struct msg_ask_change *ask, const char *group_id)
{
	for (size_t i = 0; i < ask->n_wanted; i++)
		if (strcmp(ask->wanted[i].group_id, group_id) == 0)
			return &ask->wanted[i];
	return NULL;
}

static const struct rec_wanted *
wanted_of_entry(const struct msg_ask_change *ask, unsigned entry)
{
	for (size_t i = 0; i < ask->n_wanted; i++)
		if (ask->wanted[i].entry == entry)
			return &ask->wanted[i];
	return NULL;
}

bool
entries_twice(const struct msg_ask_change *ask, const struct plan *plan, struct refusal *ret)
{
	for (size_t i = 0; i < plan->n_ops; i++)
		for (size_t k = 0; k < i && plan->entry[i] != 0; k++) {
			char detail[64];

			if (!op_same_rule(&plan->ops[i].op, &plan->ops[k].op))
				continue;
			snprintf(detail, sizeof(detail), "it is the rule of entries[%u] again",
			    plan->entry[k] - 1u);
			name_it(wanted_of_entry(ask, plan->entry[i]), "", detail, ret);
			ret->error = SGW_ERR_BAD_ARGUMENT;
			return true;
		}
	return false;
}

/* The entry of the plan's operation: what is there already is left out of the plan, and of nothing else. */
static unsigned
entry_of_op(const struct plan *plan, size_t op)
{
	for (size_t i = 0; i < plan->n_ops; i++)
		if (!plan->ops[i].existed && op-- == 0)
			return plan->entry[i];
	return 0;
}

void
entries_blame(struct planner *p, const struct call *call, struct plan *plan)
{
	const struct msg_ask_change *ask = &call->ask.change;

	for (size_t i = 0; i < plan->plan.n_ops; i++) {
		const struct rec_wanted *w = wanted_of_entry(ask, entry_of_op(plan, i));
		struct refusal named;
		struct verdict v;

		if (w == NULL || w->entry == 0)
			continue;
		plan_judge_op(p, call, &plan->plan, i, &v);
		if (v.error == SGW_ERR_NONE || strcmp(v.line, plan->verdict.line) != 0)
			continue;
		plan->blamed = w->entry;
		name_it(w, "", v.text, &named);
		FIELD_SET(plan->verdict.text, named.detail);
		return;
	}
}
