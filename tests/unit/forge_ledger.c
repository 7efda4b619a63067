/* SPDX-License-Identifier: Apache-2.0 */
/* `forge_ledger LEDGER KEYS`: writes an honest ledger and its key list, for tests of the command line. */
#include <stdio.h>
#include <stdlib.h>

#include "ledger_forge.h"

static int
write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wbe");
	size_t n = f ? fwrite(data, 1, len, f) : 0;

	return f && fclose(f) == 0 && n == len ? 0 : -1;
}

int
main(int argc, char **argv)
{
	static char ledger[FORGE_BYTES];
	static uint8_t bytes[SGW_COMMIT_MAX];
	static struct rec_key_list keys;
	struct buf b = buf_over(bytes, sizeof(bytes));
	size_t len = forge_ledger(TWEAK_NONE, ledger, &keys);

	if (argc != 3 || !rec_key_list_encode(&b, &keys))
		return 2;
	return write_file(argv[1], ledger, len) < 0 || write_file(argv[2], bytes, b.len) < 0;
}
