/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing what is due: revoke, built from the touched record's own properties, then read until it is gone.  Also
 * settling what AWS never answered, by reading once AWS can no longer accept the request.
 */
#include "broker.h"

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "ec2req.h"

bool
rules_have(const struct collected *c, int16_t protocol, int32_t from, int32_t to,
    const struct rec_cidr *source)
{
	const struct rec_op op = {
	    .protocol = protocol, .from_port = from, .to_port = to, .source = *source};

	for (size_t i = 0; i < c->n_rules; i++)
		if (!c->rules[i].egress && op_equals_rule(&op, &c->rules[i]))
			return true;
	return false;
}

static void
retry_later(struct broker *b, struct grant *g, enum sgw_error error, const struct aws_result *r)
{
	enum log_level level = closing_is_due(g) ? LOG_LEVEL_ALERT : LOG_LEVEL_WARNING;

	b->closing.state = CLOSING_IDLE;
	g->failed = clock_monotonic();
	g->next_try = in_seconds(closing_pause(g->tries++));
	log_write(level,
	    "receipt %s is still to be %s: %s %s %s (profile %s); it is tried again; %s",
	    g->g.receipt, closing_is_due(g) ? "closed" : "looked at",
	    error_row((uint16_t)error)->message, r->code, r->message, g->g.profile,
	    error_row((uint16_t)error)->next_step);
	reconcile_noted(b, g, SETTLE_UNREADABLE, error);
	if (g->early && closing_is_due(g))
		g->early = !ledger_due(b, g);
	if (closing_is_due(g)) {
		b->closing.error = error;
		(void)FIELD_SET(b->closing.profile, g->g.profile);
	}
	if (g->waiter)
		close_own_ended(b, g, error);
}

/* Closed for certain; the ledger is told now, or as soon as it can be written. */
static void
record_closed(struct broker *b, struct grant *g)
{
	b->closing.state = CLOSING_IDLE;
	g->unrecorded = !ledger_close(b, g, g->was_there, b->closing.request_id);
	if (g->unrecorded) {
		g->next_try = in_seconds(closing_pause(0));
		return;
	}
	g->why = "check"; /* what it would be closed for once more */
	g->next_try = 0;
	g->used = g->look;
}

/* Looked at once more, or that is another opening's affair by now: what may be left is to record the closing. */
static void
look_ended(struct broker *b, struct grant *g)
{
	g->look = g->used = false;
	if (!g->unrecorded)
		return;
	g->used = true;
	record_closed(b, g);
}

/* Looked at once more, and no start has to do it again. */
static void
looked(struct broker *b, struct grant *g)
{
	if (!g->unrecorded)
		(void)ledger_reconcile(b, g, "close", false);
	look_ended(b, g);
}

static enum sgw_error
closing_read(struct broker *b, struct grant *g)
{
	struct profile *p = profile_find(b, g->g.profile);

	b->closing.state = CLOSING_READ;
	return p ? aws_read(b, CALL_CLOSING, AWS_DESCRIBE_RULES, p, g->g.region, g->g.group_id)
		 : SGW_ERR_UNKNOWN_PROFILE;
}

static enum sgw_error
closing_revoke(struct broker *b, struct grant *g)
{
	struct profile *p = profile_find(b, g->g.profile);
	uint8_t memory[2048];
	struct buf body = buf_over(memory, sizeof(memory));

	if (!p)
		return SGW_ERR_UNKNOWN_PROFILE;
	if (!ec2_revoke_body(g->g.group_id, g->g.protocol, g->g.from_port, g->g.to_port,
		&g->g.source, false, &body))
		return SGW_ERR_INTERNAL;
	b->closing.state = CLOSING_REVOKE;
	if (g->g.state == GRANT_OPEN)
		g->g.state = GRANT_CLOSING;
	return aws_change(b, CALL_CLOSING, AWS_REVOKE_INGRESS, p, g->g.region, &body);
}

/* The one that has waited for longest, of those whose region answers first; SGW_GRANTS_MAX: none. */
static size_t
most_due(const struct broker *b)
{
	const struct grant *due = NULL;
	int64_t now = clock_monotonic();

	for (size_t i = 0; i < b->grants_top; i++) {
		const struct grant *g = &b->grants[i];

		if (!g->used || closing_when(b, g) > now)
			continue;
		if (!due || (g->behind == due->behind ? closing_when(b, g) < closing_when(b, due)
						      : due->behind))
			due = g;
	}
	return due ? (size_t)(due - b->grants) : SGW_GRANTS_MAX;
}

/* Each try where nothing answers takes a minute, in which nothing else is closed: such a region comes behind the others. */
static void
region_answers(struct broker *b, const struct rec_grant *of, bool answers)
{
	for (size_t i = 0; i < b->grants_top; i++)
		if (strcmp(b->grants[i].g.region, of->region) == 0 &&
		    strcmp(b->grants[i].g.profile, of->profile) == 0)
			b->grants[i].behind = !answers;
}

void
closing_run(struct broker *b)
{
	size_t due = most_due(b);
	struct grant *g;
	enum sgw_error error;

	if (!b->serving || b->closing.state != CLOSING_IDLE)
		return;
	if (due == SGW_GRANTS_MAX)
		return;
	g = &b->grants[due];
	b->closing.index = due;
	b->closing.request_id[0] = 0;
	/* what is only checked or settled is read first; what is due is closed whether it is there or not */
	/* a look that has come due first: with the closing in the ledger no start would make it any more */
	if (g->unrecorded && (!g->look || g->settle_at > clock_monotonic())) {
		record_closed(b, g);
		return;
	}
	error = closing_is_due(g) ? closing_revoke(b, g) : closing_read(b, g);
	if (error != SGW_ERR_NONE)
		retry_later(b, g, error, &(struct aws_result){0});
}

static void
tell_planner(struct broker *b, const struct grant *g)
{
	b->out.id = MSG_WROTE;
	(void)FIELD_SET(b->out.wrote.profile, g->g.profile);
	(void)FIELD_SET(b->out.wrote.region, g->g.region);
	(void)FIELD_SET(b->out.wrote.group_id, g->g.group_id);
	send_planner(b);
}

/* Gone for certain: recorded, and looked at once more where a signed opening could still be repeated. */
static void
closed(struct broker *b, struct grant *g)
{
	bool first = g->g.state != GRANT_CLOSED;

	reconcile_noted(b, g, SETTLE_ABSENT, SGW_ERR_NONE);
	g->g.state = GRANT_CLOSED;
	g->tries = 0;
	seen_loosen(b, &g->g);
	b->closing.error = SGW_ERR_NONE;
	if (first) {
		log_notice("receipt %s is closed (%s)", g->g.receipt, g->why);
		tell_planner(b, g);
		g->look = g->settle_at > clock_monotonic() && !MUTATE(SECOND_LOOK);
		record_closed(b, g);
	} else
		looked(b, g);
	if (g->waiter)
		close_own_ended(b, g, SGW_ERR_NONE);
}

/*
 * The read of a grant that was ambiguous, long enough after it was sent.  Where a rule without its marks stands there ours
 * was not made: AWS makes no rule twice.
 */
static void
settle(struct broker *b, struct grant *g, bool there)
{
	if (!ledger_reconcile(b, g, "open", there)) {
		retry_later(b, g, SGW_ERR_LEDGER_FAILED, &(struct aws_result){0});
		return;
	}
	log_notice("receipt %s: AWS's answer was lost; by reading, the rule is %s", g->g.receipt,
	    there ? "open" : "not there");
	tell_planner(b, g);
	reconcile_noted(b, g, there ? SETTLE_THERE : SETTLE_ABSENT, SGW_ERR_NONE);
	g->g.state = GRANT_OPEN;
	g->tries = 0; /* its closing has not been tried yet */
	g->used = there;
}

/* The same of a closing of somebody else's rule: what a person touched for is not sent a second time by itself. */
static void
settle_foreign(struct broker *b, struct grant *g, bool there)
{
	if (!ledger_reconcile(b, g, "close", there)) {
		retry_later(b, g, SGW_ERR_LEDGER_FAILED, &(struct aws_result){0});
		return;
	}
	log_notice("receipt %s: AWS's answer was lost; by reading, the rule is %s", g->g.receipt,
	    there ? "still there" : "closed");
	tell_planner(b, g);
	reconcile_noted(b, g, there ? SETTLE_THERE : SETTLE_ABSENT, SGW_ERR_NONE);
	g->used = false;
}

static bool
same_rule(const struct grant *a, const struct grant *b)
{
	const struct rec_op op = {.protocol = a->g.protocol,
	    .from_port = a->g.from_port,
	    .to_port = a->g.to_port,
	    .source = a->g.source};

	return op_equals_grant(&op, a->g.group_id, &b->g);
}

/* Was the same rule touched for again since it was closed?  Then it is that opening's, which has its own closing. */
static bool
opened_anew(const struct broker *b, const struct grant *g)
{
	for (size_t i = 0; i < b->grants_top; i++)
		if (grant_is_live(&b->grants[i]) && same_rule(g, &b->grants[i]))
			return true;
	return false;
}

/* What a read would find there now is another's. */
static void
give_up(struct broker *b, const struct grant *g)
{
	if (b->closing.state == CLOSING_IDLE || g != &b->grants[b->closing.index])
		return;
	b->closing.state = CLOSING_IDLE;
	b->calls[CALL_CLOSING].number = 0;
}

/*
 * AWS took the opening of `g`, so nothing of ours was open there: an earlier opening's rule was taken away by somebody
 * else, or just now by its closing, and its time must not cut this one's short.
 */
void
closing_superseded(struct broker *b, const struct grant *g)
{
	for (size_t i = 0; i < b->grants_top; i++) {
		struct grant *old = &b->grants[i];

		if (old == g || !old->used || old->g.state == GRANT_FOREIGN || !same_rule(g, old))
			continue;
		give_up(b, old);
		reconcile_noted(b, old, SETTLE_ABSENT, SGW_ERR_NONE);
		if (old->g.state != GRANT_CLOSED && !old->was_there)
			old->why = "superseded";
		if (old->g.state != GRANT_CLOSED || old->unrecorded)
			(void)ledger_close(b, old, old->was_there, "");
		old->used = false;
		if (old->waiter)
			close_own_ended(b, old, SGW_ERR_NONE);
	}
}

static void
after_read(struct broker *b, struct grant *g, const struct aws_result *r)
{
	const struct collected *c = &b->collected[CALL_CLOSING];
	const struct rec_rule *rule = rule_of(c, g);
	bool there = rule != NULL;
	enum sgw_error error = SGW_ERR_NONE;

	if (!there)
		error = c->overflow ? SGW_ERR_AWS_BAD_ANSWER : closing_absent(b, g);
	if (error != SGW_ERR_NONE) {
		retry_later(b, g, error, r);
		return;
	}
	b->closing.state = CLOSING_IDLE;
	if (g->g.state == GRANT_FOREIGN) {
		settle_foreign(b, g, there);
		return;
	}
	if (g->g.state == GRANT_AMBIGUOUS && !closing_is_due(g)) {
		settle(b, g, there && rule_is_ours(b, g, rule));
		return;
	}
	if (!there) {
		closed(b, g);
		return;
	}
	if (g->g.state == GRANT_CLOSED && opened_anew(b, g)) {
		look_ended(b, g);
		return;
	}
	if (g->g.state == GRANT_CLOSED && !rule_is_ours(b, g, rule)) {
		log_write(LOG_LEVEL_ALERT,
		    "receipt %s was closed, and a rule without its marks stands in its place: "
		    "it is another's, and stays",
		    g->g.receipt);
		looked(b, g);
		return;
	}
	if (g->g.state == GRANT_CLOSED) { /* the opening was repeated behind our back */
		log_write(LOG_LEVEL_ALERT,
		    "receipt %s is open again although it was closed: closing it again",
		    g->g.receipt);
		g->g.state = GRANT_CLOSING;
		g->unrecorded = false; /* this closing's record is for both */
		closing_due(g);
		return;
	}
	retry_later(b, g, SGW_ERR_NOT_CLOSED, r);
}

void
closing_answer(struct broker *b, const struct aws_result *r)
{
	struct grant *g = &b->grants[b->closing.index];
	enum sgw_error error = aws_error(r);

	region_answers(b, &g->g, error != SGW_ERR_AWS_UNREACHABLE);
	if (b->closing.state == CLOSING_REVOKE) {
		g->taken |= error == SGW_ERR_NONE;
		g->was_there |= g->taken || aws_unknown(r);
		(void)FIELD_SET(b->closing.request_id, r->request_id);
		/* whatever the answer was, or none: what counts is what a read shows */
		if (error == SGW_ERR_NONE || error == SGW_ERR_NO_SUCH_RULE || aws_unknown(r))
			error = closing_read(b, g);
		else if (error == SGW_ERR_NO_SUCH_GROUP &&
			 (error = closing_absent(b, g)) == SGW_ERR_NONE) {
			b->closing.state = CLOSING_IDLE;
			closed(b, g);
			return;
		}
		if (error != SGW_ERR_NONE)
			retry_later(b, g, error, r);
		return;
	}
	if (error == SGW_ERR_NONE && r->next_token[0]) {
		struct profile *p = profile_find(b, g->g.profile);

		if (p && aws_next_page(b, CALL_CLOSING, AWS_DESCRIBE_RULES, p, g->g.region,
			     g->g.group_id, r->next_token) == SGW_ERR_NONE)
			return;
		error = SGW_ERR_INTERNAL;
	}
	if (error != SGW_ERR_NONE)
		retry_later(b, g, error, r);
	else
		after_read(b, g, r);
}
