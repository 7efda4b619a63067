/* SPDX-License-Identifier: Apache-2.0 */
/* The cell: planner, broker, net, and the loader that runs before the broker serves.  They live and die together. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

static const enum role CELL[] = {ROLE_PLANNER, ROLE_BROKER, ROLE_NET, ROLE_LOADER};

enum {
	EDGE_PLANNER_BROKER,
	EDGE_BROKER_NET,
	EDGE_NET_PLANNER,
	EDGE_LOADER_BROKER,
	EDGE_MAX,
};

enum {
	FILE_LEDGER_WRITE,
	FILE_LEDGER_READ,
	FILE_KEYS,
	FILE_POLICY,
	FILE_SEALED,
	FILE_CREDENTIALS,
	FILE_CONFIG,
	FILE_CA,
	FILE_OPEN_MAX,
};

struct ends {
	int edge[EDGE_MAX][2]; /* [0] is the first-named process's end */
	int file[FILE_OPEN_MAX];
};

static void
ends_close(struct ends *e)
{
	for (size_t i = 0; i < EDGE_MAX; i++)
		for (size_t j = 0; j < 2; j++)
			if (e->edge[i][j] >= 0)
				close(e->edge[i][j]);
	for (size_t i = 0; i < FILE_OPEN_MAX; i++)
		if (e->file[i] >= 0)
			close(e->file[i]);
}

static int
file_in(const char *dir, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* A file of the person's own, which may be absent: then there is nothing in it. */
static int
person_file(const struct supervisor *s, const char *name)
{
	int fd = s->opt.unit_dir[0] == '/' ? file_in(s->opt.unit_dir, name) : -1;

	if (fd < 0)
		fd = file_in(s->opt.aws_dir, name);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		log_warning("cannot open %s/%s: %s; %s; until then nothing in it is known",
		    s->opt.aws_dir, name, strerror(errno), advice(errno));
	return fd >= 0 ? fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Any path the configuration names; without it no TLS connection is trusted, and net says so. */
static int
ca_file(const struct supervisor *s)
{
	int fd = open(s->config.ca_bundle, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		log_warning("cannot open the CA bundle %s: %s; AWS cannot be reached: install "
			    "ca-certificates or name another as ca_bundle in config.json",
		    s->config.ca_bundle, strerror(errno));
	return fd >= 0 ? fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int
ends_open(struct supervisor *s, struct ends *e)
{
	memset(e, 0xff, sizeof(*e)); /* -1 everywhere */
	for (size_t i = 0; i < EDGE_MAX; i++)
		if (edge_pair(e->edge[i]) < 0)
			return -1;
	if (segments_count(s) < 0)
		return -1;
	e->file[FILE_LEDGER_WRITE] = segments_last(s);
	e->file[FILE_LEDGER_READ] = segments_first(s);
	e->file[FILE_KEYS] = state_file_open(s, STATE_FILE_KEYS);
	e->file[FILE_POLICY] = state_file_open(s, STATE_FILE_POLICY);
	e->file[FILE_SEALED] = state_file_open(s, STATE_FILE_SEALED);
	e->file[FILE_CREDENTIALS] = person_file(s, "credentials");
	e->file[FILE_CONFIG] = person_file(s, "config");
	e->file[FILE_CA] = ca_file(s);
	for (size_t i = 0; i < FILE_OPEN_MAX; i++)
		if (e->file[i] < 0)
			return -1;
	return 0;
}

static struct child *
net_start(struct supervisor *s, const struct spawn_fd fds[UNIT_FDS])
{
	return s->opt.net_socket[0] ? unit_start(s, ROLE_NET, fds)
				    : spawn(s, ROLE_NET, fds, UNIT_FDS);
}

static int
spawn_all(struct supervisor *s, const struct ends *e)
{
	const struct spawn_fd broker[] = {{e->edge[EDGE_PLANNER_BROKER][1], FD_BROKER_PLANNER},
	    {e->edge[EDGE_BROKER_NET][0], FD_BROKER_NET},
	    {e->edge[EDGE_LOADER_BROKER][1], FD_BROKER_LOADER},
	    {e->file[FILE_LEDGER_WRITE], FD_BROKER_LEDGER}, {e->file[FILE_KEYS], FD_BROKER_KEYS},
	    {e->file[FILE_POLICY], FD_BROKER_POLICY}, {e->file[FILE_SEALED], FD_BROKER_SEALED}};
	const struct spawn_fd planner[] = {{e->edge[EDGE_PLANNER_BROKER][0], FD_PLANNER_BROKER},
	    {e->edge[EDGE_NET_PLANNER][1], FD_PLANNER_NET}};
	const struct spawn_fd net[UNIT_FDS] = {{e->edge[EDGE_BROKER_NET][1], FD_NET_BROKER},
	    {e->edge[EDGE_NET_PLANNER][0], FD_NET_PLANNER}, {e->file[FILE_CA], FD_NET_CA}};
	const struct spawn_fd loader[] = {{e->edge[EDGE_LOADER_BROKER][0], FD_LOADER_BROKER},
	    {e->file[FILE_CREDENTIALS], FD_LOADER_CREDENTIALS},
	    {e->file[FILE_CONFIG], FD_LOADER_CONFIG},
	    {e->file[FILE_LEDGER_READ], FD_LOADER_LEDGER}};

	if (!spawn(s, ROLE_BROKER, broker, sizeof(broker) / sizeof(broker[0])) ||
	    !spawn(s, ROLE_PLANNER, planner, sizeof(planner) / sizeof(planner[0])) ||
	    !net_start(s, net) ||
	    !spawn(s, ROLE_LOADER, loader, sizeof(loader) / sizeof(loader[0])))
		return -1;
	return 0;
}

int
cell_start(struct supervisor *s)
{
	struct ends e;
	int r = ends_open(s, &e);

	s->degraded = 0;
	if (r == 0)
		r = spawn_all(s, &e);
	ends_close(&e);
	return r;
}

/* Consent is asked to: it may have a recovery code on the person's terminal, which nobody else wipes off. */
void
cell_stop(struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].role == ROLE_CONSENT)
			child_ask(s, &s->children[i]);
		else if (s->children[i].role != ROLE_FRONT)
			child_end(&s->children[i]);
	s->listening = false;
	s->pong_due = 0;
}

/* A killed process is there until the kernel lets go of it: a write to a disk that hangs may yet be carried out. */
static bool
broker_is_left(const struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid && s->children[i].role == ROLE_BROKER)
			return true;
	return false;
}

int
cell_resume(struct supervisor *s)
{
	if (!s->restarting || (broker_is_left(s) && !MUTATE(ONE_BROKER)))
		return 0;
	s->restarting = false;
	log_warning("the cell is started again");
	(void)sd_notify(0, "STATUS=the cell is started again");
	return cell_start(s);
}

/* Fronts see their planner's end, answer what is pending as retryable, and end by themselves. */
int
cell_restart(struct supervisor *s)
{
	int64_t now = clock_monotonic();
	int64_t *oldest = &s->restarts[s->restart_next];

	cell_stop(s);
	if (*oldest != 0 && now - *oldest < (int64_t)RESTARTS_SECONDS * 1000) {
		log_error("the cell ended %d times within %d s: giving up; the lines above say why",
		    RESTARTS_MAX, RESTARTS_SECONDS);
		return -1;
	}
	*oldest = now;
	s->restart_next = (s->restart_next + 1) % RESTARTS_MAX;
	s->restarting = true;
	(void)sd_notify(0, "STATUS=the cell is started again once its broker has ended");
	return cell_resume(s);
}

/* Its death is a failure: the reaper restarts the cell. */
static void
member_fails(struct child *c)
{
	child_end(c);
	c->ending = false;
}

void
cell_send(struct supervisor *s, enum role role, const struct msg *m, int fd)
{
	struct child *c = child_find(s, role, 0);

	if (!c ||
	    c->control.state == CHAN_STARTING) /* a new one hears of the present in configure() */
		return;
	if (chan_send(&c->control, s->scratch, m, fd, false) < 0) {
		log_error("%s does not take its messages", role_name(role));
		member_fails(c);
	}
}

void
cell_ping(struct supervisor *s, uint32_t client)
{
	if (s->pong_due || !s->listening || MUTATE(PING))
		return;
	s->pinged = client;
	s->pong_due = clock_machine() + PONG_WAIT;
	s->msg.id = MSG_PING;
	s->msg.ping.client = client;
	cell_send(s, ROLE_PLANNER, &s->msg, -1);
}

void
cell_pong(struct supervisor *s, uint32_t client)
{
	if (client == s->pinged)
		s->pong_due = 0;
}

int
cell_overdue(struct supervisor *s)
{
	int64_t left = s->pong_due - clock_machine();
	struct child *planner;

	if (!s->pong_due || left > 0)
		return s->pong_due ? (int)left : -1;
	s->pong_due = 0;
	planner = child_find(s, ROLE_PLANNER, 0);
	if (planner) {
		log_error("the planner has not answered within %d s", PONG_WAIT / 1000);
		member_fails(planner);
	}
	return -1;
}

static bool
degradations_allowed(const struct supervisor *s, enum role role, uint32_t degraded)
{
	uint32_t refused = degraded & ~(s->config.allow_degraded | DEGRADED_SHARED_UID);

	for (uint32_t bit = 1; bit && refused; bit <<= 1)
		if ((refused & bit) && !degraded_name(bit))
			log_error(
			    "%s says that it lacks what there is no name for", role_name(role));
		else if (refused & bit)
			log_error("%s: %s (%s); where that is acceptable put \"%s\" into "
				  "allow_degraded of config.json",
			    role_name(role), degraded_name(bit), degraded_why(bit),
			    degraded_name(bit));
	return refused == 0;
}

static void
configure(struct supervisor *s)
{
	struct msg *m = &s->msg;

	m->id = MSG_CELL;
	m->cell.config = s->config;
	(void)FIELD_SET(m->cell.appliance, s->appliance);
	(void)FIELD_SET(m->cell.boot_id, s->boot_id);
	m->cell.system_mode = s->opt.mode == MODE_SYSTEM;
	m->cell.journal = journal_is_log();
	m->cell.degraded =
	    s->degraded | (s->opt.mode == MODE_USER ? (uint32_t)DEGRADED_SHARED_UID : 0);
	cell_send(s, ROLE_NET, m, -1);
	/* Before the broker, which then tells the planner what is in force instead. */
	cell_send(s, ROLE_PLANNER, m, -1);
	cell_send(s, ROLE_BROKER, m, -1);
	screen_tell(s);
}

void
cell_ready(struct supervisor *s, struct child *c, uint32_t degraded)
{
	c->control.state = CHAN_OPEN;
	if (!degradations_allowed(s, c->role, degraded)) {
		if (TOPOLOGY[c->role].life != LIFE_CLIENT) /* a front takes no end back */
			s->quitting = s->failed = s->mend = true;
		child_end(c);
		return;
	}
	s->degraded |= degraded;
	if (TOPOLOGY[c->role].life == LIFE_CLIENT) {
		client_ready(s, c);
		return;
	}
	if (TOPOLOGY[c->role].life == LIFE_CEREMONY) {
		ceremony_ready(s, c);
		return;
	}
	for (size_t i = 0; i < sizeof(CELL) / sizeof(CELL[0]); i++) {
		const struct child *member = child_find(s, CELL[i], 0);

		if (CELL[i] != ROLE_LOADER && (!member || member->control.state == CHAN_STARTING))
			return;
	}
	if (c->role != ROLE_LOADER)
		configure(s);
}
