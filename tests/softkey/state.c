/* SPDX-License-Identifier: Apache-2.0 */
/* The key's memory: a file of fixed size, replaced by rename so that a crash leaves the old or the new one. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAGIC "sgwsoftkey1\n"
#define STATE_LEN (12 + 32 + 16 + 4 + 2)

static void
state_encode(const struct key_state *s, uint8_t out[STATE_LEN])
{
	memcpy(out, STATE_MAGIC, 12);
	memcpy(out + 12, s->master, 32);
	memcpy(out + 44, s->pin_hash, 16);
	for (unsigned i = 0; i < 4; i++)
		out[60 + i] = (uint8_t)(s->counter >> (24 - 8 * i));
	out[64] = s->pin_set;
	out[65] = s->pin_retries;
}

static int
state_decode(const uint8_t in[STATE_LEN], struct key_state *ret)
{
	if (memcmp(in, STATE_MAGIC, 12) != 0 || in[64] > 1 || in[65] > PIN_RETRIES_MAX)
		return -EINVAL;
	memcpy(ret->master, in + 12, 32);
	memcpy(ret->pin_hash, in + 44, 16);
	ret->counter = 0;
	for (unsigned i = 0; i < 4; i++)
		ret->counter = ret->counter << 8 | in[60 + i];
	ret->pin_set = in[64];
	ret->pin_retries = in[65];
	return 0;
}

int
state_load(const char *path, struct key_state *ret)
{
	struct key_state fresh = {.pin_retries = PIN_RETRIES_MAX};
	uint8_t buf[STATE_LEN + 1];
	ssize_t n;
	int fd;

	fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		n = read(fd, buf, sizeof buf);
		close(fd);
		return n == STATE_LEN ? state_decode(buf, ret) : -EINVAL;
	}
	if (path != NULL && errno != ENOENT)
		return -errno;
	if (RAND_bytes(fresh.master, sizeof fresh.master) != 1)
		return -EIO;
	*ret = fresh;
	return state_save(path, ret);
}

int
state_save(const char *path, const struct key_state *s)
{
	uint8_t buf[STATE_LEN];
	char tmp[PATH_MAX];
	ssize_t n;
	int fd;

	if (path == NULL)
		return 0;
	if ((size_t)snprintf(tmp, sizeof tmp, "%s.new", path) >= sizeof tmp)
		return -ENAMETOOLONG;
	state_encode(s, buf);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, buf, sizeof buf);
	if (close(fd) < 0 || n != sizeof buf)
		return -EIO;
	return rename(tmp, path) < 0 ? -errno : 0;
}
