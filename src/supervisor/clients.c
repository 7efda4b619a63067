/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets that clients come to, and a front for each of them. */
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/limits.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

static const char *const NAMES[LISTEN_MAX] = {
    [LISTEN_MCP] = "mcp",
    [LISTEN_CONSENT] = "consent",
    [LISTEN_ADMIN] = "admin",
};

static int
runtime_dir(const struct supervisor *s)
{
	struct stat st;

	if (mkdir(s->opt.runtime_dir, 0700) < 0 && errno != EEXIST) {
		log_error("cannot make %s: %s", s->opt.runtime_dir, strerror(errno));
		return -1;
	}
	if (lstat(s->opt.runtime_dir, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid()) {
		log_error("%s is not a directory of this user", s->opt.runtime_dir);
		return -1;
	}
	if (s->opt.mode == MODE_USER && (st.st_mode & 0077)) {
		log_error("%s is open to others: chmod it 0700", s->opt.runtime_dir);
		return -1;
	}
	return 0;
}

/* The state directory's lock says that no other daemon lives: a socket that is there is a dead one's. */
static int
bind_one(const struct supervisor *s, enum listener which)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n, fd;

	n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.sock", s->opt.runtime_dir,
	    NAMES[which]);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		log_error("%s is too long for a socket's path: choose a shorter runtime directory",
		    s->opt.runtime_dir);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)unlink(address.sun_path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(address.sun_path,
		s->opt.mode == MODE_SYSTEM && which == LISTEN_MCP ? 0666 : 0600) < 0 ||
	    listen(fd, 64) < 0) {
		log_error("cannot listen on %s: %s", address.sun_path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static void
take_activated(struct supervisor *s)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < n; i++) {
		for (enum listener w = 0; w < LISTEN_MAX; w++)
			if (names && names[i] && strcmp(names[i], NAMES[w]) == 0 &&
			    s->listeners[w] < 0)
				s->listeners[w] = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
}

int
listeners_open(struct supervisor *s)
{
	take_activated(s);
	for (enum listener w = 0; w < LISTEN_MAX; w++) {
		if (s->listeners[w] < 0) {
			if (runtime_dir(s) < 0)
				return -1;
			s->listeners[w] = bind_one(s, w);
		}
		if (s->listeners[w] < 0)
			return -1;
	}
	return 0;
}

int
listeners_watch(struct supervisor *s)
{
	for (enum listener w = 0; w < LISTEN_MAX; w++)
		if (watch(s, s->listeners[w], SOURCE_LISTENER, w) < 0)
			return -1;
	return 0;
}

void
listeners_close(struct supervisor *s)
{
	for (enum listener w = 0; w < LISTEN_MAX; w++)
		if (s->listeners[w] >= 0)
			close(s->listeners[w]);
}

/*
 * Who may ask: in user mode the daemon's own uid; in system mode whoever the socket's permissions let through, but for
 * root as a screen, which screen_accept() refuses with its reason.
 */
static bool
uid_allowed(const struct supervisor *s, enum listener which, uid_t uid)
{
	if (s->opt.mode == MODE_USER)
		return uid == getuid() || MUTATE(PEER_UID);
	return which == LISTEN_MCP || uid == 0 || which == LISTEN_CONSENT;
}

/* Empty where there is none, or none that is plain: the uid is shown in any case. */
static void
user_name(uid_t uid, char ret_user[SGW_USER_MAX + 1])
{
	const struct passwd *pw = getpwuid(uid);

	ret_user[0] = 0;
	if (pw && text_is_ascii(pw->pw_name, strlen(pw->pw_name)))
		(void)field_copy(ret_user, SGW_USER_MAX + 1, pw->pw_name, strlen(pw->pw_name));
}

/* In system mode no uid may take the places of all others. */
static bool
room_for(const struct supervisor *s, uid_t uid)
{
	size_t all = 0, own = 0;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		const struct child *c = &s->children[i];

		all += c->pid && c->role == ROLE_FRONT;
		own += c->pid && c->role == ROLE_FRONT && c->uid == uid;
	}
	return all < s->clients_most && (s->opt.mode == MODE_USER || own < s->clients_most / 4);
}

/*
 * A front sees its client's end on the connection, unless the client handed over that very connection: then the front
 * itself holds it open, for ever.  So the end of the client's process counts as well.
 */
static void
client_watch(struct supervisor *s, struct child *front, int connection, pid_t pid)
{
	if (MUTATE(CLIENT_PIDFD))
		return;
	front->client = peer_pidfd(connection, pid);
	if (front->client < 0 && errno == ESRCH) /* it has ended already */
		child_ask(s, front);
	if (front->client < 0)
		return;
	(void)watch(s, front->client, SOURCE_CLIENT, (uint32_t)(front - s->children));
}

void
client_ended(struct supervisor *s, struct child *front)
{
	struct pollfd process = {.fd = front->client, .events = POLLIN};

	/* asked again: the slot may be another's since the event was taken */
	if (!front->pid || front->client < 0 || poll(&process, 1, 0) <= 0)
		return;
	close(front->client);
	front->client = -1;
	child_ask(s, front);
}

static void
front_spawn(struct supervisor *s, int connection, const struct ucred *peer, bool admin)
{
	const struct spawn_fd *fds;
	struct child *c;
	int edge[2];

	if (edge_pair(edge) < 0)
		return;
	fds = (const struct spawn_fd[]){
	    {edge[0], FD_FRONT_PLANNER}, {connection, FD_FRONT_CONNECTION}};
	c = spawn(s, ROLE_FRONT, fds, 2);
	close(edge[0]);
	if (!c) {
		close(edge[1]);
		return;
	}
	c->number = ++s->last_client;
	c->since = clock_machine();
	c->silences = 0;
	c->to_planner = edge[1];
	c->admin = admin;
	c->uid = peer->uid;
	c->client_pid = (uint32_t)peer->pid;
	user_name(peer->uid, c->user);
	c->chain_verified = chain_read(connection, peer->pid, c->chain);
	client_watch(s, c, connection, peer->pid);
	screen_client(s, peer->uid);
}

void
client_accept(struct supervisor *s, enum listener which)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	int fd = accept4(s->listeners[which], NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    !uid_allowed(s, which, peer.uid)) {
		log_warning("uid %u may not use %s.sock", (unsigned)peer.uid, NAMES[which]);
		close(fd);
		return;
	}
	if (which == LISTEN_CONSENT) {
		screen_accept(s, fd, peer.uid);
		return;
	}
	if (!room_for(s, peer.uid))
		log_warning(
		    "uid %u has too many clients: one more is turned away", (unsigned)peer.uid);
	else if (s->listening)
		front_spawn(s, fd, &peer, which == LISTEN_ADMIN);
	close(fd);
}

void
client_ready(struct supervisor *s, struct child *front)
{
	struct msg *m = &s->msg;

	if (!s->listening) { /* the cell that it was meant for has ended */
		child_end(front);
		return;
	}
	m->id = MSG_FRONT_START;
	m->front_start.client = front->number;
	m->front_start.admin = front->admin;
	if (chan_send(&front->control, s->scratch, m, -1, false) < 0) {
		child_end(front);
		return;
	}
	m->id = MSG_CLIENT;
	m->client = (struct msg_client){.client = front->number,
	    .admin = front->admin,
	    .uid = front->uid,
	    .pid = front->client_pid,
	    .chain_verified = front->chain_verified};
	(void)FIELD_SET(m->client.chain, front->chain);
	(void)FIELD_SET(m->client.user, front->user);
	cell_send(s, ROLE_BROKER, m, -1);
	cell_send(s, ROLE_PLANNER, m, front->to_planner);
	close(front->to_planner);
	front->to_planner = -1;
	cell_ping(s, front->number);
}

/* Told oftener than an honest front could: it would keep us busy. */
void
client_silent(struct supervisor *s, struct child *front, uint32_t client)
{
	int64_t lived = clock_machine() - front->since;

	if (client != front->number || front->silences++ > 1 + lived / (SGW_SILENCE * 1000)) {
		child_end(front);
		return;
	}
	cell_ping(s, front->number);
}

void
client_gone(struct supervisor *s, struct child *front)
{
	s->msg.id = MSG_CLIENT_GONE;
	s->msg.client_gone.client = front->number;
	cell_send(s, ROLE_BROKER, &s->msg, -1);
	cell_send(s, ROLE_PLANNER, &s->msg, -1);
	cell_ping(s, front->number);
}
