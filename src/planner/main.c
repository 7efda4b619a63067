/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: what AWS reported, for a while, and the plans that wait for their person.
 * cannot: reach the network, a file, a credential or the screen; decide anything.
 * if owned: lies to clients about state and outcomes, proposes any plan, delays; changes nothing that is shown,
 *           touched, signed or recorded.
 */
#include "planner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/sandbox.h>

#include "broker.h"
#include "calls.h"
#include "clients.h"
#include "reads.h"

static struct planner planner;

static void
on_cell(struct planner *p, const struct msg_cell *m)
{
	if (p->configured) {
		log_error("configured twice");
		p->ending = true;
		return;
	}
	p->configured = true;
	p->config = m->config;
	FIELD_SET(p->appliance, m->appliance);
	FIELD_SET(p->boot_id, m->boot_id);
	p->system_mode = m->system_mode;
	p->degraded = m->degraded;
	policy_digest(&p->config.policy, p->policy_digest);
	for (size_t i = 0; i < p->config.n_profiles; i++)
		FIELD_SET(p->account[i], p->config.profiles[i].account);
}

static void
on_control(struct planner *p, const struct msg *m, const struct chan_fds *fds)
{
	if (m->id == MSG_CELL) {
		on_cell(p, &m->cell);
		return;
	}
	if (m->id == MSG_CLIENT && p->configured && fds->n == 1) {
		client_add(p, &m->client, fds->fd[0]);
		return;
	}
	if (m->id == MSG_CLIENT_GONE) {
		client_gone(p, m->client_gone.client);
		return;
	}
	if (m->id == MSG_PING) {
		p->out.id = MSG_PONG;
		p->out.pong.client = m->ping.client;
		if (chan_send(&p->control, p->scratch, &p->out, -1, false) < 0)
			p->ending = true;
		return;
	}
	log_error("the supervisor says what it may not say now");
	p->ending = true;
}

static void
on_net(struct planner *p, const struct msg *m)
{
	p->net_heard = p->now;
	p->net_silence = 0;
	switch (m->id) {
	case MSG_AWS_GROUPS:
		reads_on_groups(p, &m->aws_groups);
		break;
	case MSG_AWS_RULES:
		reads_on_rules(p, &m->aws_rules);
		break;
	case MSG_AWS_IDENTITY:
		reads_on_identity(p, &m->aws_identity);
		break;
	default: /* the wire's table lets nothing else come from there */
		reads_on_done(p, &m->done);
		break;
	}
}

/* One message of a cell's process.  Where that ends or breaks protocol, so does this one: the cell starts anew. */
static bool
cell_readable(struct planner *p, struct chan *ch)
{
	struct chan_fds fds = {0};

	switch (chan_recv(ch, p->scratch, &p->in, ch == &p->control ? &fds : NULL)) {
	case CHAN_GOT:
		break;
	case CHAN_AGAIN:
		return false;
	case CHAN_EOF:
		log_notice("%s has ended", role_name(ch->peer));
		p->ending = true;
		return false;
	case CHAN_VIOLATION:
		p->ending = true;
		return false;
	}
	p->tick++;
	if (ch == &p->control)
		on_control(p, &p->in, &fds);
	else if (ch == &p->broker)
		broker_on_message(p, &p->in);
	else
		on_net(p, &p->in);
	return !p->ending;
}

/* Messages of the cell come first and in full, but never for ever; a client has one turn a round. */
static void
turn(struct planner *p)
{
	struct chan *cell[] = {&p->control, &p->broker, &p->net};

	for (size_t i = 0; i < 3; i++)
		for (unsigned n = 0; n < 64 && p->polled[i].revents != 0; n++)
			if (!cell_readable(p, cell[i]))
				break;
	for (size_t i = 0; i < p->n_clients && !p->ending; i++)
		if (p->polled[3 + i].revents != 0)
			client_readable(p, p->by_slot[i]);
	questions_turn(p);
	clients_turn(p);
	do {
		reads_turn(p);
		calls_turn(p);
	} while (p->stirred && !p->ending);
	reads_turn(p);
	clients_reap(p);
}

static int64_t
next_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int
wait_time(const struct planner *p)
{
	int64_t next = next_of(reads_next(p), questions_next(p));

	next = next_of(next, next_of(calls_next(p), clients_next(p)));
	if (next == INT64_MAX)
		return clock_wait(-1);
	return clock_wait(next <= p->now ? 0 : next - p->now);
}

static int
serve(struct planner *p)
{
	p->polled[0] = (struct pollfd){.fd = p->control.fd, .events = POLLIN};
	p->polled[1] = (struct pollfd){.fd = p->broker.fd, .events = POLLIN};
	p->polled[2] = (struct pollfd){.fd = p->net.fd, .events = POLLIN};
	p->now = clock_monotonic();
	while (!p->ending) {
		if (poll(p->polled, 3 + p->n_clients, wait_time(p)) < 0 && errno != EINTR) {
			log_error("poll: errno %d", errno);
			return 1;
		}
		p->now = clock_monotonic();
		turn(p);
	}
	return 1;
}

int
main(int argc, char **argv)
{
	struct planner *p = &planner;
	struct sandbox_args args;
	uint8_t digest[HASH_LEN];
	uint32_t degraded = 0;

	log_open("planner", LOG_LEVEL_INFO);
	if (sandbox_args_parse(argc, argv, &args) < 0)
		return 2;
	/* Whatever libcrypto wants to open or to set up, it does before the sandbox is on. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	hash_sha256("", 0, digest);
	if (sandbox_enter(ROLE_PLANNER, &args, &degraded) < 0)
		return 70;
	clock_open();
	p->control = chan_open(FD_CONTROL, ROLE_PLANNER, ROLE_SUPERVISOR);
	p->broker = chan_open(FD_PLANNER_BROKER, ROLE_PLANNER, ROLE_BROKER);
	p->net = chan_open(FD_PLANNER_NET, ROLE_PLANNER, ROLE_NET);
	p->grants_generation = 1; /* a snapshot's 0 means: never annotated */
	p->out.id = MSG_READY;
	p->out.ready.degraded = degraded;
	if (chan_send(&p->control, p->scratch, &p->out, -1, false) < 0)
		return 1;
	return serve(p);
}
