/* SPDX-License-Identifier: Apache-2.0 */
/* Health: one line per part, each from its own row, from the broker's status and what the planner saw itself. */
#include "views.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/sandbox.h>

#include "broker.h"
#include "clients.h"
#include "lockdown.h"

#define SKEW_NOTICE 60 /* s: AWS refuses signatures that are minutes off */
#define SKEW_BROKEN 240

static void __attribute__((format(printf, 3, 4)))
say(struct rec_component *c, enum component_state state, const char *format, ...)
{
	va_list args;

	c->state = state;
	va_start(args, format);
	vsnprintf(c->detail, sizeof(c->detail), format, args);
	va_end(args);
}

static void
on_front(const struct planner *p, struct rec_component *c)
{
	say(c, COMPONENT_OK, "%zu connected", p->n_clients);
}

static void
on_planner(const struct planner *p, struct rec_component *c)
{
	say(c, COMPONENT_OK, "%zu KiB of AWS's answers held", p->snaps_bytes / 1024);
}

static void
on_broker(const struct planner *p, struct rec_component *c)
{
	if (p->question[QUESTION_STATUS].failed)
		say(c, COMPONENT_DOWN, "it does not answer; what follows may be old");
	else if (p->status.problem[0] != 0)
		say(c, COMPONENT_DEGRADED, "%s", p->status.problem);
	else
		say(c, COMPONENT_OK, "it answers");
}

static void
on_ledger(const struct planner *p, struct rec_component *c)
{
	const uint8_t *head = p->status.ledger_head;

	if (!p->status.ledger_ok)
		say(c, COMPONENT_DOWN,
		    "the last record is not durable: nothing opens until it can be "
		    "written");
	else
		say(c, COMPONENT_OK, "%" PRIu64 " records, head %02x%02x%02x%02x",
		    p->status.ledger_number, head[0], head[1], head[2], head[3]);
}

static void
on_screen(const struct planner *p, struct rec_component *c)
{
	switch (p->status.screen) {
	case DISPLAY_TRUSTED:
		if (p->status.keys > 0 && !p->status.phrase)
			say(c, COMPONENT_DEGRADED,
			    "open on %s, without a phrase that a picture of it lacks: `sgwarden "
			    "key "
			    "phrase`",
			    p->status.tty);
		else
			say(c, COMPONENT_OK, "open on %s", p->status.tty);
		break;
	case DISPLAY_SHARED:
		say(c, COMPONENT_DEGRADED,
		    "open on %s, of a client's own user: programs of that user "
		    "could fake it",
		    p->status.tty);
		break;
	default:
		say(c, COMPONENT_DOWN,
		    "not open: run `sgwarden consent` in a terminal, or start its unit");
		break;
	}
}

static void
on_key(const struct planner *p, struct rec_component *c)
{
	if (p->status.keys == 0)
		say(c, COMPONENT_DOWN, "none enrolled: `sgwarden key enroll NAME`");
	else if (p->status.keys == 1)
		say(c, COMPONENT_DEGRADED, "one enrolled: enrol a second, in case it is lost");
	else
		say(c, COMPONENT_OK, "%u enrolled", (unsigned)p->status.keys);
}

/* As long as there is one, and when one was used: whoever reads this may not be the one who wrote it down. */
static void
on_recovery(const struct planner *p, struct rec_component *c)
{
	char made[CLOCK_TEXT_LEN], used[CLOCK_TEXT_LEN + 32] = "";

	if (p->status.code_used != 0) {
		clock_format(p->status.code_used, made);
		snprintf(used, sizeof(used), "one enrolled a key %s", made);
	}
	if (p->status.code_made == 0) {
		say(c, COMPONENT_OK, "%s", used[0] != 0 ? used : "none");
		return;
	}
	clock_format(p->status.code_made, made);
	say(c, COMPONENT_DEGRADED,
	    "there is one since %s: whoever has it can enrol a key; `sgwarden recovery drop`%s%s",
	    made, used[0] != 0 ? "; " : "", used);
}

static void
on_aws(const struct planner *p, struct rec_component *c)
{
	int64_t last =
	    p->status.aws_answered > p->aws_answered ? p->status.aws_answered : p->aws_answered;

	if (p->aws_error != SGW_ERR_NONE)
		say(c, COMPONENT_DEGRADED, "the last read failed: %s",
		    error_row(p->aws_error)->message);
	else if (last == 0)
		say(c, COMPONENT_OK, "not asked yet");
	else
		say(c, COMPONENT_OK, "answered %" PRId64 " s ago", clock_now() - last);
}

/* What is open past its time, and what a person must do about it. */
static void
overdue(const struct msg_broker_status *s, struct rec_component *c)
{
	const struct error_row *why = error_row(s->closing_error);

	if (s->closing_error == SGW_ERR_NONE)
		say(c, COMPONENT_DOWN, "%u past their time and not yet closed",
		    (unsigned)s->overdue);
	else
		say(c, COMPONENT_DOWN, "%u past their time and not yet closed: profile %s: %s; %s",
		    (unsigned)s->overdue, s->closing_profile, why->message, why->next_step);
	c->error = s->closing_error;
}

static void
on_expiry(const struct planner *p, struct rec_component *c)
{
	const struct msg_broker_status *s = &p->status;

	if (s->overdue > 0)
		overdue(s, c);
	else if (s->ambiguous > 0)
		say(c, COMPONENT_DEGRADED, "%u of which AWS never said whether they are open",
		    (unsigned)s->ambiguous);
	else
		say(c, COMPONENT_OK, "%u open, none overdue", (unsigned)s->open_grants);
}

static void
on_sandbox(const struct planner *p, struct rec_component *c)
{
	size_t at = 0;

	if (p->degraded == 0) {
		say(c, COMPONENT_OK, "whole");
		return;
	}
	say(c, COMPONENT_DEGRADED, "accepted degradations");
	at = strlen(c->detail);
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		const char *name = p->degraded & bit ? degraded_name(bit) : NULL;

		if (name == NULL || at + strlen(name) + 3 > sizeof(c->detail))
			continue;
		at += (size_t)snprintf(c->detail + at, sizeof(c->detail) - at, " %s", name);
	}
}

static void
on_clock(const struct planner *p, struct rec_component *c)
{
	int64_t skew = p->status.clock_skew, size = skew < 0 ? -skew : skew;

	say(c,
	    size > SKEW_BROKEN   ? COMPONENT_DOWN
	    : size > SKEW_NOTICE ? COMPONENT_DEGRADED
				 : COMPONENT_OK,
	    "AWS's clock minus ours: %" PRId64 " s", skew);
}

/* A profile that the daemon found no reader for: what was opened in it stays open. */
static bool
no_reader(const struct planner *p, struct rec_component *c)
{
	for (size_t i = 0; i < p->profiles.n_profiles; i++)
		if (!p->profiles.profiles[i].has_credentials) {
			c->error = SGW_ERR_NO_CREDENTIALS;
			say(c, COMPONENT_DOWN, "%s: no reader, so nothing is read or closed: %s",
			    p->profiles.profiles[i].name, error_row(c->error)->next_step);
			return true;
		}
	return false;
}

/* What the person chose in setup; else: an opener in the AWS files opens for whoever can read them; one that is sealed and there too, all the more. */
static void
on_custody(const struct planner *p, struct rec_component *c)
{
	unsigned sealed = 0;

	if (p->config.use == USE_DEMO) {
		say(c, COMPONENT_DEGRADED,
		    "set up as a demo: what opens may stand in plaintext in the AWS files");
		return;
	}
	if (p->config.use == USE_READ_ONLY) {
		if (!no_reader(p, c))
			say(c, COMPONENT_OK, "set up as read-only: sgwarden opens nothing");
		return;
	}

	for (size_t i = 0; i < p->profiles.n_profiles; i++) {
		const struct rec_profile_info *of = &p->profiles.profiles[i];

		for (size_t k = 0; k < of->n_tiers; k++) {
			const struct rec_tier_info *t = &of->tiers[k];

			if (t->tier == TIER_READER)
				continue;
			sealed += t->sealed;
			if (!t->plaintext)
				continue;
			say(c, COMPONENT_DEGRADED,
			    t->sealed
				? "%s: sealed, and its plaintext is still in the AWS files: take "
				  "it "
				  "out, restart the daemon"
				: "%s: what opens stands in plaintext in the AWS files: `sgwarden "
				  "cred status`",
			    of->name);
			return;
		}
	}
	if (!no_reader(p, c))
		say(c, COMPONENT_OK, "no opener in plaintext, %u sealed", sealed);
}

static void
on_openings(const struct planner *p, struct rec_component *c)
{
	char off[SGW_DETAIL_MAX + 1];

	lockdown_note(p, NULL, NULL, off);
	if (off[0] == 0)
		say(c, COMPONENT_OK, "no lockdown");
	else
		say(c, COMPONENT_DEGRADED, "%.150s; `sgwarden unlock` turns them on again", off);
}

static const struct {
	const char *name;
	void (*say)(const struct planner *p, struct rec_component *c);
} COMPONENTS[] = {
    {"front", on_front},
    {"planner", on_planner},
    {"broker", on_broker},
    {"ledger", on_ledger},
    {"consent screen", on_screen},
    {"key", on_key},
    {"recovery code", on_recovery},
    {"aws", on_aws},
    {"expiry", on_expiry},
    {"openings", on_openings},
    {"sandbox", on_sandbox},
    {"clock", on_clock},
    {"credentials", on_custody},
};

bool
run_health(struct planner *p, struct call *call)
{
	struct msg_health *out = &p->out.health;

	p->out.id = MSG_HEALTH;
	out->request = call->request;
	out->n_components = sizeof(COMPONENTS) / sizeof(COMPONENTS[0]);
	for (size_t i = 0; i < out->n_components; i++) {
		FIELD_SET(out->components[i].name, COMPONENTS[i].name);
		out->components[i].error = SGW_ERR_NONE;
		COMPONENTS[i].say(p, &out->components[i]);
	}
	return client_send(p, call->client) != SENT_BLOCKED;
}
