/* SPDX-License-Identifier: Apache-2.0 */
/* See custody_world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>

#include <sgwarden/clock.h>
#include <sgwarden/hash.h>

#include "custody_world.h"

#define RP "sgwarden:abcdefghijklmnop"
#define UP 0x01
#define UV 0x04
#define ED 0x80

#define BROKER(call)                                                                               \
	do {                                                                                       \
		if (C.around)                                                                      \
			C.around(true);                                                            \
		call;                                                                              \
		if (C.around)                                                                      \
			C.around(false);                                                           \
	} while (0)

struct custody_world C;
static uint8_t scratch[SGW_DATAGRAM_MAX];

/* ---- the world ---- */

static void
enrolled(size_t i, const char *name)
{
	struct rec_key_entry *k = &W.b.keys.keys[i];

	C.keys[i] = authenticator_new((uint8_t)(9 + i));
	k->cred_id_len = sizeof(C.keys[i].id);
	memcpy(k->cred_id, C.keys[i].id, sizeof(C.keys[i].id));
	memcpy(k->public_key, C.keys[i].pub, sizeof(C.keys[i].pub));
	k->hmac_secret = true;
	(void)FIELD_SET(k->name, name);
	W.b.keys.n_keys = (uint16_t)(i + 1);
}

static void
in_the_files(enum tier tier, const char *id, const char *secret)
{
	struct profile_keys *k = &W.b.profiles[0].keys[tier];

	(void)FIELD_SET(k->access_key_id, id);
	(void)FIELD_SET(k->secret_key, secret);
	k->there = W.b.profiles[0].plaintext[tier] = true;
}

int
custody_open(void **state)
{
	memset(&C, 0, sizeof(C));
	C.screen.fd = C.fido.fd = -1;
	if (world_open(state) < 0)
		return -1;
	(void)FIELD_SET(W.b.keys.appliance, W.b.appliance);
	enrolled(BLUE, "blue");
	enrolled(RED, "red");
	in_the_files(TIER_OPENER, OPENER_ID, OPENER_SECRET);
	in_the_files(TIER_OPENER_SENSITIVE, SENSITIVE_ID, SENSITIVE_SECRET);
	W.b.screen = DISPLAY_SHARED;
	W.b.config.policy.allow_shared_display = true;
	(void)FIELD_SET(W.b.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	return 0;
}

int
custody_close(void **state)
{
	chan_close(&C.screen);
	chan_close(&C.fido);
	for (size_t i = 0; i < W.b.ceremony.n_fidos; i++)
		chan_close(&W.b.ceremony.fido[i]);
	for (size_t i = 0; i < HELD_MAX; i++)
		EVP_PKEY_free(C.keys[i].pkey);
	return world_close(state);
}

/* ---- the person ---- */

void
act(enum admin_act act, const char *subject, const char *data)
{
	static struct msg_admin m;

	m = (struct msg_admin){.client = 1, .act = act, .data_len = (uint16_t)strlen(data)};
	(void)FIELD_SET(m.plan_id, "sgw-aaaaaaaaaaaaaaaaaaaa");
	(void)FIELD_SET(m.subject, subject);
	memcpy(m.data, data, strlen(data));
	memset(W.b.quotas, 0, sizeof(W.b.quotas)); /* how often is another test's */
	W.n_planner = W.n_control = 0;
	BROKER(admin_ask(&W.b, &m));
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

void
shown(void)
{
	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->state, JOB_SPAWNING);
	ceremony_spawned(&W.b, W.b.ceremony.number, an_end(&C.screen, ROLE_CONSENT));
	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->state, JOB_READING);
}

const struct msg *
heard(enum msg_id id)
{
	static struct msg m;

	while (chan_recv(&C.screen, scratch, &m, NULL) == CHAN_GOT)
		if (m.id == id)
			return &m;
	return NULL;
}

void
screen_says(struct msg m)
{
	assert_int_equal(chan_send(&C.screen, scratch, &m, -1, false), 0);
	ceremony_consent(&W.b);
}

void
agrees(void)
{
	screen_says((struct msg){.id = MSG_AGREED});
	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->state, JOB_KEYS);
}

void
refuses(void)
{
	screen_says((struct msg){.id = MSG_REFUSED, .refused.denial = DENIAL_DENY});
}

/* ---- the keys ---- */

bool
plugged(size_t key)
{
	const struct msg_key_end end = {.ceremony = W.b.ceremony.number, .index = 0, .count = 1};
	static struct msg m;

	touch_end(&W.b, &end, an_end(&C.fido, ROLE_FIDO));
	assert_int_equal(chan_recv(&C.fido, scratch, &m, NULL), CHAN_GOT);
	assert_int_equal(m.id, MSG_ASK_ASSERTION);
	C.ask = m.ask_assertion;
	for (size_t i = 0; i < C.ask.n_creds; i++)
		if (memcmp(C.ask.creds[i].id, C.keys[key].id, sizeof(C.keys[key].id)) == 0)
			return true;
	return false;
}

/* With the PIN a key's secret is another one. */
void
secret_of(size_t key, bool uv, const uint8_t salt[32], uint8_t ret[32])
{
	uint8_t in[34] = {(uint8_t)key, uv};

	memcpy(in + 2, salt, 32);
	hash_sha256(in, sizeof(in), ret);
	if (C.wrong)
		ret[0] ^= 1;
}

static const uint8_t *
salt_of(size_t key)
{
	for (size_t i = 0; i < C.ask.n_creds; i++)
		if (memcmp(C.ask.creds[i].id, C.keys[key].id, sizeof(C.keys[key].id)) == 0)
			return C.ask.creds[i].salt;
	return C.ask.next_salt;
}

/* The encrypted output, of which the broker reads the form alone. */
static void
extension_put(struct msg_assertion *a)
{
	static const uint8_t head[] = {
	    0xa1, 0x6b, 'h', 'm', 'a', 'c', '-', 's', 'e', 'c', 'r', 'e', 't', 0x58, 64};

	memcpy(a->authdata + a->authdata_len, head, sizeof(head));
	a->authdata_len = (uint16_t)(a->authdata_len + sizeof(head) + 64);
}

struct msg_assertion *
answers(size_t key)
{
	struct msg_assertion *a = &C.said.assertion;
	uint8_t flags = (uint8_t)(UP | (C.ask.uv ? UV : 0) | (C.ask.hmac_secret ? ED : 0));

	C.said = (struct msg){.id = MSG_ASSERTION};
	a->cred_id_len = sizeof(C.keys[key].id);
	memcpy(a->cred_id, C.keys[key].id, sizeof(C.keys[key].id));
	a->authdata_len = (uint16_t)head_put(a->authdata, RP, flags, ++C.counter);
	if (C.ask.hmac_secret) {
		extension_put(a);
		a->hmac_secret_len = 64;
		secret_of(key, C.ask.uv, salt_of(key), a->hmac_secret);
		secret_of(key, C.ask.uv, C.ask.next_salt, a->hmac_secret + 32);
	}
	a->signature_len = (uint16_t)sign(&C.keys[key], a->authdata, a->authdata_len,
	    W.b.ceremony.text, W.b.ceremony.text_len, a->signature);
	return a;
}

void
says(void)
{
	assert_int_equal(chan_send(&C.fido, scratch, &C.said, -1, false), 0);
	BROKER(touch_fido(&W.b, 0));
}

void
touched(size_t key)
{
	assert_true(plugged(key));
	(void)answers(key);
	says();
}

void
agreed_to(enum admin_act what, const char *subject)
{
	act(what, subject, "");
	shown();
	agrees();
	touched(BLUE);
	assert_non_null(W.b.active);
	assert_int_equal(W.b.active->state, JOB_READING);
}

void
collected(enum admin_act what, const char *subject)
{
	agreed_to(what, subject);
	agrees();
	touched(BLUE);
	assert_int_equal(W.b.active->state, JOB_READING);
	agrees();
	touched(RED);
}

/* ---- what is sealed ---- */

struct rec_sealed_entry *
sealed_entry(enum tier tier)
{
	return sealed_find(&W.b.sealed, "prod", tier);
}

struct rec_sealed_entry *
sealed_by_hand(enum tier tier)
{
	static const uint8_t data_key[SEAL_KEY_LEN] = {42};
	struct rec_sealed_list *list = &W.b.sealed;
	struct rec_sealed_entry *e = &list->entries[list->n_entries++];
	bool sensitive = tier == TIER_OPENER_SENSITIVE;

	(void)FIELD_SET(list->appliance, W.b.appliance);
	*e = (struct rec_sealed_entry){.tier = tier, .generation = ++list->generation};
	(void)FIELD_SET(e->profile, "prod");
	(void)FIELD_SET(e->access_key_id, sensitive ? SENSITIVE_ID : OPENER_ID);
	assert_true(
	    seal_secret(W.b.appliance, e, data_key, sensitive ? SENSITIVE_SECRET : OPENER_SECRET));
	for (size_t i = 0; i < HELD_MAX; i++) {
		struct rec_sealed_wrap *w = &e->wraps[e->n_wraps++];
		uint8_t answer[32];

		seal_key_id(C.keys[i].id, sizeof(C.keys[i].id), w->key);
		assert_true(seal_random(w->salt, sizeof(w->salt)));
		secret_of(i, sensitive, w->salt, answer);
		assert_true(seal_wrap(W.b.appliance, e, w, answer, data_key));
	}
	W.b.sealed_next = *list;
	assert_true(custody_next(&W.b));
	custody_advance(&W.b);
	return e;
}

void
ended(enum status status, enum sgw_error error, const char *words)
{
	static const struct profile_keys nobody;
	const struct msg *m = world_said(MSG_RESULT);

	assert_non_null(m);
	if (!strstr(m->result.detail, words))
		fail_msg("\"%s\" and not \"%s\"", m->result.detail, words);
	assert_int_equal(m->result.status, status);
	assert_int_equal(m->result.error, error);
	assert_null(W.b.active);
	assert_memory_equal(&W.b.vault->opener, &nobody, sizeof(nobody)); /* whatever the end */
	W.n_planner = W.n_control = 0;
}
