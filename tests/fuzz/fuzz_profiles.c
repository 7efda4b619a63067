/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as ~/.aws/credentials and ~/.aws/config (the line "%%" between them): what is complained of is a line of
 * its file, in printable words; what is offered are slices of these texts that hold nothing but what their place may.
 */
#include <stdlib.h>
#include <string.h>

#include <sgwarden/vis.h>

#include "../../src/load/profiles.h"
#include "fuzz.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

struct text {
	const char *at;
	size_t len;
	unsigned lines;
};

/* One that comes after all was read, or while: the line is one of that file's. */
static void
on_problem(void *context, enum input_file file, uint32_t line, const char *detail)
{
	const struct text *texts = context;

	MUST(file == INPUT_CREDENTIALS || file == INPUT_CONFIG);
	MUST(line >= 1 && line <= texts[file].lines);
	MUST(detail[0] && strlen(detail) <= SGW_DETAIL_MAX);
	MUST(text_is_ascii(detail, strlen(detail)));
}

static bool
inside(const struct text *t, struct slice s)
{
	return s.at >= t->at && s.at + s.len <= t->at + t->len;
}

/* Empty, or of one of the files: printable, without blanks, no longer than its field takes. */
static void
check_slice(const struct text texts[INPUT_LEDGER], struct slice s, size_t most, bool blanks)
{
	if (s.len == 0)
		return;
	MUST(inside(&texts[INPUT_CREDENTIALS], s) || inside(&texts[INPUT_CONFIG], s));
	MUST(s.len <= most && text_is_ascii(s.at, s.len));
	MUST(blanks || memchr(s.at, ' ', s.len) == NULL);
}

static void
check_profiles(struct profiles *p, const struct text texts[INPUT_LEDGER])
{
	for (size_t i = 0; i < p->n; i++) {
		struct profile_loaded got = {0};

		for (size_t k = 0; k < i; k++)
			MUST(p->profile[i].name.len != p->profile[k].name.len ||
			     memcmp(p->profile[i].name.at, p->profile[k].name.at,
				 p->profile[i].name.len) != 0);
		if (!profile_resolve(p, &p->profile[i], &got)) {
			MUST(got.name.at == NULL && got.secret_key.at == NULL);
			continue;
		}
		MUST(!p->profile[i].broken && got.access_key_id.len > 0 && got.secret_key.len > 0);
		check_slice(texts, got.name, SGW_PROFILE_MAX, true);
		check_slice(texts, got.access_key_id, SGW_ACCESS_KEY_ID_MAX, false);
		check_slice(texts, got.secret_key, SGW_SECRET_KEY_MAX, false);
		check_slice(texts, got.token, SGW_SESSION_TOKEN_MAX, false);
		check_slice(texts, got.region, SGW_REGION_MAX, false);
	}
}

static struct text
text_over(const char *at, size_t len)
{
	struct text t = {.at = at, .len = len, .lines = 1};

	for (size_t i = 0; i < len; i++)
		t.lines += at[i] == '\n';
	return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct profiles p;
	static const char between[] = "\n%%\n";
	const char *text = (const char *)data, *split;
	struct text texts[INPUT_LEDGER];

	if (len == 0)
		return 0;
	split = memmem(text, len, between, sizeof(between) - 1);
	texts[INPUT_CREDENTIALS] = text_over(text, split ? (size_t)(split - text) + 1 : len);
	split = split ? split + sizeof(between) - 1 : text + len;
	texts[INPUT_CONFIG] = text_over(split, len - (size_t)(split - text));
	memset(&p, 0, sizeof(p));
	p.problem = on_problem;
	p.context = texts;
	for (enum input_file f = INPUT_CREDENTIALS; f <= INPUT_CONFIG; f++)
		profiles_read(&p, f, texts[f].at, texts[f].len);
	check_profiles(&p, texts);
	return 0;
}
