/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uhid_key: plugs the software key in.  What speaks CTAPHID over a socket becomes a HID device of this machine, with a
 * hidraw node of its own, for a product that takes no socket: a release build.
 *
 *   uhid_key N
 *
 * N      an inherited SOCK_SEQPACKET socket, the platform's end of softkey's --fd: one datagram, one report.
 *
 * Prints `plugged` once the kernel has the device, `opened` and `closed` whenever the first program opens its node and
 * the last one closes it.  The device is gone when the socket or this program ends.  Needs /dev/uhid.
 * Exit status: 0 the key's end is closed, 1 the device cannot be made or is gone, 2 wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/uhid.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPORT 64

/* CTAP 2.1, section 11.2.8.1: two interrupt reports of 64 bytes each and no report id. */
static const uint8_t DESCRIPTOR[] = {
    0x06, 0xd0, 0xf1, /* usage page: FIDO alliance */
    0x09, 0x01,       /* usage: CTAPHID */
    0xa1, 0x01,       /* collection: application */
    0x09, 0x20,       /* usage: data in */
    0x15, 0x00,       /* logical minimum: 0 */
    0x26, 0xff, 0x00, /* logical maximum: 255 */
    0x75, 0x08,       /* report size: 8 bits */
    0x95, REPORT,     /* report count */
    0x81, 0x02,       /* input: data, variable, absolute */
    0x09, 0x21,       /* usage: data out */
    0x15, 0x00,       /* logical minimum: 0 */
    0x26, 0xff, 0x00, /* logical maximum: 255 */
    0x75, 0x08,       /* report size: 8 bits */
    0x95, REPORT,     /* report count */
    0x91, 0x02,       /* output: data, variable, absolute */
    0xc0,             /* end of the collection */
};

static int
plug(void)
{
	struct uhid_event e = {.type = UHID_CREATE2};
	int fd = open("/dev/uhid", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	(void)snprintf((char *)e.u.create2.name, sizeof(e.u.create2.name), "software key");
	e.u.create2.bus = BUS_USB;
	e.u.create2.vendor = 0x1209; /* pid.codes' test ids */
	e.u.create2.product = 0x0001;
	e.u.create2.rd_size = sizeof(DESCRIPTOR);
	memcpy(e.u.create2.rd_data, DESCRIPTOR, sizeof(DESCRIPTOR));
	if (write(fd, &e, sizeof(e)) == (ssize_t)sizeof(e))
		return fd;
	close(fd);
	return -1;
}

static void
say(const char *word)
{
	puts(word);
	fflush(stdout);
}

/* From the kernel: what a program wrote to the node goes to the key.  -1: the device is gone. */
static int
from_kernel(int uhid, int key)
{
	struct uhid_event e;
	ssize_t n = read(uhid, &e, sizeof(e));

	if (n < (ssize_t)sizeof(e.type))
		return n < 0 && errno == EINTR ? 0 : -1;
	switch (e.type) {
	case UHID_START:
		say("plugged");
		break;
	case UHID_OPEN:
		say("opened");
		break;
	case UHID_CLOSE:
		say("closed");
		break;
	case UHID_STOP:
		return -1;
	case UHID_OUTPUT:
		/* A report id of 0 stands in front, as softkey takes it; a key that does not listen loses it. */
		(void)send(key, e.u.output.data, e.u.output.size, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case UHID_GET_REPORT:
		e.u.get_report_reply =
		    (struct uhid_get_report_reply_req){.id = e.u.get_report.id, .err = EIO};
		e.type = UHID_GET_REPORT_REPLY;
		return write(uhid, &e, sizeof(e)) < 0 ? -1 : 0;
	case UHID_SET_REPORT:
		e.u.set_report_reply =
		    (struct uhid_set_report_reply_req){.id = e.u.set_report.id, .err = EIO};
		e.type = UHID_SET_REPORT_REPLY;
		return write(uhid, &e, sizeof(e)) < 0 ? -1 : 0;
	default:
		break;
	}
	return 0;
}

/* From the key: a report for whoever reads the node.  1: the key's end is closed. */
static int
from_key(int uhid, int key)
{
	struct uhid_event e = {.type = UHID_INPUT2};
	ssize_t n = recv(key, e.u.input2.data, REPORT, MSG_DONTWAIT);

	if (n == 0)
		return 1;
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : 1;
	e.u.input2.size = (uint16_t)n;
	return write(uhid, &e, sizeof(e)) < 0 ? -1 : 0;
}

int
main(int argc, char **argv)
{
	long number = argc == 2 ? strtol(argv[1], NULL, 10) : -1;
	int key = (int)number, uhid, r = 0;

	if (number < 3 || number > INT_MAX) {
		fputs("usage: uhid_key N\n", stderr);
		return 2;
	}
	uhid = plug();
	if (uhid < 0) {
		perror("uhid_key: /dev/uhid");
		return 1;
	}
	while (r == 0) {
		struct pollfd p[2] = {
		    {.fd = uhid, .events = POLLIN}, {.fd = key, .events = POLLIN}};

		if (poll(p, 2, -1) < 0)
			r = errno == EINTR ? 0 : -1;
		else if (p[0].revents)
			r = from_kernel(uhid, key);
		else if (p[1].revents)
			r = from_key(uhid, key);
	}
	return r < 0 ? 1 : 0;
}
