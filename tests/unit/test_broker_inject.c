/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan's whole way through the broker, from its arrival to the closing of what it opened, with each allocation and
 * system call failing in turn, and with one in 400 by chance.  Whatever fails: nothing crashes or leaks, no change
 * goes to AWS that the ledger does not durably hold a consent and an intent for, and none is called a success that
 * was not sent.  Where the broker ends itself, that is an answer too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include "broker_world.h"
#include "forge_key.h"
#include "../fuzz/inject.h"

#define SOURCE "203.0.113.7/32"
#define RP "sgwarden:abcdefghijklmnop"
#define ONE_IN 400
#define SEEDS 400

/* Of the broker alone: what the test does as its peers is neither counted nor failed. */
#define BROKER(call)                                                                               \
	do {                                                                                       \
		inject_pause(false);                                                               \
		call;                                                                              \
		inject_pause(true);                                                                \
	} while (0)

static struct authenticator key;
static struct {
	struct chan consent, fido;
	bool open;        /* the rule, at AWS */
	unsigned changes; /* real ones that net was given */
	size_t durable;   /* bytes of the ledger that the disk has for certain */
	size_t durable_at_send;
	unsigned ended; /* stories that ended with the broker */
} T;
static uint8_t scratch[SGW_DATAGRAM_MAX];

void __wrap_abort(void) __attribute__((noreturn));
void __real_abort(void) __attribute__((noreturn));

/* hash_sha256()'s: without libcrypto nothing here may go on. */
void
__wrap_abort(void)
{
	if (inject_failed() > 0)
		mock_assert(0, "abort", "the broker", 0);
	__real_abort();
}

/* Only what was synced before a request leaves counts for it. */
static void
watch(const char *call, int fd)
{
	struct stat st;

	if (strcmp(call, "fdatasync") == 0 && fstat(fd, &st) == 0)
		T.durable = (size_t)st.st_size;
	if (strcmp(call, "sendmsg") == 0 && fd == W.b.net.fd)
		T.durable_at_send = T.durable;
}

/* ---- the peers ---- */

static bool
ledger_has(const char *words, size_t within)
{
	static char text[1 << 18];
	ssize_t n = pread(W.b.ledger_fd, text, sizeof(text) - 1, 0);
	const char *at;

	assert_true(n >= 0);
	text[n] = 0;
	at = strstr(text, words);
	return at && (size_t)(at - text) < within;
}

static bool
body_says(const struct msg_send *m, const char *words)
{
	return memmem(m->body, m->body_len, words, strlen(words)) != NULL;
}

/* AWS, asked for a change. */
static void
change(const struct msg_send *m, struct msg_done *done)
{
	if (body_says(m, "&DryRun=true")) {
		done->http_status = 412;
		(void)FIELD_SET(done->code, "DryRunOperation");
		return;
	}
	assert_true(ledger_has("ledger consent ", T.durable_at_send));
	assert_true(ledger_has("ledger intent ", T.durable_at_send));
	assert_true(body_says(m, "FromPort=8443") && body_says(m, "203.0.113.7%2F32"));
	T.open = m->op == AWS_AUTHORIZE_INGRESS;
	T.changes++;
}

/* Net's answer to the next request; false: there is none. */
static bool
net_answers(void)
{
	static struct msg_aws_rules rules;
	static struct msg_aws_groups groups;
	const struct msg_send *m = world_sent();
	struct msg_done done = {.outcome = NET_ANSWERED, .http_status = 200};

	if (!m)
		return false;
	rules.request = groups.request = done.request = m->request;
	rules.n_rules = 0;
	if (m->op == AWS_DESCRIBE_GROUPS) {
		groups.n_groups = 1;
		groups.groups[0] = (struct rec_group){.managed = true, .name = "bastion"};
		(void)FIELD_SET(groups.groups[0].group_id, GROUP);
		BROKER(aws_page_groups(&W.b, &groups));
	} else if (m->op == AWS_DESCRIBE_RULES) {
		rules.rules[0] =
		    fixture_rule("sgr-0123456789abcdef0", PROTO_TCP, 8443, 8443, SOURCE);
		rules.n_rules = T.open;
		BROKER(aws_page_rules(&W.b, &rules));
	} else
		change(m, &done);
	BROKER(aws_done(&W.b, &done));
	return true;
}

static int
an_end(struct chan *ours, enum role self)
{
	int ends[2];

	chan_close(ours);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*ours = chan_open(ends[1], self, ROLE_BROKER);
	return ends[0];
}

static void
person_agrees(void)
{
	const struct msg agreed = {.id = MSG_AGREED};

	(void)chan_send(&T.consent, scratch, &agreed, -1, false);
	BROKER(ceremony_consent(&W.b));
}

static void
key_is_touched(void)
{
	const struct msg_key_end end = {.ceremony = W.b.ceremony.number, .index = 0, .count = 1};
	static struct msg m;
	struct msg_assertion *a = &m.assertion;
	int fd = an_end(&T.fido, ROLE_FIDO);

	BROKER(touch_end(&W.b, &end, fd));
	if (!W.b.active || W.b.active->state != JOB_KEYS)
		return;
	m = (struct msg){.id = MSG_ASSERTION};
	a->cred_id_len = sizeof(key.id);
	memcpy(a->cred_id, key.id, sizeof(key.id));
	a->authdata_len = (uint16_t)head_put(a->authdata, RP, 0x05, ++key.counter);
	a->signature_len = (uint16_t)sign(&key, a->authdata, a->authdata_len, W.b.ceremony.text,
	    W.b.ceremony.text_len, a->signature);
	(void)chan_send(&T.fido, scratch, &m, -1, false);
	if (W.b.ceremony.fido[0].fd >= 0)
		BROKER(touch_fido(&W.b, 0));
}

/* ---- the story ---- */

static void
a_plan_comes(void)
{
	static struct msg_plan m;

	m = (struct msg_plan){.client = 1};
	m.plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE));
	state_digest(NULL, 0, W.b.order_scratch, m.plan.groups[0].state_digest);
	BROKER(job_plan(&W.b, &m));
}

static void
due_now(void)
{
	for (size_t i = 0; i < SGW_GRANTS_MAX; i++)
		if (W.b.grants[i].used)
			closing_due(&W.b.grants[i]);
}

static void
story(void)
{
	int fd;

	a_plan_comes();
	while (net_answers())
		;
	if (W.b.active && W.b.active->state == JOB_SPAWNING) {
		fd = an_end(&T.consent, ROLE_CONSENT);
		BROKER(ceremony_spawned(&W.b, W.b.ceremony.number, fd));
	}
	if (W.b.active && W.b.active->state == JOB_READING)
		person_agrees();
	if (W.b.active && W.b.active->state == JOB_KEYS)
		key_is_touched();
	while (net_answers())
		;
	due_now();
	for (int i = 0; i < 4; i++) { /* a closing is tried again until it is recorded */
		BROKER(closing_run(&W.b));
		while (net_answers())
			;
		for (size_t k = 0; k < SGW_GRANTS_MAX; k++)
			W.b.grants[k].next_try = 0;
	}
}

static bool
called_a_success(void)
{
	for (size_t i = 0; i < W.n_planner; i++)
		if (W.planner[i].id == MSG_RESULT && W.planner[i].result.status == STATUS_OK)
			return true;
	return false;
}

static void
world_dress(void)
{
	struct rec_key_entry *k = &W.b.keys.keys[0];

	W.b.config.policy.allow_documentation = true;
	W.b.screen = DISPLAY_TRUSTED;
	(void)FIELD_SET(W.b.tty, "tty3");
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	(void)FIELD_SET(W.b.keys.appliance, W.b.appliance);
	W.b.keys.n_keys = 1;
	k->cred_id_len = sizeof(key.id);
	memcpy(k->cred_id, key.id, sizeof(key.id));
	memcpy(k->public_key, key.pub, sizeof(key.pub));
	(void)FIELD_SET(k->name, "blue");
	key.counter = 0;
	memset(&T, 0, offsetof(typeof(T), ended));
	T.consent.fd = T.fido.fd = -1;
}

static void
world_undress(void **state)
{
	inject_off();
	for (size_t i = 0; i < W.b.ceremony.n_fidos; i++)
		chan_close(&W.b.ceremony.fido[i]);
	chan_close(&T.consent);
	chan_close(&T.fido);
	assert_int_equal(world_close(state), 0);
}

/* One story, with whatever was armed; the number of calls that could have failed. */
static uint64_t
tell(void **state, uint64_t nth, uint64_t seed)
{
	uint64_t calls;

	assert_int_equal(world_open(state), 0);
	log_open("test", 0); /* what fails is said in the log, and here there is much of it */
	world_dress();
	if (seed)
		inject_seeded(seed, ONE_IN);
	else
		inject_nth(nth);
	inject_pause(true);
	global_expecting_assert = 1;
	if (setjmp(global_expect_assert_env) == 0)
		story();
	else
		T.ended++;
	global_expecting_assert = 0;
	calls = inject_calls();
	if (called_a_success())
		assert_true(T.changes > 0);
	if (nth == 0 && seed == 0) { /* the twin: nothing failed */
		assert_int_equal(T.changes, 2);
		assert_false(T.open);
		assert_true(called_a_success());
	}
	world_undress(state);
	return calls;
}

static void
test_each_call_in_turn(void **state)
{
	uint64_t calls = tell(state, 0, 0), failed = inject_total();

	calls = tell(state, 0, 0); /* the second time nothing sets itself up any more */
	assert_true(calls > 100);
	for (uint64_t n = 1; n <= calls; n++)
		(void)tell(state, n, 0);
	assert_true(inject_total() - failed > calls - calls / 10);
	assert_true(T.ended > 0);
	print_message("%u calls failed in turn; the broker ended itself at %u\n",
	    (unsigned)(inject_total() - failed), T.ended);
}

static void
test_one_in_so_many(void **state)
{
	uint64_t failed = inject_total();

	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		(void)tell(state, 0, seed);
	assert_true(inject_total() > failed);
	print_message("%u calls failed by chance in %u stories\n",
	    (unsigned)(inject_total() - failed), (unsigned)SEEDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_call_in_turn),
	    cmocka_unit_test(test_one_in_so_many),
	};
	int r;

	key = authenticator_new(9);
	inject_watch = watch;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	EVP_PKEY_free(key.pkey);
	return r;
}
