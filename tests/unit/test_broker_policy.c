/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy is in force, and what it takes to put another in its place: an owned planner sends any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <sgwarden/policy_diff.h>

#include "broker_world.h"
#include "admin.h"
#include "in_force.h"

static struct rec_policy NEW;
static uint8_t BEFORE[HASH_LEN];

static int
policy_open(void **state)
{
	if (world_open(state) < 0)
		return -1;
	W.b.keys.n_keys = 1;
	W.b.keys.keys[0].cred_id_len = 32;
	(void)FIELD_SET(W.b.keys.keys[0].name, "blue");
	W.b.clients[0].admin = true;
	W.b.screen = DISPLAY_SHARED;
	W.b.config.policy.allow_shared_display = true;
	policy_configured(&W.b);
	memcpy(BEFORE, W.b.policy_digest, HASH_LEN);
	NEW = W.b.config.policy;
	return 0;
}

static void
ask_bytes(const void *data, size_t len)
{
	static struct msg_admin m;

	m = (struct msg_admin){.client = 1, .act = ACT_POLICY, .data_len = (uint16_t)len};
	(void)FIELD_SET(m.plan_id, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(m.subject, "harmless words of a planner");
	memcpy(m.data, data, len);
	W.n_planner = 0;
	admin_ask(&W.b, &m);
}

static size_t
ask_new(void)
{
	static uint8_t bytes[SGW_POLICY_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));

	assert_true(rec_policy_encode(&b, &NEW));
	ask_bytes(bytes, b.len);
	return b.len;
}

/* A policy, and a byte behind it. */
static void
ask_behind(void)
{
	static uint8_t bytes[SGW_POLICY_MAX + 1];
	struct buf b = buf_over(bytes, sizeof(bytes));

	assert_true(rec_policy_encode(&b, &NEW));
	ask_bytes(bytes, b.len + 1);
}

static void
refused(const char *words)
{
	const struct msg *m = world_said(MSG_RESULT);

	assert_non_null(m);
	assert_int_equal(m->result.error, SGW_ERR_BAD_ARGUMENT);
	if (strstr(m->result.detail, words) == NULL)
		fail_msg("%s: %s", words, m->result.detail);
	assert_null(W.b.active);
	assert_null(world_said(MSG_START_CEREMONY));
	assert_memory_equal(W.b.policy_digest, BEFORE, HASH_LEN);
}

/* Nobody is asked about what no policy may say, whoever says it. */
static void
test_refused(void **state)
{
	uint8_t garbage[64] = {1, 2, 3};

	ask_bytes(garbage, sizeof(garbage));
	refused("no compiled policy");
	ask_bytes(garbage, 0);
	refused("no compiled policy");
	ask_behind();
	refused("no compiled policy");
	NEW.on_wide.trusted_display = false;
	(void)ask_new();
	refused("no policy takes that away");
	NEW.on_wide.trusted_display = true;
	NEW.v4_forbidden = NEW.v4_wide = 0;
	(void)ask_new();
	refused("the widest IPv4 prefix");
	NEW = W.b.config.policy;
	NEW.allow_shared_display = false;
	(void)ask_new();
	refused("no screen of this kind could approve anything");
}

static void
test_nothing_is_cut(void **state)
{
	for (size_t i = 0; i < SGW_SCOPES_MAX; i++) {
		struct rec_scope *s = &NEW.scopes[NEW.n_scopes++];

		memset(s->profile, 'p', SGW_PROFILE_MAX);
		memset(s->tag_key, 'k', SGW_POLICY_TAG_MAX);
		memset(s->tag_value, 'v', SGW_POLICY_TAG_MAX);
		(void)snprintf(s->account, sizeof(s->account), "1111222233%02zu", i + 10);
		for (int k = 0; k < SGW_SCOPE_PORTS_MAX; k++)
			s->ports[s->n_ports++] =
			    (struct rec_service){PROTO_TCP, 50000 + 100 * k, 50000 + 100 * k + 9};
	}
	(void)ask_new();
	refused("more than one screen record can show");
}

/* What is shown is the difference of the typed policies, and the planner's words are not in it. */
static void
test_shown(void **state)
{
	static struct policy_diff diff;
	char line[POLICY_LINE_MAX + 1];
	unsigned n = 1;

	NEW.v4_wide = 20;
	NEW.allow_private = true;
	NEW.require_reason = true;
	(void)ask_new();
	assert_null(world_said(MSG_RESULT));
	assert_non_null(W.b.active);
	assert_string_equal(W.b.admin->subject, "policy");
	assert_string_equal(
	    W.b.admin->say[0], "3 changes to the policy in force, 2 of them WIDEN it:");
	policy_diff(&W.b.config.policy, &NEW, &diff);
	for (size_t i = 0; i < diff.n; i++)
		for (size_t at = 0; policy_change_line(&diff.change[i], &at, line); n++)
			assert_string_equal(W.b.admin->say[n], line);
	assert_int_equal(W.b.admin->n_say, n);
	assert_memory_equal(W.b.policy_digest, BEFORE, HASH_LEN);
}

static void
test_in_force(void **state)
{
	uint8_t digest[HASH_LEN];
	const char *why = "";
	size_t len;

	NEW.require_reason = true;
	len = ask_new();
	policy_digest(&NEW, digest);
	assert_memory_equal(W.b.admin->digest, digest, HASH_LEN);
	W.n_control = 0;
	policy_commit(&W.b, true);
	assert_int_equal(world_said(MSG_COMMIT)->commit.data_len, 8 + len);
	assert_memory_equal(W.b.policy_digest, BEFORE, HASH_LEN);
	policy_applied(&W.b);
	assert_memory_equal(W.b.policy_digest, digest, HASH_LEN);
	assert_true(W.b.config.policy.require_reason);
	assert_int_equal(W.b.policy_origin, POLICY_LOADED);
	assert_true(world_said(MSG_POLICY)->policy.policy.require_reason);
	policy_commit(&W.b, false);
	assert_int_equal(world_said(MSG_COMMIT)->commit.data_len, 4 + len);
	/* The same again changes nothing. */
	assert_int_equal(policy_prepare(&W.b, &why), SGW_ERR_BAD_ARGUMENT);
	assert_non_null(strstr(why, "in force already"));
}

/* In system mode the configuration relaxes nothing. */
static void
test_first_policy(void **state)
{
	uint8_t builtin[HASH_LEN];
	struct rec_policy policy;

	assert_int_equal(W.b.policy_origin, POLICY_OF_CONFIG);
	policy_builtin(&policy);
	policy_digest(&policy, builtin);
	assert_memory_not_equal(builtin, W.b.policy_digest, HASH_LEN);
	W.b.system_mode = true;
	W.b.config.policy.allow_documentation = true;
	policy_configured(&W.b);
	assert_int_equal(W.b.policy_origin, POLICY_BUILT_IN);
	assert_memory_equal(builtin, W.b.policy_digest, HASH_LEN);
	assert_false(
	    W.b.config.policy.allow_documentation || W.b.config.policy.allow_shared_display);
	policy_configured(&W.b); /* one that relaxes nothing is the built-in one */
	assert_int_equal(W.b.policy_origin, POLICY_BUILT_IN);
	assert_memory_equal(builtin, W.b.policy_digest, HASH_LEN);
	/* Nothing was ever loaded: nothing changes. */
	assert_int_equal(policy_loaded(&W.b), 0);
	assert_int_equal(W.b.policy_origin, POLICY_BUILT_IN);
}

/* Once one was loaded it counts, and config.json does not, from the first start on. */
static void
test_loaded_at_the_start(void **state)
{
	static uint8_t bytes[SGW_POLICY_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));

	assert_int_equal(W.b.policy_origin, POLICY_OF_CONFIG);
	NEW.v4_wide = 20;
	assert_true(rec_policy_encode(&b, &NEW));
	assert_true(statefile_next(&W.b.policy_file, bytes, b.len));
	statefile_advance(&W.b.policy_file);
	assert_int_equal(policy_loaded(&W.b), 0);
	assert_int_equal(W.b.policy_origin, POLICY_LOADED);
	assert_int_equal(W.b.config.policy.v4_wide, 20);
	policy_digest(&NEW, BEFORE);
	assert_memory_equal(W.b.policy_digest, BEFORE, HASH_LEN);
	assert_int_equal(policy_loaded(&W.b), 0); /* and once more is the same */
	assert_int_equal(W.b.policy_origin, POLICY_LOADED);
}

/* The ledger named it and it is no policy, or none that may come into force: another release's. */
static void
test_damaged_at_the_start(void **state)
{
	static uint8_t bytes[SGW_POLICY_MAX + 1];
	struct buf b = buf_over(bytes, sizeof(bytes));

	assert_true(rec_policy_encode(&b, &NEW));
	assert_true(statefile_next(&W.b.policy_file, bytes, b.len + 1)); /* a byte behind it */
	statefile_advance(&W.b.policy_file);
	assert_int_equal(policy_loaded(&W.b), -1);
	NEW.on_wide.trusted_display = false;
	b = buf_over(bytes, sizeof(bytes));
	assert_true(rec_policy_encode(&b, &NEW));
	assert_true(statefile_next(&W.b.policy_file, bytes, b.len));
	statefile_advance(&W.b.policy_file);
	assert_int_equal(policy_loaded(&W.b), -1);
	assert_memory_equal(W.b.policy_digest, BEFORE, HASH_LEN);
	assert_int_equal(W.b.policy_origin, POLICY_OF_CONFIG);
	expect_assert_failure(policy_applied(&W.b)); /* nor does the broker go on without one */
}

/* The policy of config.json, made the loaded one: not a word of it changes, and it is an act none the less. */
static void
test_same_words_loaded(void **state)
{
	(void)ask_new();
	assert_null(world_said(MSG_RESULT));
	assert_string_equal(
	    W.b.admin->say[0], "0 changes to the policy in force, 0 of them WIDEN it:");
	assert_int_equal(W.b.admin->n_say, 1);
}

/* On a trusted screen nothing is shut out by what is said of shared ones. */
static void
test_screens(void **state)
{
	NEW.allow_shared_display = false;
	W.b.screen = DISPLAY_TRUSTED;
	(void)ask_new();
	assert_null(world_said(MSG_RESULT));
	assert_non_null(W.b.active);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_refused, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_nothing_is_cut, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_shown, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_in_force, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_first_policy, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_loaded_at_the_start, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_damaged_at_the_start, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_same_words_loaded, policy_open, world_close),
	    cmocka_unit_test_setup_teardown(test_screens, policy_open, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
