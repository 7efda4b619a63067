/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the file of sealed openers: refused with a reason, or one form that comes back the same and opens
 * with nothing that was not sealed with. */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/vis.h>

#include "fuzz.h"
#include "seal.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void
check_entry(const char *appliance, const struct rec_sealed_entry *e)
{
	static const uint8_t answer[32];
	char secret[SGW_SECRET_KEY_MAX + 1];
	uint8_t data_key[SEAL_KEY_LEN];

	MUST(!unseal_secret(appliance, e, answer, secret));
	for (size_t i = 0; i < e->n_wraps; i++)
		MUST(!seal_unwrap(appliance, e, &e->wraps[i], answer, data_key));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t again[SGW_COMMIT_MAX];
	static struct rec_sealed_list list;
	char appliance[SGW_APPLIANCE_LEN + 1] = "";
	struct buf b = buf_over(again, sizeof(again));
	struct cur c = cur_over(data, len);
	const char *problem;

	if (rec_sealed_list_decode(
		&c, &list)) /* so that its own name is not what all is refused for */
		memcpy(appliance, list.appliance, sizeof(appliance));
	problem = sealed_decode(data, len, appliance, &list);
	if (problem) {
		MUST(problem[0] && text_is_ascii(problem, strlen(problem)));
		return 0;
	}
	MUST(rec_sealed_list_encode(&b, &list) && b.len == len && memcmp(again, data, len) == 0);
	for (size_t i = 0; i < list.n_entries; i++)
		check_entry(appliance, &list.entries[i]);
	return 0;
}
