/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolled keys: the file as it is found, as the ledger wants it, and an enrolment at each of its steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "forge_key.h"

#define RP "sgwarden:abcdefghijklmnop"

static struct authenticator key;
static struct msg_credential made;

static int
keys_open(void **state)
{
	/* the number is taken, so that nothing of the world gets it */
	if (dup2(STDOUT_FILENO, FD_BROKER_KEYS) < 0 || world_open(state) < 0)
		return -1;
	key = authenticator_new(9);
	return 0;
}

static int
keys_close(void **state)
{
	EVP_PKEY_free(key.pkey);
	return world_close(state);
}

/* ---- the file ---- */

static struct rec_key_list
list_of(size_t n)
{
	struct rec_key_list list = {.n_keys = (uint16_t)n};

	(void)FIELD_SET(list.appliance, "abcdefghijklmnop");
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(list.keys[i].name, SGW_KEY_NAME_MAX, "key%zu", i);
		list.keys[i].cred_id_len = 16;
		list.keys[i].cred_id[0] = (uint8_t)i;
	}
	return list;
}

/* What stands where the supervisor puts the file for the broker. */
static void
file_holds(const void *data, size_t len, int flags)
{
	int fd = memfd_create("keys", MFD_CLOEXEC), again;
	char path[32];

	assert_true(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	assert_true(again >= 0);
	assert_int_equal(dup2(again, FD_BROKER_KEYS), FD_BROKER_KEYS);
	close(again);
	close(fd);
}

static void
test_file(void **state)
{
	static uint8_t memory[SGW_DATAGRAM_MAX];
	struct buf b = buf_over(memory, sizeof(memory));
	struct rec_key_list none = list_of(0), one = list_of(1), two = list_of(2);
	size_t first;

	file_holds("", 0, O_RDONLY);
	assert_int_equal(keys_read(&W.b), 0);
	assert_int_equal(W.b.keys.n_keys, 0);
	assert_true(rec_key_list_encode(&b, &one));
	first = b.len;
	file_holds(b.data, b.len, O_RDONLY);
	assert_int_equal(keys_read(&W.b), 0);
	assert_int_equal(W.b.keys.n_keys, 1);
	assert_false(W.b.keys_both);
	assert_true(rec_key_list_encode(&b, &two));
	file_holds(b.data, b.len, O_RDONLY); /* the plug was pulled at an enrolment */
	assert_int_equal(keys_read(&W.b), 0);
	assert_true(W.b.keys_both);
	assert_int_equal(W.b.keys.n_keys, 1);
	assert_int_equal(W.b.keys_new.n_keys, 2);
	for (size_t cut = 1; cut < b.len; cut++) { /* and what a disk may make of it */
		if (cut == first)
			continue;
		file_holds(b.data, cut, O_RDONLY);
		assert_int_equal(keys_read(&W.b), -1);
	}
	b.data[b.len] = 0;
	file_holds(b.data, b.len + 1, O_RDONLY);
	assert_int_equal(keys_read(&W.b), -1);
	file_holds(b.data, first, O_WRONLY);
	assert_int_equal(keys_read(&W.b), -1);
	close(FD_BROKER_KEYS);
	b = buf_over(memory, sizeof(memory));
	assert_true(rec_key_list_encode(&b, &none)); /* nobody enrolled has no digest */
	file_holds(b.data, b.len, O_RDONLY);
	memset(W.b.keys_digest, 0, HASH_LEN);
	assert_int_equal(keys_read(&W.b), 0);
	assert_int_equal(W.b.keys_digest[0] | W.b.keys_digest[31], 0);
}

/* Of two lists the ledger says which. */
static void
test_choose(void **state)
{
	W.b.keys = list_of(1);
	W.b.keys_new = list_of(2);
	memset(W.b.keys_new_digest, 7, HASH_LEN);
	memset(W.b.head.keys_digest, 7, HASH_LEN);
	keys_choose(&W.b); /* there are no two */
	assert_int_equal(W.b.keys.n_keys, 1);
	W.b.keys_both = true;
	W.b.head.keys_digest[0] = 6;
	keys_choose(&W.b);
	assert_int_equal(W.b.keys.n_keys, 1);
	W.b.head.keys_digest[0] = 7;
	keys_choose(&W.b);
	assert_int_equal(W.b.keys.n_keys, 2);
	assert_int_equal(W.b.keys_digest[5], 7);
	keys_tidy(&W.b);
	assert_int_equal(world_said(MSG_COMMIT)->commit.file, STATE_FILE_KEYS);
	assert_false(W.b.keys_both);
	W.n_control = 0;
	keys_tidy(&W.b);
	assert_int_equal(W.n_control, 0);
}

static void
test_check(void **state)
{
	assert_int_equal(keys_check(&W.b), 0); /* nobody, nowhere */
	W.b.keys = list_of(1);
	memset(W.b.keys_digest, 7, HASH_LEN);
	assert_int_equal(keys_check(&W.b), -1); /* the ledger knows of none */
	memset(W.b.head.keys_digest, 8, HASH_LEN);
	assert_int_equal(keys_check(&W.b), -1); /* an older list */
	memset(W.b.head.keys_digest, 7, HASH_LEN);
	assert_int_equal(keys_check(&W.b), 0);
	(void)FIELD_SET(W.b.keys.appliance, "zzzzzzzzzzzzzzzz");
	assert_int_equal(keys_check(&W.b), -1); /* another machine's */
}

static void
test_told(void **state)
{
	W.b.keys = list_of(2);
	W.b.counters[1] = 77;
	keys_tell(&W.b, 9);
	assert_int_equal(world_said(MSG_KEY_LIST)->key_list.request, 9);
	assert_int_equal(world_said(MSG_KEY_LIST)->key_list.n_keys, 2);
	assert_int_equal(world_said(MSG_KEY_LIST)->key_list.keys[1].counter, 77);
	assert_int_equal(strlen(world_said(MSG_KEY_LIST)->key_list.keys[0].fingerprint), 64);
}

/* ---- an enrolment ---- */

static struct job *
enrolling(void)
{
	struct job *j = &W.b.jobs[0];
	struct ceremony *c = &W.b.ceremony;

	*j = (struct job){.kind = JOB_ENROLL, .state = JOB_KEYS, .client = 1, .uid = 1000};
	(void)FIELD_SET(j->plan_id, "sgw-cccccccccccccccccccc");
	(void)FIELD_SET(j->receipt, "sgw-dddddddddddddddddddd");
	(void)FIELD_SET(j->key_name, "blue");
	(void)snprintf(c->text, sizeof(c->text), "what was shown\n");
	c->text_len = strlen(c->text);
	hash_sha256(c->text, c->text_len, c->digest);
	c->by_signature_len = 0;
	W.b.active = j;
	return j;
}

/* What a good key makes, signed by itself. */
static void
credential(const char *format)
{
	made = (struct msg_credential){0};
	(void)FIELD_SET(made.format, format);
	made.authdata_len = (uint16_t)credential_put(made.authdata, RP, &key);
	if (strcmp(format, "packed") == 0)
		made.signature_len = (uint16_t)sign(&key, made.authdata, made.authdata_len,
		    W.b.ceremony.text, W.b.ceremony.text_len, made.signature);
}

static void
expect_refused(enum sgw_error error)
{
	enroll_credential(&W.b, &made);
	assert_null(world_said(MSG_COMMIT));
	world_ended(STATUS_FAILED, error);
}

static void
test_enrolled(void **state)
{
	static const char *const formats[] = {"none", "packed"};

	for (size_t i = 0; i < 2; i++) {
		struct job *j = enrolling();

		W.b.keys.n_keys = 0;
		credential(formats[i]);
		enroll_credential(&W.b, &made);
		assert_int_equal(j->state, JOB_COMMIT);
		assert_true(world_said(MSG_COMMIT)->commit.data_len > 0);
		enroll_committed(&W.b, true);
		assert_int_equal(j->state, JOB_TIDY);
		assert_int_equal(W.b.keys.n_keys, 1);
		assert_string_equal(W.b.keys.keys[0].name, "blue");
		assert_true(W.b.keys.keys[0].zero_counter);
		enroll_committed(&W.b, true);
		assert_non_null(strstr(world_result()->detail, "fingerprint"));
		world_ended(STATUS_OK, SGW_ERR_NONE);
	}
	enroll_committed(&W.b, true); /* nobody waits for it */
	assert_int_equal(W.n_planner, 0);
	enrolling()->state = JOB_KEYS;
	enroll_committed(&W.b, true); /* nor does this step */
	assert_int_equal(W.n_planner, 0);
}

/* The maker's certificate is kept and not judged. */
static void
test_attested_by_its_maker(void **state)
{
	struct job *j = enrolling();

	credential("packed");
	made.signature[10] ^= 1;
	made.x5c_len = 100;
	enroll_credential(&W.b, &made);
	assert_int_equal(j->state, JOB_COMMIT);
}

static void
test_bad_credentials(void **state)
{
	(void)enrolling();
	credential("packed");
	made.signature[10] ^= 1;
	expect_refused(SGW_ERR_BAD_ASSERTION);
	(void)enrolling();
	credential("none");
	made.signature_len = 8;
	expect_refused(SGW_ERR_BAD_ASSERTION);
	(void)enrolling();
	credential("fido-u2f");
	expect_refused(SGW_ERR_BAD_ASSERTION);
	(void)enrolling();
	credential("none");
	made.authdata[32] = 0x40; /* nobody touched it */
	expect_refused(SGW_ERR_BAD_ASSERTION);
	assert_int_equal(W.b.keys.n_keys, 0);
}

static void
test_enrolled_already(void **state)
{
	W.b.keys = list_of(1);
	(void)enrolling();
	credential("none");
	expect_refused(SGW_ERR_KEY_EXISTS); /* no enrolled key has agreed */
	enrolling()->asserted = true;
	W.b.keys.keys[0].cred_id_len = sizeof(key.id);
	memcpy(W.b.keys.keys[0].cred_id, key.id, sizeof(key.id));
	credential("none");
	expect_refused(SGW_ERR_KEY_EXISTS); /* this very one */
	W.b.keys = list_of(SGW_KEYS_MAX);
	enrolling()->asserted = true;
	credential("none");
	expect_refused(SGW_ERR_INTERNAL); /* no room for it */
	W.b.keys = list_of(1);
	W.b.keys.keys[0].name[0] = 0; /* a list that has no form */
	enrolling()->asserted = true;
	credential("none");
	expect_refused(SGW_ERR_INTERNAL);
}

/* A key that could open nothing of what is sealed is not enrolled: with it the last one would seal it for good. */
static void
test_opens_nothing_that_is_sealed(void **state)
{
	(void)enrolling();
	W.b.sealed.n_entries = 1;
	credential("none");
	expect_refused(SGW_ERR_KEY_REFUSED);
	assert_int_equal(W.b.keys.n_keys, 0);
	(void)enrolling();
	W.b.sealed.n_entries = 0;
	credential("none");
	enroll_credential(&W.b, &made);
	assert_non_null(world_said(MSG_COMMIT));
}

static void
test_file_cannot_be_written(void **state)
{
	(void)enrolling();
	credential("none");
	enroll_credential(&W.b, &made);
	enroll_committed(&W.b, false);
	world_ended(STATUS_FAILED, SGW_ERR_INTERNAL);
	assert_int_equal(W.b.keys.n_keys, 0);
}

/* The ledger decides: without its record the old list counts. */
static void
test_ledger_cannot_be_written(void **state)
{
	int ends[2];

	(void)enrolling();
	credential("none");
	enroll_credential(&W.b, &made);
	W.b.ledger_fd = -1;
	enroll_committed(&W.b, true);
	world_ended(STATUS_FAILED, SGW_ERR_LEDGER_FAILED);
	assert_int_equal(W.b.keys.n_keys, 0);
	/* all bytes are written and cannot be synced: only a new start can tell whether it counts */
	W.b.ledger_ok = true;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)enrolling();
	credential("none");
	enroll_credential(&W.b, &made);
	W.b.ledger_fd = ends[1];
	expect_assert_failure(enroll_committed(&W.b, true));
	close(ends[0]);
	close(ends[1]);
}

/* A further key: the ledger keeps who agreed to it. */
static void
test_by_an_earlier_key(void **state)
{
	struct job *j = enrolling();
	struct ceremony *c = &W.b.ceremony;

	W.b.keys = list_of(1);
	j->asserted = true;
	c->by_cred_len = 16;
	c->by_authdata_len = 37;
	c->by_signature_len = 70;
	credential("packed");
	enroll_credential(&W.b, &made);
	enroll_committed(&W.b, true);
	assert_int_equal(W.b.keys.n_keys, 2);
	assert_int_equal(j->state, JOB_TIDY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, keys_open, keys_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_file),
	    TEST(test_choose),
	    TEST(test_check),
	    TEST(test_told),
	    TEST(test_enrolled),
	    TEST(test_attested_by_its_maker),
	    TEST(test_bad_credentials),
	    TEST(test_enrolled_already),
	    TEST(test_opens_nothing_that_is_sealed),
	    TEST(test_file_cannot_be_written),
	    TEST(test_ledger_cannot_be_written),
	    TEST(test_by_an_earlier_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
