/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fido processes of this ceremony, one per plugged key: each gets the very bytes that were shown, and the PIN.
 * The supervisor hands their ends over, the broker decides which answer counts; here their states become words.
 */
#include <stdio.h>
#include <unistd.h>

#include <sgwarden/clock.h>

#include "consent.h"

#define RETRIES_UNKNOWN 255

void
pin_erase(struct consent *c)
{
	memory_erase(c->vault->pin, sizeof(c->vault->pin));
}

void
keys_close(struct consent *c)
{
	for (size_t i = 0; i < c->n_fidos; i++)
		chan_close(&c->fidos[i].chan);
	c->n_fidos = 0;
	pin_erase(c);
}

static void
status_set(struct consent *c, const char *text)
{
	snprintf(c->status, sizeof(c->status), "%s", text);
}

/* Where several keys are asked one after the other, the screen says which are still wanted. */
static void
status_wanted(struct consent *c, const char *text)
{
	if (c->wanted[0])
		snprintf(c->status, sizeof(c->status), "%s: %s", text, c->wanted);
	else
		status_set(c, text);
}

static void
touch_deadline(struct consent *c)
{
	int64_t touch = clock_monotonic() + SGW_TOUCH_SECONDS * 1000;

	c->deadline = touch < c->record_deadline && !c->wanted[0] ? touch : c->record_deadline;
}

void
keys_begin(struct consent *c)
{
	c->step = STEP_KEY;
	c->agreed = true;
	touch_deadline(c);
	status_wanted(c, "looking for a security key");
	c->out = (struct msg){.id = MSG_AGREED};
	broker_send(c);
	draw(c);
}

static void
sign_send(struct consent *c, struct key_edge *edge)
{
	struct msg_sign *m = &c->vault->msg.sign;

	c->vault->msg = (struct msg){.id = MSG_SIGN};
	FIELD_SET(m->record, c->text);
	m->pin_len = (uint16_t)strlen(c->vault->pin);
	memcpy(m->pin, c->vault->pin, m->pin_len);
	edge->wants_pin = false;
	if (chan_send(&edge->chan, c->vault->scratch, &c->vault->msg, -1, true) < 0)
		chan_close(&edge->chan);
	memory_erase(&c->vault->msg, sizeof(c->vault->msg));
}

/* An enrolment of a further key: first an enrolled one agrees, then the new one, which gets the PIN too. */
static bool
two_touches(const struct consent *c)
{
	return c->record.kind == RECORD_ENROLL && c->record.keys_enrolled > 0 &&
	       !c->record.by_code && c->touches == 0;
}

/* Every key has its copy: while they blink the PIN is nowhere here. */
static void
pin_spent(struct consent *c)
{
	if (!two_touches(c))
		pin_erase(c);
}

static void
key_arrived(struct consent *c, const struct msg_key_end *m, int fd)
{
	struct key_edge *edge = &c->fidos[c->n_fidos];

	if (c->n_fidos == FIDOS_MAX) {
		close(fd);
		return;
	}
	if (c->touches > 0 && c->n_fidos == 0)
		touch_deadline(c); /* an enrolment's second key has its own time */
	c->n_fidos++;
	*edge = (struct key_edge){.chan = chan_open(fd, ROLE_CONSENT, ROLE_FIDO)};
	if (c->n_fidos == 1) /* the first of them may blink already when the others come */
		status_set(
		    c, m->count > 1 ? "asking the security keys" : "asking the security key");
	sign_send(c, edge);
	if (c->n_fidos >= m->count)
		pin_spent(c);
}

void
on_control(struct consent *c)
{
	struct chan_fds fds = {0};
	enum chan_result r = chan_recv(&c->control, c->scratch, &c->in, &fds);

	if (r == CHAN_AGAIN)
		return;
	if (r != CHAN_GOT || c->in.id != MSG_KEY_END) {
		c->step = STEP_DONE; /* the supervisor is gone, and with it everything else */
		return;
	}
	if (fds.n > 0 && (c->step == STEP_KEY || c->step == STEP_PIN))
		key_arrived(c, &c->in.key_end, fds.fd[0]);
	else if (fds.n > 0)
		close(fds.fd[0]);
	else if (c->step == STEP_KEY && c->n_fidos == 0)
		status_wanted(c, "plug in your security key");
	draw_line(c);
}

static void
retries_note(const struct msg_key_state *m, char *ret_text, size_t size)
{
	if (m->state == KEY_PIN_LOW)
		snprintf(ret_text, size,
		    "%u %s left before this key blocks its PIN; none was spent: once more",
		    (unsigned)m->retries, m->retries == 1 ? "try" : "tries");
	else if (m->retries == RETRIES_UNKNOWN)
		snprintf(ret_text, size, "that PIN is wrong");
	else
		snprintf(ret_text, size, "that PIN is wrong: %u %s left before the key blocks it",
		    (unsigned)m->retries, m->retries == 1 ? "try" : "tries");
}

/* Another touch may follow: an earlier key agrees to a new one, then the new one makes its credential. */
static void
touched(struct consent *c)
{
	bool first_of_two = two_touches(c);

	c->touches++;
	c->step = STEP_KEY;
	for (size_t i = 0; i < c->n_fidos; i++)
		chan_close(&c->fidos[i].chan);
	c->n_fidos = 0;
	if (first_of_two) {
		status_set(c, "touched; next, the new key: plug it in");
		return;
	}
	pin_erase(c);
	status_set(c, key_text(KEY_TOUCHED));
	c->deadline = 0;
}

/* Does another key than this one still blink, or look? */
static bool
others_live(const struct consent *c, const struct key_edge *edge)
{
	for (size_t i = 0; i < c->n_fidos; i++)
		if (&c->fidos[i] != edge && c->fidos[i].chan.fd >= 0)
			return true;
	return false;
}

static const char *
touch_text(const struct consent *c)
{
	if (c->record.kind != RECORD_ENROLL)
		return key_text(KEY_WAITING_TOUCH);
	return two_touches(c) ? "touch a key that is enrolled already" : "touch the new key now";
}

static void
on_key_state(struct consent *c, struct key_edge *edge, const struct msg_key_state *m)
{
	char note[sizeof(c->note)];

	c->out = (struct msg){.id = MSG_KEY_STAGE};
	c->out.key_stage.state = m->state;
	broker_send(c);
	if (m->state == KEY_WAITING_TOUCH) {
		status_wanted(c, touch_text(c));
	} else if (m->state == KEY_TOUCHED) {
		touched(c);
	} else if (m->state == KEY_PIN_WRONG || m->state == KEY_PIN_LOW) {
		edge->wants_pin = true;
		retries_note(m, note, sizeof(note));
		ask_pin(c, note);
		return;
	} else if (!others_live(c, edge) && c->wanted[0] &&
		   (m->state == KEY_NOT_ENROLLED || m->state == KEY_PULLED)) {
		status_wanted(c, "plug in another key"); /* the broker looks again */
	} else if (!others_live(c, edge)) {
		status_set(c, key_text(m->state));
	}
	if (c->step == STEP_KEY)
		draw(c);
}

void
on_fido(struct consent *c, size_t i)
{
	struct key_edge *edge = &c->fidos[i];
	enum chan_result r = chan_recv(&edge->chan, c->scratch, &c->in, NULL);

	if (r == CHAN_AGAIN)
		return;
	if (r == CHAN_GOT && c->in.id == MSG_KEY_STATE)
		on_key_state(c, edge, &c->in.key_state);
	else
		chan_close(&edge->chan); /* broker sees the same end and decides what it means */
}

void
keys_pin_again(struct consent *c)
{
	c->step = STEP_KEY;
	status_set(c, "asking the security key");
	for (size_t i = 0; i < c->n_fidos; i++)
		if (c->fidos[i].chan.fd >= 0 && c->fidos[i].wants_pin)
			sign_send(c, &c->fidos[i]);
	pin_spent(c);
	draw(c);
}
