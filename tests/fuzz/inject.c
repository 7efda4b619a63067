/* SPDX-License-Identifier: Apache-2.0 */
/* See inject.h. */
#include "inject.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <openssl/crypto.h>

static struct {
	bool on;
	int paused;
	uint64_t nth, calls, failed, total;
	uint64_t chance;
	uint32_t one_in;
} I;

void (*inject_watch)(const char *call, int fd);

void
inject_nth(uint64_t n)
{
	I.on = true;
	I.paused = 0;
	I.nth = n;
	I.one_in = 0;
	I.calls = I.failed = 0;
}

void
inject_seeded(uint64_t seed, uint32_t one_in)
{
	inject_nth(0);
	I.one_in = one_in;
	I.chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

void
inject_off(void)
{
	I.on = false;
}

void
inject_pause(bool pause)
{
	I.paused += pause ? 1 : -1;
}

uint64_t
inject_calls(void)
{
	return I.calls;
}

uint64_t
inject_failed(void)
{
	return I.failed;
}

uint64_t
inject_total(void)
{
	return I.total;
}

/* xorshift64 (Marsaglia, 2003) */
static bool
by_chance(void)
{
	I.chance ^= I.chance << 13;
	I.chance ^= I.chance >> 7;
	I.chance ^= I.chance << 17;
	return I.one_in && I.chance % I.one_in == 0;
}

static bool
due(int error)
{
	if (!I.on || I.paused > 0)
		return false;
	I.calls++;
	if (I.calls != I.nth && !by_chance())
		return false;
	I.failed++;
	I.total++;
	errno = error;
	return true;
}

static bool
due_on(const char *call, int fd, int error)
{
	if (due(error))
		return true;
	if (inject_watch)
		inject_watch(call, fd);
	return false;
}

/* ---- memory ---- */

void *__real_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__real_realloc(void *p, size_t len);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);
void *__wrap_realloc(void *p, size_t len);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);

void *
__wrap_malloc(size_t len)
{
	return due(ENOMEM) ? NULL : __real_malloc(len);
}

void *
__wrap_calloc(size_t n, size_t len)
{
	return due(ENOMEM) ? NULL : __real_calloc(n, len);
}

void *
__wrap_realloc(void *p, size_t len)
{
	return due(ENOMEM) ? NULL : __real_realloc(p, len);
}

void *
__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	return due(ENOMEM) ? MAP_FAILED : __real_mmap(at, len, prot, flags, fd, offset);
}

/* ---- descriptors ---- */

ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __real_getrandom(void *data, size_t len, unsigned flags);
int __real_fdatasync(int fd);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_getrandom(void *data, size_t len, unsigned flags);
int __wrap_fdatasync(int fd);

ssize_t
__wrap_read(int fd, void *data, size_t len)
{
	return due_on("read", fd, EIO) ? -1 : __real_read(fd, data, len);
}

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	return due_on("write", fd, ENOSPC) ? -1 : __real_write(fd, data, len);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return due_on("sendmsg", fd, EPIPE) ? -1 : __real_sendmsg(fd, m, flags);
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	return due_on("recvmsg", fd, ECONNRESET) ? -1 : __real_recvmsg(fd, m, flags);
}

ssize_t
__wrap_getrandom(void *data, size_t len, unsigned flags)
{
	return due(EIO) ? -1 : __real_getrandom(data, len, flags);
}

int
__wrap_fdatasync(int fd)
{
	int r = due(EIO) ? -1 : __real_fdatasync(fd);

	if (r == 0 && inject_watch)
		inject_watch("fdatasync", fd); /* behind it: what it is told of is durable */
	return r;
}

/* ---- libcrypto ---- */

static void *
crypto_malloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_malloc(len);
}

static void *
crypto_realloc(void *p, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_realloc(p, len);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Before libcrypto takes its first byte. */
static void __attribute__((constructor)) crypto_hooked(void)
{
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
		_exit(99);
}
