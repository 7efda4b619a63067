/* SPDX-License-Identifier: Apache-2.0 */
/* States of the key and outcomes in plain words, each with what to do next. */
#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

#include "consent.h"

const char *
key_text(enum key_state state)
{
	static const char *const texts[KEY_STATE_MAX] = {
	    [KEY_WAITING_TOUCH] = "touch your security key now",
	    [KEY_TOUCHED] = "touched; the daemon checks the signature",
	    [KEY_PIN_WRONG] = "that PIN is wrong",
	    [KEY_PIN_LOW] = "few PIN tries are left",
	    [KEY_PIN_BLOCKED] = "the key has blocked its PIN: unplug it, plug it in, ask again",
	    [KEY_PIN_NOT_SET] = "this key has no PIN: set one with its maker's tool",
	    [KEY_PIN_REQUIRED] = "this key wants its PIN",
	    [KEY_NOT_ENROLLED] = "this key is not an enrolled one",
	    [KEY_EXCLUDED] = "this very key is enrolled already",
	    [KEY_PULLED] = "the key was pulled out",
	    [KEY_TIMED_OUT] = "the key was not touched in time",
	    [KEY_FAILED] = "the key did not sign; the daemon's log has the reason",
	};

	return state < KEY_STATE_MAX ? texts[state] : "?";
}

static const char *
done_text(const struct record *r)
{
	size_t opens = plan_openings(&r->plan);

	if (r->kind == RECORD_ENROLL)
		return r->by_code
			   ? "Done: the key is enrolled. The code is used up; destroy the paper."
			   : "Done: the key is enrolled.";
	if (r->kind != RECORD_CHANGE)
		return "Done.";
	if (r->plan.ops[0].action == ACTION_EXTEND)
		return "Done: it stays open for longer.";
	if (opens == 0)
		return "Done: closed. Connections that were established go on until they end.";
	if (opens < r->plan.n_ops)
		return "Done: all of it is opened and closed.";
	return "Done: it is open.";
}

static void
outcome_ok(struct consent *c, const struct msg_show_outcome *m)
{
	char text[SGW_DETAIL_MAX + 1], when[CLOCK_TEXT_LEN];

	lines_put(&c->screen, done_text(&c->record));
	if (m->closes != 0) {
		clock_format(m->closes, when);
		snprintf(
		    text, sizeof(text), "It closes by itself at %.10s %.8s UTC.", when, when + 11);
		lines_put(&c->screen, text);
		lines_put(
		    &c->screen, "Closing does not cut connections that are established by then.");
	}
}

struct error_text {
	enum sgw_error error;
	const char *text;
};

/* errors.def speaks to whoever asked; where the person at the screen needs other words, they stand here. */
static const struct error_text FOR_THE_PERSON[] = {
    {SGW_ERR_DENIED, "Refused. Nothing was changed; the client is told not to ask again soon."},
    {SGW_ERR_BLOCKED, "Refused, and the client is blocked for a while. Nothing was changed."},
    {SGW_ERR_DENIED_WORD, "Refused: the word was not typed. Nothing was changed."},
    {SGW_ERR_SCREEN_CLOSED, "Refused: end of input. Nothing was changed."},
    {SGW_ERR_EXPIRED, "Time is up: nothing was changed. The client may ask again."},
    {SGW_ERR_CANCELLED, "The client has withdrawn the request. Nothing was changed."},
    {SGW_ERR_NO_KEY,
	"No enrolled key answered. Nothing was changed; have it asked again with the key at hand."},
    {SGW_ERR_STATE_CHANGED,
	"The group changed while you decided: nothing was changed. Have it asked again."},
    {SGW_ERR_AMBIGUOUS,
	"AWS did not answer: it may or may not be done. It is settled by reading, later."},
};

static void
outcome_error(struct consent *c, const struct msg_show_outcome *m)
{
	const struct error_row *row = error_row(m->error);
	char text[512];

	for (size_t i = 0; i < sizeof(FOR_THE_PERSON) / sizeof(FOR_THE_PERSON[0]); i++) {
		if (FOR_THE_PERSON[i].error == (enum sgw_error)m->error) {
			lines_put(&c->screen, FOR_THE_PERSON[i].text);
			return;
		}
	}
	snprintf(text, sizeof(text), "Not done: %s.", row->message);
	lines_put(&c->screen, text);
	snprintf(text, sizeof(text), "Next: %s.", row->next_step);
	lines_put(&c->screen, text);
}

void
outcome_show(struct consent *c, const struct msg_show_outcome *m)
{
	char text[64];

	screen_line_again(&c->screen);
	if (m->status == STATUS_OK)
		outcome_ok(c, m);
	else
		outcome_error(c, m);
	if (m->detail[0] != 0)
		lines_put(&c->screen, m->detail);
	if (m->receipt[0] != 0) {
		snprintf(text, sizeof(text), "Receipt: %s", m->receipt);
		lines_put(&c->screen, text);
	}
	lines_put(&c->screen, "Waiting for the next request. Ctrl-C ends.");
}
