/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS never answered, asked for: never read before its window is over, never sent again, told to whom it concerns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "reconcile.h"

#define SOURCE "203.0.113.7/32"
#define OURS "sgw-aaaaaaaaaaaaaaaaaaaa"
#define THEIRS "sgw-bbbbbbbbbbbbbbbbbbbb"

enum {
	ADMIN = 1, /* the world's own client, of uid 1000 */
	SAME,      /* another of that uid, over mcp.sock */
	STRANGER,  /* of uid 1001 */
};

static const struct aws_result ANSWERED = {.http_status = 200}, SILENT = {.outcome = NET_NO_ANSWER};

static int
reconcile_open(void **state)
{
	const struct msg_client same = {.client = SAME, .uid = 1000},
				stranger = {.client = STRANGER, .uid = 1001};

	if (world_open(state) < 0)
		return -1;
	client_add(&W.b, &same);
	client_add(&W.b, &stranger);
	return 0;
}

/* Sent so many seconds ago, by that user. */
static struct grant *
lost(const char *receipt, uint32_t uid, enum grant_state state, int32_t port, int64_t ago)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = port,
	    .to_port = port,
	    .closes = clock_now() + 3600,
	    .sent = clock_now() - ago,
	    .uid = uid,
	    .state = state};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, receipt);
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, (uint16_t)(port - 443));
}

/* Asked, and the main loop's next look at what is due. */
static void
ask(uint32_t client, const char *id)
{
	struct msg_ask_settle m = {.request = 7, .client = client};

	(void)FIELD_SET(m.id, id);
	W.n_planner = 0;
	reconcile_ask(&W.b, &m);
	closing_run(&W.b);
}

static const struct msg_settled *
told(void)
{
	const struct msg *m = world_said(MSG_SETTLED);

	assert_non_null(m);
	assert_int_equal(m->settled.request, 7);
	return &m->settled;
}

static void
answer(const struct aws_result *r)
{
	const struct msg_send *sent = world_sent();

	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_DESCRIBE_RULES); /* nothing but a read */
	W.b.calls[CALL_CLOSING].number = 0;
	closing_answer(&W.b, r);
	closing_run(&W.b);
}

static void
rule_is_there(int32_t port)
{
	struct collected *c = &W.b.collected[CALL_CLOSING];

	c->rules[0] = fixture_rule("sgr-1", PROTO_TCP, port, port, SOURCE);
	(void)FIELD_SET(c->rules[0].receipt, W.b.grants[W.b.closing.index].g.receipt);
	c->n_rules = 1;
}

/* While AWS may still take the request nothing is read: absent now is not absent then. */
static void
test_before_the_window(void **state)
{
	struct grant *g = lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 60);
	const struct rec_unsettled *item;

	(void)state;
	ask(SAME, "");
	assert_null(world_sent());
	assert_int_equal(told()->n_items, 1);
	item = &told()->items[0];
	assert_int_equal(item->state, SETTLE_EARLY);
	assert_string_equal(item->receipt, OURS);
	assert_int_equal(item->action, ACTION_OPEN);
	assert_in_range(item->known_at, clock_now() + SGW_SIGNATURE_WINDOW - 5,
	    clock_now() + SGW_SIGNATURE_WINDOW + SETTLE_MARGIN);
	assert_int_equal(g->g.state, GRANT_AMBIGUOUS);
	assert_int_equal(W.b.chain.number, 0);
	assert_true(reconcile_next_deadline(&W.b) == INT64_MAX); /* nobody waits */
}

/*
 * 165: two clocks, each rounded to its second, said another time at another moment of the same second.  Where the wall
 * clock was set meanwhile, the other one says it.
 */
static void
test_the_time_that_is_told(void **state)
{
	const int64_t left = SGW_SIGNATURE_WINDOW + SETTLE_MARGIN - 60;
	struct grant *g = lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 60);
	int64_t at = g->g.sent + SGW_SIGNATURE_WINDOW + SETTLE_MARGIN + 1;

	(void)state;
	for (int64_t ms = -500; ms <= 500; ms += 250) {
		g->settle_at = clock_monotonic() + left * 1000 + ms;
		ask(SAME, "");
		assert_int_equal(told()->items[0].known_at, at);
	}
	g->settle_at -= 300000;
	ask(SAME, "");
	assert_in_range(told()->items[0].known_at, at - 302, at - 298);
}

/* Once it is over: read at once, though a failed read wanted to wait; recorded; told when it is known. */
static void
test_after_the_window(void **state)
{
	struct grant *g = lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 5000);

	(void)state;
	g->next_try = clock_monotonic() + 300000;
	ask(SAME, OURS);
	assert_null(world_said(MSG_SETTLED));
	assert_true(reconcile_next_deadline(&W.b) < INT64_MAX);
	rule_is_there(443);
	g->tries = 4;
	answer(&ANSWERED);
	assert_int_equal(g->tries, 0); /* of its closing there was none yet */
	assert_int_equal(told()->n_items, 1);
	assert_int_equal(told()->items[0].state, SETTLE_THERE);
	assert_int_equal(g->g.state, GRANT_OPEN);
	assert_int_equal(W.b.chain.number, 1); /* `reconcile` */
	assert_null(world_sent());
	/* and asked again there is nothing left to settle */
	ask(SAME, "");
	assert_int_equal(told()->n_items, 0);
}

/* A closing of somebody else's rule: read likewise, never sent again. */
static void
test_a_closing_of_others(void **state)
{
	struct grant *gone = lost(OURS, 1000, GRANT_FOREIGN, 443, 5000),
		     *there = lost(OURS, 1000, GRANT_FOREIGN, 444, 5000);

	(void)state;
	ask(SAME, OURS);
	answer(&ANSWERED);
	assert_null(world_said(MSG_SETTLED)); /* the second is still to come */
	rule_is_there(444);
	answer(&ANSWERED);
	assert_int_equal(told()->n_items, 2);
	assert_int_equal(told()->items[0].state, SETTLE_ABSENT);
	assert_int_equal(told()->items[0].action, ACTION_CLOSE);
	assert_int_equal(told()->items[1].state, SETTLE_THERE);
	assert_false(gone->used || there->used);
	assert_int_equal(W.b.chain.number, 2);
	assert_null(world_sent());
}

static void
test_aws_is_not_there(void **state)
{
	struct grant *g = lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 5000);

	(void)state;
	ask(SAME, "");
	answer(&SILENT);
	assert_int_equal(told()->items[0].state, SETTLE_UNREADABLE);
	assert_int_not_equal(told()->items[0].error, SGW_ERR_NONE);
	assert_int_equal(g->g.state, GRANT_AMBIGUOUS);
	assert_true(g->next_try > clock_monotonic()); /* by itself, later */
}

/* A client in a loop does not hammer AWS, nor fill the log: ten seconds lie between two reads, asked for or not. */
static void
test_in_a_loop(void **state)
{
	struct grant *g = lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 5000);
	int64_t now = clock_monotonic();

	(void)state;
	ask(SAME, "");
	answer(&SILENT);
	for (unsigned i = 0; i < 3; i++) {
		ask(SAME, "");
		assert_null(world_sent());
		assert_null(world_said(MSG_SETTLED)); /* it waits for that read */
		assert_int_equal(g->tries, 1);
		assert_true(g->next_try >= now + 10000);
	}
	g->tries = 6; /* by itself it would wait for five minutes, of which ten seconds are over */
	g->next_try = now + 290000;
	g->failed = now - 10000;
	ask(SAME, "");
	answer(&ANSWERED);
	assert_false(g->used);
}

static void
test_whose(void **state)
{
	(void)state;
	(void)lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 60);
	(void)lost(THEIRS, 1001, GRANT_AMBIGUOUS, 444, 60);
	ask(SAME, "");
	assert_int_equal(told()->n_items, 1);
	assert_string_equal(told()->items[0].receipt, OURS);
	ask(SAME, THEIRS);
	assert_int_equal(told()->error, SGW_ERR_NO_SUCH_RECEIPT);
	assert_int_equal(told()->n_items, 0);
	ask(STRANGER, THEIRS);
	assert_int_equal(told()->n_items, 1);
	ask(ADMIN, "");
	assert_int_equal(told()->n_items, 2);
	ask(99, "");
	assert_int_equal(told()->n_items, 0);
	ask(SAME, "sgw-cccccccccccccccccccc");
	assert_int_equal(told()->error, SGW_ERR_NO_SUCH_RECEIPT);
}

/* A plan by its id; a receipt that is settled. */
static void
test_by_its_plan(void **state)
{
	struct rec_receipt head = {.uid = 1000, .number = 3};

	(void)state;
	(void)FIELD_SET(head.receipt, OURS);
	(void)FIELD_SET(head.plan_id, "sgw-dddddddddddddddddddd");
	receipts_add(&W.b.receipts, &head, NULL);
	ask(SAME, OURS);
	assert_int_equal(told()->error, SGW_ERR_NONE);
	assert_int_equal(told()->n_items, 0);
	(void)lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 60);
	ask(SAME, "sgw-dddddddddddddddddddd");
	assert_int_equal(told()->n_items, 1);
	ask(STRANGER, "sgw-dddddddddddddddddddd");
	assert_int_equal(told()->error, SGW_ERR_NO_SUCH_RECEIPT);
	W.b.receipts = (struct receipts){0}; /* the world's ledger has none of them */
}

/* Two wait, for one of two openings each: what is read of one says nothing of the other. */
static void
test_two_wait(void **state)
{
	struct grant *mine = lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 5000),
		     *its = lost(THEIRS, 1001, GRANT_AMBIGUOUS, 443, 5000);

	(void)state;
	its->next_try = clock_monotonic() + 300000; /* mine is read first */
	ask(SAME, OURS);
	W.b.reconciles[0].deadline = clock_monotonic() + 500000;
	ask(STRANGER, THEIRS);
	assert_true(reconcile_next_deadline(&W.b) < W.b.reconciles[0].deadline);
	W.n_planner = 0;
	answer(&ANSWERED);
	assert_false(mine->used);
	assert_string_equal(told()->items[0].receipt, OURS);
	assert_int_equal(told()->items[0].state, SETTLE_ABSENT);
	assert_int_equal(W.b.reconciles[1].answer.items[0].state, SETTLE_READING);
	W.n_planner = 0;
	rule_is_there(443);
	answer(&ANSWERED);
	assert_string_equal(told()->items[0].receipt, THEIRS);
	assert_int_equal(told()->items[0].state, SETTLE_THERE);
	assert_int_equal(its->g.state, GRANT_OPEN);
	/* by a receipt: its own alone */
	(void)lost(OURS, 1000, GRANT_AMBIGUOUS, 444, 60);
	(void)lost(THEIRS, 1001, GRANT_AMBIGUOUS, 445, 60);
	ask(ADMIN, THEIRS);
	assert_int_equal(told()->n_items, 1);
	assert_string_equal(told()->items[0].receipt, THEIRS);
}

/* A net that says nothing keeps nobody waiting for ever, and no flood of questions takes more than its places. */
static void
test_bounded(void **state)
{
	(void)state;
	(void)lost(OURS, 1000, GRANT_AMBIGUOUS, 443, 5000);
	for (unsigned i = 0; i < RECONCILES_MAX; i++) {
		ask(SAME, "");
		assert_null(world_said(MSG_SETTLED));
	}
	ask(SAME, "");
	assert_int_equal(told()->items[0].state, SETTLE_READING);
	W.n_planner = 0;
	reconcile_timeouts(&W.b);
	assert_null(world_said(MSG_SETTLED));
	for (unsigned i = 0; i < RECONCILES_MAX; i++)
		W.b.reconciles[i].deadline = clock_monotonic();
	reconcile_timeouts(&W.b);
	assert_int_equal(W.n_planner, RECONCILES_MAX);
	assert_int_equal(told()->items[0].state, SETTLE_READING);
	assert_true(reconcile_next_deadline(&W.b) == INT64_MAX);
	for (int32_t port = 444; port < 444 + SGW_OPS_MAX; port++)
		(void)lost(THEIRS, 1001, GRANT_AMBIGUOUS, port, 60);
	ask(STRANGER, "");
	assert_int_equal(told()->n_items, SGW_OPS_MAX);
	assert_int_equal(told()->left_out, 0);
	(void)lost(THEIRS, 1001, GRANT_AMBIGUOUS, 443, 60);
	ask(STRANGER, THEIRS);
	assert_int_equal(told()->left_out, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, reconcile_open, world_close)
	const struct CMUnitTest tests[] = {
	    TEST(test_before_the_window),
	    TEST(test_the_time_that_is_told),
	    TEST(test_after_the_window),
	    TEST(test_a_closing_of_others),
	    TEST(test_aws_is_not_there),
	    TEST(test_in_a_loop),
	    TEST(test_whose),
	    TEST(test_by_its_plan),
	    TEST(test_two_wait),
	    TEST(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
