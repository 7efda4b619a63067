/* SPDX-License-Identifier: Apache-2.0 */
/* See reconcile.h. */
#include "reconcile.h"

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

#include "receipts.h"

#define KNOWN_ROUNDED 2 /* s */

static bool
is_unsettled(const struct grant *g)
{
	return g->used && (g->g.state == GRANT_AMBIGUOUS || g->g.state == GRANT_FOREIGN);
}

/* AWS takes the request no more: what is read from now on stays so. */
static bool
can_be_known(const struct grant *g)
{
	return g->settle_at <= clock_monotonic() || MUTATE(RECONCILE_WINDOW);
}

static void
item_set(struct rec_unsettled *to, const struct grant *g)
{
	*to = (struct rec_unsettled){.op = (uint8_t)g->op,
	    .action = g->g.state == GRANT_FOREIGN ? ACTION_CLOSE : ACTION_OPEN,
	    .protocol = g->g.protocol,
	    .from_port = g->g.from_port,
	    .to_port = g->g.to_port,
	    .source = g->g.source,
	    .state = SETTLE_READING};
	(void)FIELD_SET(to->receipt, g->g.receipt);
	(void)FIELD_SET(to->profile, g->g.profile);
	(void)FIELD_SET(to->region, g->g.region);
	(void)FIELD_SET(to->group_id, g->g.group_id);
}

/*
 * The first second at which it can be known.  The two ways to tell it differ by the rounding of two clocks, which would
 * say another second at another look, or by a wall clock that was set since.
 */
static int64_t
known_at(const struct grant *g)
{
	int64_t left = g->settle_at - clock_monotonic(), by = clock_now() + left / 1000 + 1;
	int64_t at = g->g.sent + SGW_SIGNATURE_WINDOW + SETTLE_MARGIN + 1;

	return by - at <= KNOWN_ROUNDED && at - by <= KNOWN_ROUNDED ? at : by;
}

/* Has it read now, or says when it can be. */
static void
settle_now(struct grant *g, struct rec_unsettled *item)
{
	if (!can_be_known(g)) {
		item->state = SETTLE_EARLY;
		item->known_at = known_at(g);
		return;
	}
	closing_hurry(g);
}

static bool
is_open_question(const struct msg_settled *m)
{
	for (size_t i = 0; i < m->n_items; i++)
		if (m->items[i].state == SETTLE_READING)
			return true;
	return false;
}

static void
tell(struct broker *b, const struct msg_settled *m)
{
	b->out.id = MSG_SETTLED;
	b->out.settled = *m;
	send_planner(b);
}

/* The receipt that is meant: by its own id, a closing's, or its plan's.  False: none that this client may see. */
static bool
receipt_meant(const struct broker *b, const struct client *c, const char *id,
    char ret_receipt[SGW_RECEIPT_LEN + 1])
{
	const struct rcpt *r = receipt_find(b, id);

	for (size_t i = 0; !r && receipt_newest(b, i); i++)
		if (strcmp(receipt_newest(b, i)->head.plan_id, id) == 0)
			r = receipt_newest(b, i);
	if (r && receipt_visible(c, r->head.uid))
		return field_copy(
		    ret_receipt, SGW_RECEIPT_LEN + 1, r->head.receipt, strlen(r->head.receipt));
	for (size_t i = 0; !r && i < b->grants_top; i++) /* only the ledger has its receipt */
		if (is_unsettled(&b->grants[i]) && strcmp(b->grants[i].g.receipt, id) == 0 &&
		    receipt_visible(c, b->grants[i].g.uid))
			return field_copy(ret_receipt, SGW_RECEIPT_LEN + 1, id, strlen(id));
	return false;
}

void
reconcile_ask(struct broker *b, const struct msg_ask_settle *m)
{
	static struct msg_settled answer;
	const struct client *c = client_find(b, m->client);
	char receipt[SGW_RECEIPT_LEN + 1] = "";

	answer = (struct msg_settled){.request = m->request};
	if (m->id[0] && !receipt_meant(b, c, m->id, receipt))
		answer.error = SGW_ERR_NO_SUCH_RECEIPT;
	for (size_t i = 0; answer.error == SGW_ERR_NONE && i < b->grants_top; i++) {
		struct grant *g = &b->grants[i];

		if (!is_unsettled(g) || !receipt_visible(c, g->g.uid) ||
		    (m->id[0] && strcmp(g->g.receipt, receipt) != 0))
			continue;
		if (answer.n_items == SGW_OPS_MAX) {
			answer.left_out++;
			continue;
		}
		item_set(&answer.items[answer.n_items], g);
		settle_now(g, &answer.items[answer.n_items++]);
	}
	for (size_t i = 0; i < RECONCILES_MAX && is_open_question(&answer); i++)
		if (!b->reconciles[i].deadline) {
			b->reconciles[i] = (struct reconcile){
			    .deadline = clock_monotonic() + RECONCILE_PATIENCE, .answer = answer};
			return;
		}
	tell(b, &answer);
}

void
reconcile_noted(
    struct broker *b, const struct grant *g, enum settle_state state, enum sgw_error error)
{
	for (size_t i = 0; i < RECONCILES_MAX; i++) {
		struct reconcile *q = &b->reconciles[i];

		if (!q->deadline)
			continue;
		for (size_t k = 0; k < q->answer.n_items; k++) {
			struct rec_unsettled *item = &q->answer.items[k];

			if (item->state != SETTLE_READING || item->op != g->op ||
			    strcmp(item->receipt, g->g.receipt) != 0)
				continue;
			item->state = state;
			item->error = (uint16_t)error;
		}
		if (is_open_question(&q->answer))
			continue;
		q->deadline = 0;
		tell(b, &q->answer);
	}
}

void
reconcile_timeouts(struct broker *b)
{
	for (size_t i = 0; i < RECONCILES_MAX; i++) {
		struct reconcile *q = &b->reconciles[i];

		if (!q->deadline || q->deadline > clock_monotonic())
			continue;
		q->deadline = 0;
		tell(b, &q->answer);
	}
}

int64_t
reconcile_next_deadline(const struct broker *b)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < RECONCILES_MAX; i++)
		if (b->reconciles[i].deadline && b->reconciles[i].deadline < next)
			next = b->reconciles[i].deadline;
	return next;
}
