/* SPDX-License-Identifier: Apache-2.0 */
/* Administrative acts at each of their steps, and the state files of which the ledger names one version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "admin.h"
#include "forge_key.h"

#define RP "sgwarden:abcdefghijklmnop"
#define PLAN_A "sgw-aaaaaaaaaaaaaaaaaaaa"
#define PLAN_B "sgw-bbbbbbbbbbbbbbbbbbbb"

static struct authenticator key;
static struct chan screen; /* consent's end */

static void
expect_end(enum status status, enum sgw_error error)
{
	assert_int_equal(world_result()->status, status);
	assert_int_equal(world_result()->error, error);
	W.n_planner = W.n_control = 0;
}

static void
enrolled(size_t i, const char *name, uint8_t mark)
{
	struct rec_key_entry *k = &W.b.keys.keys[i];

	k->cred_id_len = 32;
	memset(k->cred_id, mark, 32);
	memcpy(k->public_key, key.pub, sizeof(key.pub));
	k->enrolled = 1700000000;
	(void)FIELD_SET(k->name, name);
	W.b.counters[i] = 5;
	W.b.keys.n_keys = (uint16_t)(i + 1);
}

static int
admin_open(void **state)
{
	screen.fd = -1;
	if (world_open(state) < 0)
		return -1;
	key = authenticator_new(9);
	(void)FIELD_SET(W.b.keys.appliance, "abcdefghijklmnop");
	enrolled(0, "blue", 9);
	enrolled(1, "red", 10);
	W.b.screen = DISPLAY_SHARED;
	W.b.config.policy.allow_shared_display = true;
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	return 0;
}

static int
admin_close(void **state)
{
	chan_close(&screen);
	for (size_t i = 0; i < W.b.ceremony.n_fidos; i++)
		chan_close(&W.b.ceremony.fido[i]);
	EVP_PKEY_free(key.pkey);
	return world_close(state);
}

static struct msg_admin
wanted(enum admin_act act, const char *subject, const char *plan)
{
	struct msg_admin m = {.client = 1, .act = act};

	(void)FIELD_SET(m.plan_id, plan);
	(void)FIELD_SET(m.subject, subject);
	return m;
}

static void
ask(enum admin_act act, const char *subject)
{
	const struct msg_admin m = wanted(act, subject, PLAN_A);

	admin_ask(&W.b, &m);
}

/* The screen is there and the record on it. */
static void
shown(void)
{
	int ends[2];

	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->state, JOB_SPAWNING);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	chan_close(&screen);
	screen = chan_open(ends[1], ROLE_CONSENT, ROLE_BROKER);
	ceremony_spawned(&W.b, W.b.ceremony.number, ends[0]);
	assert_int_equal(W.b.active->state, JOB_READING);
}

static struct msg_assertion
touch(uint8_t flags)
{
	struct msg_assertion a = {.cred_id_len = sizeof(key.id)};

	memcpy(a.cred_id, key.id, sizeof(key.id));
	a.authdata_len = (uint16_t)head_put(a.authdata, RP, flags, 6);
	a.signature_len = (uint16_t)sign(&key, a.authdata, a.authdata_len, W.b.ceremony.text,
	    W.b.ceremony.text_len, a.signature);
	return a;
}

/* The word typed, the key touched. */
static void
touched(void)
{
	const struct msg_key_end end = {.ceremony = W.b.ceremony.number, .index = 0, .count = 1};
	static uint8_t scratch[SGW_DATAGRAM_MAX];
	struct msg m = {.id = MSG_ASSERTION, .assertion = touch(0x01)};
	struct chan fido;
	int ends[2];

	touch_begin(&W.b);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	fido = chan_open(ends[1], ROLE_FIDO, ROLE_BROKER);
	touch_end(&W.b, &end, ends[0]);
	assert_int_equal(chan_send(&fido, scratch, &m, -1, false), 0);
	touch_fido(&W.b, 0);
	chan_close(&fido);
}

static const struct msg_commit *
committed(void)
{
	const struct msg *m = world_said(MSG_COMMIT);

	return m ? &m->commit : NULL;
}

/* ---- who and what is turned away ---- */

static void
test_turned_away(void **state)
{
	const struct msg_client machine = {.client = 2, .uid = 1000, .pid = 8, .chain = "x(8)"};
	struct msg_admin m = wanted(ACT_REMOVE_KEY, "red", "not a plan's id");

	client_add(&W.b, &machine);
	admin_ask(&W.b, &m);
	assert_null(world_said(MSG_RESULT)); /* no id: nobody to answer */
	m = wanted(ACT_REMOVE_KEY, "red", PLAN_A);
	m.client = 2;
	admin_ask(&W.b, &m);
	expect_end(STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT);
	m.client = 3;
	admin_ask(&W.b, &m);
	expect_end(STATUS_REFUSED, SGW_ERR_BAD_ARGUMENT);
	ask(ACT_REMOVE_KEY, "green");
	expect_end(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT);
	ask(ACT_TEST_KEY, "green");
	expect_end(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT);
	W.b.keys.n_keys = 1;
	ask(ACT_REMOVE_KEY, "blue");
	expect_end(STATUS_FAILED, SGW_ERR_BAD_ARGUMENT);
	W.b.keys.n_keys = 0;
	ask(ACT_TEST_KEY, "");
	expect_end(STATUS_FAILED, SGW_ERR_NO_KEY);
	assert_null(W.b.active);
}

static void
test_one_at_a_time(void **state)
{
	struct msg_admin m = wanted(ACT_TEST_KEY, "", PLAN_B);

	ask(ACT_TEST_KEY, "");
	shown();
	W.n_planner = 0;
	ask(ACT_TEST_KEY, ""); /* it is on its way */
	assert_null(world_said(MSG_RESULT));
	admin_ask(&W.b, &m);
	expect_end(STATUS_REFUSED, SGW_ERR_BUSY);
	assert_int_equal(W.b.active->state, JOB_READING);
}

/* A queue of the machine's own does not keep the person waiting. */
static void
test_the_person_goes_first(void **state)
{
	struct job *j = world_active(
	    fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, "203.0.113.7/32"), JOB_READING);

	W.b.jobs[1] = *j;
	W.b.jobs[1].state = JOB_QUEUED;
	W.b.jobs[0].client = W.b.jobs[1].client = 2;
	/* nor do the machine's quota and its being blocked */
	quota_of(&W.b, quota_whose(1000, false))->blocked_until = quota_now() + 600;
	W.b.jobs[1].order = W.b.last_order = 40;
	(void)FIELD_SET(W.b.jobs[1].plan_id, PLAN_B);
	{
		const struct msg_admin m = wanted(ACT_TEST_KEY, "", "sgw-cccccccccccccccccccc");

		admin_ask(&W.b, &m);
	}
	assert_ptr_equal(W.b.active, j);
	job_end(&W.b, STATUS_DENIED, SGW_ERR_DENIED, "");
	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->kind, JOB_ADMIN);
	assert_int_equal(W.b.jobs[1].state, JOB_QUEUED);
}

/* ---- a key is tried ---- */

static void
test_try(void **state)
{
	uint64_t before = W.b.chain.number;

	uint8_t nonce[sizeof(W.b.ceremony.record.nonce)];

	ask(ACT_TEST_KEY, "blue");
	shown();
	memcpy(nonce, W.b.ceremony.record.nonce, sizeof(nonce));
	job_end(&W.b, STATUS_DENIED, SGW_ERR_DENIED, "");
	W.n_planner = W.n_control = 0;
	before = W.b.chain.number;
	ask(ACT_TEST_KEY, "blue");
	shown(); /* no two records are the same, not even of the same request in the same second */
	assert_memory_not_equal(W.b.ceremony.record.nonce, nonce, sizeof(nonce));
	assert_int_equal(W.b.ceremony.ask.ask_assertion.n_creds, 1);
	assert_false(W.b.ceremony.record.pin);
	assert_non_null(strstr(W.b.ceremony.text, "act test-key\n"));
	touched();
	assert_null(committed());
	assert_string_equal(world_result()->detail, "the key \"blue\" answered, with a touch");
	expect_end(STATUS_OK, SGW_ERR_NONE);
	assert_int_equal(W.b.chain.number, before + 2); /* request, test */
	assert_int_equal(W.b.counters[0], 6);
	assert_null(W.b.active);
}

/* As soon as one enrolled key has a PIN, an act wants it. */
static void
test_pin(void **state)
{
	W.b.keys.keys[1].uv_capable = true;
	ask(ACT_TEST_KEY, "");
	shown();
	assert_true(W.b.ceremony.record.pin);
	assert_int_equal(W.b.ceremony.ask.ask_assertion.n_creds, 2);
	touched(); /* without it */
	expect_end(STATUS_FAILED, SGW_ERR_BAD_ASSERTION);
	ask(ACT_TEST_KEY, "blue"); /* this one has none */
	shown();
	assert_false(W.b.ceremony.record.pin);
}

static void
test_ledger_is_full(void **state)
{
	int real = W.b.ledger_fd;

	ask(ACT_TEST_KEY, "blue");
	shown();
	W.b.ledger_fd = -1;
	touched();
	expect_end(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
	ask(ACT_TEST_KEY, "blue");
	expect_end(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
	W.b.ledger_fd = real;
}

/* ---- a key is removed ---- */

static void
test_removed(void **state)
{
	ask(ACT_REMOVE_KEY, "blue");
	shown();
	assert_non_null(strstr(W.b.ceremony.text, "\nact remove-key\nsubject blue\n"));
	W.b.counters[1] = 77;
	touched();
	assert_int_equal(W.b.active->state, JOB_COMMIT);
	assert_int_equal(committed()->file, STATE_FILE_KEYS);
	assert_int_equal(W.b.keys.n_keys, 2); /* not before the ledger has it */
	W.n_control = 0;
	admin_committed(&W.b, true);
	assert_int_equal(W.b.active->state, JOB_TIDY);
	assert_non_null(committed());
	assert_int_equal(W.b.keys.n_keys, 1);
	assert_string_equal(W.b.keys.keys[0].name, "red");
	assert_int_equal(W.b.counters[0], 77);
	assert_int_equal(W.b.counters[1], 0);
	admin_committed(&W.b, true);
	expect_end(STATUS_OK, SGW_ERR_NONE);
}

static void
test_not_removed(void **state)
{
	int real = W.b.ledger_fd;

	ask(ACT_REMOVE_KEY, "blue");
	shown();
	touched();
	admin_committed(&W.b, false); /* the disk is full */
	expect_end(STATUS_FAILED, SGW_ERR_INTERNAL);
	assert_int_equal(W.b.keys.n_keys, 2);
	W.b.counters[0] = 5;
	ask(ACT_REMOVE_KEY, "blue");
	shown();
	touched();
	W.b.ledger_fd = -1;
	admin_committed(&W.b, true);
	expect_end(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
	assert_int_equal(W.b.keys.n_keys, 2);
	W.b.ledger_fd = real;
}

/* ---- lines ---- */

static void
test_lines(void **state)
{
	static struct admin a;
	char long_line[SGW_SAY_LEN + 2];

	memset(long_line, 'x', sizeof(long_line));
	long_line[SGW_SAY_LEN] = 0;
	admin_say(&a, "%s", long_line);
	assert_int_equal(a.n_say, 1);
	assert_false(a.too_long);
	long_line[SGW_SAY_LEN] = 'x';
	long_line[SGW_SAY_LEN + 1] = 0;
	admin_say(&a, "%s", long_line);
	assert_int_equal(a.n_say, 1);
	assert_true(a.too_long);
	a.too_long = false;
	admin_say(&a, "%s", ""); /* an empty line would be none */
	assert_true(a.too_long);
	a.too_long = false;
	while (a.n_say < SGW_SAY_MAX)
		admin_say(&a, "line %u", a.n_say);
	assert_false(a.too_long);
	admin_say(&a, "one more");
	assert_true(a.too_long);
	assert_int_equal(a.n_say, SGW_SAY_MAX);
}

/* ---- state files ---- */

static int
file_of(const void *data, size_t len, int flags)
{
	int fd = memfd_create("state", MFD_CLOEXEC), again;
	char path[32];

	assert_true(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	assert_true(again >= 0);
	close(fd);
	return again;
}

static void
test_statefile(void **state)
{
	static struct statefile f, g;
	static uint8_t big[SGW_STATE_MAX + 1];
	static const uint8_t none[HASH_LEN];
	const struct msg_commit *m;
	size_t first;

	assert_int_equal(statefile_read(&f, file_of("", 0, O_RDONLY), "x"), 0);
	assert_int_equal(statefile_choose(&f, none, "x"), 0);
	assert_memory_equal(f.now.digest, none, HASH_LEN);
	assert_false(statefile_next(&f, big, sizeof(big)));
	assert_true(statefile_next(&f, "first", 5));
	statefile_advance(&f);
	assert_true(statefile_next(&f, "second!", 7));
	statefile_commit(&W.b, &f, STATE_FILE_POLICY, true);
	m = committed();
	first = 4 + 5;
	assert_int_equal(m->data_len, first + 4 + 7);
	/* the plug is pulled here: the ledger decides */
	assert_int_equal(statefile_read(&g, file_of(m->data, m->data_len, O_RDONLY), "x"), 0);
	assert_true(g.both);
	assert_int_equal(statefile_choose(&g, f.next.digest, "x"), 0);
	assert_memory_equal(g.now.data, "second!", 7);
	assert_int_equal(statefile_read(&g, file_of(m->data, m->data_len, O_RDONLY), "x"), 0);
	assert_int_equal(statefile_choose(&g, f.now.digest, "x"), 0);
	assert_memory_equal(g.now.data, "first", 5);
	assert_int_equal(statefile_choose(&g, none, "x"), -1); /* the ledger knows of none */
	for (size_t cut = 1; cut < m->data_len; cut++)
		if (cut != first)
			assert_int_equal(
			    statefile_read(&g, file_of(m->data, cut, O_RDONLY), "x"), -1);
	assert_int_equal(statefile_read(&g, file_of(m->data, first, O_RDONLY), "x"), 0);
	assert_int_equal(statefile_choose(&g, f.next.digest, "x"), -1); /* yesterday's */
	assert_int_equal(statefile_read(&g, file_of("x", 1, O_WRONLY), "x"), -1);
	/* what is left of a pulled plug is tidied once */
	g.both = true;
	W.n_control = 0;
	statefile_tidy(&W.b, &g, STATE_FILE_SEALED);
	assert_int_equal(committed()->file, STATE_FILE_SEALED);
	W.n_control = 0;
	statefile_tidy(&W.b, &g, STATE_FILE_SEALED);
	assert_null(committed());
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, admin_open, admin_close)
	static const struct CMUnitTest tests[] = {
	    TEST(test_turned_away),
	    TEST(test_one_at_a_time),
	    TEST(test_the_person_goes_first),
	    TEST(test_try),
	    TEST(test_pin),
	    TEST(test_ledger_is_full),
	    TEST(test_removed),
	    TEST(test_not_removed),
	    TEST(test_lines),
	    TEST(test_statefile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
