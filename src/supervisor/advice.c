/* SPDX-License-Identifier: Apache-2.0 */
/* What a person can do about a file that is there and cannot be used. */
#include "supervisor.h"

#include <errno.h>

static const struct {
	int error;
	bool stays; /* the next start meets it too, and trying again tells nobody anything new */
	const char *what;
} ADVICE[] = {
    {EACCES, true, "chown it to the account of the daemon, which is sgwarden in system mode"},
    {EPERM, true, "chown it to the account of the daemon, which is sgwarden in system mode"},
    {ENOENT, true, "put it back"},
    {ELOOP, true, "put the file itself there, no link"},
    {EISDIR, true, "put the file there, no directory"},
    {ENOTDIR, true, "a directory is wanted there"},
    {EROFS, false, "mount that file system for writing"},
    {ENOSPC, false, "make room on that file system"},
    {EDQUOT, false, "raise that account's quota, or make room"},
    {EIO, false, "the disk fails: the kernel's log says more"},
};
#define ADVICE_LEN (sizeof(ADVICE) / sizeof(ADVICE[0]))

const char *
advice(int error)
{
	for (size_t i = 0; i < ADVICE_LEN; i++)
		if (ADVICE[i].error == error)
			return ADVICE[i].what;
	return "the kernel's log may say more";
}

bool
stays(int error)
{
	for (size_t i = 0; i < ADVICE_LEN; i++)
		if (ADVICE[i].error == error)
			return ADVICE[i].stays;
	return false;
}
