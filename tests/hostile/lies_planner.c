/* SPDX-License-Identifier: Apache-2.0 */
/* An owned planner: it proposes what nobody asked for. */
#include "inplace.h"

static void
another_plan(struct msg_plan *m)
{
	struct rec_plan *plan = &m->plan;

	switch (hostile_lie()) {
	case LIE_PLANNER_WIDE:
		plan->ops[0].source = (struct rec_cidr){.family = 4};
		break;
	case LIE_PLANNER_PORT:
		plan->ops[0].from_port = plan->ops[0].to_port = 22;
		break;
	case LIE_PLANNER_GROUP:
		FIELD_SET(plan->ops[0].group_id, "sg-0123456789abcdef2");
		FIELD_SET(plan->groups[0].group_id, "sg-0123456789abcdef2");
		break;
	case LIE_PLANNER_LONGER:
		plan->lifetime *= 2;
		break;
	case LIE_PLANNER_CLIENT:
		m->client += 1000;
		break;
	default:
		return;
	}
	hostile_told();
}

/* The true plan first; behind it one for another address, as if the same client wanted both. */
static enum say
plan_and_another(struct chan *ch, struct msg *m)
{
	hostile_say(ch, m);
	m->plan.plan.ops[0].source.addr[3] ^= 1;
	hostile_told();
	return SAY_IT;
}

enum say
hostile_send(struct chan *ch, struct msg *m)
{
	if (ch->peer != ROLE_BROKER || m->id != MSG_PLAN)
		return SAY_IT;
	if (hostile_lie() == LIE_FOREIGN)
		hostile_foreign(ch, MSG_AGREED);
	else if (hostile_lie() == LIE_GARBAGE)
		hostile_garbage(ch);
	else if (hostile_lie() == LIE_PLANNER_SECOND)
		return plan_and_another(ch, m);
	else
		another_plan(&m->plan);
	return SAY_IT;
}

void
hostile_heard(struct chan *ch, struct msg *m)
{
	(void)ch;
	(void)m;
}
