/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CTAPHID reports over one inherited descriptor: a hidraw device (64-byte reports, as every FIDO key has them; CTAP
 * 2.1, section 11.2.8), or in test builds a SOCK_SEQPACKET socket with a software key behind it.  libfido2 calls
 * in; while it waits for the key, this also sees that a peer has ended, so that nobody's key blinks for a dead
 * ceremony.
 */
#ifndef SGW_FIDO_TRANSPORT_H
#define SGW_FIDO_TRANSPORT_H

#include <fido.h>
#include <stdbool.h>

#define TRANSPORT_PEERS 3

struct transport {
	int fd;
	int peers
	    [TRANSPORT_PEERS]; /* watched, never read: with one of them gone there is nobody to ask for */
	bool pulled;           /* the key is gone */
	bool abandoned;        /* a peer is gone, or spoke when it had nothing to say */
	bool timed_out;
	bool
	    armed; /* the question proper goes out next: on_asked and on_blink are wanted, once each */
	bool blinking;

	void (*on_asked)(void *arg); /* libfido2 has used the PIN for the last time */
	void (*on_blink)(void *arg); /* the key says that it waits for a touch */
	void *arg;
};

/* Takes over fd, whose type decides; 0, or -1 with a line in the log: neither hidraw nor (test builds) a socket. */
int transport_init(struct transport *t, int fd, const int peers[TRANSPORT_PEERS]);

/* Drops what an earlier ceremony left unread. */
void transport_drain(struct transport *t);

/* Waits ms, less when a peer ends. */
void transport_pause(struct transport *t, int ms);

/*
 * What libfido2 calls (fido_dev_set_io_functions(3)).  `handle` is the struct transport, which the caller's own
 * open function returns: libfido2 has no other way to pass it.
 */
int transport_read(void *handle, unsigned char *buf, size_t len, int ms);
int transport_write(void *handle, const unsigned char *buf, size_t len);
void transport_close(void *handle);

#endif
