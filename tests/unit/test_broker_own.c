/* SPDX-License-Identifier: Apache-2.0 */
/* This machine's own address: what is asked, what counts as said, and what a record may say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define MINE "203.0.113.7/32"

static const struct msg_ask_own ASK = {.request = 4, .family = IP_V4};

static int
own_open(void **state)
{
	if (world_open(state) < 0)
		return -1;
	W.b.config.n_address_sources = 3;
	return 0;
}

/* The source that net is asked next; its number. */
static uint32_t
asked(void)
{
	if (chan_recv(&W.net, W.scratch, &W.sent, NULL) != CHAN_GOT)
		return 0;
	assert_int_equal(W.sent.id, MSG_ASK_SOURCE);
	return W.sent.ask_source.request;
}

static void
says(uint32_t request, const char *address)
{
	struct msg_seen m = {.request = request, .seen.state = SEEN_OK};

	m.seen.address = fixture_cidr(address);
	own_seen(&W.b, &m);
}

static const struct msg_own *
told(void)
{
	const struct msg *m = world_said(MSG_OWN);

	return m ? &m->own : NULL;
}

static void
test_asked_and_told(void **state)
{
	uint32_t numbers[3];

	own_ask(&W.b, &ASK);
	for (size_t i = 0; i < 3; i++)
		assert_true((numbers[i] = asked()) > 0);
	own_ask(&W.b, &ASK); /* it is under way */
	assert_int_equal(asked(), 0);
	says(0, MINE);
	says(numbers[2] + 100, MINE); /* nobody asked */
	says(numbers[0], MINE);
	says(numbers[1], "2001:db8::1/128"); /* of the other family: nothing was said */
	assert_null(told());
	says(numbers[2], MINE);
	assert_int_equal(told()->request, 4);
	assert_int_equal(told()->n_seen, 3);
	assert_int_equal(told()->seen[0].state, SEEN_OK);
	assert_int_equal(told()->seen[1].state, SEEN_UNREACHABLE);
	assert_int_equal(told()->seen[2].state, SEEN_OK);
	W.n_planner = 0;
	says(numbers[2], MINE); /* twice */
	assert_null(told());
}

static void
test_not_asked(void **state)
{
	unsigned rounds = 0;

	W.b.config.n_address_sources = 1;
	own_ask(&W.b, &ASK);
	assert_int_equal(told()->error, SGW_ERR_ADDRESS_SOURCES);
	W.b.config.n_address_sources = 2;
	do {
		W.n_planner = 0;
		W.b.own[IP_V4].asking = false;
		own_ask(&W.b, &ASK);
		while (asked())
			;
		assert_true(++rounds < 1000);
	} while (!told());
	assert_int_equal(told()->error, SGW_ERR_BUSY);
	assert_int_equal(told()->n_seen, 0);
	W.b.own_refilled -= 60000; /* a minute later */
	W.n_planner = 0;
	own_ask(&W.b, &ASK);
	assert_null(told());
}

/* Net keeps silent. */
static void
test_time_is_up(void **state)
{
	const struct msg_ask_own six = {.request = 5, .family = IP_V6};

	assert_true(own_next_deadline(&W.b) == INT64_MAX);
	own_ask(&W.b, &ASK);
	W.b.own[IP_V4].deadline = clock_monotonic() + 900000;
	own_ask(&W.b, &six);
	W.b.own[IP_V6].deadline = clock_monotonic() + 800000;
	assert_true(own_next_deadline(&W.b) == W.b.own[IP_V6].deadline);
	own_timeouts(&W.b);
	assert_null(told());
	W.b.own[IP_V6].deadline = clock_monotonic() - 1;
	own_timeouts(&W.b);
	assert_int_equal(told()->request, 5);
	assert_int_equal(told()->seen[0].state, SEEN_UNREACHABLE);
	assert_true(W.b.own[IP_V4].asking);
}

/* A record says "yours" of one address in all operations, heard of lately from enough sources, and of nothing else. */
static void
test_what_a_record_says(void **state)
{
	struct rec_plan plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, MINE));
	struct record r = {0};

	own_record(&W.b, &plan, &r);
	assert_int_equal(r.seen_by, 0); /* nobody was asked */
	own_ask(&W.b, &ASK);
	says(asked(), MINE);
	says(asked(), MINE);
	says(asked(), "203.0.113.8/32");
	own_record(&W.b, &plan, &r);
	assert_int_equal(r.seen_by, 2);
	assert_int_equal(r.seen_of, 3);
	plan.ops[1] = fixture_op(ACTION_OPEN, PROTO_TCP, 444, 444, "203.0.113.9/32");
	plan.n_ops = 2;
	r = (struct record){0};
	own_record(&W.b, &plan, &r);
	assert_int_equal(r.seen_by, 0);
	plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 443, 443, MINE));
	own_record(&W.b, &plan, &r);
	assert_int_equal(r.seen_by, 0);
	plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "2001:db8::1/128"));
	own_record(&W.b, &plan, &r);
	assert_int_equal(r.seen_by, 0);
	plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, MINE));
	W.b.own[IP_V4].heard -= (SGW_ADDRESS_KEPT + 1) * 1000;
	own_record(&W.b, &plan, &r);
	assert_int_equal(r.seen_by, 0); /* too long ago */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, own_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_asked_and_told),
	    TEST(test_not_asked),
	    TEST(test_time_is_up),
	    TEST(test_what_a_record_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
