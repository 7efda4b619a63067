/* SPDX-License-Identifier: Apache-2.0 */
/* See byte_string.h. */
#include "byte_string.h"

bool
byte_string_body(const uint8_t *p, size_t len, const uint8_t **ret_body, size_t *ret_len)
{
	size_t head, n;

	if (p == NULL || len < 3 || p[0] >> 5 != 2)
		return false;
	if (p[0] == 0x58) {
		head = 2;
		n = p[1];
	} else if (p[0] == 0x59) {
		head = 3;
		n = (size_t)(p[1] << 8 | p[2]);
	} else {
		return false; /* shorter than authenticator data can be, or longer than any key's message */
	}
	if (n != len - head)
		return false;
	*ret_body = p + head;
	*ret_len = n;
	return true;
}
