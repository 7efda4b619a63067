/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolment phrase: where it is asked for, what becomes of what is typed, and where it stands afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "admin.h"

#define PHRASE "blue whale over Turin"
#define PLAN "sgw-aaaaaaaaaaaaaaaaaaaa"

static struct chan consent;
static uint8_t scratch[SGW_DATAGRAM_MAX];

static int
phrase_open(void **state)
{
	consent.fd = -1;
	if (world_open(state) < 0)
		return -1;
	W.b.screen = DISPLAY_TRUSTED;
	W.b.config.policy.allow_shared_display = true;
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	(void)FIELD_SET(W.b.tty, "tty3");
	return 0;
}

static int
phrase_close(void **state)
{
	chan_close(&consent);
	return world_close(state);
}

static void
enrolled(void)
{
	struct rec_key_entry *k = &W.b.keys.keys[0];

	W.b.keys.n_keys = 1;
	(void)FIELD_SET(W.b.keys.appliance, W.b.appliance);
	(void)FIELD_SET(k->name, "blue");
	k->cred_id_len = 16;
	memset(k->salt, 7, sizeof(k->salt));
	(void)FIELD_SET(W.b.keys.phrase, "the old one");
}

static void
expect_end(enum status status, enum sgw_error error)
{
	const struct msg *m = world_said(MSG_RESULT);

	assert_non_null(m);
	assert_int_equal(m->result.status, status);
	assert_int_equal(m->result.error, error);
	assert_null(W.b.active);
	W.n_planner = W.n_control = 0;
}

/* The screen is there; what the broker says on it first. */
static struct msg
spawned(void)
{
	struct msg m;
	int ends[2];

	assert_int_equal(W.b.active->state, JOB_SPAWNING);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	chan_close(&consent);
	consent = chan_open(ends[1], ROLE_CONSENT, ROLE_BROKER);
	ceremony_spawned(&W.b, W.b.ceremony.number, ends[0]);
	assert_int_equal(chan_recv(&consent, scratch, &m, NULL), CHAN_GOT);
	return m;
}

static void
enrolling(void)
{
	struct job *j = &W.b.jobs[0];

	*j = (struct job){
	    .kind = JOB_ENROLL, .state = JOB_SPAWNING, .client = 1, .uid = 1000, .person = true};
	(void)FIELD_SET(j->plan_id, PLAN);
	(void)FIELD_SET(j->key_name, "blue");
	W.b.active = j;
	W.b.ceremony.number = 5;
}

static void
choosing(void)
{
	struct msg_admin m = {.client = 1, .act = ACT_PHRASE};

	(void)FIELD_SET(m.plan_id, PLAN);
	admin_ask(&W.b, &m);
	assert_non_null(W.b.active);
}

static void
types(const char *phrase)
{
	struct msg m = {.id = MSG_PHRASE};

	(void)FIELD_SET(m.phrase.phrase, phrase);
	assert_int_equal(chan_send(&consent, scratch, &m, -1, false), 0);
	ceremony_consent(&W.b);
}

/* Nothing that goes anywhere but to the screen and into the key list. */
static bool
ledger_has(const char *text)
{
	static char ledger[65536];
	ssize_t n = pread(W.b.ledger_fd, ledger, sizeof(ledger) - 1, 0);

	assert_true(n > 0 && n < (ssize_t)sizeof(ledger) - 1);
	ledger[n] = 0;
	return strstr(ledger, text) != NULL;
}

/* ---- where it is asked for ---- */

static void
test_first_enrolment(void **state)
{
	struct msg m;

	enrolling();
	m = spawned();
	assert_int_equal(m.id, MSG_WANT_PHRASE);
	assert_string_equal(m.want_phrase.phrase, "");
	assert_int_equal(W.b.active->state, JOB_PHRASE);
	assert_int_equal(W.b.ceremony.text_len, 0); /* no record before it */
	types(PHRASE);
	assert_int_equal(W.b.active->state, JOB_READING);
	assert_int_equal(chan_recv(&consent, scratch, &m, NULL), CHAN_GOT);
	assert_int_equal(m.id, MSG_SHOW);
	assert_string_equal(m.show.phrase, PHRASE);
	assert_null(strstr(m.show.record, "whale"));
	assert_true(W.b.active->receipt[0]);
}

static void
test_not_on_a_shared_screen(void **state)
{
	struct msg m;

	W.b.screen = DISPLAY_SHARED;
	enrolling();
	m = spawned();
	assert_int_equal(m.id, MSG_SHOW);
	assert_string_equal(m.show.phrase, "");
	W.b.active->state = JOB_FREE;
	W.b.active = NULL;
	enrolled();
	choosing();
	(void)spawned();
	expect_end(STATUS_REFUSED, SGW_ERR_DISPLAY_NOT_TRUSTED);
	assert_string_equal(W.b.keys.phrase, "the old one");
}

static void
test_not_at_a_later_enrolment(void **state)
{
	struct msg m;

	enrolled();
	enrolling();
	m = spawned();
	assert_int_equal(m.id, MSG_SHOW);
	assert_string_equal(m.show.phrase, "the old one");
}

/* ---- what is typed ---- */

static void
test_what_is_none(void **state)
{
	static const char *const rows[] = {
	    "", "deny", "one-word-only", "Touch the key now", " blue whale"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enrolling();
		(void)spawned();
		types(rows[i]); /* consent never sends it: it is not ours any more */
		expect_end(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED);
	}
}

/* The word does not go before what is to be read. */
static void
test_nothing_else_counts(void **state)
{
	const struct msg agreed = {.id = MSG_AGREED};

	enrolling();
	(void)spawned();
	assert_int_equal(chan_send(&consent, scratch, &agreed, -1, false), 0);
	ceremony_consent(&W.b);
	expect_end(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED);
	assert_null(world_said(MSG_START_KEYS));
	enrolled();
	enrolling();
	(void)spawned();
	types(PHRASE); /* nobody asked for one */
	expect_end(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED);
	assert_string_equal(W.b.keys.phrase, "the old one");
}

static void
test_no(void **state)
{
	const struct msg no = {.id = MSG_REFUSED, .refused.denial = DENIAL_DENY};

	enrolling();
	(void)spawned();
	assert_int_equal(chan_send(&consent, scratch, &no, -1, false), 0);
	ceremony_consent(&W.b);
	expect_end(STATUS_DENIED, SGW_ERR_DENIED);
	enrolling();
	(void)spawned();
	W.b.screen = DISPLAY_SHARED; /* somebody else could read it now */
	ceremony_screen(&W.b);
	expect_end(STATUS_REFUSED, SGW_ERR_DISPLAY_NOT_TRUSTED);
	W.b.screen = DISPLAY_TRUSTED;
	enrolling();
	(void)spawned();
	W.b.active->deadline = clock_monotonic();
	job_timeouts(&W.b);
	expect_end(STATUS_EXPIRED, SGW_ERR_EXPIRED);
	assert_true(ledger_has("\nstage phrase\n"));
}

static void
test_one_prompt(void **state)
{
	W.b.config.policy.prompts_per_hour = 1;
	enrolling();
	(void)spawned();
	types(PHRASE);
	assert_int_equal(W.b.active->state, JOB_READING); /* the record after it is the same one */
	enrolling();
	(void)spawned();
	expect_end(STATUS_REFUSED, SGW_ERR_RATE_LIMITED);
}

/* ---- another one ---- */

static void
test_another(void **state)
{
	struct msg_assertion a = {.cred_id_len = 16, .authdata_len = 37, .signature_len = 8};
	struct rec_key_list list;
	uint8_t memory[8192], digest[HASH_LEN];
	struct buf b = buf_over(memory, sizeof(memory));
	struct msg m;

	enrolled();
	choosing();
	m = spawned();
	assert_int_equal(m.id, MSG_WANT_PHRASE);
	assert_string_equal(m.want_phrase.phrase, "the old one"); /* by which the screen is known */
	types(PHRASE);
	assert_int_equal(chan_recv(&consent, scratch, &m, NULL), CHAN_GOT);
	assert_string_equal(m.show.phrase, PHRASE);
	/* the touch is over the list with it */
	list = W.b.keys;
	(void)FIELD_SET(list.phrase, PHRASE);
	assert_true(rec_key_list_encode(&b, &list));
	hash_sha256(b.data, b.len, digest);
	assert_memory_equal(W.b.ceremony.record.digest, digest, HASH_LEN);
	admin_touched(&W.b, &a, 6);
	assert_string_equal(W.b.keys.phrase, "the old one"); /* not before the ledger has it */
	admin_committed(&W.b, true);
	assert_string_equal(W.b.keys.phrase, PHRASE);
	assert_memory_equal(W.b.keys_digest, digest, HASH_LEN);
	admin_committed(&W.b, true);
	assert_null(strstr(world_said(MSG_RESULT)->result.detail, "whale"));
	expect_end(STATUS_OK, SGW_ERR_NONE);
	assert_true(ledger_has("ledger phrase "));
	assert_false(ledger_has("whale"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, phrase_open, phrase_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_first_enrolment),
	    TEST(test_not_on_a_shared_screen),
	    TEST(test_not_at_a_later_enrolment),
	    TEST(test_what_is_none),
	    TEST(test_nothing_else_counts),
	    TEST(test_no),
	    TEST(test_one_prompt),
	    TEST(test_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
