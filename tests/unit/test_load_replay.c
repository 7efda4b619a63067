/* SPDX-License-Identifier: Apache-2.0 */
/* The real, confined loader over ledgers and profile files: what the broker hears of them. */
#include "load_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sgwarden/ledger_stream.h>

#include "record_fixture.h"

static void
assert_broken(uint64_t number, size_t offset, const char *why)
{
	char where[64];

	assert_false(H.whole);
	assert_true(H.problem.fatal);
	assert_int_equal(H.problem.file, INPUT_LEDGER);
	snprintf(
	    where, sizeof(where), "record %llu at byte %zu: ", (unsigned long long)number, offset);
	if (strncmp(H.problem.detail, where, strlen(where)) != 0 ||
	    strstr(H.problem.detail, why) == NULL)
		fail_msg("%s (wanted: %s%s)", H.problem.detail, where, why);
	assert_true(WIFEXITED(H.status) && WEXITSTATUS(H.status) == EXIT_MEND);
}

static void
assert_whole(size_t grants)
{
	if (!H.whole)
		fail_msg("%s", H.problem.detail);
	assert_int_equal(H.n_grants, grants);
	assert_int_equal(H.head.number, L.chain.number);
	assert_memory_equal(H.head.head, L.chain.head, HASH_LEN);
	assert_int_equal(H.records, L.chain.number);
	assert_true(WIFEXITED(H.status) && WEXITSTATUS(H.status) == 0);
}

static void
test_empty(void **state)
{
	static const uint8_t none[HASH_LEN];

	load();
	assert_whole(0);
	assert_int_equal(H.n_problems, 0);
	assert_memory_equal(H.head.keys_digest, none, HASH_LEN);
	assert_memory_equal(H.head.policy_digest, none, HASH_LEN);
}

static void
test_digests_and_counters(void **state)
{
	uint8_t a[HASH_LEN], b[HASH_LEN];

	memset(a, 0xaa, sizeof(a));
	memset(b, 0xbb, sizeof(b));
	put_start(DIGEST_B);
	put_enroll();
	put_start(DIGEST_A);
	load();
	assert_whole(0);
	assert_memory_equal(H.head.policy_digest, a, HASH_LEN);
	assert_memory_equal(H.head.keys_digest, b, HASH_LEN);
	assert_int_equal(H.n_counters, 1);
	assert_int_equal(H.counters[0].counter, 261);
	assert_int_equal(H.counters[0].cred_id_len, 16);
	assert_int_equal(H.counters[0].cred_id[15], 0x10);
	assert_int_equal(H.head.time, NOW + 2);
	/* a touch moves it on, a removal takes it away */
	put_consent(1, "300");
	heard_nothing();
	load();
	assert_int_equal(H.counters[0].counter, 300);
	entry(LEDGER_REMOVE);
	put("receipt", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("plan", "sgw-aaaaaaaaaaaaaaaaaaaa");
	put("uid", "0");
	put("act", "remove-key");
	put("subject", "blue");
	put("digest", DIGEST_A);
	put("removed", CRED);
	put("credential", "0badc0de");
	put("counter", "7");
	put("authdata", "00");
	put("signature", "00");
	put("text", "a record\n");
	append();
	heard_nothing();
	load();
	assert_whole(0);
	assert_int_equal(H.n_counters, 1); /* the one that agreed */
	assert_int_equal(H.counters[0].counter, 7);
	assert_memory_equal(H.head.keys_digest, a, HASH_LEN);
}

/* Receipts come with what has become of each operation, the oldest first; how many there are in all is said at the end. */
static void
test_receipts(void **state)
{
	char first[SGW_RECEIPT_LEN + 1];
	const struct rcpt *r;

	put_start(DIGEST_A);
	put_consent(2, "1");
	memcpy(first, L.receipt, sizeof(first));
	put_intent(L.receipt, "open");
	put_outcome("ok");
	put_close("1", "closed");
	put_foreign(1, "2");
	load();
	assert_whole(2);
	assert_int_equal(H.n_receipts, 2);
	r = receipts_newest(&H.receipts, 0);
	assert_int_equal(r->head.result, RECEIPT_VOID);
	r = receipts_newest(&H.receipts, 1);
	assert_string_equal(r->head.receipt, first);
	assert_int_equal(receipts_op(&H.receipts, r, 0)->state, OP_OPEN);
	assert_int_equal(receipts_op(&H.receipts, r, 1)->state, OP_CLOSED);
	for (unsigned i = 0; i < SGW_RECEIPTS_MAX; i++)
		put_foreign(1, "3");
	heard_nothing();
	load();
	assert_int_equal(H.n_receipts, SGW_RECEIPTS_MAX + 2);
	assert_int_equal(H.receipts.n, SGW_RECEIPTS_MAX);
	assert_null(receipts_find(&H.receipts, first));
}

/* Each step of an opening's life, and what is open if the ledger ends there. */
static void
test_life_of_a_grant(void **state)
{
	struct record want = fixture_record();

	put_start(DIGEST_A);
	put_consent(1, "1");
	load();
	assert_whole(0); /* touched for, nothing sent */
	put_intent(L.receipt, "open");
	heard_nothing();
	load();
	assert_whole(1);
	assert_int_equal(H.grants[0].state, GRANT_AMBIGUOUS);
	assert_int_equal(H.grants[0].sent, NOW + 2);
	put_outcome("ok");
	heard_nothing();
	load();
	assert_whole(1);
	assert_int_equal(H.grants[0].state, GRANT_OPEN);
	assert_string_equal(H.grants[0].receipt, L.receipt);
	assert_string_equal(H.grants[0].profile, want.plan.profile);
	assert_string_equal(H.grants[0].account, want.plan.account);
	assert_string_equal(H.grants[0].region, want.plan.region);
	assert_string_equal(H.grants[0].group_id, want.plan.ops[0].group_id);
	assert_int_equal(H.grants[0].from_port, 8000);
	assert_int_equal(H.grants[0].closes, want.closes);
	put_close("0",
	    "closed"); /* early: a repeated request could open it again, so it is looked at once more */
	heard_nothing();
	load();
	assert_whole(1);
	assert_int_equal(H.grants[0].state, GRANT_CLOSED);
	assert_int_equal(H.grants[0].sent, NOW + 2);
	put_reconcile_of("close", "0", "absent"); /* and that look is said */
	heard_nothing();
	load();
	assert_whole(0);
}

/* A closing of somebody else's rule without an outcome stays to be settled by a read, and is never ours to close. */
static void
test_foreign_closing(void **state)
{
	put_foreign(2, "1");
	load();
	assert_whole(0);
	put_intent(L.receipt, "close");
	heard_nothing();
	load();
	assert_whole(2);
	assert_int_equal(H.grants[0].state, GRANT_FOREIGN);
	assert_int_equal(H.grants[1].state, GRANT_FOREIGN);
	put_reconcile_of("close", "0", "open");
	heard_nothing();
	load();
	assert_whole(1);
	put_reconcile_of("close", "1", "absent");
	heard_nothing();
	load();
	assert_whole(0);
	load_begin(NULL);
	put_foreign(2, "1");
	put_intent(L.receipt, "close");
	put_outcome_of("close", "ok");
	load();
	assert_whole(0);
}

static void
test_failed_and_lost(void **state)
{
	char first[SGW_RECEIPT_LEN + 1];

	put_consent(1, "1");
	put_intent(L.receipt, "open");
	put_outcome("failed");
	put_consent(3, "2"); /* of one request; AWS never answered */
	put_intent(L.receipt, "open");
	entry(LEDGER_AMBIGUOUS);
	put("receipt", L.receipt);
	put("action", "open");
	put("op", "0");
	put("ops", "3");
	put("until", "2026-11-21T17:00:00Z");
	append();
	memcpy(first, L.receipt, sizeof(first));
	load();
	assert_whole(3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(H.grants[i].state, GRANT_AMBIGUOUS);
		assert_int_equal(H.grants[i].from_port, 8000 + i);
	}
	put_reconcile("1", "absent");
	put_reconcile("2", "open");
	L.later = SGW_SIGNATURE_WINDOW + 121;
	put_close("0", "gone");
	heard_nothing();
	load();
	assert_whole(1);
	assert_int_equal(H.grants[0].from_port, 8002);
	assert_int_equal(H.grants[0].state, GRANT_OPEN);
	assert_string_equal(H.grants[0].receipt, first);
}

static void
test_contradictions(void **state)
{
	size_t at;

	put_start(DIGEST_A);
	at = L.b.len;
	put_intent("sgw-aaaaaaaaaaaaaaaaaaaa", "open");
	load();
	assert_broken(2, at, "no touched record");
	load_begin(NULL);
	put_intent("sgw-aaaaaaaaaaaaaaaaaaaa", "close");
	load();
	assert_broken(1, 0, "no touched record");
	load_begin(NULL);
	put_consent(1, "1");
	L.b.len = 0;
	L.chain = (struct ledger_chain){0};
	put_consent_as("sgw-aaaaaaaaaaaaaaaaaaaa", "1");
	load();
	assert_broken(1, 0, "receipt is not that of its text");
}

static void
test_edited(void **state)
{
	size_t second, third;
	uint8_t *byte;

	put_start(DIGEST_A);
	second = L.b.len;
	put_consent(1, "1");
	third = L.b.len;
	put_intent(L.receipt, "open");
	byte = memmem(L.bytes, L.b.len, "203.0.113.7", 11);
	assert_non_null(byte);
	*byte = '1';
	load();
	assert_broken(2, second, "its own hash");
	*byte = '2';
	/* the second record taken out */
	heard_nothing();
	memmove(L.bytes + second, L.bytes + third, L.b.len - third);
	L.b.len -= third - second;
	load();
	assert_broken(2, second, "does not follow");
}

static void
test_torn_tail(void **state)
{
	uint8_t digest[HASH_LEN];
	char hex[2 * HASH_LEN + 1], length[24];
	struct ledger_chain before;
	struct buf b;
	size_t at;

	put_start(DIGEST_A);
	at = L.b.len;
	before = L.chain;
	put_start(DIGEST_B);
	L.chain = before;
	L.b.len = at + 57; /* the second one was never finished */
	load();
	assert_whole(0);
	hash_sha256(L.bytes + at, 57, digest);
	assert_int_equal(H.head.torn_len, 57);
	assert_memory_equal(H.head.torn_digest, digest, HASH_LEN);
	/* named by the next start, it is passed over */
	snprintf(length, sizeof(length), "%d", 57);
	b = buf_over(hex, sizeof(hex));
	buf_put_hex(&b, digest, HASH_LEN);
	buf_put_c(&b);
	entry(LEDGER_TORN);
	put("length", length);
	put("sha256", hex);
	append();
	put_start(DIGEST_A);
	heard_nothing();
	load();
	assert_whole(0);
	assert_int_equal(H.head.torn_len, 0);
	assert_int_equal(H.head.number, 3);
	/* other bytes under its name are not */
	L.bytes[at + 20] ^= 1;
	heard_nothing();
	load();
	assert_broken(2, at, "");
	/* zeros that were never written over */
	load_begin(NULL);
	put_start(DIGEST_A);
	at = L.b.len;
	memset(L.bytes + at, 0, 4096);
	L.b.len += 4096;
	load();
	assert_whole(0);
	assert_int_equal(H.head.torn_len, 4096);
}

static void
test_long_ledger(void **state)
{
	put_start(DIGEST_A);
	for (unsigned i = 0; i < 200; i++) { /* more than the window holds */
		put_consent(SGW_OPS_MAX, "1");
		put_intent(L.receipt, "open");
		put_outcome(i % 100 == 7 ? "ok" : "failed");
	}
	assert_true(L.b.len > STREAM_WINDOW && !L.b.failed);
	load();
	assert_whole(2 * SGW_OPS_MAX);
}

static void
test_profiles(void **state)
{
	static const char credentials[] = "[default]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\n"
					  "aws_secret_access_key=" SECRET "\n[half]\n"
					  "aws_secret_access_key=" SECRET "\n";
	static const char config[] = "[default]\nregion=eu-west-1\n";
	int files[2] = {
	    file_of(credentials, sizeof(credentials) - 1), file_of(config, sizeof(config) - 1)};

	load_files(files[0], files[1]);
	assert_whole(0);
	assert_int_equal(H.n_profiles, 1);
	assert_string_equal(H.profiles[0].name, "default");
	assert_string_equal(H.profiles[0].access_key_id, "AKIAIOSFODNN7EXAMPLE");
	assert_string_equal(H.profiles[0].secret_key, SECRET);
	assert_string_equal(H.profiles[0].token, "");
	assert_string_equal(H.profiles[0].region, "eu-west-1");
	assert_int_equal(H.n_problems, 1);
	assert_int_equal(H.problem.line, 4);
	assert_false(H.problem.fatal);
	close(files[0]);
	close(files[1]);
}

static void
test_huge_and_unreadable_files(void **state)
{
	size_t len = (1 << 20) + 1;
	char *text = test_malloc(len);
	int files[2];

	memset(text, '#', len);
	files[0] = file_of(text, len);
	files[1] = open("/", O_RDONLY | O_DIRECTORY);
	load_files(files[0], files[1]);
	assert_whole(0);
	assert_int_equal(H.n_problems, 2);
	assert_int_equal(H.problem.file, INPUT_CONFIG);
	assert_string_equal(H.problem.detail, "it is a directory");
	close(files[0]);
	/* one byte less is read */
	memset(text, '\n', len);
	memcpy(text + len - 200, "[a]\naws_access_key_id=x\naws_secret_access_key=y\n", 48);
	files[0] = file_of(text, len - 1);
	heard_nothing();
	load_files(files[0], files[1]);
	assert_int_equal(H.n_profiles, 1);
	close(files[0]);
	close(files[1]);
	test_free(text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, load_begin)
	static const struct CMUnitTest tests[] = {
	    TEST(test_empty),
	    TEST(test_digests_and_counters),
	    TEST(test_receipts),
	    TEST(test_life_of_a_grant),
	    TEST(test_foreign_closing),
	    TEST(test_failed_and_lost),
	    TEST(test_contradictions),
	    TEST(test_edited),
	    TEST(test_torn_tail),
	    TEST(test_long_ledger),
	    TEST(test_profiles),
	    TEST(test_huge_and_unreadable_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
