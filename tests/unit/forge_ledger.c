/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `forge_ledger LEDGER KEYS`: writes an honest ledger and its key list, for tests of the command line.  Where LEDGER is
 * a directory: in three segments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <sgwarden/segments.h>

#include "ledger_forge.h"

static char ledger[FORGE_BYTES];

static int
write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wbe");
	size_t n = f ? fwrite(data, 1, len, f) : 0;

	return f && fclose(f) == 0 && n == len ? 0 : -1;
}

static int
write_segments(const char *dir, struct rec_key_list *ret_keys)
{
	size_t at[FORGE_SEGMENTS], from = 0;

	(void)forge_segments(ledger, at, ret_keys);
	for (uint32_t i = 0; i < FORGE_SEGMENTS; from = at[i++]) {
		char path[4096], name[SEGMENT_NAME_LEN + 1];

		segment_name(i + 1, name);
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (write_file(path, ledger + from, at[i] - from) < 0)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static uint8_t bytes[SGW_COMMIT_MAX];
	static struct rec_key_list keys;
	struct buf b = buf_over(bytes, sizeof(bytes));
	struct stat st;
	int r;

	if (argc != 3)
		return 2;
	if (stat(argv[1], &st) == 0 && S_ISDIR(st.st_mode))
		r = write_segments(argv[1], &keys);
	else
		r = write_file(argv[1], ledger, forge_ledger(TWEAK_NONE, ledger, &keys));
	return r < 0 || !rec_key_list_encode(&b, &keys) || write_file(argv[2], bytes, b.len) < 0;
}
