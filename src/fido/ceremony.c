/* SPDX-License-Identifier: Apache-2.0 */
/* One ceremony: see ceremony.h. */
#include "ceremony.h"

#include <poll.h>
#include <string.h>

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#define OPEN_TRIES 8
#define OPEN_PAUSE_MS 250 /* a key that another program just used answers "busy" for a moment */
#define KEY_MS                                                                                     \
	(2 * SGW_TOUCH_SECONDS * 1000) /* the broker's deadline comes first, however busy it is */
#define RETRIES_UNKNOWN 255
#define LINGER_MS 30000 /* for a broker that is stuck; one that is only busy lets go sooner */
#define RETRIES_LOW                                                                                \
	3 /* and fewer are shown before one is spent: CTAP blocks a key of its own accord at 0 */

bool
bytes_set(uint8_t *field, size_t size, uint16_t *field_len, const uint8_t *p, size_t len)
{
	if (p == NULL || len > size)
		return false;
	memcpy(field, p, len);
	*field_len = (uint16_t)len;
	return true;
}

/* ---- what the key says ---- */

static void
consent_tell(struct ceremony *c, enum key_state state, int retries)
{
	c->vault->note = (struct msg){.id = MSG_KEY_STATE};
	c->vault->note.key_state.state = state;
	c->vault->note.key_state.retries =
	    retries >= 0 && retries < RETRIES_UNKNOWN ? (uint8_t)retries : RETRIES_UNKNOWN;
	if (chan_send(&c->consent, c->vault->scratch, &c->vault->note, -1, true) < 0)
		c->key.abandoned = true;
}

static void
on_blink(void *arg)
{
	consent_tell(arg, KEY_WAITING_TOUCH, RETRIES_UNKNOWN);
}

static void
pin_erase(void *arg)
{
	struct ceremony *c = arg;

	memory_erase(c->vault->pin, sizeof(c->vault->pin));
	memory_erase(c->vault->sign.sign.pin, sizeof(c->vault->sign.sign.pin));
	c->vault->sign.sign.pin_len = 0;
}

static const struct {
	int error;
	enum key_state state;
} KEY_ERRORS[] = {
    {FIDO_ERR_PIN_INVALID, KEY_PIN_WRONG},
    {FIDO_ERR_PIN_POLICY_VIOLATION, KEY_PIN_WRONG}, /* too short to be the PIN of any key */
    {FIDO_ERR_PIN_BLOCKED, KEY_PIN_BLOCKED},
    {FIDO_ERR_PIN_AUTH_BLOCKED, KEY_PIN_BLOCKED},
    {FIDO_ERR_PIN_NOT_SET, KEY_PIN_NOT_SET},
    {FIDO_ERR_PIN_REQUIRED, KEY_PIN_REQUIRED},
    {FIDO_ERR_NO_CREDENTIALS, KEY_NOT_ENROLLED},
    {FIDO_ERR_CREDENTIAL_EXCLUDED, KEY_EXCLUDED},
    {FIDO_ERR_USER_ACTION_TIMEOUT, KEY_TIMED_OUT},
    {FIDO_ERR_ACTION_TIMEOUT, KEY_TIMED_OUT},
};

enum key_state
ceremony_failed(struct ceremony *c, const char *what, int fido_error)
{
	if (c->key.pulled)
		return KEY_PULLED;
	if (c->key.timed_out)
		return KEY_TIMED_OUT;
	for (size_t i = 0; i < sizeof(KEY_ERRORS) / sizeof(KEY_ERRORS[0]); i++)
		if (KEY_ERRORS[i].error == fido_error)
			return KEY_ERRORS[i].state;
	if (!c->key.abandoned)
		log_error("%s: %s (0x%02x)", what, fido_strerr(fido_error), (unsigned)fido_error);
	return KEY_FAILED;
}

const char *
ceremony_pin(struct ceremony *c)
{
	const struct msg_sign *sign = &c->vault->sign.sign;

	if (sign->pin_len == 0)
		return NULL;
	memcpy(c->vault->pin, sign->pin, sign->pin_len);
	c->vault->pin[sign->pin_len] = 0;
	return c->vault->pin;
}

static void
key_close(struct ceremony *c)
{
	if (c->dev == NULL)
		return;
	fido_dev_close(c->dev);
	fido_dev_free(&c->dev);
}

static int
key_try_open(struct ceremony *c)
{
	const fido_dev_io_t io = {c->key_open, transport_close, transport_read, transport_write};
	int r;

	transport_drain(&c->key);
	c->dev = fido_dev_new();
	if (c->dev == NULL)
		return FIDO_ERR_INTERNAL;
	r = fido_dev_set_io_functions(c->dev, &io);
	if (r == FIDO_OK)
		r = fido_dev_set_timeout(c->dev, 2000);
	if (r == FIDO_OK)
		r = fido_dev_open(c->dev, "key"); /* no path is opened: see key_open */
	if (r == FIDO_OK && !fido_dev_is_fido2(c->dev))
		r = FIDO_ERR_UNSUPPORTED_OPTION;
	if (r == FIDO_OK)
		r = fido_dev_set_timeout(c->dev, KEY_MS);
	if (r != FIDO_OK)
		key_close(c);
	return r;
}

static int
key_open_patiently(struct ceremony *c, enum key_state *ret_why)
{
	int r = FIDO_ERR_INTERNAL;

	for (int i = 0; i < OPEN_TRIES && !c->key.pulled && !c->key.abandoned; i++) {
		c->key.timed_out = false;
		r = key_try_open(c);
		if (r == FIDO_OK)
			return 0;
		if (r == FIDO_ERR_UNSUPPORTED_OPTION)
			break;
		transport_pause(&c->key, OPEN_PAUSE_MS);
	}
	*ret_why = ceremony_failed(c, "opening the key", r);
	return -1;
}

/* ---- what the peers say ---- */

static bool
sign_is_sane(const struct msg_sign *sign)
{
	return memchr(sign->pin, 0, sign->pin_len) == NULL;
}

/* One message from broker or consent; false ends the ceremony, with given_up where the person's side has ended it. */
static bool
peer_read(struct ceremony *c, struct chan *ch, struct msg *into, bool *flag)
{
	enum chan_result r = chan_recv(ch, c->vault->scratch, into, NULL);

	memory_erase(c->vault->scratch, sizeof(c->vault->scratch));
	if (r == CHAN_AGAIN)
		return true;
	if (r == CHAN_EOF && ch == &c->consent)
		c->given_up = true;
	if (r != CHAN_GOT || (into->id == MSG_SIGN && !sign_is_sane(&into->sign)))
		return false;
	*flag = true;
	ch->state = CHAN_DONE; /* each says one thing */
	return true;
}

static bool
peers_wait(struct ceremony *c)
{
	while (!c->asked || !c->signable) {
		struct pollfd p[TRANSPORT_PEERS] = {
		    {.fd = c->control.fd, .events = POLLIN},
		    {.fd = c->broker.fd, .events = POLLIN},
		    {.fd = c->consent.fd, .events = POLLIN},
		};

		if (poll(p, TRANSPORT_PEERS, -1) < 0)
			continue;
		if (p[0].revents != 0)
			return false;
		if (p[1].revents != 0 && !peer_read(c, &c->broker, &c->vault->ask, &c->asked))
			return false;
		if (p[2].revents != 0 && !peer_read(c, &c->consent, &c->vault->sign, &c->signable))
			return false;
	}
	return true;
}

/* A PIN that was sent is a try spent: where few are left the person hears of it first, once. */
static bool
pin_may_be_spent(struct ceremony *c, enum key_state *ret_why)
{
	int retries = RETRIES_UNKNOWN;

	if (c->vault->sign.sign.pin_len == 0 || c->pin_warned || !fido_dev_has_pin(c->dev))
		return true;
	c->pin_warned = true;
	if (fido_dev_get_retry_count(c->dev, &retries) != FIDO_OK || retries > RETRIES_LOW ||
	    retries < 1)
		return true; /* with none left the key says by itself that it is blocked */
	*ret_why = KEY_PIN_LOW;
	return false;
}

static int
key_ask(struct ceremony *c, enum key_state *ret_why)
{
	int r = 0;

	c->key.armed = c->key.blinking = false;
	if (c->dev == NULL)
		r = key_open_patiently(c, ret_why);
	if (r == 0 && !pin_may_be_spent(c, ret_why))
		r = -1;
	if (r == 0)
		r = c->vault->ask.id == MSG_ASK_ASSERTION ? assertion_ask(c, ret_why)
							  : credential_ask(c, ret_why);
	pin_erase(c);
	return r;
}

/* The wrong PIN, or one not spent, stays between consent and the key: the next SIGN tries again. */
static bool
pin_again(struct ceremony *c, enum key_state why)
{
	int retries = RETRIES_UNKNOWN;

	if (fido_dev_get_retry_count(c->dev, &retries) != FIDO_OK)
		retries = RETRIES_UNKNOWN;
	c->signable = false;
	c->consent.state = CHAN_OPEN;
	consent_tell(c, why, retries);
	return peers_wait(c);
}

static int
answer(struct ceremony *c, int r, enum key_state why)
{
	struct msg *m = r == 0 ? &c->vault->answer : &c->vault->note;

	consent_tell(c, r == 0 ? KEY_TOUCHED : why, RETRIES_UNKNOWN);
	if (r < 0) {
		*m = (struct msg){.id = MSG_KEY_ERROR};
		m->key_error.state = why;
	}
	return chan_send(&c->broker, c->vault->scratch, m, -1, true);
}

/*
 * Consent is gone, and broker is about to see that by itself.  Were this process to end first, broker would take it
 * for a key that failed: so it waits until broker, which then wants no answer any more, lets go of it.
 */
static int
broker_wait(const struct ceremony *c)
{
	struct pollfd p[2] = {{.fd = c->control.fd}, {.fd = c->broker.fd}};

	(void)poll(p, 2, MUTATE(SCREEN_FIRST) ? 0 : LINGER_MS);
	return -1;
}

int
ceremony_run(struct ceremony *c)
{
	enum key_state why = KEY_FAILED;
	int r;

	if (!peers_wait(c))
		return c->given_up ? broker_wait(c) : -1;
	while ((r = key_ask(c, &why)) < 0 && (why == KEY_PIN_WRONG || why == KEY_PIN_LOW) &&
	       !c->key.abandoned)
		if (!pin_again(c, why))
			return c->given_up ? broker_wait(c) : -1;
	/* Whoever asked is gone, or will be: the key shall not go on blinking. */
	if (c->dev != NULL && (c->key.abandoned || c->key.timed_out))
		(void)fido_dev_cancel(c->dev);
	return c->key.abandoned ? broker_wait(c) : answer(c, r, why);
}

int
ceremony_init(struct ceremony *c, int control, int broker, int consent, int key)
{
	const int peers[TRANSPORT_PEERS] = {control, broker, consent};

	c->control = chan_open(control, ROLE_FIDO, ROLE_SUPERVISOR);
	c->broker = chan_open(broker, ROLE_FIDO, ROLE_BROKER);
	c->consent = chan_open(consent, ROLE_FIDO, ROLE_CONSENT);
	if (transport_init(&c->key, key, peers) < 0)
		return -1;
	c->key.on_asked = pin_erase;
	c->key.on_blink = on_blink;
	c->key.arg = c;
	if (secret_alloc(&c->region, sizeof(struct vault)) < 0) {
		log_error("no memory for secrets");
		return -1;
	}
	c->vault = c->region.data;
	return 0;
}

void
ceremony_free(struct ceremony *c)
{
	key_close(c);
	secret_free(&c->region);
	c->vault = NULL;
}
