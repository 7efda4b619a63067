/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One datagram from a hostile peer.  It is refused, or it is the one form of what it says; and it is received only
 * in a direction and state that its row allows.  Compiled once for each row of messages.def with FUZZ_MESSAGE, which
 * keeps the fuzzer inside that message and that direction; without it the datagram says itself what it is.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/wire.h>

#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static uint8_t datagram[SGW_DATAGRAM_MAX], again[SGW_DATAGRAM_MAX];
static struct msg got, received;

static void
codec(size_t len, bool *ret_valid)
{
	struct buf b = buf_over(again, sizeof(again));

	*ret_valid = msg_decode(datagram, len, &got);
	if (!*ret_valid)
		return;
	MUST(msg_encode(&b, &got));
	MUST(b.len == len && memcmp(again, datagram, len) == 0);
}

static void
receive(size_t len, bool valid, enum role self, enum role peer, enum chan_state in)
{
	const struct msg_row *row = valid ? msg_row((uint16_t)got.id) : NULL;
	enum chan_result want = CHAN_VIOLATION, r;
	struct chan ch;
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	if (send(ends[1], datagram, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		goto out; /* longer than the queue of this machine */
	ch = chan_open(ends[0], self, peer);
	ch.state = in;
	if (row && (row->to & ROLE_BIT(self)) && (row->from & ROLE_BIT(peer)) &&
	    (row->states & (1u << in)) && (row->fds == 0 || row->fds == MSG_ANY_FDS))
		want = CHAN_GOT;
	r = chan_recv(&ch, again, &received, NULL);
	MUST(r == want || (fuzz_failing() && r == CHAN_EOF));
	MUST(r != CHAN_GOT || received.id == got.id);
out:
	close(ends[0]);
	close(ends[1]);
}

/* The first direction of a set of roles. */
static enum role
first_role(uint32_t roles)
{
	for (unsigned r = 0; r < ROLE_MAX; r++)
		if (roles & ROLE_BIT(r))
			return (enum role)r;
	return ROLE_SUPERVISOR;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned any = 0;
	bool valid;

	log_open("fuzz", 0);
	if (len < 4 || len > SGW_DATAGRAM_MAX)
		return 0;
	memcpy(datagram, data, len);
#ifdef FUZZ_MESSAGE
	datagram[0] = 'S';
	datagram[1] = 'G';
	datagram[2] = (uint8_t)(FUZZ_MESSAGE >> 8);
	datagram[3] = (uint8_t)(FUZZ_MESSAGE & 0xff);
#endif
	codec(len, &valid);
	for (size_t i = 0; i < len; i++)
		any = any * 31 + datagram[i];
	receive(len, valid, (enum role)(any % ROLE_MAX), (enum role)(any / 8 % ROLE_MAX),
	    (enum chan_state)(any / 64 % CHAN_STATE_MAX));
	if (valid) {
		const struct msg_row *row = msg_row((uint16_t)got.id);
		enum chan_state in = CHAN_OPEN;

		while (!(row->states & (1u << in)))
			in++;
		receive(len, valid, first_role(row->to), first_role(row->from), in);
	}
	return 0;
}
