/* SPDX-License-Identifier: Apache-2.0 */
/* A list of entries of which one cannot be: the refusal names which, and what it asked for.  And one that is there. */
#include "planner_world.h"

#include <stdio.h>

#define OTHER "sg-0fedcba9876543210"
#define NOWHERE "sg-0aaaaaaaaaaaaaaaa"
#define SSH_RULE "sgr-0000000000000000a"

/* One more entry of the request in W.out; its number follows from where it stands. */
static struct rec_wanted *
entry(enum action action, const char *group, int32_t port, const char *source)
{
	struct msg_ask_change *ask = &W.out.ask_change;
	struct rec_wanted *w = &ask->wanted[ask->n_wanted++];

	*w = (struct rec_wanted){.action = action,
	    .given = WANTED_SOURCE | WANTED_PROTOCOL | WANTED_PORTS,
	    .protocol = PROTO_TCP,
	    .from_port = port,
	    .to_port = port,
	    .source = world_cidr(source),
	    .entry = (uint8_t)ask->n_wanted};
	FIELD_SET(w->group_id, group);
	return w;
}

/* A request whose first entry can be. */
static void
begin(uint32_t request)
{
	ask_open(request, true, 443, "203.0.113.7/32");
	W.out.ask_change.n_wanted = 0;
	entry(ACTION_OPEN, GROUP, 443, "203.0.113.7/32");
}

static void
expect_failed(struct chan *front, enum sgw_error error, const char *field, const char *detail)
{
	world_say(front);
	world_expect(front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, error);
	assert_string_equal(W.m.failed.field, field);
	if (strstr(W.m.failed.detail, detail) != W.m.failed.detail)
		fail_msg("%s (wanted: %s)", W.m.failed.detail, detail);
}

static void
expect_refused(struct chan *front, const char *field, const char *text)
{
	world_say(front);
	world_expect(front, MSG_CHANGE);
	assert_int_equal(W.m.change.status, STATUS_REFUSED);
	assert_string_equal(W.m.change.field, field);
	if (strstr(W.m.change.policy_text, text) != W.m.change.policy_text)
		fail_msg("%s (wanted: %s)", W.m.change.policy_text, text);
	assert_string_equal(W.m.change.detail, W.m.change.policy_text);
}

static void
test_what_cannot_be_asked(void **state)
{
	struct chan front = world_client(1, false, 1000);
	struct rec_wanted *w;

	begin(1);
	entry(ACTION_OPEN, GROUP, 90000, "203.0.113.7/32");
	expect_failed(&front, SGW_ERR_BAD_ARGUMENT, "entries[1].port",
	    "add tcp/90000 from 203.0.113.7/32 in " GROUP ": these ports do not go");
	begin(2);
	entry(ACTION_CLOSE, "sg-1", 22, "203.0.113.7/32");
	expect_failed(&front, SGW_ERR_BAD_ARGUMENT, "entries[1].security_group_id",
	    "remove tcp/22 from 203.0.113.7/32 in sg-1: sg- and 8 or 17");
	begin(3);
	w = entry(ACTION_CLOSE, GROUP, 22, "203.0.113.7/32");
	w->given = WANTED_RULE_ID;
	FIELD_SET(w->rule_id, "sgr-0");
	expect_failed(&front, SGW_ERR_BAD_ARGUMENT, "entries[1].rule_ids",
	    "remove sgr-0 in " GROUP ": sgr- and 17");
	begin(4);
	for (unsigned i = 0; i < SGW_PLAN_GROUPS_MAX; i++) {
		char group[SGW_GROUP_ID_MAX + 1];

		snprintf(group, sizeof(group), "sg-%017x", i);
		entry(ACTION_OPEN, group, 443, "203.0.113.7/32");
	}
	expect_failed(&front, SGW_ERR_BAD_ARGUMENT, "entries[10].entries",
	    "add tcp/443 from 203.0.113.7/32 in sg-00000000000000009: one plan touches at most 10");
	chan_close(&front);
}

static void
test_what_is_not_there(void **state)
{
	struct chan front = world_client(1, false, 1000);
	struct rec_wanted *w;

	world_add_rule(SSH_RULE, PROTO_TCP, 22, 22, "198.51.100.0/24");
	begin(1);
	w = entry(ACTION_CLOSE, GROUP, 22, "203.0.113.7/32");
	w->given = WANTED_RULE_ID;
	FIELD_SET(w->rule_id, "sgr-0000000000000000b");
	expect_failed(&front, SGW_ERR_NO_SUCH_RULE, "entries[1].rule_ids",
	    "remove sgr-0000000000000000b in " GROUP ": sgr-0000000000000000b is not in this");
	begin(2);
	entry(ACTION_CLOSE, GROUP, 23, "198.51.100.0/24");
	expect_failed(&front, SGW_ERR_NO_SUCH_RULE, "entries[1].match",
	    "remove tcp/23 from 198.51.100.0/24 in " GROUP ": no inbound rule matches");
	begin(3);
	entry(ACTION_OPEN, NOWHERE, 443, "203.0.113.7/32");
	expect_failed(&front, SGW_ERR_NO_SUCH_GROUP, "entries[1].security_group_id",
	    "add tcp/443 from 203.0.113.7/32 in " NOWHERE);
	chan_close(&front);
}

static void
test_twice(void **state)
{
	struct chan front = world_client(1, false, 1000);

	begin(1);
	entry(ACTION_OPEN, GROUP, 444, "203.0.113.7/32");
	entry(ACTION_OPEN, GROUP, 443, "203.0.113.7/32");
	expect_failed(&front, SGW_ERR_BAD_ARGUMENT, "entries[2]",
	    "add tcp/443 from 203.0.113.7/32 in " GROUP ": it is the rule of entries[0] again");
	chan_close(&front);
}

/* The entry that the policy would refuse alone; where only all of them are too much, none is named. */
static void
test_what_the_policy_refuses(void **state)
{
	struct chan front = world_client(1, false, 1000);

	world_add_rule(SSH_RULE, PROTO_TCP, 443, 443, "203.0.113.7/32");
	begin(1); /* the first is there already */
	entry(ACTION_OPEN, GROUP, 8443, "203.0.113.7/32");
	entry(ACTION_OPEN, GROUP, 80, "0.0.0.0/0");
	expect_refused(&front, "entries[2]",
	    "add tcp/80 from 0.0.0.0/0 in " GROUP ": 0.0.0.0/0 is the whole Internet");
	assert_string_equal(W.m.change.policy_line, "deny.world-open");
	begin(2);
	entry(ACTION_OPEN, GROUP, 80, "13.32.0.0/16");
	entry(ACTION_OPEN, GROUP, 80, "13.33.0.0/16");
	expect_refused(&front, "", "tcp/80 would be open to 131072 IPv4 addresses");
	assert_string_equal(W.m.change.policy_line, "deny.union");
	/* and what is no list is refused in the words that there always were */
	ask_open(3, true, 80, "0.0.0.0/0");
	expect_refused(&front, "", "0.0.0.0/0 is the whole Internet");
	chan_close(&front);
}

#define FIRST "sgw-aaaaaaaaaaaaaaaaaaaa"
#define SECOND "sgw-bbbbbbbbbbbbbbbbbbbb"

/* The rule of the second entry, 8443 in the other group, was opened with this receipt until then; NULL: by others. */
static void
second_is(struct chan *front, const char *receipt, int64_t closes)
{
	struct rec_grant *g = &W.grants[1];

	W.n_grants = receipt == NULL ? 1 : 2;
	if (receipt != NULL) {
		*g = (struct rec_grant){.protocol = PROTO_TCP, .from_port = 8443, .to_port = 8443};
		g->source = world_cidr("203.0.113.7/32");
		g->closes = closes;
		FIELD_SET(g->group_id, OTHER);
		FIELD_SET(g->receipt, receipt);
	}
	begin(1);
	entry(ACTION_OPEN, OTHER, 8443, "203.0.113.7/32");
	world_say(front);
	world_expect(front, MSG_CHANGE);
	assert_int_equal(W.m.change.status, STATUS_OK);
	assert_int_equal(W.m.change.n_ops, 2);
	assert_true(W.m.change.ops[0].existed && W.m.change.ops[1].existed);
}

static void
expect_said(const char *detail, const char *receipt, int64_t closes)
{
	assert_string_equal(W.m.change.detail, detail);
	assert_string_equal(W.m.change.receipt, receipt);
	assert_int_equal(W.m.change.closes, closes);
}

/*
 * What was true of the first entry, whose it is and when it closes, was said of all of them: of a rule that others made
 * too, which never closes by itself.
 */
static void
regress_192_each_entry_is_there(void **state)
{
	struct chan front = world_client(1, false, 1000);
	const int64_t closes = 4000000000;

	world_add_group(OTHER, "vpc-0123456789abcdef0", true);
	world_add_rule(SSH_RULE, PROTO_TCP, 443, 443, "203.0.113.7/32");
	world_add_rule("sgr-0000000000000000b", PROTO_TCP, 8443, 8443, "203.0.113.7/32");
	FIELD_SET(W.rules[1].group_id, OTHER);
	W.grants[0] = (struct rec_grant){.protocol = PROTO_TCP, .from_port = 443, .to_port = 443};
	W.grants[0].source = world_cidr("203.0.113.7/32");
	W.grants[0].closes = closes;
	FIELD_SET(W.grants[0].group_id, GROUP);
	FIELD_SET(W.grants[0].receipt, FIRST);
	second_is(&front, NULL, 0);
	expect_said("open already, 1 of 2 by others, which will not close by themselves: "
		    "nothing was done; list_grants shows when the rest closes",
	    "", 0);
	second_is(&front, FIRST, closes);
	expect_said("open already, by an earlier request: nothing was done", FIRST, closes);
	second_is(&front, FIRST, closes + 60);
	expect_said("open already, by an earlier request: nothing was done, and each closes at its "
		    "own time: see list_grants",
	    FIRST, 0);
	second_is(&front, SECOND, closes);
	expect_said("open already, by earlier requests: nothing was done", "", closes);
	second_is(&front, SECOND, closes + 60);
	expect_said("open already, by earlier requests: nothing was done, and each closes at its "
		    "own time: see list_grants",
	    "", 0);
	W.grants[0].state = GRANT_CLOSED; /* the other way round: the first is the one of others */
	second_is(&front, SECOND, closes);
	expect_said("open already, 1 of 2 by others, which will not close by themselves: "
		    "nothing was done; list_grants shows when the rest closes",
	    "", 0);
	second_is(&front, NULL, 0);
	expect_said(
	    "open already, by others: nothing was done, and it will not close by itself", "", 0);
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_what_cannot_be_asked),
	    TEST(test_what_is_not_there),
	    TEST(test_twice),
	    TEST(test_what_the_policy_refuses),
	    TEST(regress_192_each_entry_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
