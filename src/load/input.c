/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a profile file into a region that grows by copying, each smaller one erased behind it. */
#include "input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INPUT_FIRST 32768

/* A region twice as large with the same bytes in it; at the limit one byte more, to notice what is too long. */
static int
region_grow(struct secret *region)
{
	size_t size = region->size == 0 ? INPUT_FIRST : 2 * region->size;
	struct secret larger = {0};

	if (size > INPUT_BYTES_MAX)
		size = INPUT_BYTES_MAX + 1;
	if (secret_alloc(&larger, size) < 0)
		return -1;
	if (region->size > 0)
		memcpy(larger.data, region->data, region->size);
	secret_free(region);
	*region = larger;
	return 0;
}

const char *
input_read(int fd, struct secret *ret_secret, size_t *ret_len)
{
	struct secret region = {0};
	const char *problem = NULL;
	size_t len = 0;

	for (;;) {
		ssize_t n;

		if (len == region.size && region_grow(&region) < 0) {
			problem = "no memory to read it";
			goto out;
		}
		n = read(fd, (char *)region.data + len, region.size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			problem = errno == EISDIR ? "it is a directory" : "it cannot be read";
			goto out;
		}
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > INPUT_BYTES_MAX) {
			problem = "larger than 1 MiB: not read";
			goto out;
		}
	}
	*ret_secret = region;
	*ret_len = len;
	region = (struct secret){0};
out:
	secret_free(&region);
	return problem;
}
