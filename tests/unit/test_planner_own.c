/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own address in the planner: questions to the broker, comparing, get_my_ip, and what "current" becomes. */
#include "planner_world.h"

#include <stdio.h>

#define A "203.0.113.7"
#define B "198.51.100.9"

static uint32_t last_question;

/* The broker is asked over this family, and nothing else happens first. */
static void
expect_question(struct chan *front, enum ip_family family)
{
	world_expect(front, MSG_ASK_OWN);
	assert_int_equal(W.m.ask_own.family, family);
	last_question = W.m.ask_own.request;
}

/* The broker's answer: what each source said, NULL for no connection, "-" for nonsense. */
static void
tell(enum ip_family family, const char *one, const char *two, const char *three)
{
	const char *said[3] = {one, two, three};
	struct msg_own *m = &W.out.own;

	W.out.id = MSG_OWN;
	*m = (struct msg_own){.request = last_question, .family = family, .n_seen = 3};
	for (size_t i = 0; i < 3; i++) {
		m->seen[i].address.family = family == IP_V4 ? 4 : 6;
		m->seen[i].state = said[i] == NULL ? SEEN_UNREACHABLE : SEEN_NOT_AN_ADDRESS;
		if (said[i] == NULL || strcmp(said[i], "-") == 0)
			continue;
		m->seen[i].state = SEEN_OK;
		m->seen[i].address = world_cidr(said[i]);
	}
	world_say(&W.broker);
}

static void
tell_error(enum ip_family family, uint16_t error)
{
	W.out.id = MSG_OWN;
	W.out.own = (struct msg_own){.request = last_question, .family = family, .error = error};
	world_say(&W.broker);
}

/* The broker has nobody asked, for longer than anybody waits. */
static void
stay_busy(struct chan *front, enum ip_family family)
{
	for (unsigned n = 0; n < 2; n++) {
		tell_error(family, SGW_ERR_BUSY);
		expect_question(front, family);
		world_sleep(8);
	}
	tell_error(family, SGW_ERR_BUSY);
}

static void
ask_ip(struct chan *front, uint32_t request, bool v4, bool v6)
{
	W.out.id = MSG_ASK_IP;
	W.out.ask_ip = (struct msg_ask_ip){.request = request, .v4 = v4, .v6 = v6};
	world_say(front);
}

static void
expect_failed(struct chan *front, uint32_t request, uint16_t error)
{
	world_expect(front, MSG_FAILED);
	assert_int_equal(W.m.failed.request, request);
	assert_int_equal(W.m.failed.error, error);
}

/* ---- get_my_ip ---- */

static void
test_agreement(void **state)
{
	struct chan front = world_client(1, false, 1000);
	const struct rec_own_address *own = W.m.ip.addresses;
	struct rec_cidr a = world_cidr(A);

	ask_ip(&front, 1, true, false);
	expect_question(&front, IP_V4);
	tell(IP_V4, A, B, A);
	world_expect(&front, MSG_IP);
	assert_int_equal(W.m.ip.request, 1);
	assert_int_equal(W.m.ip.n_addresses, 1);
	assert_true(own->agreed && own->usable && cidr_equal(&own->address, &a));
	assert_int_equal(own->votes, 2);
	assert_int_equal(own->special, CIDR_DOCUMENTATION);
	assert_int_equal(own->n_sources, 3);
	assert_string_equal(own->sources[2].name, "source.example/ip");
	/* asked anew each time: the address may have changed */
	ask_ip(&front, 2, true, false);
	expect_question(&front, IP_V4);
	tell(IP_V4, A, B, NULL);
	world_expect(&front, MSG_IP);
	assert_false(own->agreed || own->usable);
	assert_int_equal(own->address.prefix, 0);
	assert_int_equal(own->n_grants, 0);
	chan_close(&front);
}

static void
test_both_families(void **state)
{
	struct chan front = world_client(1, false, 1000);
	const struct rec_own_address *own = W.m.ip.addresses;

	ask_ip(&front, 1, true, true);
	expect_question(&front, IP_V4);
	tell(IP_V4, A, A, A);
	expect_question(&front, IP_V6);
	tell(IP_V6, NULL, "2001:db8::7", NULL);
	world_expect(&front, MSG_IP);
	assert_int_equal(W.m.ip.n_addresses, 2);
	assert_true(own[0].agreed && own[0].family == IP_V4);
	assert_true(!own[1].agreed && own[1].family == IP_V6);
	ask_ip(&front, 2, false, false);
	expect_failed(&front, 2, SGW_ERR_BAD_ARGUMENT);
	chan_close(&front);
}

static void
add_grant(const char *source, int64_t closes)
{
	struct rec_grant *grant = &W.grants[W.n_grants++];

	*grant = (struct rec_grant){.protocol = PROTO_TCP, .from_port = 443, .to_port = 443};
	grant->closes = closes;
	grant->source = world_cidr(source);
	FIELD_SET(grant->group_id, GROUP);
}

static void
test_what_is_open_to_it(void **state)
{
	struct chan front = world_client(1, false, 1000);
	const struct rec_own_address *own = W.m.ip.addresses;

	add_grant(A "/32", 4000000002);
	add_grant("203.0.113.8/32", 4000000000);
	add_grant("203.0.113.0/24", 4000000001);
	add_grant("203.0.113.7/32", 4000000000);
	W.grants[3].state = GRANT_CLOSED;
	ask_ip(&front, 1, true, false);
	expect_question(&front, IP_V4);
	tell(IP_V4, A, A, A);
	world_expect(&front, MSG_IP);
	assert_int_equal(own->n_grants, 2);
	assert_int_equal(own->grants[0].grant.source.prefix, 24);
	assert_int_equal(own->grants[1].grant.source.prefix, 32);
	assert_int_equal(own->grants_left_out, 0);
	chan_close(&front);
}

/* Two clients at once are one question; a late answer to an earlier one is no answer to it. */
static void
test_one_question_for_all(void **state)
{
	struct chan one = world_client(1, false, 1000), two = world_client(2, false, 1001);

	ask_ip(&one, 1, true, false);
	expect_question(&one, IP_V4);
	ask_ip(&two, 2, true, false);
	world_sync(&two);
	last_question += 1000;
	tell(IP_V4, B, B, B);
	world_quiet(&one);
	last_question -= 1000;
	tell(IP_V4, A, A, A);
	world_expect(&one, MSG_IP);
	assert_true(W.m.ip.addresses[0].agreed);
	world_expect(&two, MSG_IP);
	assert_true(W.m.ip.addresses[0].agreed);
	chan_close(&one);
	chan_close(&two);
}

/*
 * Strangers are asked a few times a minute, for all clients together, and what was beyond failed: one client that asked
 * without end left every other one that answer.  The question is put again, and its answer is everybody's.
 */
static void
regress_154_asked_without_end(void **state)
{
	struct chan greedy = world_client(1, false, 1000), honest = world_client(2, false, 1001);

	for (uint32_t n = 1; n < 4; n++) {
		ask_ip(&greedy, n, true, false);
		expect_question(&greedy, IP_V4);
		tell_error(IP_V4, SGW_ERR_BUSY);
		ask_ip(&honest, n, true, false);
		expect_question(&greedy, IP_V4);
		tell_error(IP_V4, SGW_ERR_BUSY);
		expect_question(&honest, IP_V4);
		tell(IP_V4, A, A, A);
		world_expect(&honest, MSG_IP);
		assert_int_equal(W.m.ip.request, n);
		assert_true(W.m.ip.addresses[0].agreed);
		world_expect(&greedy, MSG_IP);
	}
	chan_close(&greedy);
	chan_close(&honest);
}

static void
test_no_answer(void **state)
{
	struct chan front = world_client(1, false, 1000);

	ask_ip(&front, 1, true, false);
	expect_question(&front, IP_V4);
	stay_busy(&front, IP_V4);
	expect_failed(&front, 1, SGW_ERR_BUSY);
	assert_non_null(strstr(W.m.failed.detail, "too often"));
	ask_ip(&front, 2, true, false);
	expect_question(&front, IP_V4);
	world_sleep(16);
	expect_failed(&front, 2, SGW_ERR_INTERNAL);
	tell(IP_V4, A, A, A);
	world_quiet(&front);
	ask_ip(&front, 3, true, false);
	expect_question(&front, IP_V4);
	tell(IP_V4, A, A, A);
	world_expect(&front, MSG_IP);
	chan_close(&front);
}

/* ---- current ---- */

static void
open_current(struct chan *front, uint32_t request, int16_t protocol)
{
	ask_open(request, true, 443, "0.0.0.0/0");
	W.out.ask_change.wanted[0].given = WANTED_PROTOCOL | WANTED_PORTS | WANTED_CURRENT;
	W.out.ask_change.wanted[0].protocol = protocol;
	if (protocol != PROTO_TCP)
		W.out.ask_change.wanted[0].from_port = W.out.ask_change.wanted[0].to_port = -1;
	world_say(front);
}

static void
expect_plan(struct chan *front, const char *source)
{
	struct rec_cidr want = world_cidr(source);

	world_expect(front, MSG_PLAN);
	assert_int_equal(W.m.plan.plan.n_ops, 1);
	assert_true(cidr_equal(&W.m.plan.plan.ops[0].source, &want));
}

static void
test_current(void **state)
{
	struct chan front = world_client(1, false, 1000);

	open_current(&front, 1, PROTO_TCP);
	expect_question(&front, IP_V4);
	tell(IP_V4, NULL, A, A);
	expect_plan(&front, A "/32");
	/* the same once more is the same plan: nobody is asked again */
	open_current(&front, 2, PROTO_TCP);
	world_quiet(&front);
	chan_close(&front);
}

static void
settle_plan(struct chan *front)
{
	uint8_t digest[HASH_LEN];
	char id[SGW_RECEIPT_LEN + 1];

	assert_true(plan_digest(&W.m.plan.plan, digest));
	receipt_id(digest, id);
	W.out.id = MSG_RESULT;
	W.out.result = (struct msg_result){.status = STATUS_OK, .effect = CLASS_OPEN, .n_done = 1};
	FIELD_SET(W.out.result.plan_id, id);
	world_say(&W.broker);
	world_expect(front, MSG_CHANGE);
	assert_int_equal(W.m.change.status, STATUS_OK);
}

/*
 * Whoever moved to another network and asked again within a minute heard "opened", of the address before.  The twins: it
 * is the same address, or nobody knows.
 */
static void
regress_155_another_network(void **state)
{
	struct chan front = world_client(1, false, 1000);
	const struct rec_cidr a = world_cidr(A);

	open_current(&front, 1, PROTO_TCP);
	expect_question(&front, IP_V4);
	tell(IP_V4, A, A, A);
	expect_plan(&front, A "/32");
	settle_plan(&front);
	for (uint32_t request = 2; request < 4; request++) {
		open_current(&front, request, PROTO_TCP);
		expect_question(&front, IP_V4);
		tell(IP_V4, A, request == 2 ? A : B, NULL);
		world_expect(&front, MSG_CHANGE);
		assert_int_equal(W.m.change.request, request);
		assert_int_equal(W.m.change.status, STATUS_OK);
		assert_true(cidr_equal(&W.m.change.ops[0].op.source, &a));
	}
	open_current(&front, 4, PROTO_TCP);
	expect_question(&front, IP_V4);
	tell(IP_V4, B, B, B);
	expect_plan(&front, B "/32");
	settle_plan(&front);
	chan_close(&front);
}

static void
test_current_over_ipv6(void **state)
{
	struct chan front = world_client(1, false, 1000);

	open_current(&front, 1, PROTO_TCP);
	expect_question(&front, IP_V4);
	tell(IP_V4, NULL, NULL, NULL);
	expect_question(&front, IP_V6);
	tell(IP_V6, "2001:db8::7", "2001:db8::7", "2001:db8::8");
	expect_plan(&front, "2001:db8::7/128");
	open_current(&front, 2, PROTO_ICMPV6);
	expect_question(&front, IP_V6);
	tell(IP_V6, "2001:db8::7", "2001:db8::7", NULL);
	expect_plan(&front, "2001:db8::7/128");
	chan_close(&front);
}

/* Nothing heard over IPv4 is one thing, somebody who disagrees there another; and ICMP has one family. */
static void
test_no_other_family(void **state)
{
	struct chan front = world_client(1, false, 1000);

	open_current(&front, 1, PROTO_TCP);
	expect_question(&front, IP_V4);
	tell(IP_V4, NULL, "-", NULL);
	expect_failed(&front, 1, SGW_ERR_ADDRESS_UNKNOWN);
	assert_string_equal(W.m.failed.field, "ip");
	open_current(&front, 2, PROTO_ICMP);
	expect_question(&front, IP_V4);
	tell(IP_V4, NULL, NULL, NULL);
	expect_failed(&front, 2, SGW_ERR_ADDRESS_UNKNOWN);
	assert_string_equal(W.m.failed.detail,
	    "IPv4: source.example/ip: no answer; source.example/ip: no answer; source.example/ip: "
	    "no "
	    "answer");
	open_current(&front, 3, PROTO_ICMPV6);
	expect_question(&front, IP_V6);
	tell(IP_V6, NULL, "2001:db8::7", "-");
	expect_failed(&front, 3, SGW_ERR_ADDRESS_UNKNOWN);
	world_quiet(&front);
	chan_close(&front);
}

static void
test_current_refused(void **state)
{
	struct chan front = world_client(1, false, 1000);

	open_current(&front, 1, PROTO_TCP);
	expect_question(&front, IP_V4);
	tell(IP_V4, "100.64.7.7", "100.64.7.7", "100.64.7.7");
	expect_failed(&front, 1, SGW_ERR_ADDRESS_SPECIAL);
	assert_string_equal(W.m.failed.detail, "100.64.7.7 is in a carrier NAT range");
	open_current(&front, 2, PROTO_TCP);
	expect_question(&front, IP_V4);
	stay_busy(&front, IP_V4);
	expect_failed(&front, 2, SGW_ERR_BUSY);
	ask_close_match(3, true, A "/32");
	W.out.ask_change.wanted[0].given = WANTED_CURRENT;
	world_say(&front);
	expect_failed(&front, 3, SGW_ERR_BAD_ARGUMENT);
	chan_close(&front);
}

/* The preview is marked as the record will be: for what was heard, lately. */
static void
test_preview(void **state)
{
	struct chan front = world_client(1, false, 1000);

	for (unsigned late = 0; late < 2; late++) {
		ask_ip(&front, 10 + late, true, false);
		expect_question(&front, IP_V4);
		tell(IP_V4, A, A, NULL);
		world_expect(&front, MSG_IP);
		world_sleep(late ? 901 : 0);
		ask_open(20 + late, false, 443, A "/32");
		world_say(&front);
		world_expect(&front, MSG_CHANGE);
		assert_int_equal(W.m.change.seen_by, late ? 0 : 2);
		assert_int_equal(W.m.change.seen_of, late ? 0 : 3);
		assert_int_equal(strstr(W.m.change.preview, "2 of 3 sources say") != NULL, !late);
	}
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_agreement),
	    TEST(test_both_families),
	    TEST(test_what_is_open_to_it),
	    TEST(test_one_question_for_all),
	    TEST(regress_154_asked_without_end),
	    TEST(test_no_answer),
	    TEST(test_current),
	    TEST(regress_155_another_network),
	    TEST(test_current_over_ipv6),
	    TEST(test_no_other_family),
	    TEST(test_current_refused),
	    TEST(test_preview),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
