/* SPDX-License-Identifier: Apache-2.0 */
/* Clients; see clients.h. */
#include "clients.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include "calls.h"
#include "plans.h"
#include "requests.h"

#define POLLED_CLIENTS 3 /* behind control, broker and net */

void
client_add(struct planner *p, const struct msg_client *m, int fd)
{
	struct client *c = NULL;

	for (size_t i = 0; i < SGW_CLIENTS_MAX && c == NULL; i++)
		if (p->clients[i].number == 0)
			c = &p->clients[i];
	if (c == NULL || m->client == 0) {
		log_warning("no room for another client");
		close(fd);
		return;
	}
	*c = (struct client){
	    .number = m->client,
	    .chan = chan_open(fd, ROLE_PLANNER, ROLE_FRONT),
	    .admin = m->admin,
	    .chain_verified = m->chain_verified,
	    .uid = m->uid,
	    .pid = m->pid,
	};
	FIELD_SET(c->user, m->user);
	FIELD_SET(c->chain, m->chain);
	p->polled[POLLED_CLIENTS + p->n_clients] = (struct pollfd){.fd = fd, .events = POLLIN};
	p->by_slot[p->n_clients++] = c;
}

struct client *
client_by_number(struct planner *p, uint32_t number)
{
	for (size_t i = 0; i < p->n_clients; i++)
		if (p->by_slot[i]->number == number)
			return p->by_slot[i];
	return NULL;
}

void
client_gone(struct planner *p, uint32_t number)
{
	struct client *c = client_by_number(p, number);

	if (c != NULL)
		c->dead = true;
}

void
clients_reap(struct planner *p)
{
	for (size_t i = p->n_clients; i > 0; i--) {
		struct client *c = p->by_slot[i - 1];
		size_t last;

		if (!c->dead)
			continue;
		last = --p->n_clients;
		p->by_slot[i - 1] = p->by_slot[last];
		p->polled[POLLED_CLIENTS + i - 1] = p->polled[POLLED_CLIENTS + last];
		calls_drop(p, c);
		chan_close(&c->chan);
		plans_client_gone(p, c->number);
		*c = (struct client){0};
	}
}

/* While its queue is full, room is waited for and nothing new is read. */
static void
block(struct planner *p, struct client *c)
{
	if (c->blocked)
		return;
	c->blocked = true;
	c->blocked_since = p->now;
	for (size_t i = 0; i < p->n_clients; i++)
		if (p->by_slot[i] == c)
			p->polled[POLLED_CLIENTS + i].events = POLLOUT;
}

enum sent
client_send(struct planner *p, struct client *c)
{
	if (c->dead)
		return SENT_GONE;
	errno = 0;
	if (chan_send(&c->chan, p->scratch, &p->out, -1, false) == 0)
		return SENT_OK;
	if (errno == EAGAIN) {
		block(p, c);
		return SENT_BLOCKED;
	}
	c->dead = true;
	return SENT_GONE;
}

bool
client_has_room(struct planner *p, struct client *c)
{
	struct pollfd room = {.fd = c->chan.fd, .events = POLLOUT};

	if (c->dead)
		return false;
	/* A stream of this kind is writable while at most a quarter of its queue is taken. */
	if (poll(&room, 1, 0) == 1)
		return true;
	block(p, c);
	return false;
}

void
clients_turn(struct planner *p)
{
	for (size_t i = 0; i < p->n_clients; i++) {
		struct client *c = p->by_slot[i];

		if (!c->blocked || c->blocked_since + CLIENT_STUCK > p->now)
			continue;
		log_warning("client %u leaves its answers unread", (unsigned)c->number);
		c->dead = true;
	}
}

int64_t
clients_next(const struct planner *p)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < p->n_clients; i++)
		if (p->by_slot[i]->blocked && p->by_slot[i]->blocked_since + CLIENT_STUCK < next)
			next = p->by_slot[i]->blocked_since + CLIENT_STUCK;
	return next;
}

static void
unblock(struct planner *p, struct client *c)
{
	c->blocked = false;
	for (size_t i = 0; i < p->n_clients; i++)
		if (p->by_slot[i] == c)
			p->polled[POLLED_CLIENTS + i].events = POLLIN;
	calls_step_client(p, c);
}

/* One message; false: no more of this client now. */
static bool
take_message(struct planner *p, struct client *c)
{
	switch (chan_recv(&c->chan, p->scratch, &p->in, NULL)) {
	case CHAN_GOT:
		p->tick++;
		p->now = clock_monotonic(); /* it may have come long after the turn began */
		request_begin(p, c, &p->in);
		return !c->dead && !c->blocked;
	case CHAN_AGAIN:
		return false;
	case CHAN_EOF:
	case CHAN_VIOLATION: /* logged; this client alone ends */
		c->dead = true;
		return false;
	}
	return false;
}

/* In one turn as many messages as it may have calls under way: what it says beyond waits for the others. */
void
client_readable(struct planner *p, struct client *c)
{
	if (c->dead)
		return;
	if (c->blocked) {
		unblock(p, c);
		return;
	}
	for (unsigned n = 0; n < CALLS_PER_CLIENT && take_message(p, c); n++)
		;
}
