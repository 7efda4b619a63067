/* SPDX-License-Identifier: Apache-2.0 */
/* Everybody around one real planner; see planner_world.h. */
#include "planner_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 60000 /* ms */

struct world W;

/* ---- the process ---- */

static void
pair(int ret_ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends), 0);
}

static void
become_planner(const int ends[4], pid_t parent)
{
	static const int places[4] = {FD_CONTROL, FD_PLANNER_BROKER, FD_PLANNER_NET, FD_TESTCLOCK};
	char path[] = PLANNER_EXE, mode[] = "--mode=user", parent_arg[32];
	char *const argv[] = {path, mode, parent_arg, NULL};
	int high[4], null = open("/dev/null", O_RDWR);

	for (size_t i = 0; i < 4; i++)
		high[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, 100);
	for (size_t i = 0; i < 4; i++)
		if (high[i] < 0 || dup2(high[i], places[i]) < 0)
			_exit(71);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(71);
	snprintf(parent_arg, sizeof(parent_arg), "--parent=%d", (int)parent);
	execv(path, argv);
	_exit(72);
}

static void
configure(uint32_t cache_ttl)
{
	struct rec_config *conf = &W.out.cell.config;

	memset(&W.out, 0, sizeof(W.out));
	W.out.id = MSG_CELL;
	policy_builtin(&conf->policy);
	conf->policy.allow_documentation = true;
	conf->n_profiles = 2;
	FIELD_SET(conf->profiles[0].name, "prod");
	conf->profiles[0].is_default = true;
	conf->profiles[0].n_regions = 2;
	FIELD_SET(conf->profiles[0].regions[0].name, "eu-west-1");
	FIELD_SET(conf->profiles[0].regions[1].name, "eu-west-2");
	conf->profiles[1] = conf->profiles[0];
	FIELD_SET(conf->profiles[1].name, "other");
	conf->profiles[1].is_default = false;
	conf->n_address_sources = 3;
	for (size_t i = 0; i < 3; i++)
		FIELD_SET(conf->address_sources[i].url, "https://source.example/ip");
	conf->cache_ttl = cache_ttl;
	FIELD_SET(W.out.cell.appliance, "abcdefghijklmnop");
	FIELD_SET(W.out.cell.boot_id, "00000000-0000-0000-0000-000000000000");
	W.out.cell.degraded = 1u << 6;
	world_say(&W.control);
}

static void
spawn(uint32_t cache_ttl)
{
	int control[2], broker[2], net[2], clock = memfd_create("clock", MFD_CLOEXEC);
	pid_t parent = getpid();

	assert_int_equal(ftruncate(clock, 4096), 0);
	W.clock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, clock, 0);
	assert_true(W.clock != MAP_FAILED);
	pair(control);
	pair(broker);
	pair(net);
	W.pid = fork();
	if (W.pid == 0)
		become_planner((int[4]){control[1], broker[1], net[1], clock}, parent);
	close(control[1]);
	close(broker[1]);
	close(net[1]);
	close(clock);
	W.control = chan_open(control[0], ROLE_SUPERVISOR, ROLE_PLANNER);
	W.broker = chan_open(broker[0], ROLE_BROKER, ROLE_PLANNER);
	W.net = chan_open(net[0], ROLE_NET, ROLE_PLANNER);
	W.control.state = CHAN_STARTING;
	world_expect(&W.control, MSG_READY);
	W.control.state = CHAN_OPEN;
	configure(cache_ttl);
}

int
world_start(void **state)
{
	memset(&W, 0, sizeof(W));
	W.status.screen = DISPLAY_TRUSTED;
	W.status.ledger_ok = true;
	W.status.keys = 2;
	FIELD_SET(W.status.tty, "tty3");
	W.status.phrase = true;
	world_add_group(GROUP, "vpc-0123456789abcdef0", true);
	spawn(60);
	return 0;
}

int
world_end(void **state)
{
	chan_close(&W.control);
	chan_close(&W.broker);
	chan_close(&W.net);
	munmap(W.clock, 4096);
	if (W.pid > 0)
		waitpid(W.pid, NULL, 0);
	return 0;
}

void
world_restart(uint32_t cache_ttl)
{
	world_end(NULL);
	spawn(cache_ttl);
}

struct chan
world_client(uint32_t number, bool admin, uint32_t uid)
{
	int ends[2];

	pair(ends);
	W.out.id = MSG_CLIENT;
	W.out.client = (struct msg_client){
	    .client = number, .admin = admin, .uid = uid, .pid = 4312, .chain_verified = true};
	FIELD_SET(W.out.client.chain, "a-client <- zsh");
	assert_int_equal(chan_send(&W.control, W.scratch, &W.out, ends[1], false), 0);
	close(ends[1]);
	return chan_open(ends[0], ROLE_FRONT, ROLE_PLANNER);
}

void
world_say(struct chan *to)
{
	assert_int_equal(chan_send(to, W.scratch, &W.out, -1, false), 0);
}

/* ---- net ---- */

static void
done(uint32_t request, const char *next_token)
{
	W.out.id = MSG_DONE;
	W.out.done = (struct msg_done){.request = request, .http_status = 200};
	FIELD_SET(W.out.done.next_token, next_token);
	world_say(&W.net);
}

static void
answer_rules(const struct msg_read *m)
{
	size_t from = m->next_token[0] ? strtoul(m->next_token, NULL, 10) : 0;
	size_t to = W.page && from + W.page < W.n_rules ? from + W.page : W.n_rules;
	char next[24] = "";

	for (size_t at = from; at < to; at += SGW_RULES_PAGE) {
		W.out.id = MSG_AWS_RULES;
		W.out.aws_rules.request = m->request;
		W.out.aws_rules.n_rules = 0;
		for (size_t i = at; i < to && i < at + SGW_RULES_PAGE; i++)
			if (strcmp(m->group_id, W.rules[i].group_id) == 0)
				W.out.aws_rules.rules[W.out.aws_rules.n_rules++] = W.rules[i];
		world_say(&W.net);
	}
	if (to < W.n_rules)
		snprintf(next, sizeof(next), "%zu", to);
	done(m->request, next);
}

static void
answer_groups(const struct msg_read *m)
{
	for (size_t at = 0; at < W.n_groups; at += SGW_GROUPS_PAGE) {
		W.out.id = MSG_AWS_GROUPS;
		W.out.aws_groups.request = m->request;
		W.out.aws_groups.n_groups = 0;
		for (size_t i = at; i < W.n_groups && i < at + SGW_GROUPS_PAGE; i++)
			if (m->group_id[0] == 0 || strcmp(m->group_id, W.groups[i].group_id) == 0)
				W.out.aws_groups.groups[W.out.aws_groups.n_groups++] = W.groups[i];
		world_say(&W.net);
	}
	done(m->request, "");
}

static void
answer_read(const struct msg_read *m)
{
	W.reads[m->what]++;
	W.last_read = *m;
	if (W.silent)
		return;
	if (W.n_bad > 0) {
		W.n_bad--;
		W.out.id = MSG_DONE;
		W.out.done = W.bad;
		W.out.done.request = m->request;
		world_say(&W.net);
	} else if (m->what == AWS_DESCRIBE_RULES)
		answer_rules(m);
	else if (m->what == AWS_DESCRIBE_GROUPS)
		answer_groups(m);
	else {
		W.out.id = MSG_AWS_IDENTITY;
		W.out.aws_identity.request = m->request;
		FIELD_SET(W.out.aws_identity.account, "111122223333");
		FIELD_SET(W.out.aws_identity.arn, "arn:aws:iam::111122223333:user/x");
		world_say(&W.net);
		done(m->request, "");
	}
}

/* ---- broker ---- */

bool
world_answer(void)
{
	if (W.m.id == MSG_READ) {
		answer_read(&W.m.read);
		return true;
	}
	if (W.m.id != MSG_ASK_BROKER && W.m.id != MSG_ASK_GRANTS && W.m.id != MSG_ASK_KEY_LIST)
		return false;
	if (W.mute)
		return true;
	if (W.m.id == MSG_ASK_BROKER) {
		W.out.id = MSG_BROKER_STATUS;
		W.out.broker_status = W.status;
		W.out.broker_status.request = W.m.ask_broker.request;
	} else if (W.m.id == MSG_ASK_GRANTS) {
		W.out.id = MSG_GRANTS;
		W.out.grants.request = W.m.ask_grants.request;
		W.out.grants.more = false;
		W.out.grants.n_grants = (uint16_t)W.n_grants;
		memcpy(W.out.grants.grants, W.grants, sizeof(W.grants));
	} else {
		W.out.id = MSG_KEY_LIST;
		W.out.key_list = W.keys;
		W.out.key_list.request = W.m.ask_key_list.request;
	}
	world_say(&W.broker);
	return true;
}

/* One message within `ms`; 0: none.  -1: `front` has ended. */
static int
listen_for(struct chan *front, int ms)
{
	for (;;) {
		struct pollfd p[2] = {
		    {.fd = front->fd, .events = POLLIN}, {.fd = W.broker.fd, .events = POLLIN}};
		enum chan_result r;

		if (poll(p, 2, ms) <= 0)
			return 0;
		if (p[1].revents & POLLIN) {
			r = chan_recv(&W.broker, W.scratch, &W.m, NULL);
			assert_int_equal(r, CHAN_GOT);
			if (!world_answer())
				return 1;
			continue;
		}
		r = chan_recv(front, W.scratch, &W.m, NULL);
		if (r == CHAN_EOF)
			return -1;
		assert_int_equal(r, CHAN_GOT);
		return 1;
	}
}

enum msg_id
world_next(struct chan *front)
{
	if (listen_for(front, PATIENCE) != 1)
		fail_msg("no message");
	return W.m.id;
}

void
world_expect(struct chan *front, enum msg_id id)
{
	enum msg_id is = world_next(front);

	if (is != id)
		fail_msg("0x%04x instead of 0x%04x (%s)", (unsigned)is, (unsigned)id,
		    is == MSG_FAILED ? W.m.failed.detail : "");
}

void
world_quiet(struct chan *front)
{
	if (listen_for(front, 150) != 0)
		fail_msg("0x%04x came", (unsigned)W.m.id);
}

bool
world_came(struct chan *front, int64_t from, int64_t ms)
{
	if (listen_for(front, 150) == 0)
		return false;
	if (clock_machine() - from < ms)
		fail_msg("0x%04x came", (unsigned)W.m.id);
	return true;
}

void
world_sync(struct chan *front)
{
	W.out.id = MSG_ASK_HEALTH;
	W.out.ask_health.request = UINT32_MAX;
	world_say(front);
	world_expect(front, MSG_HEALTH);
	assert_int_equal(W.m.health.request, UINT32_MAX);
}

unsigned
world_reads(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < AWS_OP_MAX; i++)
		n += W.reads[i];
	return n;
}

void
world_await_reads(struct chan *front, unsigned n)
{
	for (int i = 0; world_reads() < n; i++)
		if (i == PATIENCE / 10 || listen_for(front, 10) != 0)
			fail_msg("%u reads, not %u", world_reads(), n);
}

void
world_wait_closed(struct chan *front)
{
	if (listen_for(front, PATIENCE) != -1)
		fail_msg("it is still open");
	chan_close(front);
}

bool
world_alive(void)
{
	return waitpid(W.pid, NULL, WNOHANG) == 0;
}

int
world_wait_exit(void)
{
	int status = 0;

	for (int i = 0; i < PATIENCE / 10; i++) {
		if (waitpid(W.pid, &status, WNOHANG) == W.pid) {
			W.pid = 0;
			return status;
		}
		usleep(10000);
	}
	fail_msg("it lives on");
	return 0;
}

void
world_sleep(int64_t seconds)
{
	*W.clock += seconds;
}

/* ---- what is so ---- */

struct rec_cidr
world_cidr(const char *text)
{
	struct rec_cidr c = {0};

	assert_int_equal(cidr_parse(text, strlen(text), &c), CIDR_OK);
	return c;
}

void
world_add_rule(const char *id, int16_t protocol, int32_t from, int32_t to, const char *source)
{
	struct rec_rule *rule = &W.rules[W.n_rules++];

	*rule = (struct rec_rule){.protocol = protocol, .from_port = from, .to_port = to};
	FIELD_SET(rule->rule_id, id);
	FIELD_SET(rule->group_id, GROUP);
	rule->source = world_cidr(source);
}

void
world_add_group(const char *id, const char *vpc, bool managed)
{
	struct rec_group *group = &W.groups[W.n_groups++];

	*group = (struct rec_group){.managed = managed};
	FIELD_SET(group->group_id, id);
	FIELD_SET(group->name, "bastion");
	FIELD_SET(group->vpc_id, vpc);
	FIELD_SET(group->owner, "111122223333");
	if (managed) {
		group->n_tags = 1;
		FIELD_SET(group->tags[0].key, "sgwarden:managed");
		FIELD_SET(group->tags[0].value, "true");
	}
}
