/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for secrets: guard pages, locked, out of core dumps, zeroed in a forked child, erased before it goes. */
#include <sgwarden/mutate.h>
#include <sgwarden/secret.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int
secret_alloc(struct secret *ret_secret, size_t size)
{
	size_t page = page_size();
	uint8_t *map, *data;

	if (size == 0 || size > SIZE_MAX - 3 * page) {
		errno = EINVAL;
		return -1;
	}
	size = (size + page - 1) / page * page;
	map = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -1;
	data = map + page;
	if (mprotect(data, size + (MUTATE(SECRET_GUARDED) ? page : 0), PROT_READ | PROT_WRITE) <
		0 ||
	    (!MUTATE(SECRET_DUMPED) && madvise(data, size, MADV_DONTDUMP) < 0) ||
	    (!MUTATE(SECRET_FORKED) && madvise(data, size, MADV_WIPEONFORK) < 0)) {
		munmap(map, size + 2 * page);
		return -1;
	}
	*ret_secret = (struct secret){
	    .data = data, .size = size, .locked = MUTATE(SECRET_LOCKED) || mlock(data, size) == 0};
	return 0;
}

void
secret_erase(struct secret *secret)
{
	if (secret->data != NULL)
		memory_erase(secret->data, secret->size);
}

void
secret_free(struct secret *secret)
{
	size_t page = page_size();

	if (secret->data == NULL)
		return;
	secret_erase(secret);
	munmap((uint8_t *)secret->data - page, secret->size + 2 * page);
	*secret = (struct secret){0};
}

void
memory_erase(void *data, size_t len)
{
	if (!MUTATE(ERASE))
		explicit_bzero(data, len);
}

bool
memory_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ = (uint8_t)(differ | (x[i] ^ y[i]));
	return differ == 0;
}
