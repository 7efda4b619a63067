/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor or SELinux: what the kernel runs, and the label that each of our processes has. */
#include "doctor.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/vis.h>

#define TEXT_LEN 256
#define OURS_MAX 32

/* A small file's first line, printable; false where it cannot be read or is empty. */
static bool
line_read(const char *path, char ret_line[TEXT_LEN])
{
	char text[TEXT_LEN / 4];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return vis(ret_line, TEXT_LEN, text, strlen(text)) && ret_line[0];
}

static bool
is_ours(const char *comm)
{
	return strcmp(comm, "sgwardend") == 0 || strncmp(comm, "sgw-", 4) == 0;
}

/* Confined: a label that is not AppArmor's "unconfined" and none of SELinux's unconfined domains, and enforced. */
static bool
is_confined(const char *label)
{
	return strncmp(label, "unconfined", 10) != 0 && !strstr(label, ":unconfined_t:") &&
	       !strstr(label, "(complain)");
}

static void
process_tell(cJSON *findings, const char *pid, int *n)
{
	char path[64], comm[TEXT_LEN], label[TEXT_LEN];

	snprintf(path, sizeof(path), "/proc/%.10s/comm", pid);
	if (*n == OURS_MAX || !line_read(path, comm) || !is_ours(comm))
		return;
	snprintf(path, sizeof(path), "/proc/%.10s/attr/current", pid);
	if (!line_read(path, label))
		return;
	(*n)++;
	doctor_say(findings, is_confined(label) ? "held" : "missing", comm, 1, "pid %.10s: %s", pid,
	    label);
}

void
doctor_mac(cJSON *findings)
{
	char modules[TEXT_LEN];
	struct dirent *entry;
	DIR *proc;
	int n = 0;

	if (!line_read("/sys/kernel/security/lsm", modules)) {
		doctor_say(findings, "missing", "modules", 0,
		    "/sys/kernel/security/lsm cannot be read: what the kernel runs is not known");
		return;
	}
	if (!strstr(modules, "apparmor") && !strstr(modules, "selinux")) {
		doctor_say(findings, "missing", "modules", 1,
		    "neither AppArmor nor SELinux runs (%s): the other layers stand alone",
		    modules);
		return;
	}
	doctor_say(findings, "held", "modules", 1, "%s", modules);
	proc = opendir("/proc");
	while (proc && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			process_tell(findings, entry->d_name, &n);
	if (proc)
		closedir(proc);
	if (n == 0)
		doctor_say(findings, "missing", "processes", 0, "no process of ours can be seen");
}
