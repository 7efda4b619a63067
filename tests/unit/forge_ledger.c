/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `forge_ledger LEDGER KEYS`: writes an honest ledger and its key list, for tests of the command line.  Where LEDGER is
 * a directory: in three segments, or, with a number behind KEYS, in as many as so many records fill.  Where it is a
 * file: with the name of a tweak behind KEYS, the ledger that is not honest in that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static const char *many_dir;
static FILE *many;
static unsigned many_open; /* which segment */

static void
write_many(unsigned segment, const void *data, size_t len)
{
	char path[4096], name[SEGMENT_NAME_LEN + 1];

	if (segment != many_open) {
		segment_name(segment, name);
		snprintf(path, sizeof(path), "%s/%s", many_dir, name);
		if (many && fclose(many) != 0)
			abort();
		many = fopen(path, "wbe");
		many_open = segment;
	}
	if (!many || fwrite(data, 1, len, many) != len)
		abort();
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

/* TWEAK_MAX: none has that name. */
static enum forge_tweak
tweak_named(const char *name)
{
	static const char *const NAMES[TWEAK_MAX] = {
#define X(tweak, number, why) #tweak,
	    FORGE_TWEAKS(X)
#undef X
	};
	unsigned i = 0;

	while (i < TWEAK_MAX && strcmp(NAMES[i], name) != 0)
		i++;
	return (enum forge_tweak)i;
}

int
main(int argc, char **argv)
{
	static uint8_t bytes[SGW_COMMIT_MAX];
	static struct rec_key_list keys;
	struct buf b = buf_over(bytes, sizeof(bytes));
	enum forge_tweak tweak = tweak_named(argc == 4 ? argv[3] : "NONE");
	struct stat st;
	int r;

	if (argc != 3 && argc != 4)
		return 2;
	if (tweak == TWEAK_MAX) {
		many_dir = argv[1];
		forge_many(strtoull(argv[3], NULL, 10), write_many, &keys);
		r = fclose(many);
	} else if (stat(argv[1], &st) == 0 && S_ISDIR(st.st_mode))
		r = write_segments(argv[1], &keys);
	else
		r = write_file(argv[1], ledger, forge_ledger(tweak, ledger, &keys));
	return r < 0 || !rec_key_list_encode(&b, &keys) || write_file(argv[2], bytes, b.len) < 0;
}
