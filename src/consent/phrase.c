/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrolment phrase is chosen here, before there is a record: on the trusted screen, where no client's program reads
 * or types.  What has its form goes to broker, and comes back in the frame of the record that is agreed to.
 */
#include <inttypes.h>
#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/phrase.h>

#include "consent.h"

static void
ask(struct consent *c, const char *note)
{
	snprintf(c->note, sizeof(c->note), "%s", note);
	entry_start(&c->entry, c->chosen, sizeof(c->chosen), false);
	screen_forget_typed(&c->screen);
	draw(c);
}

static size_t
text_put(struct consent *c, uint32_t uid)
{
	int n = snprintf(c->rendered, sizeof(c->rendered),
	    " CHOOSE   the phrase of this screen, asked for by uid %" PRIu32 "\n"
	    "          It stands above each request from then on. A picture of this\n"
	    "          screen that somebody else shows you does not have it.\n"
	    "          Two words or more, 8 to 64 letters, used for nothing else.\n"
	    "          No client hears of it; the ledger holds a digest.\n"
	    " NEXT     the request itself, with the phrase above it, for the word and\n"
	    "          the touch\n",
	    uid);

	return (size_t)n;
}

void
on_want_phrase(struct consent *c, const struct msg_want_phrase *m)
{
	if (c->step != STEP_RECORD || c->screen.open) {
		chan_close(&c->broker);
		return;
	}
	if (screen_open(&c->screen, FD_CONSENT_TTY) < 0) {
		refuse(c, DENIAL_EOF);
		return;
	}
	FIELD_SET(c->phrase, m->phrase);
	c->page = (struct page){.text = c->rendered,
	    .len = text_put(c, m->uid),
	    .phrase = c->phrase,
	    .banner = c->banner};
	c->deadline = clock_monotonic() + (int64_t)m->seconds * 1000;
	c->step = STEP_PHRASE;
	ask(c, "");
}

void
phrase_typed(struct consent *c)
{
	const char *problem;

	phrase_trim(c->chosen);
	if (c->chosen[0] == 0 || entry_is(&c->entry, "deny")) {
		refuse(c, DENIAL_DENY);
		return;
	}
	if (entry_is(&c->entry, "block")) {
		refuse(c, DENIAL_BLOCK);
		return;
	}
	problem = c->entry.too_long ? "that is longer than 64 letters" : phrase_problem(c->chosen);
	if (problem) {
		ask(c, problem);
		return;
	}
	c->step = STEP_RECORD;
	c->deadline = 0;
	c->out = (struct msg){.id = MSG_PHRASE};
	FIELD_SET(c->out.phrase.phrase, c->chosen);
	broker_send(c);
	draw_line(c);
}
