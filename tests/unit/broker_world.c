/* SPDX-License-Identifier: Apache-2.0 */
/* See broker_world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include <sgwarden/ledger_stream.h>

#include "broker_world.h"
#include "same_receipts.h"

struct world W;
static FILE *ledger;

/* A test that expects this says so: expect_assert_failure(what ends the broker). */
void
die(const char *why)
{
	mock_assert(0, why, "the broker", 0);
	print_error("the broker ended itself: %s\n", why);
	abort();
}

void
die_mend(const char *why)
{
	die(why);
}

static void
keep(struct msg said[SAID_MAX], size_t *n)
{
	assert_true(*n < SAID_MAX);
	said[(*n)++] = W.b.out;
}

void
send_planner(struct broker *b)
{
	assert_ptr_equal(b, &W.b);
	keep(W.planner, &W.n_planner);
}

void
send_control(struct broker *b)
{
	assert_ptr_equal(b, &W.b);
	keep(W.control, &W.n_control);
}

static void
profile_make(struct broker *b)
{
	struct rec_profile_conf *p = &b->config.profiles[0];
	static struct msg_loaded_profile keys;

	b->config.n_profiles = 1;
	(void)FIELD_SET(p->name, "prod");
	(void)FIELD_SET(p->regions[0].name, "eu-west-1");
	p->n_regions = 1;
	assert_int_equal(profiles_init(b), 0);
	(void)FIELD_SET(b->profiles[0].account, "111122223333");
	b->profiles[0].told = true;
	(void)FIELD_SET(keys.name, "prod");
	(void)FIELD_SET(keys.access_key_id, "AKIAIOSFODNN7EXAMPLE");
	(void)FIELD_SET(keys.secret_key, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
	profile_loaded(b, &keys);
}

int
world_open(void **state)
{
	struct broker *b = &W.b;
	const struct msg_client client = {
	    .client = 1, .admin = true, .uid = 1000, .pid = 7, .chain = "sh(7)"};
	int ends[2];

	(void)state;
	memset(&W, 0, sizeof(W));
	log_open("test", LOG_LEVEL_ALERT);
	ledger = fdopen(memfd_create("ledger", MFD_CLOEXEC),
	    "w+"); /* no disk: thousands of worlds sync theirs */
	if (!ledger || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	b->ledger_fd = fileno(ledger);
	b->net = chan_open(ends[0], ROLE_BROKER, ROLE_NET);
	W.net = chan_open(ends[1], ROLE_NET, ROLE_BROKER);
	b->ceremony.consent.fd = -1;
	b->ledger_ok = b->configured = b->loaded = b->serving = true;
	policy_builtin(&b->config.policy);
	policy_digest(&b->config.policy, b->policy_digest);
	(void)FIELD_SET(b->appliance, "abcdefghijklmnop");
	profile_make(b);
	client_add(b, &client);
	return 0;
}

/* What the broker's table says of its receipts is what the loader would make of its ledger. */
static void
assert_replayed(void)
{
	static struct stream s;
	static struct receipts again;
	static struct record record;
	enum stream_event event;

	memset(&again, 0, sizeof(again));
	if (lseek(W.b.ledger_fd, 0, SEEK_SET) != 0)
		return; /* a test without a ledger */
	stream_open(&s, W.b.ledger_fd, read);
	while ((event = stream_next(&s)) == STREAM_ENTRY) {
		const struct ledger_field *text = ledger_field(&s.entry, "text");

		if (s.entry.kind == LEDGER_CONSENT &&
		    !record_decode((const uint8_t *)text->value, text->len, &record))
			return; /* a test that has no record worth the name */
		receipts_entry(&again, &s.entry, &record);
	}
	if (event == STREAM_END && s.chain.number == W.b.chain.number) /* all went into this file */
		assert_same_receipts(&W.b.receipts, &again);
}

int
world_close(void **state)
{
	(void)state;
	assert_replayed();
	secret_free(&W.b.secrets);
	chan_close(&W.b.net);
	chan_close(&W.net);
	chan_close(&W.b.ceremony.consent);
	return fclose(ledger);
}

/* What was read becomes what the plan was judged by. */
static void
world_reread(void)
{
	struct collected *c = &W.b.collected[CALL_JOB];

	state_digest(
	    c->rules, c->n_rules, W.b.order_scratch, W.b.active->plan.groups[0].state_digest);
	seen_clear(&W.b);
	assert_true(seen_keep(&W.b, GROUP, c));
}

struct job *
world_active(struct rec_op op, enum job_state state)
{
	struct job *j = &W.b.jobs[0];
	struct collected *c = &W.b.collected[CALL_JOB];

	*j = (struct job){.state = state, .client = 1, .uid = 1000, .plan = fixture_plan(op)};
	(void)FIELD_SET(j->plan_id, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(c->group.group_id, GROUP);
	c->has_group = c->group.managed = true;
	j->n = 1;
	j->began = j->touched = clock_monotonic();
	W.b.active = j;
	world_reread();
	return j;
}

void
world_rule(struct rec_rule rule)
{
	struct collected *c = &W.b.collected[CALL_JOB];

	c->rules[c->n_rules++] = rule;
	world_reread();
}

const struct msg_send *
world_sent(void)
{
	if (chan_recv(&W.net, W.scratch, &W.sent, NULL) != CHAN_GOT)
		return NULL;
	assert_int_equal(W.sent.id, MSG_SEND);
	return &W.sent.send;
}

const struct msg *
world_said(enum msg_id id)
{
	for (size_t i = W.n_planner; i > 0; i--)
		if (W.planner[i - 1].id == id)
			return &W.planner[i - 1];
	for (size_t i = W.n_control; i > 0; i--)
		if (W.control[i - 1].id == id)
			return &W.control[i - 1];
	return NULL;
}

const struct msg_result *
world_result(void)
{
	const struct msg *m = world_said(MSG_RESULT);

	assert_non_null(m);
	return &m->result;
}

void
world_ended(enum status status, enum sgw_error error)
{
	assert_int_equal(world_result()->status, status);
	assert_int_equal(world_result()->error, error);
	assert_null(W.b.active);
	W.n_planner = W.n_control = 0;
}
