/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holds: one security key's device; for milliseconds the PIN, for one answer the unsealing secret
 * cannot: open a file, a device or a socket; touch the key; have an assertion accepted for a record that broker did not make
 * if owned: that PIN and that ceremony's unsealing secret are stolen; no change is made that nobody touched for
 */
#include <fido.h>
#include <signal.h>

#include <sgwarden/log.h>
#include <sgwarden/sandbox.h>

#include "ceremony.h"

static struct ceremony ceremony;

/* libfido2 hands a path to open and nothing else: this is how the transport gets to it. */
static void *
key_open(const char *path)
{
	(void)path;
	return &ceremony.key;
}

/* libcrypto reads its configuration and sets its tables up when it is first used: that is now, files are still there. */
static int
library_warm_up(void)
{
	static const uint8_t data[1];
	fido_assert_t *a;
	int r;

	fido_init(FIDO_DISABLE_U2F_FALLBACK);
	a = fido_assert_new();
	r = a != NULL ? fido_assert_set_clientdata(a, data, sizeof(data)) : FIDO_ERR_INTERNAL;
	fido_assert_free(&a);
	return r == FIDO_OK ? 0 : -1;
}

static int
ready(uint32_t degraded)
{
	ceremony.vault->note = (struct msg){.id = MSG_READY};
	ceremony.vault->note.ready.degraded = degraded;
	return chan_send(
	    &ceremony.control, ceremony.vault->scratch, &ceremony.vault->note, -1, false);
}

int
main(int argc, char **argv)
{
	struct sandbox_args args;
	uint32_t degraded;
	int r;

	log_open("fido", LOG_LEVEL_INFO);
	ceremony.key_open = key_open;
	if (sandbox_args_parse(argc, argv, &args) < 0 || library_warm_up() < 0 ||
	    signal(SIGPIPE, SIG_IGN) ==
		SIG_ERR || /* a softkey that is gone is a key that was pulled */
	    ceremony_init(&ceremony, FD_CONTROL, FD_FIDO_BROKER, FD_FIDO_CONSENT, FD_FIDO_DEVICE) <
		0)
		return 1;
	sandbox_enter(ROLE_FIDO, &args, &degraded);
	r = ready(degraded) < 0 ? -1 : ceremony_run(&ceremony);
	ceremony_free(&ceremony);
	return r < 0 ? 1 : 0;
}
