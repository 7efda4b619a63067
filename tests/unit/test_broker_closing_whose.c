/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose account says that nothing is there: a closing believes that only of the one in which the rule was opened.  And
 * whose rule it is that is there: what others made is not looked after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "203.0.113.7/32"
#define RECEIPT "sgw-aaaaaaaaaaaaaaaaaaaa"
#define OURS "111122223333"
#define ANOTHER "999988887777"

static struct grant *
grant_make(enum grant_state state, int64_t closes)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = 8443,
	    .to_port = 8443,
	    .closes = closes,
	    .sent = clock_now() - 5000,
	    .state = state};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, RECEIPT);
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, OURS);
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, GROUP);
	return grant_add(&W.b, &g, 0);
}

static void
done(uint32_t request, const char *code)
{
	struct msg_done m = {
	    .request = request, .outcome = NET_ANSWERED, .http_status = code[0] ? 400 : 200};

	(void)FIELD_SET(m.code, code);
	aws_done(&W.b, &m);
}

/* What is asked next is that, and AWS says so. */
static void
next_is(enum aws_op op, const char *code)
{
	const struct msg_send *sent;

	closing_run(&W.b);
	sent = world_sent();
	assert_non_null(sent);
	assert_int_equal(sent->op, op);
	done(sent->request, code);
}

/* As after a start: the account is not pinned, and STS is asked for it.  Its request. */
static uint32_t
unlearnt(void)
{
	const struct msg_send *sent;

	W.b.profiles[0].account[0] = 0;
	identity_next(&W.b);
	sent = world_sent();
	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_CALLER_IDENTITY);
	return sent->request;
}

static void
sts_says(uint32_t request, const char *account)
{
	struct msg_aws_identity m = {.request = request};

	(void)FIELD_SET(m.account, account);
	aws_identity(&W.b, &m);
	done(request, "");
}

/*
 * The keys of a profile were changed for those of another account.  Its "not found" was taken for ours: the ledger said
 * that the rule had gone, and it stood open for good.
 */
static void
regress_210_keys_of_another_account(void **state)
{
	static const enum grant_state states[] = {
	    GRANT_OPEN, GRANT_AMBIGUOUS, GRANT_CLOSED, GRANT_FOREIGN};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		bool due = states[i] == GRANT_OPEN;
		struct grant *g = grant_make(states[i], clock_now() + (due ? -5 : 3600));

		g->settle_at = 0;
		sts_says(unlearnt(), ANOTHER);
		if (due)
			next_is(AWS_REVOKE_INGRESS, "InvalidGroup.NotFound");
		else
			next_is(AWS_DESCRIBE_RULES, "");
		assert_true(g->used && g->tries == 1);
		assert_int_equal(W.b.closing.error, due ? SGW_ERR_OTHER_ACCOUNT : SGW_ERR_NONE);
		assert_int_equal(W.b.chain.number, 0);
		if (due)
			assert_string_equal(W.b.closing.profile, "prod");
		g->used = false;
		W.b.closing.error = SGW_ERR_NONE;
	}
}

/* The person who asks for the closing hears why it does not come. */
static void
regress_210_asked_for(void **state)
{
	struct job *j = &W.b.jobs[0];

	(void)grant_make(GRANT_OPEN, clock_now() + 3600);
	*j = (struct job){.client = 1,
	    .plan = fixture_plan(fixture_op(ACTION_CLOSE, PROTO_TCP, 8443, 8443, SOURCE))};
	(void)FIELD_SET(W.b.profiles[0].account, ANOTHER);
	close_own_begin(&W.b, j);
	next_is(AWS_REVOKE_INGRESS, "InvalidGroup.NotFound");
	assert_int_equal(world_result()->error, SGW_ERR_OTHER_ACCOUNT);
}

/* It was named wrongly when the rule was opened: what AWS takes away is closed, whoever was said to have it. */
static void
regress_210_taken_from_another(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);

	(void)FIELD_SET(g->g.account, ANOTHER);
	next_is(AWS_REVOKE_INGRESS, "");
	next_is(AWS_DESCRIBE_RULES, "");
	assert_false(grant_is_live(g));
	assert_int_equal(W.b.chain.number, 1);
}

/* STS is asked at start, and what is due waits for it: not for long, and for no other profile's. */
static void
regress_210_waits_for_sts(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);
	uint32_t sts = unlearnt();

	closing_run(&W.b);
	assert_null(world_sent());
	assert_in_range(closing_next(&W.b), clock_monotonic() + 1, clock_monotonic() + 5000);
	(void)FIELD_SET(g->g.profile, "another");
	assert_true(closing_next(&W.b) <= clock_monotonic());
	(void)FIELD_SET(g->g.profile, "prod");
	sts_says(sts, OURS);
	assert_true(closing_next(&W.b) <= clock_monotonic());
	next_is(AWS_REVOKE_INGRESS, "InvalidGroup.NotFound");
	assert_false(grant_is_live(g));
	assert_int_equal(W.b.chain.number, 1);
}

/* Where EC2 answers and STS does not, what AWS has taken away is closed. */
static void
regress_210_taken_is_believed(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);

	(void)unlearnt();
	W.b.calls[CALL_IDENTITY].deadline -= 6000;
	next_is(AWS_REVOKE_INGRESS, "");
	next_is(AWS_DESCRIBE_RULES, "");
	assert_false(grant_is_live(g));
	assert_int_equal(W.b.chain.number, 1);
}

/* What it does not find waits for STS, which is asked again at each try. */
static void
regress_210_absent_is_not(void **state)
{
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);
	uint32_t sts = unlearnt();

	W.b.calls[CALL_IDENTITY].deadline -= 6000;
	next_is(AWS_REVOKE_INGRESS, "InvalidGroup.NotFound");
	assert_true(grant_is_live(g));
	assert_int_equal(W.b.closing.error, SGW_ERR_ACCOUNT_UNKNOWN);
	assert_null(world_sent()); /* it is being asked */
	done(sts, "AccessDenied");
	assert_null(world_sent());
	g->next_try = 0;
	next_is(AWS_REVOKE_INGRESS, "InvalidPermission.NotFound");
	next_is(AWS_DESCRIBE_RULES, "");
	assert_true(grant_is_live(g));
	assert_int_equal(g->tries, 2);
	assert_int_equal(W.b.chain.number, 0);
	sts_says(world_sent()->request, OURS);
	g->next_try = 0;
	next_is(AWS_REVOKE_INGRESS, "InvalidGroup.NotFound");
	assert_false(grant_is_live(g));
	assert_int_equal(W.b.closing.error, SGW_ERR_NONE);
}

/* Nor is an opening settled, or looked at once more, by a list that another account may have given. */
static void
regress_210_absent_in_a_list(void **state)
{
	static const enum grant_state states[] = {GRANT_AMBIGUOUS, GRANT_CLOSED, GRANT_FOREIGN};

	(void)unlearnt();
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct grant *g = grant_make(states[i], clock_now() + 3600);

		g->settle_at = 0;
		W.b.calls[CALL_IDENTITY].deadline -= 6000;
		next_is(AWS_DESCRIBE_RULES, "");
		assert_true(g->used && g->tries == 1);
		assert_int_equal(W.b.chain.number, 0);
		g->used = false;
	}
}

/* One profile of which STS cannot be asked keeps nobody else's from being learnt. */
static void
regress_210_the_next_one_is_asked(void **state)
{
	static struct rec_profile_conf nowhere;
	struct profile *p = W.b.profiles;

	p[1] = p[0];
	W.b.n_profiles = 2;
	nowhere = W.b.config.profiles[0];
	(void)FIELD_SET(nowhere.name, "nowhere");
	(void)FIELD_SET(nowhere.regions[0].name, "atlantis-1");
	p[0].conf = &nowhere;
	p[0].told = p[1].told = false;
	identity_next(&W.b);
	assert_int_equal(world_sent()->op, AWS_CALLER_IDENTITY);
	assert_int_equal(W.b.identity_of, 1);
}

/* The account stands in config.json.  It is not what the keys are of for that: STS is asked all the same. */
static void
regress_210_pinned(void **state)
{
	struct profile *p = &W.b.profiles[0];
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);
	uint32_t sts;

	(void)FIELD_SET(W.b.config.profiles[0].account, OURS);
	p->told = false;
	identity_next(&W.b);
	sts = world_sent()->request;
	W.b.calls[CALL_IDENTITY].deadline -= 6000;
	next_is(AWS_REVOKE_INGRESS, "InvalidGroup.NotFound");
	assert_int_equal(W.b.closing.error, SGW_ERR_ACCOUNT_UNKNOWN);
	sts_says(sts, ANOTHER);
	assert_false(p->has_keys); /* nor does anything else use them */
	assert_false(world_said(MSG_PROFILES)->profiles.profiles[0].has_credentials);
	g->next_try = 0;
	closing_run(&W.b);
	assert_null(world_sent());
	assert_int_equal(W.b.closing.error, SGW_ERR_NO_CREDENTIALS);
	assert_true(grant_is_live(g));
}

/* Where STS cannot be reached what config.json says holds. */
static void
regress_210_pinned_without_sts(void **state)
{
	struct profile *p = &W.b.profiles[0];
	struct grant *g = grant_make(GRANT_OPEN, clock_now() - 5);

	(void)FIELD_SET(W.b.config.profiles[0].account, OURS);
	p->told = false;
	identity_next(&W.b);
	done(world_sent()->request, "AccessDenied");
	next_is(AWS_REVOKE_INGRESS, "InvalidGroup.NotFound");
	assert_false(grant_is_live(g));
	p->asking = false;
	identity_next(&W.b);
	sts_says(world_sent()->request, OURS);
	assert_true(p->told && p->has_keys);
}

/* ---- what stands there ---- */

#define NOBODYS "sgw-bbbbbbbbbbbbbbbbbbbb"
#define EARLIER "sgw-cccccccccccccccccccc"

/* The read finds a rule of the grant's ports and source, with that tag and that description. */
static void
read_finds(const char *tag, const char *description)
{
	static struct msg_aws_rules page;
	const struct msg_send *sent;

	closing_run(&W.b);
	sent = world_sent();
	assert_non_null(sent);
	assert_int_equal(sent->op, AWS_DESCRIBE_RULES);
	page = (struct msg_aws_rules){.request = sent->request, .n_rules = 1};
	page.rules[0] = fixture_rule("sgr-1", PROTO_TCP, 8443, 8443, SOURCE);
	(void)FIELD_SET(page.rules[0].receipt, tag);
	(void)FIELD_SET(page.rules[0].description, description);
	aws_page_rules(&W.b, &page);
	done(page.request, "");
}

/* An earlier opening of the same rule, as the ledger has it. */
static void
opened_earlier(void)
{
	static const struct rec_receipt_op none[SGW_OPS_MAX];
	struct rec_receipt head = {.number = 1, .kind = RECEIPT_OPENING, .n_ops = 1};

	(void)FIELD_SET(head.receipt, EARLIER);
	receipts_add(&W.b.receipts, &head, none);
}

static const struct {
	const char *tag, *description;
	bool ours;
} MARKS[] = {
    {RECEIPT, "", true},
    {"", "user debug exp=2026-01-01T00:00:00Z #" RECEIPT, true},
    {RECEIPT, "written anew by somebody", true},
    {EARLIER, "", true},
    {"", "x #" EARLIER, true},
    {"", "", false},
    {"", "for the office, until the move is over", false},
    {NOBODYS, "x #" NOBODYS, false},
    {"", "#" RECEIPT " was here", false},
    {"", RECEIPT, false},
    {"", "sgw", false},
    {"", "x " RECEIPT, false},
    {"", "x #sgw-AAAAAAAAAAAAAAAAAAAA", false},
};

/*
 * A colleague made the same rule in the console after ours was closed, to stay: the second look took it for a repeated
 * opening, and closed it without anybody's leave.
 */
static void
regress_211_second_look(void **state)
{
	opened_earlier();
	for (size_t i = 0; i < sizeof(MARKS) / sizeof(MARKS[0]); i++) {
		struct grant *g = grant_make(GRANT_CLOSED, clock_now() + 3600);
		uint64_t before = W.b.chain.number;

		g->settle_at = 0;
		read_finds(MARKS[i].tag, MARKS[i].description);
		assert_int_equal(g->used, MARKS[i].ours);
		assert_int_equal(W.b.chain.number - before, !MARKS[i].ours); /* that is the end */
		assert_int_equal(W.b.n_seen, 0); /* no plan takes it for changed by us */
		closing_run(&W.b);
		if (MARKS[i].ours)
			assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
		assert_null(world_sent());
		W.b.closing.state = CLOSING_IDLE;
		W.b.calls[CALL_CLOSING].number = 0;
		g->used = false;
	}
	memset(&W.b.receipts, 0, sizeof(W.b.receipts));
}

/* An opening whose answer was lost is what was made with its marks; the others' is not closed at its time. */
static void
regress_211_settled(void **state)
{
	opened_earlier();
	for (size_t i = 0; i < sizeof(MARKS) / sizeof(MARKS[0]); i++) {
		struct grant *g = grant_make(GRANT_AMBIGUOUS, clock_now() + 3600);

		g->settle_at = 0;
		read_finds(MARKS[i].tag, MARKS[i].description);
		assert_int_equal(W.b.chain.number, i + 1);
		assert_int_equal(g->used, MARKS[i].ours);
		g->used = false;
	}
	memset(&W.b.receipts, 0, sizeof(W.b.receipts));
}

/* It was refused, for the rule of an opening before it is open still: that one has its closing. */
static void
regress_211_an_earlier_one_is_open(void **state)
{
	struct grant *old = grant_make(GRANT_OPEN, clock_now() + 3600);
	struct grant *g = grant_make(GRANT_AMBIGUOUS, clock_now() + 7200);

	opened_earlier();
	(void)FIELD_SET(old->g.receipt, EARLIER);
	g->settle_at = 0;
	read_finds(EARLIER, "x #" EARLIER);
	assert_false(g->used);
	assert_true(old->used);
	memset(&W.b.receipts, 0, sizeof(W.b.receipts));
}

/* Closed while the disk was full, and another's by the time of the look: what is left is to record the closing. */
static void
regress_211_unrecorded(void **state)
{
	struct grant *g = grant_make(GRANT_CLOSED, clock_now() + 3600);

	g->unrecorded = g->look = true;
	g->settle_at = 0;
	read_finds("", "of others");
	assert_false(g->used);
	assert_int_equal(W.b.chain.number, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(regress_210_keys_of_another_account),
	    TEST(regress_210_asked_for),
	    TEST(regress_210_taken_from_another),
	    TEST(regress_210_waits_for_sts),
	    TEST(regress_210_taken_is_believed),
	    TEST(regress_210_absent_is_not),
	    TEST(regress_210_absent_in_a_list),
	    TEST(regress_210_pinned),
	    TEST(regress_210_pinned_without_sts),
	    TEST(regress_210_the_next_one_is_asked),
	    TEST(regress_211_second_look),
	    TEST(regress_211_settled),
	    TEST(regress_211_an_earlier_one_is_open),
	    TEST(regress_211_unrecorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
