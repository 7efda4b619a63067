/* SPDX-License-Identifier: Apache-2.0 */
/* CTAPHID: see hid.h. */
#include "hid.h"

#include "misbehave.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define BROADCAST 0xffffffffU
#define INIT_DATA (HID_REPORT - 7)
#define CONT_DATA (HID_REPORT - 5)
#define MESSAGE_MS 3000 /* keys have half a second; a platform on a busy machine may need more */
#define KEEPALIVE_UP 2

enum {
	CMD_PING = 0x01,
	CMD_INIT = 0x06,
	CMD_WINK = 0x08,
	CMD_CBOR = 0x10,
	CMD_CANCEL = 0x11,
	CMD_KEEPALIVE = 0x3b,
	CMD_ERROR = 0x3f
};

enum {
	ERR_INVALID_CMD = 0x01,
	ERR_INVALID_LEN = 0x03,
	ERR_INVALID_SEQ = 0x04,
	ERR_MSG_TIMEOUT = 0x05,
	ERR_CHANNEL_BUSY = 0x06,
	ERR_INVALID_CHANNEL = 0x0b
};

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A platform that died leaves its socket full; its successor drains it, so an answer waits a moment for room. */
static void
send_report(struct hid *h, const uint8_t report[HID_REPORT], int patience_ms)
{
	struct pollfd p = {.fd = h->fd, .events = POLLOUT};

	if (poll(&p, 1, patience_ms) == 1)
		(void)send(h->fd, report, HID_REPORT, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
send_message(struct hid *h, uint32_t cid, uint8_t cmd, const uint8_t *data, size_t len)
{
	uint8_t report[HID_REPORT] = {0};
	size_t at = len < INIT_DATA ? len : INIT_DATA;
	int patience = cmd == CMD_KEEPALIVE ? 0 : 1000;
	uint8_t seq = 0;

	put_u32(report, cid);
	report[4] = 0x80 | cmd;
	report[5] = (uint8_t)(len >> 8);
	report[6] = (uint8_t)len;
	memcpy(report + 7, data, at);
	send_report(h, report, patience);
	while (at < len) {
		size_t n = len - at < CONT_DATA ? len - at : CONT_DATA;

		memset(report + 4, 0, sizeof report - 4);
		report[4] = seq++;
		memcpy(report + 5, data + at, n);
		send_report(h, report, patience);
		at += n;
	}
}

static void
send_error(struct hid *h, uint32_t cid, uint8_t code)
{
	send_message(h, cid, CMD_ERROR, &code, 1);
}

void
hid_keepalive(struct hid *h)
{
	const uint8_t status = KEEPALIVE_UP;

	send_message(h, h->cid, CMD_KEEPALIVE, &status, 1);
}

/*
 * INIT ends whatever was under way: on the same channel because the standard says so, on broadcast because the
 * next ceremony's process uses the socket after the last one's, which may have died in the middle.
 */
static void
do_init(struct hid *h, uint32_t cid, const uint8_t *data, size_t len)
{
	uint8_t answer[17] = {0};

	if (len != 8) {
		send_error(h, cid, ERR_INVALID_LEN);
		return;
	}
	if (h->busy)
		h->aborted = true;
	else
		h->cid = 0;
	memcpy(answer, data, 8);
	if (cid == BROADCAST)
		put_u32(answer + 8, ++h->last_cid);
	else
		put_u32(answer + 8, cid);
	answer[12] = 2;                  /* CTAPHID version */
	answer[16] = 0x01 | 0x04 | 0x08; /* WINK, CBOR, no U2F messages */
	send_message(h, cid, CMD_INIT, answer, sizeof answer);
}

static void
do_cbor(struct hid *h)
{
	uint8_t resp[CTAP_MSG_MAX];
	size_t len;

	if (h->have == 0) {
		send_error(h, h->cid, ERR_INVALID_LEN);
		return;
	}
	control_event(h->control, "ctap %02x", h->buf[0]);
	len = ctap_handle(h->auth, h->buf, h->have, resp, sizeof resp);
	if (len == 0)
		control_event(h->control, "hang");
	else if (!h->aborted)
		send_message(h, h->cid, CMD_CBOR, resp, len);
}

static void
dispatch(struct hid *h)
{
	h->busy = true;
	h->cancelled = h->aborted = false;
	if (h->cmd == CMD_PING) {
		send_message(h, h->cid, CMD_PING, h->buf, h->have);
	} else if (h->cmd == CMD_WINK) {
		control_event(h->control, "wink");
		send_message(h, h->cid, CMD_WINK, h->buf, 0);
	} else if (h->cmd == CMD_CBOR) {
		do_cbor(h);
	} else {
		send_error(h, h->cid, ERR_INVALID_CMD);
	}
	h->busy = false;
	h->cid = 0;
}

static void
first_report(struct hid *h, uint32_t cid, const uint8_t *r, uint64_t now)
{
	uint8_t cmd = r[4] & 0x7f;
	size_t len = (size_t)(r[5] << 8 | r[6]);

	if (cmd == CMD_INIT) {
		do_init(h, cid, r + 7, len);
	} else if (cid == BROADCAST || cid == 0 || cid > h->last_cid) {
		send_error(h, cid, ERR_INVALID_CHANNEL);
	} else if (cmd == CMD_CANCEL) {
		h->cancelled |= h->busy && cid == h->cid;
	} else if (h->cid != 0 && (h->busy || cid != h->cid)) {
		send_error(h, cid, ERR_CHANNEL_BUSY);
	} else if (h->cid != 0) {
		h->cid = 0; /* a first report in the middle of a message */
		send_error(h, cid, ERR_INVALID_SEQ);
	} else if (len > CTAP_MSG_MAX) {
		send_error(h, cid, ERR_INVALID_LEN);
	} else {
		h->cid = cid;
		h->cmd = cmd;
		h->seq = 0;
		h->want = len;
		h->have = len < INIT_DATA ? len : INIT_DATA;
		h->deadline = now + MESSAGE_MS;
		memcpy(h->buf, r + 7, h->have);
	}
}

static void
next_report(struct hid *h, uint32_t cid, const uint8_t *r)
{
	size_t n;

	if (h->cid == 0 || h->busy || cid != h->cid)
		return; /* the standard: spurious continuations are ignored */
	if (r[4] != h->seq) {
		h->cid = 0;
		send_error(h, cid, ERR_INVALID_SEQ);
		return;
	}
	h->seq++;
	n = h->want - h->have < CONT_DATA ? h->want - h->have : CONT_DATA;
	memcpy(h->buf + h->have, r + 5, n);
	h->have += n;
}

bool
hid_read(struct hid *h, uint64_t now)
{
	uint8_t buf[HID_REPORT + 2];
	const uint8_t *r = buf;
	ssize_t n = recv(h->fd, buf, sizeof buf, MSG_DONTWAIT);

	if (n == 0)
		return false;
	/* hidraw takes the report id in front of a write; id 0 means that the device has no ids. */
	if (n == HID_REPORT + 1 && buf[0] == 0)
		r++;
	else if (n != HID_REPORT)
		return n > 0; /* no report at all: nothing that a device could have seen */
	control_event(h->control, "frame %llu", (unsigned long long)++h->reports);
	if (h->auth->misbehave & MIS_SILENT_PULL)
		return true;
	if (r[4] & 0x80)
		first_report(h, get_u32(r), r, now);
	else
		next_report(h, get_u32(r), r);
	if (h->cid != 0 && !h->busy && h->have == h->want)
		dispatch(h);
	return true;
}

void
hid_timeout(struct hid *h, uint64_t now)
{
	uint32_t cid = h->cid;

	if (cid == 0 || h->busy || now < h->deadline)
		return;
	h->cid = 0;
	send_error(h, cid, ERR_MSG_TIMEOUT);
}
