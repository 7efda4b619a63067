/* SPDX-License-Identifier: Apache-2.0 */
/* drift: each way in which AWS may differ from the ledger, once, and nothing where it does not. */
#include "planner_world.h"

#include <stdio.h>
#include <time.h>

#define A "sgw-aaaaaaaaaaaaaaaaaaaa"
#define B "sgw-bbbbbbbbbbbbbbbbbbbb"
#define C "sgw-cccccccccccccccccccc"
#define GONE_GROUP "sg-00000009"

/* Open through us: the n-th source of 203.0.113.0/24. */
static struct rec_grant *
grant(const char *receipt, unsigned n)
{
	struct rec_grant *g = &W.grants[W.n_grants++];
	char source[32];

	*g = (struct rec_grant){.protocol = PROTO_TCP,
	    .from_port = 443,
	    .to_port = 443,
	    .sent = 1000,
	    .closes = time(NULL) + 3600};
	FIELD_SET(g->receipt, receipt);
	FIELD_SET(g->profile, "prod");
	FIELD_SET(g->account, "111122223333");
	FIELD_SET(g->region, "eu-west-1");
	FIELD_SET(g->group_id, GROUP);
	snprintf(source, sizeof(source), "203.0.113.%u/32", n);
	g->source = world_cidr(source);
	return g;
}

/* At AWS, with our marks of that receipt. */
static struct rec_rule *
rule(const char *receipt, unsigned n)
{
	char id[SGW_RULE_ID_MAX + 1], source[32];
	struct rec_rule *r = &W.rules[W.n_rules];

	snprintf(id, sizeof(id), "sgr-%017x", (unsigned)W.n_rules + 1);
	snprintf(source, sizeof(source), "203.0.113.%u/32", n);
	world_add_rule(id, PROTO_TCP, 443, 443, source);
	FIELD_SET(r->receipt, receipt);
	FIELD_SET(r->expires, "2026-11-21T17:30:00Z");
	snprintf(r->description, sizeof(r->description), "uid1000 why exp=x #%s", receipt);
	return r;
}

static void
ask(struct chan *front, const char *group_id, uint16_t limit, const char *cursor)
{
	static uint32_t request;

	W.out.id = MSG_ASK_DRIFT;
	W.out.ask_drift = (struct msg_ask_drift){.request = ++request, .limit = limit};
	FIELD_SET(W.out.ask_drift.group_id, group_id);
	FIELD_SET(W.out.ask_drift.cursor, cursor);
	world_say(front);
}

/* The kinds that are found in GROUP, in their order, as digits. */
static const char *
found(struct chan *front)
{
	static char kinds[64];
	size_t n = 0;

	ask(front, GROUP, 50, "");
	world_expect(front, MSG_DRIFT);
	assert_int_equal(W.m.drift.groups, 1);
	assert_false(W.m.drift.more);
	assert_string_equal(W.m.drift.next_cursor, "");
	for (; n < W.m.drift.n_findings; n++)
		kinds[n] = (char)('0' + W.m.drift.findings[n].kind);
	kinds[n] = 0;
	return kinds;
}

#define assert_found(front, ...)                                                                   \
	do {                                                                                       \
		static const char wanted[] = {__VA_ARGS__, 0};                                     \
		assert_string_equal(found(front), wanted);                                         \
	} while (0)
#define K(kind) ((char)('0' + (kind)))

static void
test_nothing(void **state)
{
	struct chan front = world_client(1, false, 1000);

	(void)state;
	assert_string_equal(found(&front), "");
	(void)grant(A, 1);
	(void)rule(A, 1);
	(void)rule("", 2); /* anybody's */
	grant(B, 3)->group_id[3] = 'f';
	FIELD_SET(grant(B, 4)->region, "eu-west-2");
	assert_string_equal(found(&front), "");
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 2); /* no cache */
	chan_close(&front);
}

static void
test_gone_and_changed(void **state)
{
	struct chan front = world_client(1, false, 1000);

	(void)state;
	(void)grant(A, 1);
	assert_found(&front, K(DRIFT_MISSING));
	assert_string_equal(W.m.drift.findings[0].receipt, A);
	assert_string_equal(W.m.drift.findings[0].now.rule_id, "");
	/* its rule with another source: somebody changed it; told once, with both */
	(void)rule(A, 77);
	assert_found(&front, K(DRIFT_REPLACED));
	assert_int_equal(W.m.drift.findings[0].source.addr[3], 1);
	assert_int_equal(W.m.drift.findings[0].now.source.addr[3], 77);
	/* a second opening of the same receipt: one replaced, one missing */
	(void)grant(A, 2);
	assert_found(&front, K(DRIFT_REPLACED), K(DRIFT_MISSING));
	/* and a further rule with that tag than there are openings without one */
	(void)rule(A, 78);
	(void)rule(A, 79);
	assert_found(&front, K(DRIFT_REPLACED), K(DRIFT_REPLACED), K(DRIFT_COPIED));
	assert_int_equal(W.m.drift.findings[2].now.source.addr[3], 79);
	chan_close(&front);
}

static void
test_marks_and_time(void **state)
{
	struct chan front = world_client(1, false, 1000);
	struct rec_rule *r = rule(A, 1);
	struct rec_grant *g = grant(A, 1);

	(void)state;
	assert_string_equal(found(&front), "");
	r->receipt[5] = 'b';
	assert_found(&front, K(DRIFT_MARKS));
	r->receipt[0] = 0;
	assert_found(&front, K(DRIFT_MARKS));
	FIELD_SET(r->receipt, A);
	r->expires[0] = 0;
	assert_found(&front, K(DRIFT_MARKS));
	FIELD_SET(r->expires, "2026-11-21T17:30:00Z");
	FIELD_SET(r->description, A);
	assert_found(&front, K(DRIFT_MARKS));
	g->closes = time(NULL) - 5;
	assert_found(&front, K(DRIFT_OVERDUE), K(DRIFT_MARKS));
	chan_close(&front);
}

static void
test_tags_of_ours(void **state)
{
	struct chan front = world_client(1, false, 1000);

	(void)state;
	(void)rule(C, 9);
	assert_found(&front, K(DRIFT_UNKNOWN));
	assert_string_equal(W.m.drift.findings[0].receipt, C);
	assert_int_equal(W.m.drift.findings[0].source.addr[3], 9);
	/* closed lately: the broker looks at it once more */
	grant(C, 9)->state = GRANT_CLOSED;
	assert_string_equal(found(&front), "");
	W.n_rules = W.n_grants = 0;
	(void)grant(A, 1);
	(void)rule(A, 1);
	(void)rule(A, 2);
	assert_found(&front, K(DRIFT_COPIED));
	/* outbound rules are none of ours */
	W.rules[1].egress = true;
	assert_string_equal(found(&front), "");
	chan_close(&front);
}

/* What AWS never answered, and what was sent while this looked, is not judged. */
static void
test_under_way(void **state)
{
	struct chan front = world_client(1, false, 1000);
	struct rec_grant *g = grant(A, 1);

	(void)state;
	g->state = GRANT_AMBIGUOUS;
	assert_string_equal(found(&front), "");
	g->state = GRANT_OPEN;
	g->sent = time(NULL) + 60;
	assert_string_equal(found(&front), "");
	(void)rule(A, 7); /* its tag, and perhaps its very rule a moment ago */
	assert_string_equal(found(&front), "");
	chan_close(&front);
}

/* Without a group: those that are opted in, and those in which something is open, be they there or not; by pages. */
static void
test_all_groups(void **state)
{
	struct chan front = world_client(1, false, 1000);
	char cursor[SGW_CURSOR_MAX + 1];

	(void)state;
	world_add_group("sg-00000001", "", false);
	world_add_group("sg-00000002", "", true);
	FIELD_SET(grant(A, 1)->group_id, GONE_GROUP);
	(void)grant(B, 2);
	ask(&front, "", 50, "");
	world_expect(&front, MSG_DRIFT);
	assert_int_equal(W.m.drift.groups, 3);
	assert_int_equal(W.m.drift.n_findings, 2);
	assert_int_equal(W.m.drift.findings[0].kind, DRIFT_GROUP_GONE);
	assert_string_equal(W.m.drift.findings[0].group_id, GONE_GROUP);
	assert_int_equal(W.m.drift.findings[1].kind, DRIFT_MISSING);
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 2);
	/* one a page */
	ask(&front, "", 1, "");
	world_expect(&front, MSG_DRIFT);
	assert_int_equal(W.m.drift.groups, 1);
	assert_int_equal(W.m.drift.n_findings, 0);
	FIELD_SET(cursor, W.m.drift.next_cursor);
	ask(&front, "", 2, cursor);
	world_expect(&front, MSG_DRIFT);
	assert_int_equal(W.m.drift.groups, 2);
	assert_int_equal(W.m.drift.n_findings, 2);
	assert_string_equal(W.m.drift.next_cursor, "");
	cursor[0] ^= 1;
	ask(&front, "", 2, cursor);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_BAD_CURSOR);
	/* a group by its id: gone, and never there */
	ask(&front, GONE_GROUP, 2, "");
	world_expect(&front, MSG_DRIFT);
	assert_int_equal(W.m.drift.n_findings, 1);
	assert_int_equal(W.m.drift.findings[0].kind, DRIFT_GROUP_GONE);
	ask(&front, "sg-00000077", 2, "");
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_GROUP);
	ask(&front, "sg-x", 2, "");
	world_expect(&front, MSG_FAILED);
	assert_string_equal(W.m.failed.field, "security_group_id");
	chan_close(&front);
}

/* More than one message holds. */
static void
test_parts(void **state)
{
	struct chan front = world_client(1, false, 1000);

	(void)state;
	for (unsigned i = 0; i < SGW_DRIFT_PAGE + 3; i++)
		(void)rule(C, i + 1);
	ask(&front, GROUP, 50, "");
	world_expect(&front, MSG_DRIFT);
	assert_true(W.m.drift.more);
	assert_int_equal(W.m.drift.n_findings, SGW_DRIFT_PAGE);
	assert_int_equal(W.m.drift.findings[0].source.addr[3], 1);
	world_expect(&front, MSG_DRIFT);
	assert_false(W.m.drift.more);
	assert_int_equal(W.m.drift.n_findings, 3);
	assert_int_equal(W.m.drift.findings[0].source.addr[3], SGW_DRIFT_PAGE + 1);
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_nothing),
	    TEST(test_gone_and_changed),
	    TEST(test_marks_and_time),
	    TEST(test_tags_of_ours),
	    TEST(test_under_way),
	    TEST(test_all_groups),
	    TEST(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
