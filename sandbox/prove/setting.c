/* SPDX-License-Identifier: Apache-2.0 */
/* As whom the probes run. */
#include "probe.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Drops root for good, and is dumpable again: the uid map of a child is written through /proc. */
static void
become(uid_t uid)
{
	must(setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
		 setresuid(uid, uid, uid) == 0,
	    "becoming an ordinary user");
	must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "prctl");
}

/* A twin must show what a row's limit takes away, so it starts with all that this machine gives. */
static void
limits_raise(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* 1 to the highest uid but one: (uid_t)-1 means "unchanged" to the kernel.  0: not that. */
static uid_t
uid_of(const char *text)
{
	char *end;
	unsigned long uid;

	errno = 0;
	uid = strtoul(text, &end, 10);
	return errno != 0 || *end != '\0' || end == text || *text == '-' || uid >= UINT32_MAX
		   ? 0
		   : (uid_t)uid;
}

int
setting_take(const char *option, struct setting *ret_setting)
{
	bool as = option != NULL && strncmp(option, "--as=", 5) == 0;
	bool system = option != NULL && strncmp(option, "--system=", 9) == 0;
	uid_t uid = as || system ? uid_of(strchr(option, '=') + 1) : 0;

	limits_raise();
	*ret_setting = (struct setting){.mode = MODE_USER};
	if (!as && !system)
		return 0;
	if (geteuid() != 0 || uid == 0) {
		printf("skipped: %s takes root, and a uid that is not root's\n", option);
		return SETTING_SKIPPED;
	}
	if (as)
		become(uid);
	else
		*ret_setting = (struct setting){.mode = MODE_SYSTEM, .uid = uid, .gid = (gid_t)uid};
	return 1;
}
