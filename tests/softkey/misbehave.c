/* SPDX-License-Identifier: Apache-2.0 */
/* The words for the lies: see misbehave.h. */
#include "misbehave.h"

#include <string.h>

static const struct {
	const char *word;
	unsigned bit;
} words[] = {
    {"up0", MIS_UP0},
    {"uv0", MIS_UV0},
    {"wrong-rp", MIS_WRONG_RP},
    {"replay", MIS_REPLAY},
    {"wrong-key", MIS_WRONG_KEY},
    {"stale-counter", MIS_STALE_COUNTER},
    {"zero-counter", MIS_ZERO_COUNTER},
    {"hang", MIS_HANG},
    {"garbage", MIS_GARBAGE},
    {"bad-ext", MIS_BAD_EXT},
    {"short-authdata", MIS_SHORT_AUTHDATA},
    {"hmac-no-up", MIS_HMAC_NO_UP},
    {"silent-pull", MIS_SILENT_PULL},
    {"hmac-half", MIS_HMAC_HALF},
    {"no-hmac", MIS_NO_HMAC},
};

unsigned
misbehave_bit(const char *word)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].bit;
	return 0;
}

const char *
misbehave_word(size_t i)
{
	return i < sizeof words / sizeof words[0] ? words[i].word : NULL;
}
