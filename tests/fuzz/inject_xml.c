/* SPDX-License-Identifier: Apache-2.0 */
/* expat takes its memory from inject.c. */
#include <stdlib.h>

#include <expat.h>

XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding);
void *__wrap_malloc(size_t len);
void *__wrap_realloc(void *p, size_t len);

XML_Parser
__wrap_XML_ParserCreate(const XML_Char *encoding)
{
	static const XML_Memory_Handling_Suite memory = {__wrap_malloc, __wrap_realloc, free};

	return XML_ParserCreate_MM(encoding, &memory, NULL);
}
