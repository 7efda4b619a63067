/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records for the test of the consent screen: `consent_records NAME record|render|word` writes one to stdout.
 */
#include <stdio.h>

#include <sgwarden/render.h>
#include <sgwarden/vis.h>

#include "record_fixture.h"

static struct record
usual(void)
{
	struct record r = fixture_record();

	r.effect = CLASS_OPEN;
	r.pin = false;
	r.display = DISPLAY_SHARED;
	r.plan.ops[0].from_port = r.plan.ops[0].to_port = 443;
	return r;
}

static struct record
sensitive(void)
{
	return fixture_record();
}

static struct record
closing(void)
{
	return fixture_close(1);
}

static struct record
enrolling(void)
{
	struct record r = fixture_enroll();

	r.pin = false;
	return r;
}

static struct record
first_key(void)
{
	struct record r = enrolling();

	r.keys_enrolled = 0;
	return r;
}

static struct record
longest(void)
{
	return fixture_longest();
}

/* Several touches over one record: see WANT_KEY. */
static struct record
sealing(void)
{
	struct record r = enrolling();

	r.kind = RECORD_ADMIN;
	r.act = ACT_SEAL;
	r.pin = true;
	(void)FIELD_SET(r.subject, "demo opener");
	(void)FIELD_SET(r.say[r.n_say++], "tier        opener: a touch unseals it");
	return r;
}

static struct record
making(void)
{
	struct record r = sealing();

	r.act = ACT_MAKE_CODE;
	return r;
}

static struct record
recovering(void)
{
	struct record r = enrolling();

	r.by_code = 1;
	return r;
}

/* Words that would repaint a terminal, were they shown as they came. */
static struct record
hostile(void)
{
	static const char name[] = "\x1b[2J\x1b[H\x07 \xe2\x80\xae\xe2\x81\xa6 e\xcc\x81 \x9b"
				   "31m \xff";
	static const char says[] =
	    "\x1b]52;c;ZXZpbA==\x07\x1b]0;owned\x07\r\n RISK   none\n\x1b[1;1H-- sgwarden "
	    "consent -- page 9 of 9\x1b[?1049h";
	struct record r = usual();

	vis(r.groups[0].name, sizeof(r.groups[0].name), name, sizeof(name) - 1);
	vis(r.claimed, sizeof(r.claimed), name, sizeof(name) - 1);
	vis(r.reason, sizeof(r.reason), says, sizeof(says) - 1);
	return r;
}

static const struct {
	const char *name;
	struct record (*make)(void);
} RECORDS[] = {
    {"usual", usual},
    {"sensitive", sensitive},
    {"closing", closing},
    {"enrolling", enrolling},
    {"first-key", first_key},
    {"sealing", sealing},
    {"making", making},
    {"recovering", recovering},
    {"longest", longest},
    {"hostile", hostile},
};

static int
write_part(const struct record *r, const char *part)
{
	static char text[SGW_RECORD_MAX + 1];
	struct buf b = buf_over(text, sizeof(text));

	if (strcmp(part, "word") == 0) {
		record_word(r, text);
		return puts(text) < 0;
	}
	if (!(strcmp(part, "record") == 0 ? record_encode(r, &b) : render_record(r, &b)))
		return 1;
	return fwrite(text, 1, b.len, stdout) != b.len;
}

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(RECORDS) / sizeof(RECORDS[0]); i++) {
		struct record r;

		if (strcmp(argv[1], RECORDS[i].name) != 0)
			continue;
		r = RECORDS[i].make();
		return write_part(&r, argv[2]);
	}
	return 2;
}
