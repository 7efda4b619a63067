/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs read: wrapped text, JSON in ASCII, errors in their one form. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <sgwarden/vis.h>

/* `from`: the column at which the first line begins. */
static void
wrap(FILE *out, size_t from, size_t indent, const char *text)
{
	size_t column = from;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column > from && column + 1 + word > CLI_WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = from = indent;
		} else if (column > from) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, word, out);
		column += word;
		text += word;
		if (*text == '\n') {
			fprintf(out, "\n%*s", (int)indent, "");
			column = from = indent;
		}
		text += *text != 0;
	}
	fputc('\n', out);
}

void
out_wrapped(FILE *out, size_t indent, const char *text)
{
	wrap(out, indent, indent, text);
}

void
out_hanging(FILE *out, size_t indent, const char *text)
{
	wrap(out, 0, indent, text);
}

/* The daemon has escaped what others wrote: escaped once more, no backslash would be read for what it is. */
bool
out_printable(char *ret_text, size_t size, const char *text, size_t len)
{
	if (!text_is_ascii(text, len))
		return vis(ret_text, size, text, len);
	snprintf(ret_text, size, "%.*s", (int)len, text);
	return len < size;
}

void
out_vis(FILE *out, const char *text, size_t len, size_t most)
{
	char printable[1024];
	size_t n;

	if (most > sizeof(printable) - 1)
		most = sizeof(printable) - 1;
	if (!out_printable(printable, sizeof(printable), text, len) || strlen(printable) > most) {
		n = strlen(printable) < most - 2 ? strlen(printable) : most - 2;
		fprintf(out, "%.*s..", (int)n, printable);
		return;
	}
	fputs(printable, out);
}

void
out_words(FILE *out, size_t indent, const char *text)
{
	char printable[8192];

	(void)out_printable(printable, sizeof(printable), text, strlen(text));
	out_wrapped(out, indent, printable);
}

void
out_line(const char *name, const char *text)
{
	if (!*text)
		return;
	printf("%-9s", name);
	out_vis(stdout, text, strlen(text), CLI_WIDTH - 9);
	putchar('\n');
}

void
out_fingerprint(size_t indent, const char *hex)
{
	size_t len = strlen(hex);

	for (size_t at = 0; at < len; at += 4) {
		if (at == 32)
			printf("\n%*s", (int)indent, "");
		else if (at > 0)
			putchar(' ');
		out_vis(stdout, hex + at, len - at < 4 ? len - at : 4, 16);
	}
	putchar('\n');
}

/* ---- JSON ---- */

/* Length of the UTF-8 sequence at p, and its code point; a byte that starts none is U+FFFD. */
static size_t
utf8_take(const unsigned char *p, uint32_t *ret_c)
{
	size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	uint32_t c = *p & (0xffu >> (n + 1));

	*ret_c = 0xfffd;
	if (*p < 0xc2 || *p > 0xf4)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	*ret_c = c;
	return n;
}

/* cJSON leaves text beyond ASCII as it is; a terminal would obey some of it.  It stands in strings only. */
static void
put_ascii(FILE *out, const char *json)
{
	const unsigned char *p = (const unsigned char *)json;

	while (*p) {
		uint32_t c = *p;
		size_t n = 1;

		if (c == 0x7f)
			fputs("\\u007f", out);
		else if (c < 0x80)
			fputc((int)c, out);
		else {
			n = utf8_take(p, &c);
			if (c >= 0x10000)
				fprintf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10),
				    0xdc00 + (c & 0x3ff));
			else
				fprintf(out, "\\u%04x", c);
		}
		p += n;
	}
}

void
out_json(struct cJSON *tree)
{
	char *text = cJSON_PrintUnformatted(tree);

	cJSON_Delete(tree);
	if (!text)
		abort(); /* no memory: nothing half-said */
	put_ascii(stdout, text);
	fputc('\n', stdout);
	cJSON_free(text);
}

/* ---- errors ---- */

struct cJSON *
out_error_json(enum sgw_error error, const char *field, const char *detail)
{
	const struct error_row *row = error_row((uint16_t)error);
	cJSON *object = cJSON_CreateObject();
	char message[1024];

	snprintf(message, sizeof(message), "%s%s%s", row->message, detail && *detail ? ": " : "",
	    detail ? detail : "");
	cJSON_AddStringToObject(object, "code", row->name);
	cJSON_AddStringToObject(object, "message", message);
	if (field && *field)
		cJSON_AddStringToObject(object, "field", field);
	cJSON_AddBoolToObject(object, "retryable", row->retryable);
	cJSON_AddStringToObject(object, "next_step", row->next_step);
	return object;
}

int
out_error(const struct args *args, enum sgw_error error, const char *field, const char *detail, ...)
{
	const struct error_row *row = error_row((uint16_t)error);
	char text[768] = "", printable[VIS_MAX(sizeof(text))], line[sizeof(printable) + 256];
	va_list list;

	if (args->held) {
		*args->held = (uint16_t)error;
		return row->exit_status;
	}
	if (detail) {
		va_start(list, detail);
		vsnprintf(text, sizeof(text), detail, list);
		va_end(list);
	}
	vis(printable, sizeof(printable), text, strlen(text));
	if (args->json) {
		cJSON *object = cJSON_CreateObject();

		cJSON_AddStringToObject(object, "status", "failed");
		cJSON_AddItemToObject(object, "error", out_error_json(error, field, printable));
		out_json(object);
		return row->exit_status;
	}
	snprintf(line, sizeof(line), "%s%s%s%s%s", field && *field ? field : "",
	    field && *field ? ": " : "", row->message, text[0] ? ": " : "", printable);
	fputs("sgwarden: ", stderr);
	out_wrapped(stderr, 10, line);
	fputs("next:     ", stderr);
	out_wrapped(stderr, 10, row->next_step);
	return row->exit_status;
}
