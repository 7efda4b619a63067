/* SPDX-License-Identifier: Apache-2.0 */
/* The short-lived processes of one consent: sgw-consent on the screen, then one sgw-fido per plugged key. */
#include "supervisor.h"

#include <unistd.h>

#include <sgwarden/log.h>

static void
tell_consent_end(struct supervisor *s, uint32_t number, int fd)
{
	s->msg.id = MSG_CONSENT_END;
	s->msg.consent_end.ceremony = number;
	cell_send(s, ROLE_BROKER, &s->msg, fd);
}

static void
tell_no_keys(struct supervisor *s, uint32_t number)
{
	struct child *consent = child_find(s, ROLE_CONSENT, number);

	s->msg.id = MSG_KEY_END;
	s->msg.key_end = (struct msg_key_end){.ceremony = number};
	cell_send(s, ROLE_BROKER, &s->msg, -1);
	if (consent && chan_send(&consent->control, s->scratch, &s->msg, -1, false) < 0)
		child_end(consent);
}

/* A consent of a cell that has ended was asked to, and may be about to: the terminal is the next one's alone. */
static void
terminal_free(struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &s->children[i];

		if (!c->pid || c->role != ROLE_CONSENT || !c->kill_at)
			continue;
		child_kill(c);
		screen_restore(s);
	}
}

void
ceremony_start(struct supervisor *s, uint32_t number)
{
	const struct spawn_fd *fds;
	struct child *c = NULL;
	int edge[2];

	terminal_free(s);
	if (s->screen.tty >= 0 && edge_pair(edge) == 0) {
		fds = (const struct spawn_fd[]){
		    {edge[1], FD_CONSENT_BROKER}, {s->screen.tty, FD_CONSENT_TTY}};
		c = spawn(s, ROLE_CONSENT, fds, 2);
		close(edge[1]);
		if (!c)
			close(edge[0]);
	}
	if (!c) {
		tell_consent_end(s, number, -1);
		return;
	}
	c->number = number;
	c->to_broker = edge[0];
}

static bool
key_spawn(struct supervisor *s, uint32_t number, int device, uint8_t index, uint8_t count)
{
	const struct spawn_fd *fds;
	struct child *c;
	int broker[2], consent[2];

	if (edge_pair(broker) < 0)
		return false;
	if (edge_pair(consent) < 0) {
		close(broker[0]);
		close(broker[1]);
		return false;
	}
	fds = (const struct spawn_fd[]){
	    {broker[1], FD_FIDO_BROKER}, {consent[1], FD_FIDO_CONSENT}, {device, FD_FIDO_DEVICE}};
	c = spawn(s, ROLE_FIDO, fds, 3);
	close(broker[1]);
	close(consent[1]);
	if (!c) {
		close(broker[0]);
		close(consent[0]);
		return false;
	}
	c->number = number;
	c->index = index;
	c->count = count;
	c->to_broker = broker[0];
	c->to_consent = consent[0];
	return true;
}

void
ceremony_keys(struct supervisor *s, uint32_t number)
{
	int devices[KEY_DEVICES_MAX];
	size_t n = devices_open(s, devices);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		any = key_spawn(s, number, devices[i], (uint8_t)i, (uint8_t)n) || any;
		close(devices[i]);
	}
	if (!any)
		tell_no_keys(s, number);
}

void
ceremony_end(struct supervisor *s, uint32_t number, bool keys_only)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &s->children[i];

		if (!c->pid || c->number != number)
			continue;
		if (c->role == ROLE_FIDO)
			child_ask(s, c);
		else if (c->role == ROLE_CONSENT && !keys_only)
			child_end(c);
	}
}

static void
fido_ready(struct supervisor *s, struct child *c)
{
	struct child *consent = child_find(s, ROLE_CONSENT, c->number);

	s->msg.id = MSG_KEY_END;
	s->msg.key_end =
	    (struct msg_key_end){.ceremony = c->number, .index = c->index, .count = c->count};
	if (consent && chan_send(&consent->control, s->scratch, &s->msg, c->to_consent, false) < 0)
		child_end(consent);
	cell_send(s, ROLE_BROKER, &s->msg, c->to_broker);
	close(c->to_consent);
	c->to_consent = -1;
}

void
ceremony_ready(struct supervisor *s, struct child *c)
{
	if (c->role == ROLE_FIDO)
		fido_ready(s, c);
	else
		tell_consent_end(s, c->number, c->to_broker);
	close(c->to_broker);
	c->to_broker = -1;
}
