/* SPDX-License-Identifier: Apache-2.0 */
/* From an element's text to a field: each setter takes exactly the values its field can hold. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include <sgwarden/vis.h>

static void *
field_of(struct answer *a, const struct xml_row *row)
{
	return (char *)a + row->at;
}

/* The kinds of text leave no NUL inside. */
static bool
text_copy(char *field, size_t size, const char *text, size_t len)
{
	if (len >= size)
		return false;
	memcpy(field, text, len);
	field[len] = 0;
	return true;
}

bool
set_ascii(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	return text_is_ascii(text, len) && text_copy(field_of(a, row), row->size, text, len);
}

bool
set_utf8(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	return text_is_utf8(text, len) && text_copy(field_of(a, row), row->size, text, len);
}

bool
set_bool(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	bool yes = strcmp(text, "true") == 0;

	*(bool *)field_of(a, row) = yes;
	return yes || strcmp(text, "false") == 0;
}

/* Plain decimal, perhaps negative, at most five digits. */
static bool
number_parse(const char *text, size_t len, int32_t *ret_number)
{
	size_t sign = text[0] == '-';
	int32_t v = 0;

	if (len <= sign || len - sign > 5)
		return false;
	for (size_t i = sign; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (text[i] - '0');
	}
	*ret_number = sign ? -v : v;
	return true;
}

bool
set_port(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	int32_t *field = field_of(a, row);

	return number_parse(text, len, field) && *field >= -1 && *field <= 65535;
}

bool
set_protocol(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	static const struct {
		const char *name;
		int16_t number;
	} names[] = {
	    {"tcp", PROTO_TCP},
	    {"udp", PROTO_UDP},
	    {"icmp", PROTO_ICMP},
	    {"icmpv6", PROTO_ICMPV6},
	};
	int16_t *field = field_of(a, row);
	int32_t number;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, text) == 0) {
			*field = names[i].number;
			return true;
		}
	}
	if (!number_parse(text, len, &number) || number < PROTO_ALL || number > 255)
		return false;
	*field = (int16_t)number;
	return true;
}

/* AWS keeps prefixes in canonical form; an older one with host bits means the same as without them. */
static bool
set_cidr(struct answer *a, const struct xml_row *row, const char *text, size_t len, uint8_t family)
{
	struct rec_cidr *field = field_of(a, row);

	a->rule_sources++;
	a->rule.source_kind = SOURCE_CIDR;
	return cidr_parse(text, len, field) >= CIDR_OK && field->family == family;
}

bool
set_cidr4(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	return set_cidr(a, row, text, len, 4);
}

bool
set_cidr6(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	return set_cidr(a, row, text, len, 6);
}

static bool
set_source(struct answer *a, const struct xml_row *row, const char *text, size_t len,
    enum rule_source kind)
{
	a->rule_sources++;
	a->rule.source_kind = kind;
	return len > 0 && set_ascii(a, row, text, len);
}

bool
set_prefix_list(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	return set_source(a, row, text, len, SOURCE_PREFIX_LIST);
}

bool
set_source_group(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	return set_source(a, row, text, len, SOURCE_GROUP);
}

/* A tag that is longer than what travels is left out and counted: it spoils nothing. */
bool
set_tag_text(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	if (!set_utf8(a, row, text, len))
		a->tag_too_long = true;
	return true;
}

/* AWS's words for people.  The encoded blob that some end in is for nobody here, and may be long. */
bool
set_message(struct answer *a, const struct xml_row *row, const char *text, size_t len)
{
	static const char blob[] = "Encoded authorization failure message";
	const char *end = memmem(text, len, blob, sizeof(blob) - 1);

	if (end != NULL)
		len = (size_t)(end - text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\n'))
		len--;
	(void)vis(field_of(a, row), row->size, text, len);
	return true;
}
