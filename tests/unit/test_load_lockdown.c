/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdowns over a restart: what is on, what was lifted, and that what they made due stays due. */
#include "load_world.h"

#include <stdio.h>

#include "record_fixture.h"

#define OTHER "sg-0fedcba9876543210"

static void
put_lockdown(const char *scope, const char *by)
{
	entry(LEDGER_LOCKDOWN);
	put("scope", scope);
	put("uid", "1000");
	put("by", by);
	append();
}

static void
put_enable(const char *subject)
{
	entry(LEDGER_ENABLE);
	put("receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("plan", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("uid", "0");
	put("act", "enable-openings");
	put("subject", subject);
	put("digest", DIGEST_A);
	put("credential", CRED);
	put("counter", "7");
	put("authdata", "00");
	put("signature", "00");
	put("text", "a record\n");
	append();
}

static void
loaded(size_t lockdowns)
{
	heard_nothing();
	load();
	if (!H.whole)
		fail_msg("%s", H.problem.detail);
	assert_int_equal(H.n_lockdowns, lockdowns);
}

static void
broken(const char *why)
{
	heard_nothing();
	load();
	assert_false(H.whole);
	assert_non_null(strstr(H.problem.detail, why));
}

/* A rule is open; ret: when its record has it closed. */
static int64_t
opened(void)
{
	put_consent(1, "1");
	put_intent(L.receipt, "open");
	put_outcome("ok");
	return fixture_record().closes;
}

static void
test_on(void **state)
{
	put_start(DIGEST_A);
	put_lockdown("all", "administrator");
	loaded(1);
	assert_int_equal(H.lockdowns[0].scope, LOCKDOWN_ALL);
	assert_string_equal(H.lockdowns[0].name, "");
	assert_int_equal(H.lockdowns[0].since, NOW + 1);
	assert_int_equal(H.lockdowns[0].uid, 1000);
	assert_false(H.lockdowns[0].client);
	put_start(DIGEST_A); /* and over another start */
	put_lockdown("profile prod", "client");
	put_lockdown("group " OTHER, "client");
	put_lockdown("all", "administrator"); /* it is on: no second one */
	loaded(3);
	assert_string_equal(H.lockdowns[1].name, "prod");
	assert_true(H.lockdowns[1].client);
	assert_int_equal(H.lockdowns[2].scope, LOCKDOWN_GROUP);
}

static void
test_lifted(void **state)
{
	put_lockdown("all", "administrator");
	put_lockdown("profile prod", "administrator");
	put_enable("all");
	loaded(1);
	assert_int_equal(H.lockdowns[0].scope, LOCKDOWN_PROFILE);
	assert_int_equal(H.n_counters, 1); /* its touch counts */
	put_enable("profile test");        /* none of that name */
	loaded(1);
	put_lockdown("group " GROUP, "administrator");
	put_enable("everything");
	loaded(0);
}

/* In the file behind the one that has it. */
static void
test_over_segments(void **state)
{
	put_lockdown("group " GROUP, "administrator");
	put_segment();
	put_start(DIGEST_A);
	loaded(1);
	put_segment();
	put_enable("group " GROUP);
	loaded(0);
}

static void
test_due(void **state)
{
	int64_t closes = opened();

	put_lockdown("group " OTHER, "administrator");
	loaded(1);
	assert_int_equal(H.grants[0].closes, closes);
	put_lockdown("profile prod", "administrator");
	loaded(2);
	assert_int_equal(H.grants[0].closes, NOW + 4);
	put_enable("everything"); /* before it could be closed: it is due all the same */
	loaded(0);
	assert_int_equal(H.n_grants, 1);
	assert_int_equal(H.grants[0].closes, NOW + 4);
}

static void
test_forms(void **state)
{
	static const char *const bad[] = {
	    "", "everything", "all ", "profile ", "group sg-1", "group ", "profile", "zone a"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		load_begin(NULL);
		put_lockdown(bad[i], "administrator");
		broken(i == 0 ? "" : "its scope or uid is none");
	}
	load_begin(NULL);
	put_enable("nothing");
	broken("its subject is no lockdown");
	load_begin(NULL);
	for (unsigned i = 0; i <= SGW_LOCKDOWNS_MAX; i++) {
		char scope[32];

		(void)snprintf(scope, sizeof(scope), "group sg-%08x", i);
		put_lockdown(scope, "client");
	}
	broken("more lockdowns are on");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_on, load_begin),
	    cmocka_unit_test_setup(test_lifted, load_begin),
	    cmocka_unit_test_setup(test_over_segments, load_begin),
	    cmocka_unit_test_setup(test_due, load_begin),
	    cmocka_unit_test_setup(test_forms, load_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
