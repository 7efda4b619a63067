/* SPDX-License-Identifier: Apache-2.0 */
/* Before it serves: each thing that the supervisor or the loader may say in a wrong order, twice, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "ledger_write.h"
#include "receipts.h"
#include "start.h"

static struct chan loader; /* the loader's end */
static uint8_t scratch[SGW_DATAGRAM_MAX];
static struct msg_cell cell;

/* A broker that knows nothing yet. */
static int
start_open(void **state)
{
	int ends[2];

	if (world_open(state) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	W.b.loader = chan_open(ends[0], ROLE_BROKER, ROLE_LOADER);
	loader = chan_open(ends[1], ROLE_LOADER, ROLE_BROKER);
	cell = (struct msg_cell){.config = W.b.config,
	    .appliance = "abcdefghijklmnop",
	    .boot_id = "01234567-89ab-cdef-0123-456789abcdef"};
	secret_free(&W.b.secrets);
	W.b.configured = W.b.loaded = W.b.serving = false;
	return 0;
}

static int
start_close(void **state)
{
	chan_close(&loader);
	chan_close(&W.b.loader);
	return world_close(state);
}

static void
send_loaded(const struct msg *m)
{
	assert_int_equal(chan_send(&loader, scratch, m, -1, false), 0);
}

static void
loader_says(const struct msg *m)
{
	send_loaded(m);
	start_loader(&W.b);
}

static const struct msg HEAD = {.id = MSG_LOADED_HEAD}, LOADED = {.id = MSG_LOADED};

/* ---- the configuration ---- */

static void
test_configured_once(void **state)
{
	start_cell(&W.b, &cell);
	assert_true(W.b.configured);
	assert_string_equal(W.b.appliance, "abcdefghijklmnop");
	expect_assert_failure(start_cell(&W.b, &cell));
}

/* ---- the loader ---- */

static void
test_serves(void **state)
{
	start_cell(&W.b, &cell);
	start_loader(&W.b); /* nothing there */
	assert_false(W.b.headed);
	loader_says(&HEAD);
	assert_false(W.b.serving);
	loader_says(&LOADED);
	assert_true(W.b.serving);
	assert_int_equal(W.b.chain.number, 1); /* the start is recorded */
	assert_non_null(world_said(MSG_SERVING));
	assert_non_null(world_said(MSG_PROFILES));
	chan_close(&loader);
	start_loader(&W.b); /* its end, when all is said, is none of ours */
	assert_int_equal(W.b.loader.fd, -1);
}

/* A ledger that cannot be written is no reason not to read and to close. */
static void
test_serves_without_a_ledger(void **state)
{
	W.b.ledger_fd = -1;
	start_cell(&W.b, &cell);
	loader_says(&HEAD);
	loader_says(&LOADED);
	assert_true(W.b.serving);
	assert_false(W.b.ledger_ok);
}

static void
test_system_mode_is_recorded(void **state)
{
	cell.system_mode = true;
	cell.degraded = UINT32_MAX; /* all that can be missing at once, and bits without a name */
	start_cell(&W.b, &cell);
	loader_says(&HEAD);
	loader_says(&LOADED);
	assert_true(W.b.serving && W.b.ledger_ok);
}

static void
test_wrong_orders(void **state)
{
	static struct msg keys = {.id = MSG_LOADED_PROFILE};

	(void)FIELD_SET(keys.loaded_profile.name, "prod");
	send_loaded(&keys);
	expect_assert_failure(start_loader(&W.b)); /* keys before the configuration */
	start_cell(&W.b, &cell);
	start_loader(&W.b); /* there is a place for them now */
	send_loaded(&LOADED);
	expect_assert_failure(start_loader(&W.b)); /* no word of the ledger */
	loader_says(&HEAD);
	send_loaded(&HEAD);
	expect_assert_failure(start_loader(&W.b));
	loader_says(&LOADED);
	send_loaded(&LOADED);
	expect_assert_failure(start_loader(&W.b)); /* it speaks after its end */
}

static void
test_loader_dies(void **state)
{
	start_cell(&W.b, &cell);
	chan_close(&loader);
	expect_assert_failure(start_loader(&W.b));
	assert_false(W.b.serving);
}

static void
test_other_keys_than_the_ledgers(void **state)
{
	static struct msg head = {.id = MSG_LOADED_HEAD};

	memset(head.loaded_head.keys_digest, 7, HASH_LEN);
	start_cell(&W.b, &cell);
	loader_says(&head);
	send_loaded(&LOADED);
	expect_assert_failure(start_loader(&W.b));
	assert_false(W.b.serving);
}

static void
test_problems(void **state)
{
	struct msg m = {.id = MSG_LOADED_PROBLEM,
	    .loaded_problem = {.file = INPUT_CONFIG, .line = 12, .detail = "no such thing"}};

	start_cell(&W.b, &cell);
	loader_says(&m);
	assert_string_equal(W.b.problem, "config, line 12: no such thing");
	m.loaded_problem.file = INPUT_LEDGER;
	m.loaded_problem.fatal = true;
	send_loaded(&m);
	expect_assert_failure(start_loader(&W.b));
}

/* ---- the state files ---- */

/* Ends at its last message, and never comes to serve. */
static void
expect_no_service(const struct msg *head)
{
	start_cell(&W.b, &cell);
	loader_says(head);
	send_loaded(&LOADED);
	expect_assert_failure(start_loader(&W.b));
	assert_false(W.b.serving);
	assert_int_equal(W.b.chain.number, 0); /* not even its start is recorded */
	W.b.configured = W.b.loaded = W.b.headed = false;
	secret_free(&W.b.secrets);
}

static void
file_holds(struct statefile *f, const char *text, uint8_t *ret_digest)
{
	assert_true(statefile_next(f, text, strlen(text)));
	f->now = f->next;
	memset(&f->next, 0, sizeof(f->next));
	memcpy(ret_digest, f->now.digest, HASH_LEN);
}

/* The ledger names a file that is not here, or none where one is. */
static void
test_other_files_than_the_ledgers(void **state)
{
	static struct msg head = {.id = MSG_LOADED_HEAD};
	uint8_t digest[HASH_LEN];

	memset(head.loaded_head.policy_file_digest, 7, HASH_LEN);
	expect_no_service(&head);
	memset(&head.loaded_head, 0, sizeof(head.loaded_head));
	memset(head.loaded_head.sealed_digest, 7, HASH_LEN);
	expect_no_service(&head);
	file_holds(&W.b.sealed_file, "yesterday's", digest);
	expect_no_service(&head);
	memset(&head.loaded_head, 0, sizeof(head.loaded_head));
	expect_no_service(&head);
}

/* They are the ledger's, and of no form that this version knows. */
static void
test_files_of_no_form(void **state)
{
	static struct msg head = {.id = MSG_LOADED_HEAD};

	file_holds(&W.b.sealed_file, "of a later version", head.loaded_head.sealed_digest);
	expect_no_service(&head);
	memset(&W.b.sealed_file, 0, sizeof(W.b.sealed_file));
	memset(head.loaded_head.sealed_digest, 0, HASH_LEN);
	file_holds(&W.b.policy_file, "of a later version", head.loaded_head.policy_file_digest);
	expect_no_service(&head);
}

/* Keys go into memory that was made for them, or nowhere. */
static void
test_no_memory_for_secrets(void **state)
{
	struct rlimit was, none;

	assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	expect_assert_failure(start_cell(&W.b, &cell));
	assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
	assert_false(W.b.configured);
	start_cell(&W.b, &cell);
	assert_true(W.b.configured);
}

/* ---- what is open ---- */

static struct msg
a_grant(enum grant_state state, int64_t closes)
{
	struct msg m = {.id = MSG_LOADED_GRANT};
	struct rec_grant *g = &m.loaded_grant.grant;

	*g = (struct rec_grant){.protocol = PROTO_TCP,
	    .from_port = 443,
	    .to_port = 443,
	    .closes = closes,
	    .sent = clock_now() - 4000,
	    .state = state};
	g->source = fixture_cidr("203.0.113.7/32");
	(void)FIELD_SET(g->receipt, "sgw-bbbbbbbbbbbbbbbbbbbb");
	(void)FIELD_SET(g->profile, "prod");
	(void)FIELD_SET(g->account, "111122223333");
	(void)FIELD_SET(g->region, "eu-west-1");
	(void)FIELD_SET(g->group_id, GROUP);
	return m;
}

static void
test_grants(void **state)
{
	struct msg head = HEAD;
	struct msg due = a_grant(GRANT_CLOSING, clock_now() - 60),
		   open = a_grant(GRANT_OPEN, clock_now() + 3600);
	static struct msg keys = {.id = MSG_LOADED_PROFILE};

	(void)FIELD_SET(keys.loaded_profile.name, "prod");
	(void)FIELD_SET(keys.loaded_profile.access_key_id, "AKIA");
	(void)FIELD_SET(keys.loaded_profile.secret_key, "secret");
	start_cell(&W.b, &cell);
	loader_says(&keys);
	/* the wall clock was set back by half an hour */
	due.loaded_grant.latest = open.loaded_grant.latest = clock_now() + 1800;
	loader_says(&head);
	loader_says(&due);
	loader_says(&open);
	assert_int_equal(W.b.grants[0].g.state, GRANT_OPEN);
	assert_string_equal(W.b.grants[0].why, "sweep");
	assert_string_equal(W.b.grants[1].why, "expiry");
	/* what passed before that did pass */
	assert_true(W.b.grants[1].closes_by < clock_monotonic() + 1801000);
	loader_says(&LOADED);
	assert_int_equal(world_said(MSG_SERVING)->serving.overdue, 1);
	/* at once, as soon as it is known whose answer it would be */
	assert_int_equal(world_sent()->op, AWS_CALLER_IDENTITY);
	assert_null(world_sent());
	aws_done(
	    &W.b, &(struct msg_done){.request = W.sent.send.request, .outcome = NET_NO_ANSWER});
	closing_run(&W.b);
	assert_int_equal(world_sent()->op, AWS_REVOKE_INGRESS);
}

/* Receipts are taken as they are told, and what cannot be of one ledger is not. */
static void
test_receipts(void **state)
{
	static struct msg m = {.id = MSG_LOADED_RECEIPT};
	struct msg end = LOADED;

	(void)FIELD_SET(m.loaded_receipt.head.receipt, "sgw-bbbbbbbbbbbbbbbbbbbb");
	m.loaded_receipt.head.n_ops = m.loaded_receipt.n_ops = 1;
	m.loaded_receipt.ops[0] = (struct rec_receipt_op){
	    .op = fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7/32"), .state = OP_OPEN};
	start_cell(&W.b, &cell);
	loader_says(&HEAD);
	loader_says(&m);
	assert_non_null(receipt_find(&W.b, "sgw-bbbbbbbbbbbbbbbbbbbb"));
	assert_ptr_equal(receipt_newest(&W.b, 0), receipt_find(&W.b, "sgw-bbbbbbbbbbbbbbbbbbbb"));
	assert_null(receipt_newest(&W.b, 1));
	assert_int_equal(receipt_op(&W.b, receipt_newest(&W.b, 0), 0)->op.from_port, 443);
	m.loaded_receipt.head.n_ops = 2;
	send_loaded(&m);
	expect_assert_failure(start_loader(&W.b));
	send_loaded(&end);
	expect_assert_failure(start_loader(&W.b)); /* one was told, and there is said to be none */
	end.loaded.receipts = 1000;
	loader_says(&end);
	assert_int_equal(W.b.receipts.n, 1);
	assert_int_equal(W.b.receipts.older, 999);
	W.b.receipts = (struct receipts){0}; /* this world's ledger has none of them */
}

static void
test_more_grants_than_fit(void **state)
{
	struct msg m = a_grant(GRANT_OPEN, clock_now() + 3600);

	start_cell(&W.b, &cell);
	loader_says(&HEAD);
	for (size_t i = 0; i < SGW_GRANTS_MAX; i++)
		loader_says(&m);
	send_loaded(&m);
	expect_assert_failure(start_loader(&W.b));
}

static void
test_counters(void **state)
{
	struct msg m = {
	    .id = MSG_LOADED_COUNTER, .loaded_counter = {.cred_id_len = 16, .counter = 9}};

	start_cell(&W.b, &cell);
	W.b.keys.n_keys = 1;
	W.b.keys.keys[0].cred_id_len = 16;
	loader_says(&m);
	assert_int_equal(W.b.counters[0], 9);
	m.loaded_counter.cred_id[3] = 1; /* of a key that is enrolled no longer */
	m.loaded_counter.counter = 77;
	loader_says(&m);
	assert_int_equal(W.b.counters[0], 9);
}

static void
test_limits_before_the_head(void **state)
{
	struct msg m = {.id = MSG_LOADED_LIMIT};

	start_cell(&W.b, &cell);
	send_loaded(&m);
	expect_assert_failure(start_loader(&W.b));
}

/* ---- the ledger's own refusals ---- */

static void
test_no_form(void **state)
{
	struct ledger_entry e = {.kind = LEDGER_STOP, .time = clock_now(), .n_fields = 1};

	e.fields[0] = (struct ledger_field){"reason", "two\nlines", 9};
	assert_false(ledger_write(&W.b, &e));
	assert_false(W.b.ledger_ok);
	assert_int_equal(W.b.chain.number, 0);
	assert_true(ledger_stop(&W.b, "the next one has"));
	assert_true(W.b.ledger_ok);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_open, start_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_configured_once),
	    TEST(test_serves),
	    TEST(test_serves_without_a_ledger),
	    TEST(test_system_mode_is_recorded),
	    TEST(test_wrong_orders),
	    TEST(test_loader_dies),
	    TEST(test_other_keys_than_the_ledgers),
	    TEST(test_problems),
	    TEST(test_other_files_than_the_ledgers),
	    TEST(test_files_of_no_form),
	    TEST(test_no_memory_for_secrets),
	    TEST(test_grants),
	    TEST(test_receipts),
	    TEST(test_more_grants_than_fit),
	    TEST(test_counters),
	    TEST(test_limits_before_the_head),
	    TEST(test_no_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
