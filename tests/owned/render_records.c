/* SPDX-License-Identifier: Apache-2.0 */
/* Renders each record of stdin as the screen does: lines of a length, the bytes; the same on stdout. 0: no record. */
#include <stdio.h>

#include <sgwarden/record.h>
#include <sgwarden/render.h>

int
main(void)
{
	static uint8_t in[SGW_RECORD_MAX], out[SGW_RENDER_MAX];
	struct record record;
	size_t len;

	while (scanf("%zu", &len) == 1 && getchar() == '\n') {
		struct buf b = buf_over(out, sizeof(out));

		if (len > sizeof(in) || fread(in, 1, len, stdin) != len)
			return 1;
		if (!record_decode(in, len, &record) || !render_record(&record, &b))
			b.len = 0;
		printf("%zu\n", b.len);
		fwrite(out, 1, b.len, stdout);
		fflush(stdout);
	}
	return 0;
}
