/* SPDX-License-Identifier: Apache-2.0 */
/* cJSON takes its memory from inject.c. */
#include <stdlib.h>

#include <cjson/cJSON.h>

void *__wrap_malloc(size_t len);

static void __attribute__((constructor)) json_hooked(void)
{
	cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};

	cJSON_InitHooks(&hooks);
}
