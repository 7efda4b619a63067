/* SPDX-License-Identifier: Apache-2.0 */
/* See keys_file.h. */
#include "keys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int
keys_read(const struct args *args, struct rec_key_list *ret_list)
{
	static uint8_t data[SGW_COMMIT_MAX + 1];
	struct cur c;
	size_t len = 0;
	ssize_t n = 1;
	int fd = open(args->keys, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "--keys", "%s: %s", args->keys, strerror(errno));
	while (n > 0 && len < sizeof(data)) {
		n = read(fd, data + len, sizeof(data) - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	c = cur_over(data, len);
	if (n < 0 || !rec_key_list_decode(&c, ret_list) || !cur_done(&c))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--keys",
		    "%s is no key list: give a copy of the file `keys` of the state directory",
		    args->keys);
	return 0;
}
