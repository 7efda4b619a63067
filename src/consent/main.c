/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: the person's terminal while one record is decided, and for seconds the PIN
 * cannot: open a file or a socket, reach the network, see a credential, sign, type into another terminal
 * if owned: its screen lies and the PIN is stolen; no assertion exists without a touch, nor over another record
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>
#include <sgwarden/sandbox.h>

#include "consent.h"

static struct consent consent;

/* The whole seconds of the countdown, and for ever once there is none: no idle wake-ups. */
static int
wait_time(const struct consent *c)
{
	int64_t left = c->deadline - clock_monotonic();

	if (c->deadline == 0 || left <= 0)
		return clock_wait(-1);
	return clock_wait((left - 1) % 1000 + 1);
}

static void
turn(struct consent *c, const struct pollfd *p)
{
	size_t n_fidos = c->n_fidos;

	/* The keys first: a touch that was made counts before an end that followed it. */
	for (size_t i = 0; i < n_fidos && i < c->n_fidos; i++)
		if (p[3 + i].revents != 0 && c->fidos[i].chan.fd >= 0)
			on_fido(c, i);
	if (p[1].revents != 0 && c->broker.fd >= 0)
		on_broker(c);
	if (p[0].revents != 0 && c->step != STEP_DONE)
		on_control(c);
	if (p[2].revents != 0 && c->step != STEP_DONE)
		on_typed(c);
}

static int
serve(struct consent *c)
{
	while (c->step != STEP_DONE) {
		struct pollfd p[3 + FIDOS_MAX] = {
		    {.fd = c->control.fd, .events = POLLIN},
		    {.fd = c->broker.fd, .events = POLLIN},
		    {.fd = c->screen.open && !c->screen.gone ? c->screen.fd : -1, .events = POLLIN},
		};
		int r;

		for (size_t i = 0; i < c->n_fidos; i++)
			p[3 + i] = (struct pollfd){.fd = c->fidos[i].chan.fd, .events = POLLIN};
		r = poll(p, 3 + c->n_fidos, wait_time(c));
		if (r < 0 && errno != EINTR) {
			log_error("poll: errno %d", errno);
			return 1;
		}
		if (r > 0)
			turn(c, p);
		else
			on_tick(c);
	}
	return 0;
}

static int
ready(struct consent *c, uint32_t degraded)
{
	c->out = (struct msg){.id = MSG_READY};
	c->out.ready.degraded = degraded;
	return chan_send(&c->control, c->scratch, &c->out, -1, false);
}

int
main(int argc, char **argv)
{
	struct consent *c = &consent;
	struct sandbox_args args;
	uint8_t digest[HASH_LEN];
	uint32_t degraded = 0;
	int r = 1;

	log_open("consent", LOG_LEVEL_INFO);
	if (sandbox_args_parse(argc, argv, &args) < 0)
		return 2;
	/* The screen is not to be our controlling terminal: then no job control stops us, and Ctrl-C is a byte. */
	(void)setsid();
	/* libcrypto sets its tables up when it is first used: that is now, files are still there. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	hash_sha256("", 0, digest);
	if (secret_alloc(&c->region, sizeof(*c->vault)) < 0)
		return 1;
	c->vault = c->region.data;
	sandbox_enter(ROLE_CONSENT, &args, &degraded);
	clock_open();
	c->control = chan_open(FD_CONTROL, ROLE_CONSENT, ROLE_SUPERVISOR);
	c->broker = chan_open(FD_CONSENT_BROKER, ROLE_CONSENT, ROLE_BROKER);
	if (ready(c, degraded) == 0)
		r = serve(c);
	/* however it ended: a stop may come while the person writes the code down */
	if (!MUTATE(CODE_LEFT))
		code_erase(c);
	keys_close(c);
	screen_close(&c->screen);
	secret_free(&c->region);
	return r;
}
