/* SPDX-License-Identifier: Apache-2.0 */
/* CTAPHID reports over one inherited descriptor: see transport.h. */
#include "transport.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sgwarden/log.h>

#define REPORT 64

/* Positions in a report that libfido2 writes, behind the report id (CTAP 2.1, section 11.2.4). */
enum {
	AT_CMD = 4,
	AT_DATA = 7,
	CMD_CBOR = 0x90,
	CMD_KEEPALIVE = 0xbb,
	KEEPALIVE_UP_NEEDED = 2,
	CTAP_MAKE_CREDENTIAL = 1,
	CTAP_GET_ASSERTION = 2,
};

int
transport_init(struct transport *t, int fd, const int peers[TRANSPORT_PEERS])
{
	struct stat st;
	bool known;

	if (fstat(fd, &st) < 0) {
		log_error("no key device");
		return -1;
	}
	known = S_ISCHR(st.st_mode);
#if SGW_SOFTKEY
	known = known || S_ISSOCK(st.st_mode);
#endif
	if (!known) {
		log_error("the key device is of a kind that is not spoken to");
		return -1;
	}
	*t = (struct transport){.fd = fd};
	for (int i = 0; i < TRANSPORT_PEERS; i++)
		t->peers[i] = peers[i];
	return 0;
}

/* 1: a report is there; 0: not within ms (-1 = for ever); -1: a peer or the key is gone. */
static int
wait_report(struct transport *t, int ms)
{
	struct pollfd p[1 + TRANSPORT_PEERS] = {{.fd = t->fd, .events = POLLIN}};
	int n;

	for (int i = 0; i < TRANSPORT_PEERS; i++)
		p[1 + i] = (struct pollfd){.fd = t->peers[i], .events = POLLIN};
	n = poll(p, 1 + TRANSPORT_PEERS, ms);
	if (n <= 0)
		return n < 0 && errno != EINTR ? -1 : 0;
	for (int i = 0; i < TRANSPORT_PEERS; i++)
		t->abandoned |= p[1 + i].revents != 0;
	if (t->abandoned)
		return -1;
	if (!(p[0].revents & POLLIN)) {
		t->pulled = true;
		return -1;
	}
	return 1;
}

static void
note_blinking(struct transport *t, const unsigned char *report)
{
	if (t->blinking || !t->armed || report[AT_CMD] != CMD_KEEPALIVE ||
	    report[AT_DATA] != KEEPALIVE_UP_NEEDED)
		return;
	t->blinking = true;
	t->on_blink(t->arg);
}

int
transport_read(void *handle, unsigned char *buf, size_t len, int ms)
{
	struct transport *t = handle;
	ssize_t n;
	int r = wait_report(t, ms);

	if (r == 0)
		t->timed_out = true;
	if (r <= 0 || len != REPORT)
		return -1;
	n = read(t->fd, buf, len);
	if (n <= 0)
		t->pulled = true;
	else if (n == REPORT)
		note_blinking(t, buf);
	return (int)n;
}

int
transport_write(void *handle, const unsigned char *buf, size_t len)
{
	struct transport *t = handle;
	const unsigned char *report = buf + 1; /* behind the report id */
	ssize_t n;

	if (len != REPORT + 1)
		return -1;
	if (t->armed && report[AT_CMD] == CMD_CBOR &&
	    (report[AT_DATA] == CTAP_MAKE_CREDENTIAL || report[AT_DATA] == CTAP_GET_ASSERTION))
		t->on_asked(t->arg);
	n = write(t->fd, buf, len);
	if (n < 0)
		t->pulled = true;
	return (int)n;
}

void
transport_close(void *handle)
{
	(void)handle; /* the descriptor lives as long as the process */
}

void
transport_drain(struct transport *t)
{
	unsigned char report[REPORT];

	while (wait_report(t, 0) == 1)
		if (read(t->fd, report, sizeof(report)) <= 0) {
			t->pulled = true;
			return;
		}
}

void
transport_pause(struct transport *t, int ms)
{
	struct pollfd p[TRANSPORT_PEERS];

	for (int i = 0; i < TRANSPORT_PEERS; i++)
		p[i] = (struct pollfd){.fd = t->peers[i], .events = POLLIN};
	if (poll(p, TRANSPORT_PEERS, ms) > 0)
		t->abandoned = true;
}
