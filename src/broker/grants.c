/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what is open through us: touched records whose closing is still to come. */
#include "broker.h"

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#define SECONDS_MOST (INT64_C(1) << 40)
#define END_ROUNDED 5 /* s */

int64_t
in_seconds(int64_t seconds)
{
	if (seconds > SECONDS_MOST || seconds < -SECONDS_MOST)
		seconds = seconds > 0 ? SECONDS_MOST : -SECONDS_MOST;
	return clock_monotonic() + seconds * 1000;
}

static void
times_set(struct grant *g)
{
	const int64_t window = SGW_SIGNATURE_WINDOW + SETTLE_MARGIN;
	int64_t now = clock_now();
	int64_t left = g->g.sent + window - now;

	g->closes_by = in_seconds(g->g.closes - now);
	g->settle_at = in_seconds(MUTATE(SETTLE_WINDOW) ? 0 : left < window ? left : window);
}

struct grant *
grant_add(struct broker *b, const struct rec_grant *g, uint16_t op)
{
	struct grant *room = NULL;

	for (size_t i = 0; i < SGW_GRANTS_MAX && !room; i++)
		if (!b->grants[i].used)
			room = &b->grants[i];
	if (!room)
		return NULL;
	if ((size_t)(room - b->grants) >= b->grants_top)
		b->grants_top = (size_t)(room - b->grants) + 1;
	*room = (struct grant){
	    .used = true, .g = *g, .op = op, .why = g->state == GRANT_CLOSED ? "check" : "expiry"};
	times_set(room);
	return room;
}

void
grant_closes(const struct ceremony *c, struct grant *g)
{
	int64_t by = c->made + (c->record.closes - c->record.created) * 1000;

	g->g.closes = c->record.closes;
	g->closes_by = in_seconds(g->g.closes - clock_now());
	if (g->closes_by > by)
		g->closes_by = by;
}

/* The two ways to tell its end differ by the rounding of two clocks, or by a wall clock that was set back since. */
int64_t
grant_end(const struct grant *g)
{
	int64_t left = g->closes_by - clock_monotonic(), end = clock_now() + left / 1000;

	return left > 0 && end < g->g.closes - END_ROUNDED ? end : g->g.closes;
}

bool
grant_is_live(const struct grant *g)
{
	return g->used && g->g.state != GRANT_CLOSED && g->g.state != GRANT_FOREIGN;
}

struct grant *
grant_find(struct broker *b, const struct rec_plan *plan, const struct rec_op *op)
{
	for (size_t i = 0; i < b->grants_top; i++) {
		struct grant *g = &b->grants[i];

		if (grant_is_live(g) && op_equals_grant(op, op->group_id, &g->g) &&
		    strcmp(g->g.account, plan->account) == 0 &&
		    strcmp(g->g.region, plan->region) == 0)
			return g;
	}
	return NULL;
}

struct grant *
grant_of(struct broker *b, const char *receipt, const struct rec_op *op)
{
	for (size_t i = 0; i < b->grants_top; i++) {
		struct grant *g = &b->grants[i];

		if (grant_is_live(g) && strcmp(g->g.receipt, receipt) == 0 &&
		    op_equals_grant(op, op->group_id, &g->g))
			return g;
	}
	return NULL;
}

void
grants_tell(struct broker *b, uint32_t request, const char *group_id)
{
	struct msg_grants *m = &b->out.grants;

	b->out.id = MSG_GRANTS;
	*m = (struct msg_grants){.request = request};
	for (size_t i = 0; i < b->grants_top; i++) {
		const struct grant *g = &b->grants[i];

		if (!g->used || (group_id[0] && strcmp(group_id, g->g.group_id) != 0))
			continue;
		if (m->n_grants == SGW_GRANTS_PAGE) {
			m->more = true;
			send_planner(b);
			b->out.id = MSG_GRANTS;
			*m = (struct msg_grants){.request = request};
		}
		m->grants[m->n_grants] = g->g;
		m->grants[m->n_grants++].closes = grant_end(g);
	}
	m->more = false;
	send_planner(b);
}

unsigned
grants_count(const struct broker *b, enum grant_state state)
{
	unsigned n = 0;

	for (size_t i = 0; i < b->grants_top; i++)
		if (b->grants[i].used && b->grants[i].g.state == state)
			n++;
	return n;
}

unsigned
grants_overdue(const struct broker *b)
{
	int64_t now = clock_now();
	unsigned n = 0;

	for (size_t i = 0; i < b->grants_top; i++)
		if (grant_is_live(&b->grants[i]) && !MUTATE(OVERDUE) &&
		    (b->grants[i].g.closes < now || b->grants[i].closes_by < clock_monotonic()))
			n++;
	return n;
}
