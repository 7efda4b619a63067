/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing an opener and sealing it anew: what is turned away, and the whole way, one key after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "custody_world.h"

/* ---- what is turned away ---- */

static void
seal_refused(const char *subject, enum status status, enum sgw_error error, const char *words)
{
	act(ACT_SEAL, subject, "");
	assert_null(world_said(MSG_START_CEREMONY));
	ended(status, error, words);
}

static void
test_no_such_place(void **state)
{
	static const char *const subjects[] = {"", "prod", "opener", "prod reader", "prod Opener",
	    "prod opener ", " opener", "test opener", "prod  opener", "prod opener opener"};

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		act(ACT_SEAL, subjects[i], "");
		ended(STATUS_FAILED, SGW_ERR_UNKNOWN_PROFILE, "");
		act(ACT_ROTATE, subjects[i], "");
		ended(STATUS_FAILED, SGW_ERR_UNKNOWN_PROFILE, "");
	}
}

static void
test_not_to_be_sealed(void **state)
{
	struct profile_keys *k = &W.b.profiles[0].keys[TIER_OPENER], kept = *k;

	k->there = false;
	seal_refused(PROD, STATUS_FAILED, SGW_ERR_SEALED, "the AWS files held no keys for it");
	*k = kept;
	(void)FIELD_SET(k->token, "IQoJb3JpZ2luX2VjEXAMPLE");
	seal_refused(PROD, STATUS_FAILED, SGW_ERR_SEALED, "these keys are temporary");
	*k = W.b.profiles[0].keys[TIER_READER];
	seal_refused(PROD, STATUS_FAILED, SGW_ERR_SEALED, "it is the reader's key too");
	W.b.profiles[0].keys[TIER_READER].there = false; /* then it is not */
	act(ACT_SEAL, PROD, "");
	shown();
}

static void
test_keys_that_cannot(void **state)
{
	W.b.keys.keys[RED].hmac_secret = false;
	seal_refused(PROD, STATUS_FAILED, SGW_ERR_SEALED, "has no hmac-secret: remove it first");
	W.b.keys.keys[RED].hmac_secret = true;
	W.b.keys.keys[BLUE].uv_capable = true;
	seal_refused(SENSITIVE, STATUS_FAILED, SGW_ERR_SEALED, "had no PIN when it was enrolled");
	(void)sealed_by_hand(TIER_OPENER_SENSITIVE);
	act(ACT_ROTATE, SENSITIVE, "");
	ended(STATUS_FAILED, SGW_ERR_SEALED, "had no PIN when it was enrolled");
	W.b.keys.keys[RED].uv_capable = true;
	act(ACT_ROTATE, SENSITIVE, "");
	shown();
}

static void
test_file_is_full(void **state)
{
	for (size_t i = 0; i < SGW_SEALS_MAX; i++) {
		struct rec_sealed_entry *e = &W.b.sealed.entries[W.b.sealed.n_entries++];

		e->tier = TIER_OPENER;
		(void)snprintf(e->profile, sizeof(e->profile), "other%zu", i);
	}
	seal_refused(PROD, STATUS_REFUSED, SGW_ERR_QUOTA, "the sealed file holds no more");
	(void)FIELD_SET(W.b.sealed.entries[3].profile, "prod"); /* its own place is there */
	act(ACT_SEAL, PROD, "");
	shown();
}

static void
test_nothing_to_rotate(void **state)
{
	act(ACT_ROTATE, PROD, "");
	ended(STATUS_FAILED, SGW_ERR_SEALED, "nothing is sealed there");
}

/* ---- the whole way ---- */

static void
test_sealed(void **state)
{
	uint64_t before = W.b.chain.number;
	uint8_t salts[HELD_MAX][32];

	act(ACT_SEAL, PROD, "");
	shown();
	assert_non_null(strstr(W.b.ceremony.text, "\nact seal-credential\nsubject prod opener\n"));
	assert_non_null(strstr(W.b.ceremony.text, "a touch unseals it"));
	assert_non_null(strstr(W.b.ceremony.text, OPENER_ID));
	assert_null(strstr(W.b.ceremony.text, OPENER_SECRET));
	agrees();
	touched(RED); /* any of them agrees */
	assert_false(C.ask.hmac_secret);
	assert_string_equal(heard(MSG_WANT_KEY)->want_key.names, "blue, red");
	agrees();
	assert_true(plugged(RED));
	assert_true(C.ask.hmac_secret && !C.ask.uv);
	assert_int_equal(C.ask.n_creds, 2);
	memcpy(salts[0], C.ask.creds[0].salt, 32);
	memcpy(salts[1], C.ask.creds[1].salt, 32);
	assert_memory_not_equal(salts[0], salts[1], 32);
	(void)answers(RED);
	says();
	assert_string_equal(heard(MSG_WANT_KEY)->want_key.names, "blue");
	agrees();
	touched(BLUE);
	assert_int_equal(C.ask.n_creds, 1);
	assert_int_equal(W.b.active->state, JOB_COMMIT);
	assert_int_equal(world_said(MSG_COMMIT)->commit.file, STATE_FILE_SEALED);
	assert_null(sealed_entry(TIER_OPENER)); /* not before the ledger has it */
	assert_true(W.b.profiles[0].keys[TIER_OPENER].there);
	admin_committed(&W.b, true);
	assert_int_equal(W.b.active->state, JOB_TIDY);
	assert_int_equal(sealed_entry(TIER_OPENER)->n_wraps, 2);
	assert_int_equal(sealed_entry(TIER_OPENER)->generation, 1);
	assert_false(W.b.profiles[0].keys[TIER_OPENER].there); /* the plaintext is dropped */
	admin_committed(&W.b, true);
	ended(STATUS_OK, SGW_ERR_NONE, "take the secret key out of the AWS files now");
	assert_int_equal(W.b.chain.number, before + 5); /* request, three touches, seal */
}

/* A tier that the PIN opens is asked for with it, each time. */
static void
test_sealed_with_the_pin(void **state)
{
	W.b.keys.keys[BLUE].uv_capable = W.b.keys.keys[RED].uv_capable = true;
	act(ACT_SEAL, SENSITIVE, "");
	shown();
	assert_non_null(strstr(W.b.ceremony.text, "the PIN and a touch unseal it"));
	agrees();
	touched(BLUE);
	assert_true(heard(MSG_WANT_KEY)->want_key.pin);
	agrees();
	assert_true(plugged(BLUE));
	assert_true(C.ask.uv);
	(void)answers(BLUE);
	says();
	agrees();
	touched(RED);
	admin_committed(&W.b, true);
	admin_committed(&W.b, true);
	ended(STATUS_OK, SGW_ERR_NONE, "sealed; ");
	assert_non_null(sealed_entry(TIER_OPENER_SENSITIVE));
	assert_null(sealed_entry(TIER_OPENER));
}

/* From the old seal alone: nothing stands in the AWS files any more. */
static void
test_rotated(void **state)
{
	struct rec_sealed_entry old = *sealed_by_hand(TIER_OPENER);

	W.b.profiles[0].plaintext[TIER_OPENER] = false;
	agreed_to(ACT_ROTATE, PROD);
	assert_non_null(strstr(W.b.ceremony.text, "What was sealed before opens no more."));
	agrees();
	assert_true(plugged(BLUE));
	assert_memory_equal(C.ask.creds[0].salt, old.wraps[0].salt, 32);
	(void)answers(BLUE);
	says();
	assert_true(W.b.vault->opener.there);
	assert_string_equal(W.b.vault->opener.secret_key, OPENER_SECRET);
	agrees();
	touched(RED);
	assert_false(W.b.vault->opener.there);
	admin_committed(&W.b, true);
	admin_committed(&W.b, false); /* the old version beside it: the next start tidies */
	ended(STATUS_OK, SGW_ERR_NONE, "sealed anew");
	assert_int_equal(sealed_entry(TIER_OPENER)->generation, old.generation + 1);
	assert_int_equal(W.b.sealed.n_entries, 1);
	assert_memory_not_equal(sealed_entry(TIER_OPENER)->secret, old.secret, sizeof(old.secret));
	assert_memory_not_equal(sealed_entry(TIER_OPENER)->wraps[0].salt, old.wraps[0].salt, 32);
	collected(ACT_ROTATE, PROD); /* and what it left is whole */
	admin_committed(&W.b, true);
	admin_committed(&W.b, true);
	ended(STATUS_OK, SGW_ERR_NONE, "sealed anew");
}

/* A key that came later opens nothing yet; the other one does, and then both. */
static void
test_rotated_for_a_new_key(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER);

	e->wraps[0] = e->wraps[1];
	e->n_wraps = 1;
	collected(ACT_ROTATE, PROD);
	admin_committed(&W.b, true);
	assert_int_equal(sealed_entry(TIER_OPENER)->n_wraps, 2);
	admin_committed(&W.b, true);
	ended(STATUS_OK, SGW_ERR_NONE, "");
}

/* The same place sealed again, with what stands in the AWS files now. */
static void
test_sealed_again(void **state)
{
	struct profile_keys *k = &W.b.profiles[0].keys[TIER_OPENER], kept = *k;

	(void)sealed_by_hand(TIER_OPENER);
	*k = kept; /* as after a start with the seal's file lost, or new keys */
	(void)FIELD_SET(k->access_key_id, "AKIAI66QH8DHBEXAMPLE");
	collected(ACT_SEAL, PROD);
	admin_committed(&W.b, true);
	admin_committed(&W.b, true);
	ended(STATUS_OK, SGW_ERR_NONE, "sealed; ");
	assert_int_equal(W.b.sealed.n_entries, 1);
	assert_string_equal(sealed_entry(TIER_OPENER)->access_key_id, "AKIAI66QH8DHBEXAMPLE");
}

/* ---- the file ---- */

static void
test_start(void **state)
{
	struct profile *p = &W.b.profiles[0];
	struct rec_sealed_list kept;

	assert_true(custody_start(&W.b)); /* nothing was ever sealed */
	assert_true(p->keys[TIER_OPENER].there);
	(void)sealed_by_hand(TIER_OPENER);
	kept = W.b.sealed;
	W.b.sealed = (struct rec_sealed_list){0};
	p->keys[TIER_OPENER].there = true; /* it stands in the AWS files too */
	assert_true(custody_start(&W.b));
	assert_memory_equal(&W.b.sealed, &kept, sizeof(kept));
	assert_false(p->keys[TIER_OPENER].there);
	assert_true(p->keys[TIER_OPENER_SENSITIVE].there && p->keys[TIER_READER].there);
	W.b.sealed_file.now.len--;
	assert_false(custody_start(&W.b));
	W.b.sealed_file.now.len++;
	(void)FIELD_SET(W.b.appliance, "ponmlkjihgfedcba");
	assert_false(custody_start(&W.b));
}

static void
file_brings(const char *section, const char *id, const char *secret)
{
	static struct msg_loaded_profile m;

	(void)FIELD_SET(m.name, section);
	(void)FIELD_SET(m.access_key_id, id);
	(void)FIELD_SET(m.secret_key, secret);
	profile_loaded(&W.b, &m);
	assert_string_equal(m.secret_key, "");
}

/* Each tier takes its keys from the section that config.json names for it, and from no other. */
static void
test_sections(void **state)
{
	struct profile *p = &W.b.profiles[0];
	struct rec_profile_conf *conf = &W.b.config.profiles[0];

	memset(p->keys, 0, TIER_MAX * sizeof(p->keys[0]));
	(void)FIELD_SET(conf->reader, "looks");
	(void)FIELD_SET(conf->opener, "opens");
	file_brings("prod", OPENER_ID, OPENER_SECRET);
	file_brings("looks", OPENER_ID, "");
	file_brings("looks", "", OPENER_SECRET);
	for (enum tier t = TIER_READER; t < TIER_MAX; t++)
		assert_false(p->keys[t].there);
	file_brings("opens", OPENER_ID, OPENER_SECRET);
	assert_string_equal(p->keys[TIER_OPENER].access_key_id, OPENER_ID);
	assert_string_equal(p->keys[TIER_OPENER_SENSITIVE].access_key_id, OPENER_ID);
	assert_false(p->keys[TIER_READER].there);
	(void)FIELD_SET(conf->opener_sensitive, "all");
	file_brings("all", SENSITIVE_ID, SENSITIVE_SECRET);
	assert_string_equal(p->keys[TIER_OPENER].access_key_id, OPENER_ID);
	assert_string_equal(p->keys[TIER_OPENER_SENSITIVE].access_key_id, SENSITIVE_ID);
	file_brings("looks", SENSITIVE_ID, SENSITIVE_SECRET);
	assert_string_equal(p->keys[TIER_READER].access_key_id, SENSITIVE_ID);
}

/* Where nothing may be opened an opener's secret is not kept, and that it stood there is said. */
static void
test_read_only(void **state)
{
	struct profile *p = &W.b.profiles[0];

	memset(p->keys, 0, TIER_MAX * sizeof(p->keys[0]));
	memset(p->plaintext, 0, sizeof(p->plaintext));
	W.b.config.use = USE_READ_ONLY;
	file_brings("prod", OPENER_ID, OPENER_SECRET);
	assert_true(p->keys[TIER_READER].there);
	assert_false(p->keys[TIER_OPENER].there || p->keys[TIER_OPENER_SENSITIVE].there);
	assert_string_equal(p->keys[TIER_OPENER].secret_key, "");
	assert_true(p->plaintext[TIER_OPENER]);
}

/* A key that is enrolled no more goes with the next version; the last wrap stays, and says that something is sealed. */
static void
test_strangers(void **state)
{
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER);
	struct rec_sealed_wrap red = e->wraps[RED];

	custody_forget_strangers(&W.b, &W.b.sealed);
	assert_int_equal(e->n_wraps, 2);
	W.b.keys.keys[BLUE] = W.b.keys.keys[RED];
	W.b.keys.n_keys = 1;
	custody_forget_strangers(&W.b, &W.b.sealed);
	assert_int_equal(e->n_wraps, 1);
	assert_memory_equal(&e->wraps[0], &red, sizeof(red));
	W.b.keys.n_keys = 0;
	custody_forget_strangers(&W.b, &W.b.sealed);
	assert_int_equal(e->n_wraps, 1);
}

static void
test_status(void **state)
{
	static struct rec_profile_info info;
	struct rec_sealed_entry *e = sealed_by_hand(TIER_OPENER);
	const struct rec_tier_info *t = &info.tiers[TIER_OPENER];

	e->n_wraps = 1; /* the blue key's */
	W.b.profiles[0].keys[TIER_OPENER_SENSITIVE].there = false;
	W.b.profiles[0].plaintext[TIER_OPENER_SENSITIVE] = false;
	custody_describe(&W.b, &W.b.profiles[0], &info);
	assert_int_equal(info.n_tiers, TIER_MAX);
	assert_true(t->sealed && t->plaintext);
	assert_string_equal(t->access_key_id, OPENER_ID);
	assert_int_equal(t->generation, 1);
	assert_int_equal(t->n_keys, 1);
	assert_string_equal(t->keys[0].name, "blue");
	t = &info.tiers[TIER_OPENER_SENSITIVE];
	assert_false(t->sealed || t->plaintext || t->access_key_id[0]);
	t = &info.tiers[TIER_READER];
	assert_false(t->sealed);
	assert_string_equal(t->access_key_id, "AKIAIOSFODNN7EXAMPLE");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, custody_open, custody_close)
	static const struct CMUnitTest tests[] = {
	    TEST(test_no_such_place),
	    TEST(test_not_to_be_sealed),
	    TEST(test_keys_that_cannot),
	    TEST(test_file_is_full),
	    TEST(test_nothing_to_rotate),
	    TEST(test_sealed),
	    TEST(test_sealed_with_the_pin),
	    TEST(test_rotated),
	    TEST(test_rotated_for_a_new_key),
	    TEST(test_sealed_again),
	    TEST(test_start),
	    TEST(test_sections),
	    TEST(test_read_only),
	    TEST(test_strangers),
	    TEST(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
