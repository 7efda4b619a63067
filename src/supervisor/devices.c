/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugged security keys: hidraw nodes whose report descriptor declares the FIDO usage page 0xF1D0 (CTAP 2.1, 11.2.8).
 */
#include "supervisor.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/log.h>

#define REPORT_MAX 4096 /* HID_MAX_DESCRIPTOR_SIZE of the kernel */

/* Usage Page is a global item of type 0x04, here with two bytes of data: 06 D0 F1 (HID 1.11, 6.2.2.7). */
static bool
is_fido(const char *name)
{
	static const uint8_t PAGE[] = {0x06, 0xd0, 0xf1};
	uint8_t report[REPORT_MAX];
	char path[128];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/sys/class/hidraw/%s/device/report_descriptor", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, report, sizeof(report));
	close(fd);
	return n > 0 && memmem(report, (size_t)n, PAGE, sizeof(PAGE)) != NULL;
}

#if SGW_SOFTKEY
static size_t
softkeys(const struct supervisor *s, int ret_fds[KEY_DEVICES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->opt.n_softkeys; i++) {
		int fd = fcntl(s->opt.softkey_fd[i], F_DUPFD_CLOEXEC, 3);

		if (fd >= 0)
			ret_fds[n++] = fd;
	}
	return n;
}
#endif

size_t
devices_open(const struct supervisor *s, int ret_fds[KEY_DEVICES_MAX])
{
	size_t n = 0;
	DIR *dir = opendir("/sys/class/hidraw");

#if SGW_SOFTKEY
	n = softkeys(s, ret_fds);
#else
	(void)s;
#endif
	if (!dir)
		return n;
	for (const struct dirent *e = readdir(dir); e && n < KEY_DEVICES_MAX; e = readdir(dir)) {
		char path[64];
		int fd;

		if (strncmp(e->d_name, "hidraw", 6) != 0 || strlen(e->d_name) > 16 ||
		    !is_fido(e->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%.16s", e->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			ret_fds[n++] = fd;
		else
			log_warning("a security key is plugged in at %s but may not be opened: %m; "
				    "see sgwarden-files(7)",
			    path);
	}
	(void)closedir(dir);
	return n;
}
