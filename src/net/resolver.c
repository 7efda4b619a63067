/* SPDX-License-Identifier: Apache-2.0 */
/* The file that names the name servers; see resolver.h. */
#include "resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <resolv.h>
#include <unistd.h>

static bool was_readable;

static bool
is_forbidden(void)
{
	int fd = open(_PATH_RESCONF, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES;
	close(fd);
	return false;
}

void
resolver_note(void)
{
	was_readable = !is_forbidden();
}

bool
resolver_is_lost(void)
{
	return was_readable && is_forbidden();
}
