/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/wire.md from messages.def.  `wire_doc` prints it; `wire_doc --check FILE` compares, as a test; `wire_doc
 * --update FILE` writes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sgwarden/wire.h>

static const char INTRO[] =
    "# The messages\n\n"
    "Made from `include/sgwarden/messages.def` by `tests/lint/wire_doc.c`; a test compares the "
    "two. Do not edit.\n\n"
    "Processes speak over `SOCK_SEQPACKET` socket pairs. One datagram is one message, at most %u "
    "bytes: `S` `G`,\n"
    "the id in two bytes, then the fields in the order below, with nothing between, before or "
    "behind them. Integers\n"
    "are big endian. A peer that sends anything else, in a wrong direction or state, or with a "
    "wrong number of\n"
    "descriptors, is ended.\n\n"
    "| type | bytes | accepted |\n|---|---|---|\n"
    "| `u8 u16 u32 u64` `i16 i32 i64` | 1 2 4 8, 2 4 8 | every value |\n"
    "| `bool` | 1 | 0 or 1 |\n"
    "| `enum E` | 1 | a value of `enum E` in `enums.h` |\n"
    "| `ascii n` | 2 + length | at most n bytes of 0x20-0x7e |\n"
    "| `utf8 n` | 2 + length | at most n bytes, well-formed, no NUL |\n"
    "| `lines n` | 2 + length | as `ascii`, and line feeds |\n"
    "| `fixed n` | n | any bytes |\n"
    "| `bytes n` | 2 + length | at most n bytes |\n"
    "| `R` | those of its fields | a record, under the condition behind its table |\n"
    "| `list n of R` | 2 + its records | at most n records |\n";

/* ---- the text ---- */

static void
put_roles(FILE *out, uint32_t roles)
{
	static const char *const NAMES[ROLE_MAX] = {
	    [ROLE_SUPERVISOR] = "supervisor",
	    [ROLE_FRONT] = "front",
	    [ROLE_PLANNER] = "planner",
	    [ROLE_BROKER] = "broker",
	    [ROLE_NET] = "net",
	    [ROLE_CONSENT] = "consent",
	    [ROLE_FIDO] = "fido",
	    [ROLE_LOADER] = "loader",
	};
	const char *comma = "";

	if (roles == (((1u << ROLE_MAX) - 1) & ~ROLE_BIT(ROLE_SUPERVISOR))) {
		fputs("every child", out);
		return;
	}
	for (unsigned r = 0; r < ROLE_MAX; r++)
		if (roles & ROLE_BIT(r)) {
			fprintf(out, "%s%s", comma, NAMES[r]);
			comma = ", ";
		}
}

static void
put_states(FILE *out, uint32_t states)
{
	static const char *const NAMES[CHAN_STATE_MAX] = {
	    [CHAN_OPEN] = "open",
	    [CHAN_STARTING] = "starting",
	    [CHAN_PHRASE] = "phrase",
	    [CHAN_READING] = "reading",
	    [CHAN_TOUCH] = "touch",
	    [CHAN_DONE] = "done",
	};
	const char *comma = "";

	for (unsigned s = 0; s < CHAN_STATE_MAX; s++)
		if (states & (1u << s)) {
			fprintf(out, "%s%s", comma, NAMES[s]);
			comma = ", ";
		}
}

static void
put_message(FILE *out, uint16_t id, const char *comment)
{
	const struct msg_row *row = msg_row(id);

	fprintf(out, "\n### 0x%04x %s\n\n%s\n\n", id, row->name, comment);
	put_roles(out, row->from);
	fputs(" → ", out);
	put_roles(out, row->to);
	fputs(" · state ", out);
	put_states(out, row->states);
	if (row->fds == MSG_ANY_FDS)
		fputs(" · none or one descriptor\n", out);
	else
		fprintf(out, " · %u descriptors\n", row->fds);
}

static void
put_field(FILE *out, bool *first, const char *name, const char *type, const char *comment)
{
	if (*first)
		fputs("\n| field | type | |\n|---|---|---|\n", out);
	*first = false;
	fprintf(out, "| `%s` | %s | %s |\n", name, type, comment);
}

static void
put_field_n(
    FILE *out, bool *first, const char *name, const char *type, unsigned n, const char *comment)
{
	char text[64];

	snprintf(text, sizeof(text), "`%s %u`", type, n);
	put_field(out, first, name, text, comment);
}

static void
put_list(FILE *out, bool *first, const char *name, const char *rec, unsigned n, const char *comment)
{
	char text[64];

	snprintf(text, sizeof(text), "list %u of `%s`", n, rec);
	put_field(out, first, name, text, comment);
}

#define U8(name, comment) put_field(out, &first, #name, "`u8`", comment);
#define U16(name, comment) put_field(out, &first, #name, "`u16`", comment);
#define U32(name, comment) put_field(out, &first, #name, "`u32`", comment);
#define U64(name, comment) put_field(out, &first, #name, "`u64`", comment);
#define I16(name, comment) put_field(out, &first, #name, "`i16`", comment);
#define I32(name, comment) put_field(out, &first, #name, "`i32`", comment);
#define I64(name, comment) put_field(out, &first, #name, "`i64`", comment);
#define BOOL(name, comment) put_field(out, &first, #name, "`bool`", comment);
#define ENUM(type, name, max, comment) put_field(out, &first, #name, "`enum " #type "`", comment);
#define ASCII(name, most, comment) put_field_n(out, &first, #name, "ascii", (most), comment);
#define UTF8(name, most, comment) put_field_n(out, &first, #name, "utf8", (most), comment);
#define LINES(name, most, comment) put_field_n(out, &first, #name, "lines", (most), comment);
#define FIXED(name, n, comment) put_field_n(out, &first, #name, "fixed", (n), comment);
#define BYTES(name, most, comment) put_field_n(out, &first, #name, "bytes", (most), comment);
#define SUB(rec, name, comment) put_field(out, &first, #name, "`" #rec "`", comment);
#define LIST(rec, name, most, comment) put_list(out, &first, #name, #rec, (most), comment);
#define REC(name, comment)                                                                         \
	static void put_rec_##name(FILE *out)                                                      \
	{                                                                                          \
		bool first = true;                                                                 \
		fprintf(out, "\n### %s\n\n%s\n", #name, comment);
#define REC_END(name, check)                                                                       \
	if (strcmp(#check, "true") != 0)                                                           \
		fprintf(out, "\nAccepted only where `%s`.\n", #check);                             \
	}
#define MSG(id, NAME, name, from, to, fds, states, comment)                                        \
	static void put_msg_##name(FILE *out)                                                      \
	{                                                                                          \
		bool first = true;                                                                 \
		put_message(out, (id), comment);                                                   \
		(void)first;
#define MSG_END(name) }
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>

static void
put_all(FILE *out)
{
	fprintf(out, INTRO, SGW_DATAGRAM_MAX);
	fputs("\n## Records\n", out);
#define REC(name, comment) put_rec_##name(out);
#define REC_END(name, check)
#define MSG(id, NAME, name, from, to, fds, states, comment)
#define MSG_END(name)
#define MESSAGES_NO_FIELDS
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>
	fputs("\n## Messages\n", out);
#define REC(name, comment)
#define REC_END(name, check)
#define MSG(id, NAME, name, from, to, fds, states, comment) put_msg_##name(out);
#define MSG_END(name)
#define MESSAGES_NO_FIELDS
#include <sgwarden/messages_fields.h>
#include <sgwarden/messages.def>
#include <sgwarden/messages_undef.h>
}

/* ---- the file ---- */

static int
check(const char *path, const char *text, size_t len)
{
	FILE *in = fopen(path, "re");
	size_t line = 1, at = 0;
	int c;

	if (!in) {
		perror(path);
		return 1;
	}
	while ((c = fgetc(in)) != EOF && at < len && (unsigned char)text[at] == c) {
		line += c == '\n';
		at++;
	}
	fclose(in);
	if (c == EOF && at == len)
		return 0;
	fprintf(stderr, "%s:%zu differs from messages.def: write it anew with wire_doc --update\n",
	    path, line);
	return 1;
}

static int
update(const char *path, const char *text, size_t len)
{
	FILE *out = fopen(path, "we");
	bool written;

	if (!out) {
		perror(path);
		return 1;
	}
	written = fwrite(text, 1, len, out) == len;
	return fclose(out) == 0 && written ? 0 : 1;
}

int
main(int argc, char **argv)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	int r = 2;

	if (!memory)
		return 1;
	put_all(memory);
	if (fclose(memory) != 0)
		return 1;
	if (argc == 1)
		r = fwrite(text, 1, len, stdout) == len ? 0 : 1;
	else if (argc == 3 && strcmp(argv[1], "--check") == 0)
		r = check(argv[2], text, len);
	else if (argc == 3 && strcmp(argv[1], "--update") == 0)
		r = update(argv[2], text, len);
	else
		fprintf(stderr, "usage: wire_doc [--check FILE | --update FILE]\n");
	free(text);
	return r;
}
