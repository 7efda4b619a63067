/* SPDX-License-Identifier: Apache-2.0 */
/* The person: the record on the screen, the word or the refusal, and every way in which nobody answers. */
#include "custody.h"
#include "recovery.h"

#include <stdio.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

/* A consent that is gone is noticed where its end is read, in ceremony_consent(), and what it said before counts. */
static void
send_consent(struct broker *b)
{
	(void)chan_send(&b->ceremony.consent, b->scratch, &b->out, -1, false);
}

void
ceremony_want(struct broker *b)
{
	b->ceremony.consent.state = CHAN_READING;
	send_consent(b);
}

void
ceremony_show_stage(struct broker *b, enum stage stage, int64_t seconds_left)
{
	b->out.id = MSG_SHOW_STAGE;
	b->out.show_stage.stage = stage;
	b->out.show_stage.seconds_left = (uint16_t)(seconds_left < 0 ? 0 : seconds_left);
	send_consent(b);
	job_stage(b, b->active, stage, seconds_left);
}

/* Consent shows it and ends by itself; should it not, the next ceremony ends it. */
void
ceremony_show_outcome(
    struct broker *b, enum status status, enum sgw_error error, const char *detail)
{
	struct ceremony *c = &b->ceremony;
	struct msg_show_outcome *m = &b->out.show_outcome;

	if (c->consent.fd < 0) {
		/* before a ceremony of its own, c is that of a plan whose outcome may still be read */
		if (b->active->state >= JOB_SPAWNING)
			ceremony_close(b);
		return;
	}
	b->out.id = MSG_SHOW_OUTCOME;
	*m = (struct msg_show_outcome){.status = status, .error = (uint16_t)error};
	(void)FIELD_SET(m->detail, detail);
	(void)FIELD_SET(m->receipt, b->active->receipt);
	if (status == STATUS_OK)
		m->closes = c->record.closes;
	send_consent(b);
	for (size_t i = 0; i < c->n_fidos; i++)
		chan_close(&c->fido[i]);
	c->n_fidos = 0;
	chan_close(&c->consent);
	b->out.id = MSG_END_CEREMONY;
	b->out.end_ceremony = (struct msg_end_ceremony){.ceremony = c->number, .keys_only = true};
	send_control(b);
}

void
ceremony_close(struct broker *b)
{
	struct ceremony *c = &b->ceremony;

	for (size_t i = 0; i < c->n_fidos; i++)
		chan_close(&c->fido[i]);
	c->n_fidos = 0;
	chan_close(&c->consent);
	if (!c->number)
		return;
	b->out.id = MSG_END_CEREMONY;
	b->out.end_ceremony = (struct msg_end_ceremony){.ceremony = c->number};
	send_control(b);
}

void
ceremony_begin(struct broker *b)
{
	struct job *j = b->active;
	struct ceremony *c = &b->ceremony;
	const char *why = "";
	char detail[SGW_DETAIL_MAX + 1];
	enum sgw_error error;

	if (j->kind == JOB_CHANGE && lockdown_against(b, &j->plan, detail) &&
	    !MUTATE(LOCKDOWN_CEREMONY)) {
		lockdown_refuse(b, j);
		return;
	}
	if (j->kind == JOB_CHANGE && b->keys.n_keys == 0) {
		(void)ledger_refusal(b, j, SGW_ERR_NO_KEY, "no key is enrolled");
		job_end(b, STATUS_FAILED, SGW_ERR_NO_KEY, "no key is enrolled");
		return;
	}
	error = custody_problem(b, j, &why);
	if (error != SGW_ERR_NONE) {
		job_fail(b, error, why);
		return;
	}
	if (b->screen == DISPLAY_NONE) {
		j->state = JOB_WAIT_SCREEN;
		j->deadline = clock_monotonic() + SCREEN_WAIT_SECONDS * 1000;
		job_stage(b, j, STAGE_WAITING_FOR_SCREEN, SCREEN_WAIT_SECONDS);
		return;
	}
	ceremony_close(b); /* an earlier one that still shows its outcome */
	c->number = ++b->last_ceremony;
	j->state = JOB_SPAWNING;
	j->deadline = clock_monotonic() + 10000;
	b->out.id = MSG_START_CEREMONY;
	b->out.start_ceremony.ceremony = c->number;
	send_control(b);
}

static void
refuse(struct broker *b, enum status status, enum sgw_error error, const char *reason)
{
	(void)ledger_denial(b, b->active, reason);
	job_end(b, status, error, "");
}

/* A record that says "trusted" is not agreed to on a screen that is so no longer. */
void
ceremony_screen(struct broker *b)
{
	const struct job *j = b->active;

	if (j && j->state == JOB_WAIT_SCREEN && b->screen != DISPLAY_NONE)
		job_restart(b); /* what was read may be old by now */
	else if (j && b->screen == DISPLAY_SHARED &&
		 (j->state == JOB_PHRASE || (j->state >= JOB_READING && j->state <= JOB_KEYS &&
						b->ceremony.record.display == DISPLAY_TRUSTED)))
		refuse(b, STATUS_REFUSED, SGW_ERR_DISPLAY_NOT_TRUSTED, "the display became shared");
}

/* The screen may be another than the one that the policy was asked about. */
static bool
display_suffices(const struct broker *b, const struct job *j)
{
	if (b->ceremony.record.display == DISPLAY_TRUSTED)
		return true;
	return b->ceremony.record.display == DISPLAY_SHARED &&
	       b->config.policy.allow_shared_display && !j->verdict.needs_trusted_display;
}

void
ceremony_spawned(struct broker *b, uint32_t number, int fd)
{
	struct job *j = b->active;
	struct ceremony *c = &b->ceremony;

	if (!j || j->state != JOB_SPAWNING || number != c->number) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd < 0) {
		refuse(b, STATUS_FAILED, SGW_ERR_NO_SCREEN, "no screen");
		return;
	}
	c->consent = chan_open(fd, ROLE_BROKER, ROLE_CONSENT);
	c->n_fidos = 0;
	c->by_signature_len = 0;
	memory_erase(c->phrase, sizeof(c->phrase));
	if (phrase_wanted(b, j))
		phrase_ask(b);
	else
		ceremony_show(b);
}

/* What the person has just chosen stands there too: it is read before it is agreed to. */
static const char *
phrase_shown(const struct broker *b)
{
	const struct ceremony *c = &b->ceremony;

	if (c->record.display != DISPLAY_TRUSTED && !MUTATE(PHRASE))
		return "";
	return c->phrase[0] ? c->phrase : b->keys.phrase;
}

void
ceremony_show(struct broker *b)
{
	struct job *j = b->active;
	struct ceremony *c = &b->ceremony;

	if (!record_make(b, c, j)) {
		refuse(b, STATUS_FAILED, SGW_ERR_INTERNAL, "the record could not be made");
		return;
	}
	record_receipt((const uint8_t *)c->text, c->text_len, j->receipt);
	if (!display_suffices(b, j) && !MUTATE(DISPLAY)) {
		refuse(b, STATUS_REFUSED, SGW_ERR_DISPLAY_NOT_TRUSTED, "the display is shared");
		return;
	}
	if (!c->phrase[0] && !quota_prompt(b, job_whose(j))) {
		refuse(b, STATUS_REFUSED, SGW_ERR_RATE_LIMITED, "too many prompts this hour");
		return;
	}
	b->out.id = MSG_SHOW;
	(void)field_copy(b->out.show.record, sizeof(b->out.show.record), c->text, c->text_len);
	(void)FIELD_SET(b->out.show.phrase, phrase_shown(b));
	recovery_banner(b, b->out.show.banner);
	b->out.show.seconds = (uint16_t)(c->record.expires - c->record.created);
	j->state = JOB_READING;
	j->deadline = record_deadline(c);
	c->consent.state = CHAN_READING;
	send_consent(b);
	job_stage(b, j, STAGE_ON_SCREEN, c->record.expires - c->record.created);
	if (MUTATE(KEY_BEFORE_WORD))
		touch_begin(b);
}

static const struct {
	enum sgw_error error;
	enum status status;
	const char *reason;     /* in the ledger, where src/load/replay_limits.c reads it */
	enum limit_event limit; /* LIMIT_PROMPT: none beyond the prompt */
} DENIALS[DENIAL_MAX] = {
    [DENIAL_DENY] = {SGW_ERR_DENIED, STATUS_DENIED, "deny", LIMIT_DENIAL},
    [DENIAL_BLOCK] = {SGW_ERR_BLOCKED, STATUS_DENIED, "block", LIMIT_BLOCK},
    [DENIAL_WORD] = {SGW_ERR_DENIED_WORD, STATUS_DENIED, "wrong word", LIMIT_DENIAL},
    [DENIAL_EOF] = {SGW_ERR_SCREEN_CLOSED, STATUS_DENIED, "end of file", LIMIT_PROMPT},
    [DENIAL_RECORD] = {SGW_ERR_INTERNAL, STATUS_FAILED, "the screen refused the record",
	LIMIT_PROMPT},
};

static void
on_refused(struct broker *b, enum denial denial)
{
	struct quota *q = quota_of(b, job_whose(b->active));

	quota_refused(q, DENIALS[denial].limit, quota_now());
	refuse(b, DENIALS[denial].status, DENIALS[denial].error, DENIALS[denial].reason);
}

static void
on_key_stage(struct broker *b, enum key_state state)
{
	if (state == KEY_WAITING_TOUCH)
		job_stage(
		    b, b->active, STAGE_TOUCH, (b->active->deadline - clock_monotonic()) / 1000);
	else if (state == KEY_PIN_WRONG || state == KEY_PIN_LOW)
		job_stage(
		    b, b->active, STAGE_PIN, (b->active->deadline - clock_monotonic()) / 1000);
}

static void
screen_ended(struct broker *b)
{
	chan_close(&b->ceremony.consent);
	refuse(b, STATUS_DENIED, SGW_ERR_SCREEN_CLOSED, "the screen ended");
}

/* The code is asked for, or shown and typed back: of what a screen may say only these count now. */
static void
code_said(struct broker *b, const struct msg *m)
{
	if (m->id == MSG_REFUSED)
		on_refused(b, m->refused.denial);
	else if (m->id == MSG_CODE && touch_too_late(b))
		ceremony_voided(b);
	else if (m->id == MSG_CODE)
		recovery_typed(b, m->code.code);
	else if (m->id != MSG_KEY_STAGE) /* of the touch before: it was on its way */
		screen_ended(b);
}

static void
consent_said(struct broker *b, const struct msg *m)
{
	if (b->active->state == JOB_CODE)
		code_said(b, m);
	else if (m->id == MSG_REFUSED)
		on_refused(b, m->refused.denial);
	else if (m->id == MSG_AGREED && recovery_asks(b))
		recovery_ask(b);
	else if (m->id == MSG_AGREED)
		touch_begin(b);
	else if (m->id == MSG_KEY_STAGE && b->active->state == JOB_KEYS)
		on_key_stage(b, m->key_stage.state);
	else if (m->id == MSG_PHRASE && phrase_typed(b, &m->phrase))
		return;
	else if (m->id != MSG_KEY_STAGE || !custody_collecting(b))
		screen_ended(b); /* the key that it speaks of was never asked, or no code was */
}

void
ceremony_consent(struct broker *b)
{
	struct ceremony *c = &b->ceremony;
	struct vault *v = b->vault;
	bool asking = b->active && b->active->state >= JOB_PHRASE && b->active->state <= JOB_KEYS;
	enum chan_result r;

	if (c->consent.fd < 0) /* closed since poll(2) saw it */
		return;
	r = chan_recv(&c->consent, v->scratch, &v->in, NULL);
	if (r == CHAN_AGAIN)
		return;
	if (r != CHAN_GOT) { /* an accepted assertion runs on without its screen */
		chan_close(&c->consent);
		if (asking)
			screen_ended(b);
		return;
	}
	if (asking)
		consent_said(b, &v->in);
	memory_erase(&v->in, sizeof(v->in));
	memory_erase(v->scratch, sizeof(v->scratch));
}

void
ceremony_voided(struct broker *b)
{
	struct job *j = b->active;
	bool no_screen = j->state == JOB_WAIT_SCREEN;
	bool no_key = j->state == JOB_KEYS && b->ceremony.waiting_for_key;

	(void)ledger_timeout(b, j,
	    no_screen                ? "screen"
	    : j->state == JOB_PHRASE ? "phrase"
	    : j->state == JOB_KEYS   ? "touch"
	    : j->state == JOB_CODE   ? "code"
				     : "word");
	job_end(b, STATUS_EXPIRED,
	    no_screen ? SGW_ERR_NO_SCREEN
	    : no_key  ? SGW_ERR_NO_KEY
		      : SGW_ERR_EXPIRED,
	    no_screen ? "no screen was opened"
	    : no_key  ? "no key was plugged in"
		      : "");
}
