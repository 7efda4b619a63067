/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as config.json: refused with a place inside the text and a printable reason, or a form that encodes and
 * comes back the same. */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/vis.h>

#include "config.h"
#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void
check_error(const struct config_error *e, const char *text, size_t len)
{
	unsigned lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	MUST(e->at.line >= 1 && e->at.line <= lines && e->at.column >= 1);
	MUST(e->text[0] && text_is_ascii(e->text, strlen(e->text)));
	MUST(text_is_ascii(e->field, strlen(e->field)));
}

static void
check_config(const struct rec_config *config)
{
	static uint8_t bytes[SGW_DATAGRAM_MAX], again[SGW_DATAGRAM_MAX];
	static struct rec_config back;
	struct buf b = buf_over(bytes, sizeof(bytes)), b2 = buf_over(again, sizeof(again));
	struct cur c;

	MUST(rec_config_encode(&b, config));
	c = cur_over(bytes, b.len);
	MUST(rec_config_decode(&c, &back) && cur_done(&c));
	MUST(rec_config_encode(&b2, &back) && b2.len == b.len && memcmp(bytes, again, b.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct rec_config config;
	struct config_error error;
	char *text;

	if (len > CONFIG_FILE_MAX)
		return 0;
	text = malloc(len + 1);
	MUST(text);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = 0;
	if (config_parse(text, len, &config, &error))
		check_config(&config);
	else
		check_error(&error, (const char *)data, len);
	free(text);
	return 0;
}
