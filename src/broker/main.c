/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: the AWS credentials, the compiled policy, the enrolled public keys, the nonces, the ledger's descriptor
 * cannot: reach a network, open a file, parse text that a peer chose, or sign a change without a fresh touch over it
 * if owned: everything is lost; so it takes typed messages of fixed bounds from the fewest peers, and nothing else
 */
#include "broker.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/sandbox.h>

#include "custody.h"
#include "ledger_segment.h"
#include "ledger_write.h"
#include "receipts.h"
#include "start.h"
#include "status.h"
#include "timers.h"
#include <sgwarden/assertion.h>
#include "sigv4.h"

static struct broker B;

static void __attribute__((noreturn)) end(const char *why, int status)
{
	log_error("%s", why);
	secret_free(&B.secrets);
	_exit(status);
}

void
die(const char *why)
{
	end(why, 1);
}

void
die_mend(const char *why)
{
	end(why, EXIT_MEND);
}

void
send_planner(struct broker *b)
{
	if (chan_send(&b->planner, b->scratch, &b->out, -1, false) < 0)
		die("the planner does not take its messages");
}

void
send_control(struct broker *b)
{
	if (chan_send(&b->control, b->scratch, &b->out, -1, false) < 0)
		die("the supervisor does not take its messages");
}

static void
on_screen(struct broker *b, const struct msg_screen *m)
{
	b->screen = m->kind;
	b->screen_uid = m->uid;
	(void)FIELD_SET(b->tty, m->tty);
	if (b->serving)
		ceremony_screen(b);
}

static void __attribute__((noreturn)) control_ended(struct broker *b, enum chan_result r)
{
	b->segment.asked = true; /* nobody opens one any more */
	b->journal = false;      /* nor takes the last head */
	if (b->serving)
		(void)ledger_stop(b, "the supervisor ended it");
	secret_free(&b->secrets);
	_exit(r == CHAN_EOF ? 0 : 1);
}

static void
supervisor_said(struct broker *b, int fd)
{
	switch (b->in.id) {
	case MSG_CELL:
		start_cell(b, &b->in.cell);
		return;
	case MSG_CLIENT:
		client_add(b, &b->in.client);
		return;
	case MSG_CLIENT_GONE:
		job_client_gone(b, b->in.client_gone.client);
		client_remove(b, b->in.client_gone.client);
		return;
	case MSG_SCREEN:
		on_screen(b, &b->in.screen);
		return;
	case MSG_CONSENT_END:
		ceremony_spawned(b, b->in.consent_end.ceremony, fd);
		return;
	case MSG_SEGMENT:
		segment_come(b, b->in.segment.number, fd);
		return;
	case MSG_KEY_END:
		touch_end(b, &b->in.key_end, fd);
		return;
	default:
		if (b->active &&
		    (b->active->state == JOB_RESEAL || b->active->state == JOB_RESEALED))
			custody_committed(b, b->in.committed.ok);
		else if (b->active && b->active->kind == JOB_ADMIN)
			admin_committed(b, b->in.committed.ok);
		else
			enroll_committed(b, b->in.committed.ok);
		return;
	}
}

/* All of it: the supervisor tells of a client here before the planner can speak of it on its own edge. */
static void
on_control(struct broker *b)
{
	for (;;) {
		struct chan_fds fds = {0};
		enum chan_result r = chan_recv(&b->control, b->scratch, &b->in, &fds);

		if (r == CHAN_AGAIN)
			return;
		if (r != CHAN_GOT)
			control_ended(b, r);
		supervisor_said(b, fds.n ? fds.fd[0] : -1);
	}
}

static void
on_planner(struct broker *b)
{
	static struct msg m;
	enum chan_result r = chan_recv(&b->planner, b->scratch, &m, NULL);

	if (r == CHAN_AGAIN)
		return;
	if (r != CHAN_GOT || !b->serving) /* before that only its end is waited for */
		die("the planner has ended");
	switch (m.id) {
	case MSG_READ:
		aws_for_planner(b, &m.read);
		return;
	case MSG_PLAN:
		job_plan(b, &m.plan);
		return;
	case MSG_ENROLL:
		job_enroll(b, &m.enroll);
		return;
	case MSG_LOCKDOWN:
		lockdown_take(b, &m.lockdown);
		return;
	case MSG_ADMIN:
		admin_ask(b, &m.admin);
		return;
	case MSG_WITHDRAW:
		job_withdraw(b, m.withdraw.plan_id);
		return;
	case MSG_ASK_BROKER:
		status_tell(b, m.ask_broker.request);
		return;
	case MSG_ASK_GRANTS:
		grants_tell(b, m.ask_grants.request, m.ask_grants.group_id);
		return;
	case MSG_ASK_RECEIPT_LIST:
		receipts_tell(b, &m.ask_receipt_list);
		return;
	case MSG_ASK_RECEIPT_OF:
		receipt_tell(b, &m.ask_receipt_of);
		return;
	case MSG_ASK_SETTLE:
		reconcile_ask(b, &m.ask_settle);
		return;
	case MSG_ASK_OWN:
		own_ask(b, &m.ask_own);
		return;
	default:
		keys_tell(b, m.ask_key_list.request);
		return;
	}
}

static void
on_net(struct broker *b)
{
	enum chan_result r = chan_recv(&b->net, b->scratch, &b->in, NULL);
	static struct msg_done done;

	if (r == CHAN_AGAIN)
		return;
	if (r != CHAN_GOT)
		die("net has ended");
	aws_net_spoke(b);
	switch (b->in.id) {
	case MSG_AWS_RULES:
		aws_page_rules(b, &b->in.aws_rules);
		return;
	case MSG_AWS_GROUPS:
		aws_page_groups(b, &b->in.aws_groups);
		return;
	case MSG_AWS_IDENTITY:
		aws_identity(b, &b->in.aws_identity);
		return;
	case MSG_AWS_DATE:
		aws_date(b, &b->in.aws_date);
		return;
	case MSG_SEEN:
		own_seen(b, &b->in.seen);
		return;
	default:
		done = b->in.done;
		aws_done(b, &done);
		return;
	}
}

/* The edges, in the order in which they are looked at.  A closed one is passed over by poll(2). */
enum {
	P_CONTROL,
	P_PLANNER,
	P_NET,
	P_LOADER,
	P_CONSENT,
	P_FIDO,
	P_BOOT_TIMER = P_FIDO + FIDOS_MAX,
	P_WALL_TIMER,
	P_MAX,
};

static void
dispatch(struct broker *b, const struct pollfd p[P_MAX])
{
	static void (*const HANDLERS[P_FIDO])(struct broker *) = {
	    [P_CONTROL] = on_control,
	    [P_PLANNER] = on_planner,
	    [P_NET] = on_net,
	    [P_LOADER] = start_loader,
	    [P_CONSENT] = ceremony_consent,
	};

	for (size_t i = 0; i < P_FIDO; i++)
		if (p[i].revents)
			HANDLERS[i](b);
	for (size_t i = 0; i < FIDOS_MAX; i++)
		if (p[P_FIDO + i].revents && p[P_FIDO + i].fd == b->ceremony.fido[i].fd &&
		    i < b->ceremony.n_fidos)
			touch_fido(b, i);
}

/* How long poll(2) may wait for what is under way: -1 = for ever.  Closings have timers of their own. */
static int
idle(const struct broker *b)
{
	int64_t next = aws_next_deadline(b);
	int64_t job = job_next_deadline(b), own = own_next_deadline(b);
	int64_t locked = lockdowns_next(b), now = clock_monotonic();

	if (locked < next)
		next = locked;
	if (job < next)
		next = job;
	if (own < next)
		next = own;
	if (reconcile_next_deadline(b) < next)
		next = reconcile_next_deadline(b);
	if (ledger_next_deadline(b) < next)
		next = ledger_next_deadline(b);
	if (next == INT64_MAX)
		return clock_wait(-1);
	return clock_wait(next > now ? next - now : 0);
}

/* The timers stand where the next closing is due; once they have run out or the clock was set they are set anew. */
static void
wait_for_closing(int64_t *armed, bool expired, int64_t next)
{
	int64_t now = clock_monotonic();

	/* the wall clock is told in seconds, so that what is due by it wanders within one: a moment early does no harm */
	if (!expired && next >= *armed && next - *armed < 1000)
		return;
	*armed = next;
	if (timers_arm(next == INT64_MAX ? -1 : next > now ? next - now : 0) < 0)
		die("a timer cannot be set");
}

static void
loop(struct broker *b)
{
	int64_t armed = INT64_MAX;

	for (;;) {
		struct pollfd p[P_MAX] = {
		    [P_CONTROL] = {.fd = b->control.fd, .events = POLLIN},
		    [P_PLANNER] = {.fd = b->planner.fd, .events = b->serving ? POLLIN : 0},
		    [P_NET] = {.fd = b->net.fd, .events = POLLIN},
		    [P_LOADER] = {.fd = b->configured ? b->loader.fd : -1, .events = POLLIN},
		    [P_CONSENT] = {.fd = b->ceremony.consent.fd, .events = POLLIN},
		    [P_BOOT_TIMER] = {.fd = FD_BROKER_BOOT_TIMER, .events = POLLIN},
		    [P_WALL_TIMER] = {.fd = FD_BROKER_WALL_TIMER, .events = POLLIN},
		};

		for (size_t i = 0; i < FIDOS_MAX; i++)
			p[P_FIDO + i] = (struct pollfd){
			    .fd = i < b->ceremony.n_fidos ? b->ceremony.fido[i].fd : -1,
			    .events = POLLIN};
		if (poll(p, P_MAX, idle(b)) < 0 && errno != EINTR)
			die("poll failed");
		dispatch(b, p);
		aws_timeouts(b);
		own_timeouts(b);
		job_timeouts(b);
		lockdowns_run(b);
		closing_run(b);
		reconcile_timeouts(b);
		ledger_timeouts(b);
		wait_for_closing(&armed, p[P_BOOT_TIMER].revents || p[P_WALL_TIMER].revents,
		    b->serving ? closing_next(b) : INT64_MAX);
	}
}

/* libcrypto reads its configuration and loads its algorithms on first use: now, while files may be opened. */
static void
warm_up(void)
{
	static const struct sigv4_keys keys = {
	    .access_key_id = "warm", .secret_key = "up", .token = ""};
	static const struct sigv4_post post = {.host = "h",
	    .region = "us-east-1",
	    .service = "ec2",
	    .amz_date = "20260101T000000Z",
	    .body = "",
	    .body_len = 0};
	static const uint8_t zero[64];
	char authorization[SGW_AUTHORIZATION_MAX + 1];

	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	(void)sigv4_sign_post(&post, &keys, authorization, sizeof(authorization));
	(void)es256_verify(zero, zero, sizeof(zero), zero, zero, 8);
}

int
main(int argc, char **argv)
{
	struct sandbox_args args;

	log_open("sgw-broker", LOG_LEVEL_INFO);
	if (sandbox_args_parse(argc, argv, &args) < 0)
		return 2;
	args.plain = B.collected; /* what AWS said of groups */
	args.plain_len = sizeof(B.collected);
	warm_up();
	clock_open();
	if (timers_open() < 0)
		die("no timers");
	if (sandbox_enter(ROLE_BROKER, &args, &B.degraded) < 0)
		return 70;
	B.control = chan_open(FD_CONTROL, ROLE_BROKER, ROLE_SUPERVISOR);
	B.planner = chan_open(FD_BROKER_PLANNER, ROLE_BROKER, ROLE_PLANNER);
	B.net = chan_open(FD_BROKER_NET, ROLE_BROKER, ROLE_NET);
	B.loader = chan_open(FD_BROKER_LOADER, ROLE_BROKER, ROLE_LOADER);
	B.ceremony.consent.fd = -1;
	B.ledger_fd = FD_BROKER_LEDGER;
	B.ledger_ok = true;
	B.out.id = MSG_READY;
	B.out.ready.degraded = B.degraded;
	send_control(&B);
	if (keys_read(&B) < 0)
		die_mend("the key list cannot be read");
	if (statefile_read(&B.policy_file, FD_BROKER_POLICY, "policy.bin") < 0 ||
	    statefile_read(&B.sealed_file, FD_BROKER_SEALED, "sealed") < 0)
		die_mend("a state file cannot be read");
	loop(&B);
	return 0;
}
