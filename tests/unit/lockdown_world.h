/* SPDX-License-Identifier: Apache-2.0 */
/* A broker with an administrator, a machine's client and a key, for the tests of lockdown.  Include behind cmocka.h. */
#ifndef LOCKDOWN_WORLD_H
#define LOCKDOWN_WORLD_H

#include <stdio.h>
#include <sys/socket.h>

#include <sgwarden/clock.h>

#include "broker_world.h"
#include "forge_key.h"

#define RP "sgwarden:abcdefghijklmnop"
#define OTHER "sg-0fedcba9876543210"
#define SOURCE "203.0.113.7/32"
#define PLAN_A "sgw-aaaaaaaaaaaaaaaaaaaa"
#define PLAN_B "sgw-bbbbbbbbbbbbbbbbbbbb"
#define MACHINE 2 /* a client of mcp.sock; 1 is the administrator */

static struct authenticator key;
static struct chan fido, screen;
static uint8_t scratch[SGW_DATAGRAM_MAX];

static inline int
lockdown_open(void **state)
{
	const struct msg_client machine = {
	    .client = MACHINE, .uid = 1001, .pid = 8, .chain = "x(8)"};
	struct rec_key_entry *k = &W.b.keys.keys[0];

	fido.fd = screen.fd = -1;
	if (world_open(state) < 0)
		return -1;
	key = authenticator_new(9);
	k->cred_id_len = sizeof(key.id);
	memcpy(k->cred_id, key.id, sizeof(key.id));
	memcpy(k->public_key, key.pub, sizeof(key.pub));
	(void)FIELD_SET(k->name, "blue");
	W.b.keys.n_keys = 1;
	W.b.counters[0] = 5;
	W.b.screen = DISPLAY_SHARED;
	W.b.config.policy.allow_shared_display = true;
	W.b.config.policy.allow_documentation = true;
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	client_add(&W.b, &machine);
	return 0;
}

static inline int
lockdown_close(void **state)
{
	chan_close(&fido);
	chan_close(&screen);
	for (size_t i = 0; i < W.b.ceremony.n_fidos; i++)
		chan_close(&W.b.ceremony.fido[i]);
	EVP_PKEY_free(key.pkey);
	return world_close(state);
}

/* What the broker says to it. */
static inline const struct msg_lockdown_set *
lockdown(uint32_t client, enum lockdown_scope scope, const char *name)
{
	struct msg_lockdown m = {.request = 7, .client = client, .scope = scope};
	const struct msg *said;

	(void)FIELD_SET(m.name, name);
	lockdown_take(&W.b, &m);
	said = world_said(MSG_LOCKDOWN_SET);
	assert_non_null(said);
	assert_int_equal(said->lockdown_set.request, 7);
	return &said->lockdown_set;
}

/* It is on, as if it had always been: nothing that is under way has heard of it. */
static inline void
is_on(enum lockdown_scope scope, const char *name)
{
	struct rec_lockdown l = {.scope = scope, .since = clock_now(), .uid = 1000};

	(void)FIELD_SET(l.name, name);
	lockdown_loaded(&W.b, &l);
}

static inline struct grant *
open_grant(const char *group, int32_t port)
{
	struct rec_grant g = {.protocol = PROTO_TCP,
	    .from_port = port,
	    .to_port = port,
	    .closes = clock_now() + 3600,
	    .sent = clock_now() - 5000,
	    .state = GRANT_OPEN};

	g.source = fixture_cidr(SOURCE);
	(void)FIELD_SET(g.receipt, PLAN_B);
	(void)FIELD_SET(g.profile, "prod");
	(void)FIELD_SET(g.account, "111122223333");
	(void)FIELD_SET(g.region, "eu-west-1");
	(void)FIELD_SET(g.group_id, group);
	return grant_add(&W.b, &g, 0);
}

static inline bool
is_due(const struct grant *g)
{
	return g->g.closes <= clock_now() && g->closes_by <= clock_monotonic();
}

static inline const struct msg_result *
result(void)
{
	const struct msg *m = world_said(MSG_RESULT);

	assert_non_null(m);
	return &m->result;
}

static inline void
expect_locked_down(void)
{
	assert_int_equal(result()->error, SGW_ERR_LOCKED_DOWN);
	assert_non_null(strstr(result()->detail, "openings are off since 2"));
	assert_null(W.b.active);
}

static inline struct job *
opening(enum job_state state)
{
	struct job *j = world_active(fixture_op(ACTION_OPEN, PROTO_TCP, 8443, 8443, SOURCE), state);
	struct record *r = &W.b.ceremony.record;

	j->deadline = clock_monotonic() + 60000;
	(void)FIELD_SET(j->receipt, PLAN_A);
	r->plan = j->plan;
	r->expires = clock_now() + 60;
	r->closes = clock_now() + 3600;
	(void)FIELD_SET(r->description, "uid 1000 #{receipt}");
	return j;
}

/* The assertion over this record, by the enrolled key. */
static inline void
touched(void)
{
	const struct msg_key_end end = {.ceremony = W.b.ceremony.number, .index = 0, .count = 1};
	struct msg m = {.id = MSG_ASSERTION};
	struct msg_assertion *a = &m.assertion;
	int ends[2];

	a->cred_id_len = sizeof(key.id);
	memcpy(a->cred_id, key.id, sizeof(key.id));
	a->authdata_len = (uint16_t)head_put(a->authdata, RP, 0x01, W.b.counters[0] + 1);
	a->signature_len = (uint16_t)sign(&key, a->authdata, a->authdata_len, W.b.ceremony.text,
	    W.b.ceremony.text_len, a->signature);
	touch_begin(&W.b);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	chan_close(&fido);
	fido = chan_open(ends[1], ROLE_FIDO, ROLE_BROKER);
	touch_end(&W.b, &end, ends[0]);
	assert_int_equal(chan_send(&fido, scratch, &m, -1, false), 0);
	touch_fido(&W.b, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lockdown_open, lockdown_close)

#endif
