/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's side in tests: see platform.h. */
#include "platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 16

static void
child_exec(const char *exe, int fd, int control, const char *const *args)
{
	char fd_text[12], control_text[12], name[] = "softkey", f[] = "--fd", c[] = "--control-fd";
	char *argv[ARGS_MAX] = {name, f, fd_text, c, control_text};

	snprintf(fd_text, sizeof fd_text, "%d", dup(fd)); /* dup drops close-on-exec */
	snprintf(control_text, sizeof control_text, "%d", dup(control));
	for (size_t i = 0; args != NULL && args[i] != NULL && i + 6 < ARGS_MAX; i++)
		argv[5 + i] = strdup(args[i]);
	execv(exe, argv);
	_exit(127);
}

void
platform_start(struct platform *p, const char *exe, const char *const *args)
{
	int hid[2], control[2];

	memset(p, 0, sizeof *p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hid), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0)
		child_exec(exe, hid[1], control[1], args);
	close(hid[1]);
	close(control[1]);
	p->fd = hid[0];
	p->control = control[0];
	assert_true(platform_await(p, "ready\n"));
}

void
platform_stop(struct platform *p)
{
	int status = -1;

	close(p->fd);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_int_equal(status, 0);
	close(p->control);
}

void
platform_command(struct platform *p, const char *command)
{
	assert_int_equal(send(p->control, command, strlen(command), MSG_NOSIGNAL), strlen(command));
}

static bool
events_read(struct platform *p, int timeout_ms)
{
	struct pollfd pfd = {.fd = p->control, .events = POLLIN};
	ssize_t n;

	if (poll(&pfd, 1, timeout_ms) != 1)
		return false;
	n = read(p->control, p->events + p->events_len, sizeof p->events - 1 - p->events_len);
	if (n <= 0)
		return false;
	p->events_len += (size_t)n;
	p->events[p->events_len] = '\0';
	return true;
}

bool
platform_await(struct platform *p, const char *event)
{
	for (unsigned i = 0; i < 6000; i++) {
		if (strstr(p->events, event) != NULL)
			return true;
		events_read(p, 10);
	}
	return false;
}

void
platform_misbehave(struct platform *p, const char *word)
{
	char line[64];

	platform_forget(p); /* an earlier acknowledgement must not count */
	snprintf(line, sizeof line, "misbehave %s\n", word);
	platform_command(p, line);
	assert_true(platform_await(p, line));
}

void
platform_forget(struct platform *p)
{
	while (events_read(p, 20))
		;
	p->events_len = 0;
	p->events[0] = '\0';
}

size_t
platform_count(struct platform *p, const char *head)
{
	const char *s = p->events;
	size_t n = 0;

	while (events_read(p, 50))
		;
	while (s != NULL && *s != '\0') {
		n += strncmp(s, head, strlen(head)) == 0;
		s = strchr(s, '\n');
		s = s != NULL ? s + 1 : NULL;
	}
	return n;
}

/* libfido2 passes a path to open; ours is the descriptor's number. */
static void *
io_open(const char *path)
{
	int *fd = malloc(sizeof *fd);

	assert_non_null(fd);
	*fd = (int)strtol(path, NULL, 10);
	return fd;
}

static void
io_close(void *handle)
{
	free(handle);
}

static int
io_read(void *handle, unsigned char *buf, size_t len, int ms)
{
	struct pollfd pfd = {.fd = *(int *)handle, .events = POLLIN};

	if (poll(&pfd, 1, ms) != 1)
		return -1;
	return (int)recv(pfd.fd, buf, len, MSG_DONTWAIT);
}

static int
io_write(void *handle, const unsigned char *buf, size_t len)
{
	return (int)send(*(int *)handle, buf, len, MSG_NOSIGNAL);
}

fido_dev_t *
platform_open(struct platform *p, int timeout_ms)
{
	const fido_dev_io_t io = {io_open, io_close, io_read, io_write};
	fido_dev_t *dev = fido_dev_new();
	char path[12];

	assert_non_null(dev);
	assert_int_equal(fido_dev_set_io_functions(dev, &io), FIDO_OK);
	assert_int_equal(fido_dev_set_timeout(dev, timeout_ms), FIDO_OK);
	snprintf(path, sizeof path, "%d", p->fd);
	assert_int_equal(fido_dev_open(dev, path), FIDO_OK);
	assert_true(fido_dev_is_fido2(dev));
	return dev;
}

void
platform_close(fido_dev_t **dev)
{
	fido_dev_close(*dev);
	fido_dev_free(dev);
}
