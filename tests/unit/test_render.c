/* SPDX-License-Identifier: Apache-2.0 */
/* The consent text: its shape, its bounds, and that nobody else's words can pass for its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sgwarden/render.h>
#include <sgwarden/vis.h>

#include "record_fixture.h"

static char text[SGW_RENDER_MAX + 1];

static void
render(const struct record *r)
{
	struct buf b = buf_over(text, SGW_RENDER_MAX);

	assert_true(render_record(r, &b));
	text[b.len] = 0;
	if (getenv("SHOW") != NULL)
		printf("%s\n", text);
}

/* Lines of 1-78 printable characters, each with a label or the gutter. */
static void
check_form(void)
{
	size_t lines = 0;

	for (const char *at = text; *at != 0; lines++) {
		const char *end = strchr(at, '\n');

		assert_non_null(end);
		assert_true(end > at && end - at <= RENDER_WIDTH);
		assert_true(text_is_ascii(at, (size_t)(end - at)));
		assert_true(at[0] == ' ' && at[7] == ' ');
		at = end + 1;
	}
	assert_true(lines > 5);
}

static const char *const OPENING =
    " OPEN   tcp/22 (ssh)  FROM 203.0.113.7/32 (documentation range)\n"
    " TO     sg-0123456789abcdef0  account 111122223333 (prod)  eu-west-1\n"
    "        AWS says: quota 12/60 -> 13/60, vpc-0123456789abcdef0, named \"bastion\"\n"
    " FOR    1 hour, closes 2026-11-21 17:30 UTC by itself  [closing is included]\n"
    "        Closing does not cut connections that are established by then.\n"
    " RISK   sensitive port -> PIN + touch  [open-sensitive]\n"
    " WHO    uid 1000, pid 4312, process chain: \"claude-code <- zsh <- foot\"\n"
    "        calls itself (claimed, not verified): \"claude-code 2.1\"\n"
    " RECORD made 2026-11-21 16:30 UTC, void after 120 s; display trusted, tty3\n"
    "        appliance abcdefghijklmn27, after ledger record 41\n"
    " TEXT   | uid1000 debug deploy, TICKET-123 exp=2026-11-21T17:30:00Z #{receipt}\n"
    " SAYS   the client, not verified: \"debug deploy, TICKET-123\"\n";

static void
test_opening(void **state)
{
	struct record r = fixture_record();

	render(&r);
	check_form();
	assert_string_equal(text, OPENING);
}

/* An extension calls nobody: it has no steps that could fail, however many groups it is over. */
static void
regress_081_extension_has_no_steps(void **state)
{
	struct record r = fixture_record();

	r.plan.ops[1] = r.plan.ops[0];
	(void)FIELD_SET(r.plan.ops[1].group_id, "sg-0fedcba9876543210");
	(void)FIELD_SET(r.plan.groups[1].group_id, "sg-0fedcba9876543210");
	r.plan.n_ops = r.plan.n_groups = 2;
	render(&r);
	assert_non_null(strstr(text, " STEPS  2, "));
	assert_non_null(strstr(text, "closed again at once"));
	r.plan.ops[0].action = r.plan.ops[1].action = ACTION_EXTEND;
	render(&r);
	assert_non_null(strstr(text, " KEEP "));
	assert_null(strstr(text, " STEPS "));
	assert_null(strstr(text, "closed again"));
}

static void
test_closing(void **state)
{
	struct record r = fixture_close(2);

	r.display = DISPLAY_SHARED;
	r.groups[0].iac = true;
	r.chain_verified = false;
	render(&r);
	check_form();
	assert_non_null(
	    strstr(text, " CLOSE  tcp/1000-2000  FROM 0.0.0.0/0 (the whole Internet)  rule\n"
			 "        sgr-0123456789abc0000\n"));
	assert_non_null(strstr(text, "sgr-0123456789abc0001"));
	assert_non_null(strstr(text, " IN     sg-0123456789abcdef0"));
	assert_non_null(strstr(text, "closes what others opened: can be an outage -> touch"));
	assert_non_null(strstr(text, "quota 12/60 -> 10/60"));
	assert_null(strstr(text, "prefix list"));
	assert_non_null(strstr(text, "Closing does not cut connections"));
	assert_non_null(
	    strstr(text, " SCREEN shared: this screen belongs to the client's own user"));
	assert_non_null(strstr(text, "process chain (not verified):"));
	assert_non_null(strstr(text, "AWS says: CloudFormation or Terraform keeps this group"));
	r.groups[0].quota_lists = 2;
	render(&r);
	check_form();
	assert_non_null(strstr(text, "        2 of these rules let in a prefix list"));
}

static void
test_enroll(void **state)
{
	struct record r = fixture_enroll();

	render(&r);
	check_form();
	assert_non_null(strstr(text, " ENROLL a security key by the name of \"blue one\"\n"));
	assert_non_null(strstr(text, " TO     appliance abcdefghijklmn27, 1 enrolled already\n"));
	assert_null(strstr(text, "quota"));
}

static void
lifetime(uint32_t seconds, const char *want)
{
	struct record r = fixture_record();

	r.plan.lifetime = seconds;
	r.closes = CREATED + seconds;
	render(&r);
	check_form();
	assert_non_null(strstr(text, want));
}

static void
test_lifetimes(void **state)
{
	lifetime(1200, " FOR    20 minutes, closes 2026-11-21 16:50 UTC ");
	lifetime(5400, " FOR    1 hour 30 minutes, closes 2026-11-21 18:00 UTC ");
	lifetime(43199, " FOR    11 hours 59 minutes 59 seconds, closes 2026-11-22 04:29:59 UTC ");
	lifetime(SGW_LIFETIME_PERMANENT, " FOR    PERMANENT: it never closes by itself, ");
	lifetime(SGW_LIFETIME_PERMANENT - 1, " FOR    49710 days 6 hours ");
	lifetime(90061, " FOR    1 day 1 hour 1 minute 1 second, closes 2026-11-22 17:31:01 UTC ");
}

/* Everything at its maximum is there in full, character by character. */
static void
test_longest(void **state)
{
	struct record r = fixture_longest();
	size_t quotes = 0, backslashes = 0, groups = 0;

	render(&r);
	check_form();
	for (const char *c = text; *c != 0; c++) {
		quotes += *c == '"';
		backslashes += *c == '\\';
		groups += *c == 'g' && (c[1] == 'g' || c[1] == '\n');
	}
	assert_true(quotes >= sizeof(r.reason) - 1);
	assert_true(backslashes >= sizeof(r.claimed) - 1);
	assert_true(groups >= SGW_PLAN_GROUPS_MAX * (sizeof(r.groups[0].name) - 1));
	for (size_t i = 0; i < SGW_OPS_MAX; i++) {
		char want[64];

		snprintf(want, sizeof(want), " OPEN   tcp/10000-%zu  FROM ", 20000 + i);
		assert_non_null(strstr(text, want));
	}
	/* One byte less than it needs is noticed. */
	{
		struct buf b = buf_over(text, strlen(text) - 1);

		assert_false(render_record(&r, &b));
	}
}

/* Words of others that try to look like ours: they stay behind quotes or a bar. */
static void
test_spoofs(void **state)
{
	struct record r = fixture_record();

	FIELD_SET(r.groups[0].name, "x\"  account 999988887777 (dev)");
	render(&r);
	check_form();
	assert_non_null(strstr(
	    text, "vpc-0123456789abcdef0, named\n        | x\"  account 999988887777 (dev)\n"));
	memset(r.reason, ' ', 300);
	memcpy(r.reason + 60, "RISK   none -> touch", 20);
	memcpy(r.reason + 130, " TO     sg-00000000", 19);
	r.reason[300] = 0;
	render(&r);
	check_form();
	assert_null(strstr(text, "\n RISK   none"));
	assert_null(strstr(text, "\n TO     sg-00000000"));
	/* The reason is last, and each of its lines begins with the bar. */
	{
		const char *says = strstr(text, "\n SAYS   the client, not verified:\n");

		assert_non_null(says);
		for (const char *at = strchr(says + 1, '\n') + 1; *at != 0;
		     at = strchr(at, '\n') + 1)
			assert_int_equal(strncmp(at, "        | ", 10), 0);
	}
}

static void
test_digest(void **state)
{
	struct record r = fixture_record();
	uint8_t a[HASH_LEN], b[HASH_LEN];

	render(&r);
	render_digest(&r, a);
	hash_sha256(text, strlen(text), b);
	assert_memory_equal(a, b, HASH_LEN);
	r.plan.ops[0].source.addr[3] ^= 1;
	render_digest(&r, b);
	assert_memory_not_equal(a, b, HASH_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_opening),
	    cmocka_unit_test(regress_081_extension_has_no_steps),
	    cmocka_unit_test(test_closing),
	    cmocka_unit_test(test_enroll),
	    cmocka_unit_test(test_lifetimes),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_spoofs),
	    cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
