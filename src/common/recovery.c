/* SPDX-License-Identifier: Apache-2.0 */
/* A recovery code on paper and back; see recovery.h. */
#include <sgwarden/recovery.h>

#include <string.h>

#include <sgwarden/secret.h>

/* Crockford's base32: no I, L, O, U. */
static const char SYMBOLS[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#define GROUP 4
#define CHARACTERS (SGW_CODE_LEN + RECOVERY_CHECK)

void
recovery_make(const uint8_t random[SGW_CODE_LEN], uint8_t ret_code[SGW_CODE_LEN])
{
	for (size_t i = 0; i < SGW_CODE_LEN; i++)
		ret_code[i] = (uint8_t)SYMBOLS[random[i] & 31];
}

static unsigned
value_of(uint8_t symbol)
{
	const char *at = symbol != 0 ? strchr(SYMBOLS, symbol) : NULL;

	return at ? (unsigned)(at - SYMBOLS) : 32;
}

/* A polynomial modulo a prime below 1024: one wrong digit below 32, or two swapped, never leaves it as it was. */
static void
check_of(const uint8_t code[SGW_CODE_LEN], uint8_t ret_check[RECOVERY_CHECK])
{
	unsigned sum = 0;

	for (size_t i = 0; i < SGW_CODE_LEN; i++)
		sum = (sum * 37 + value_of(code[i]) + 1) % 1021;
	ret_check[0] = (uint8_t)SYMBOLS[sum >> 5];
	ret_check[1] = (uint8_t)SYMBOLS[sum & 31];
}

void
recovery_text(const uint8_t code[SGW_CODE_LEN], char ret_text[RECOVERY_TEXT_LEN + 1])
{
	uint8_t check[RECOVERY_CHECK];
	size_t n = 0;

	check_of(code, check);
	for (size_t i = 0; i < CHARACTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			ret_text[n++] = '-';
		ret_text[n++] = (char)(i < SGW_CODE_LEN ? code[i] : check[i - SGW_CODE_LEN]);
	}
	ret_text[n] = 0;
	memory_erase(check, sizeof(check));
}

/* The symbol that was meant; 0: none. */
static uint8_t
symbol_of(char typed)
{
	char c = typed >= 'a' && typed <= 'z' ? (char)(typed - 'a' + 'A') : typed;

	c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
	return value_of((uint8_t)c) < 32 ? (uint8_t)c : 0;
}

bool
recovery_parse(const char *typed, size_t len, uint8_t ret_code[SGW_CODE_LEN])
{
	uint8_t found[CHARACTERS] = {0}, check[RECOVERY_CHECK];
	size_t n = 0;
	bool ok = true;

	for (size_t i = 0; i < len && ok; i++) {
		if (typed[i] == '-' || typed[i] == ' ')
			continue;
		ok = n < CHARACTERS;
		if (ok)
			ok = (found[n++] = symbol_of(typed[i])) != 0;
	}
	ok = ok && n == CHARACTERS;
	if (ok) {
		check_of(found, check);
		ok = memory_equal(check, found + SGW_CODE_LEN, sizeof(check));
		memory_erase(check, sizeof(check));
	}
	if (ok)
		memcpy(ret_code, found, SGW_CODE_LEN);
	memory_erase(found, sizeof(found));
	return ok;
}
