/* SPDX-License-Identifier: Apache-2.0 */
/* The person's end: no screen, another screen, every word that is no agreement, and every way of saying nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "broker_world.h"

#define SOURCE "203.0.113.7/32"

static struct chan consent; /* consent's end */
static uint8_t scratch[SGW_DATAGRAM_MAX];

static int
screen_open(void **state)
{
	consent.fd = -1;
	return world_open(state);
}

static int
screen_close(void **state)
{
	chan_close(&consent);
	return world_close(state);
}

/* A judged plan that waits for its screen to start: ceremony 5. */
static struct job *
spawning(void)
{
	struct job *j =
	    world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE), JOB_SPAWNING);

	j->verdict = (struct verdict){.effect = CLASS_OPEN, .needs_consent = true};
	(void)FIELD_SET(W.b.collected[CALL_JOB].group.name, "bastion");
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	(void)FIELD_SET(W.b.tty, "tty3");
	W.b.ceremony.number = 5;
	W.b.keys.n_keys = 1;
	W.b.keys.keys[0].cred_id_len = 16;
	W.b.screen = DISPLAY_TRUSTED;
	return j;
}

/* The supervisor hands the end of a consent over; what broker holds of it. */
static int
spawned(uint32_t number)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	chan_close(&consent);
	consent = chan_open(ends[1], ROLE_CONSENT, ROLE_BROKER);
	ceremony_spawned(&W.b, number, ends[0]);
	return ends[0];
}

static struct job *
reading(void)
{
	struct job *j = spawning();

	(void)spawned(5);
	assert_int_equal(j->state, JOB_READING);
	return j;
}

static void
consent_says(const struct msg *m)
{
	assert_int_equal(chan_send(&consent, scratch, m, -1, false), 0);
	ceremony_consent(&W.b);
}

/* ---- it comes ---- */

static void
test_shown(void **state)
{
	struct job *j = reading();
	const struct ceremony *c = &W.b.ceremony;

	assert_int_equal(c->text_len, strlen(c->text));
	assert_non_null(strstr(c->text, "uid 1000"));
	assert_true(j->receipt[0]);
	assert_int_equal(c->record.expires - c->record.created, 120);
	assert_int_equal(world_said(MSG_STAGE)->stage.stage, STAGE_ON_SCREEN);
	assert_true(j->deadline > clock_monotonic());
	assert_null(world_said(MSG_START_KEYS)); /* no key before the word */
}

/* Only a screen of its own shows what no client's program may learn. */
static void
test_the_phrase(void **state)
{
	static const char *const shown[] = {
	    [DISPLAY_TRUSTED] = "blue whale", [DISPLAY_SHARED] = ""};

	W.b.config.policy.allow_shared_display = true;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct msg m;

		if (!shown[i])
			continue;
		(void)spawning();
		(void)FIELD_SET(W.b.keys.phrase, "blue whale");
		W.b.screen = (enum display_kind)i;
		(void)spawned(5);
		consent.state = CHAN_OPEN;
		assert_int_equal(chan_recv(&consent, scratch, &m, NULL), CHAN_GOT);
		assert_int_equal(m.id, MSG_SHOW);
		assert_string_equal(m.show.phrase, shown[i]);
	}
}

static void
test_the_user_has_a_name(void **state)
{
	const struct msg_client alice = {
	    .client = 2, .uid = 1000, .user = "alice", .chain = "sh(9)"};
	struct job *j = spawning();

	client_add(&W.b, &alice);
	j->client = 2;
	(void)spawned(5);
	assert_non_null(strstr(W.b.ceremony.record.description, "alice"));
}

/* One that nobody waits for is let go, and its descriptor with it. */
static void
test_not_awaited(void **state)
{
	struct job *j = spawning();
	int fd = spawned(4); /* an earlier ceremony's */

	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(j->state, JOB_SPAWNING);
	j->state = JOB_READ_RULES;
	assert_int_equal(fcntl(spawned(5), F_GETFD), -1);
	ceremony_spawned(&W.b, 5, -1);
	assert_int_equal(j->state, JOB_READ_RULES);
	W.b.active = NULL;
	assert_int_equal(fcntl(spawned(5), F_GETFD), -1);
	assert_int_equal(W.n_planner, 0);
}

static void
test_no_screen_after_all(void **state)
{
	(void)spawning();
	ceremony_spawned(&W.b, 5, -1);
	world_ended(STATUS_FAILED, SGW_ERR_NO_SCREEN);
}

/* What has no form is not shown. */
static void
test_no_record(void **state)
{
	(void)spawning();
	client_remove(&W.b, 1); /* nobody to say who asked */
	(void)spawned(5);
	world_ended(STATUS_FAILED, SGW_ERR_INTERNAL);
	client_add(&W.b, &(struct msg_client){.client = 1, .uid = 1000, .chain = "sh(7)"});
	(void)spawning();
	(void)FIELD_SET(W.b.tty, "tty\n");
	(void)spawned(5);
	world_ended(STATUS_FAILED, SGW_ERR_INTERNAL);
	(void)spawning(); /* the first enrolment, under a name that no message carries */
	W.b.active->kind = JOB_ENROLL;
	W.b.screen = DISPLAY_SHARED; /* a trusted one asks for the phrase before */
	(void)FIELD_SET(W.b.active->key_name, "\x01");
	W.b.keys.n_keys = 0;
	(void)spawned(5);
	world_ended(STATUS_FAILED, SGW_ERR_INTERNAL);
}

/* It may be another screen than the one that the policy was asked about. */
static void
test_another_display(void **state)
{
	struct job *j;

	(void)spawning();
	W.b.screen = DISPLAY_NONE; /* it went: no record says that it was shown nowhere */
	(void)spawned(5);
	world_ended(STATUS_FAILED, SGW_ERR_INTERNAL);
	(void)spawning();
	W.b.screen = DISPLAY_SHARED;
	(void)spawned(5);
	world_ended(STATUS_REFUSED, SGW_ERR_DISPLAY_NOT_TRUSTED);
	W.b.config.policy.allow_shared_display = true;
	spawning()->verdict.needs_trusted_display = true;
	W.b.screen = DISPLAY_SHARED;
	(void)spawned(5);
	world_ended(STATUS_REFUSED, SGW_ERR_DISPLAY_NOT_TRUSTED);
	j = spawning();
	W.b.screen = DISPLAY_SHARED;
	(void)spawned(5);
	assert_int_equal(j->state, JOB_READING);
}

static void
test_too_many_prompts(void **state)
{
	W.b.config.policy.prompts_per_hour = 1;
	assert_true(quota_prompt(&W.b, 1000));
	(void)spawning();
	(void)spawned(5);
	world_ended(STATUS_REFUSED, SGW_ERR_RATE_LIMITED);
}

/* ---- it speaks ---- */

static void
test_every_refusal(void **state)
{
	static const struct {
		enum denial denial;
		enum status status;
		enum sgw_error error;
		bool cools, blocks;
	} rows[] = {
	    {DENIAL_DENY, STATUS_DENIED, SGW_ERR_DENIED, true, false},
	    {DENIAL_BLOCK, STATUS_DENIED, SGW_ERR_BLOCKED, false, true},
	    {DENIAL_WORD, STATUS_DENIED, SGW_ERR_DENIED_WORD, true, false},
	    {DENIAL_EOF, STATUS_DENIED, SGW_ERR_SCREEN_CLOSED, false, false},
	    {DENIAL_RECORD, STATUS_FAILED, SGW_ERR_INTERNAL, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct msg m = {.id = MSG_REFUSED, .refused.denial = rows[i].denial};
		struct quota *q = quota_of(&W.b, 1000);

		(void)reading();
		consent_says(&m);
		world_ended(rows[i].status, rows[i].error);
		assert_int_equal(q->cool_until > quota_now(), rows[i].cools);
		assert_int_equal(q->blocked_until > quota_now(), rows[i].blocks);
		q->cool_until = q->blocked_until = 0;
	}
}

static void
test_silence_and_end(void **state)
{
	struct job *j = reading();

	ceremony_consent(&W.b); /* nothing there */
	assert_int_equal(j->state, JOB_READING);
	chan_close(&consent);
	ceremony_consent(&W.b);
	world_ended(STATUS_DENIED, SGW_ERR_SCREEN_CLOSED);
	ceremony_consent(&W.b); /* closed since poll(2) saw it */
	assert_int_equal(W.n_planner, 0);
}

/* The touch has been made: the screen may go, and what it says is of no weight. */
static void
test_after_the_touch(void **state)
{
	const struct msg no = {.id = MSG_REFUSED, .refused.denial = DENIAL_DENY};
	struct job *j = reading();

	j->state = JOB_DRY_RUN;
	consent_says(&no);
	assert_int_equal(j->state, JOB_DRY_RUN);
	chan_close(&consent);
	ceremony_consent(&W.b);
	assert_int_equal(W.b.ceremony.consent.fd, -1);
	assert_ptr_equal(W.b.active, j);
	assert_null(world_said(MSG_RESULT));
}

static void
test_what_the_key_does(void **state)
{
	static const struct {
		enum key_state key;
		enum stage stage;
	} rows[] = {{KEY_WAITING_TOUCH, STAGE_TOUCH}, {KEY_PIN_WRONG, STAGE_PIN}};
	const struct msg agreed = {.id = MSG_AGREED};
	struct job *j = reading();

	consent_says(&agreed);
	assert_int_equal(j->state, JOB_KEYS);
	assert_non_null(world_said(MSG_START_KEYS));
	for (size_t i = 0; i < 2; i++) {
		const struct msg m = {.id = MSG_KEY_STAGE, .key_stage.state = rows[i].key};

		consent_says(&m);
		assert_int_equal(world_said(MSG_STAGE)->stage.stage, rows[i].stage);
	}
	W.n_planner = 0;
	consent_says(&(struct msg){.id = MSG_KEY_STAGE, .key_stage.state = KEY_TOUCHED});
	assert_int_equal(W.n_planner, 0);
}

/* Agreed in the last moment: the key has no longer than the record. */
static void
test_agreed_late(void **state)
{
	struct job *j = reading();
	int64_t deadline = clock_monotonic() + 2000;

	j->deadline = deadline;
	consent_says(&(struct msg){.id = MSG_AGREED});
	assert_true(j->deadline == deadline);
}

/* ---- it comes and goes ---- */

static void
test_screen_comes(void **state)
{
	struct job *j = spawning();

	j->state = JOB_WAIT_SCREEN;
	W.b.screen = DISPLAY_NONE;
	ceremony_screen(&W.b);
	assert_int_equal(j->state, JOB_WAIT_SCREEN);
	W.b.screen = DISPLAY_SHARED;
	ceremony_screen(&W.b); /* what was read may be old by now */
	assert_int_equal(j->state, JOB_READ_GROUP);
	W.b.active = NULL;
	ceremony_screen(&W.b);
}

static void
test_screen_becomes_shared(void **state)
{
	struct job *j = reading();

	consent_says(&(struct msg){.id = MSG_AGREED});
	W.b.screen = DISPLAY_TRUSTED;
	ceremony_screen(&W.b);
	assert_int_equal(j->state, JOB_KEYS);
	W.b.screen = DISPLAY_SHARED;
	ceremony_screen(&W.b);
	world_ended(STATUS_REFUSED, SGW_ERR_DISPLAY_NOT_TRUSTED);
	/* a record that says "shared" already stays what it is */
	W.b.config.policy.allow_shared_display = true;
	j = spawning();
	W.b.screen = DISPLAY_SHARED;
	(void)spawned(5);
	ceremony_screen(&W.b);
	assert_int_equal(j->state, JOB_READING);
}

static void
test_begin(void **state)
{
	struct job *j = spawning();

	W.b.keys.n_keys = 0;
	ceremony_begin(&W.b);
	world_ended(STATUS_FAILED, SGW_ERR_NO_KEY);
	j = spawning();
	W.b.last_ceremony = 5;
	ceremony_begin(&W.b);
	assert_int_equal(world_said(MSG_END_CEREMONY)->end_ceremony.ceremony,
	    5); /* it still shows its outcome */
	assert_int_equal(world_said(MSG_START_CEREMONY)->start_ceremony.ceremony, 6);
	assert_int_equal(j->state, JOB_SPAWNING);
}

/* ---- nobody answers ---- */

static void
test_time_is_up(void **state)
{
	spawning()->state = JOB_WAIT_SCREEN;
	ceremony_voided(&W.b);
	world_ended(STATUS_EXPIRED, SGW_ERR_NO_SCREEN);
	(void)reading();
	ceremony_voided(&W.b);
	world_ended(STATUS_EXPIRED, SGW_ERR_EXPIRED);
	(void)reading();
	consent_says(&(struct msg){.id = MSG_AGREED});
	ceremony_voided(&W.b);
	world_ended(STATUS_EXPIRED, SGW_ERR_EXPIRED);
	(void)reading();
	consent_says(&(struct msg){.id = MSG_AGREED});
	W.b.ceremony.waiting_for_key = true;
	ceremony_voided(&W.b);
	world_ended(STATUS_EXPIRED, SGW_ERR_NO_KEY);
}

static void
test_seconds_left(void **state)
{
	(void)reading();
	ceremony_show_stage(&W.b, STAGE_EXECUTING, -3);
	assert_int_equal(world_said(MSG_STAGE)->stage.seconds_left, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, screen_open, screen_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_shown),
	    TEST(test_the_phrase),
	    TEST(test_the_user_has_a_name),
	    TEST(test_not_awaited),
	    TEST(test_no_screen_after_all),
	    TEST(test_no_record),
	    TEST(test_another_display),
	    TEST(test_too_many_prompts),
	    TEST(test_every_refusal),
	    TEST(test_silence_and_end),
	    TEST(test_after_the_touch),
	    TEST(test_what_the_key_does),
	    TEST(test_agreed_late),
	    TEST(test_screen_comes),
	    TEST(test_screen_becomes_shared),
	    TEST(test_begin),
	    TEST(test_time_is_up),
	    TEST(test_seconds_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
