/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the record to the agreement.  The record is decoded, which makes its rendering anew and compares; every page
 * is shown; what was typed before the question is thrown away; and then exactly the word agrees, everything else is no.
 */
#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "consent.h"

/* Where broker has closed its end, its last word may still wait to be read: on_broker() reads that, then the end. */
void
broker_send(struct consent *c)
{
	(void)chan_send(&c->broker, c->scratch, &c->out, -1, false);
}

void
refuse(struct consent *c, enum denial denial)
{
	bool told = c->step == STEP_REFUSED || c->step == STEP_RUNNING || c->step == STEP_DONE;

	if (told)
		return;
	code_erase(c);
	c->step = STEP_REFUSED;
	c->deadline = 0;
	snprintf(c->status, sizeof(c->status), "refused; the daemon is told");
	keys_close(c);
	c->out = (struct msg){.id = MSG_REFUSED};
	c->out.refused.denial = denial;
	broker_send(c);
	if (c->screen.open)
		draw_line(c);
}

/* ---- what stands on the screen ---- */

static unsigned
seconds_left(const struct consent *c)
{
	int64_t left = c->deadline - clock_monotonic();

	return left > 0 ? (unsigned)((left + 999) / 1000) : 0;
}

void
draw_line(struct consent *c)
{
	struct screen *s = &c->screen;
	char count[32] = "";

	if (!s->open)
		return;
	if (c->deadline != 0)
		snprintf(count, sizeof(count), "[%3u s] ", seconds_left(c));
	screen_line_again(s);
	screen_puts(s, " ");
	screen_puts(s, count);
	if (c->step == STEP_WORD) {
		screen_puts(s, "> ");
		screen_puts(s, c->typed_word);
	} else if (c->step == STEP_PHRASE) {
		screen_puts(s, "> ");
		screen_puts(s, c->chosen);
	} else if (c->step == STEP_PIN) {
		screen_puts(s, "PIN (not shown): ");
	} else if (c->step == STEP_CODE) {
		code_draw_typed(c);
	} else if (c->step >= STEP_KEY) {
		screen_puts(s, c->status);
	}
	screen_flush(s);
}

static void
may_type(const struct consent *c, char *ret_text, size_t size)
{
	bool optional = c->record.kind == RECORD_ENROLL && !c->record.pin;

	if (c->step == STEP_READING)
		snprintf(
		    ret_text, size, "space: the next page; the question comes after the last one");
	else if (c->step == STEP_WORD)
		snprintf(ret_text, size,
		    "type %s to go on to the key, or deny, or block (this client)", c->word);
	else if (c->step == STEP_PHRASE)
		snprintf(ret_text, size, "type the phrase; Enter alone refuses");
	else if (c->step == STEP_PIN && c->wanted[0])
		snprintf(ret_text, size, "the PIN of %s; Enter alone refuses", c->wanted);
	else if (c->step == STEP_PIN)
		snprintf(ret_text, size, "%s",
		    optional ? "the new key's PIN; Enter alone if it has none; Ctrl-C refuses"
			     : "your security key's PIN; Enter alone refuses");
	else if (c->step == STEP_CODE)
		snprintf(ret_text, size, "%s; Enter alone refuses",
		    c->vault->paper[0] ? "type the code back, from the paper"
				       : "type the recovery code, from the paper");
	else
		snprintf(ret_text, size, "%s", c->step == STEP_KEY ? "Ctrl-C refuses" : "");
}

void
draw(struct consent *c)
{
	char text[96];

	if (!c->screen.open)
		return;
	if (c->step == STEP_SHOWN) {
		code_draw(c);
		return;
	}
	may_type(c, text, sizeof(text));
	page_draw(&c->page, &c->screen, c->note, text);
	/* A window that has become smaller: what no longer fits was not read to its end. */
	if (c->step == STEP_WORD && !page_is_last(&c->page) && !MUTATE(LAST_PAGE)) {
		c->step = STEP_READING;
		may_type(c, text, sizeof(text));
		page_draw(&c->page, &c->screen, c->note, text);
	}
	draw_line(c);
}

/* Shows the page that begins at page.from, and asks once it is the last. */
static void
page_turn(struct consent *c)
{
	c->step = STEP_READING;
	draw(c);
	screen_forget_typed(
	    &c->screen); /* before the question stands there: whatever is typed at it counts */
	if (page_is_last(&c->page) || MUTATE(LAST_PAGE)) {
		c->step = STEP_WORD;
		entry_start(&c->entry, c->typed_word, sizeof(c->typed_word), false);
		draw(c);
	}
}

/* ---- the broker ---- */

/* True where the record holds and its rendering is the one that its maker signed for. */
static bool
record_take(struct consent *c, const struct msg_show *m)
{
	size_t len = strlen(m->record);
	struct buf b = buf_over(c->rendered, sizeof(c->rendered));

	if (!record_decode((const uint8_t *)m->record, len, &c->record))
		return false;
	memcpy(c->text, m->record, len + 1);
	if (!render_record(&c->record, &b) || !buf_put_c(&b))
		return false;
	record_word(&c->record, c->word);
	FIELD_SET(c->phrase, m->phrase);
	FIELD_SET(c->banner, m->banner);
	c->page = (struct page){
	    .text = c->rendered, .len = b.len, .phrase = c->phrase, .banner = c->banner};
	return true;
}

static void
on_show(struct consent *c, const struct msg_show *m)
{
	if (c->step != STEP_RECORD) {
		chan_close(&c->broker);
		return;
	}
	/* it is open already where the phrase was chosen */
	if (!c->screen.open && screen_open(&c->screen, FD_CONSENT_TTY) < 0) {
		refuse(c, DENIAL_EOF);
		return;
	}
	c->note[0] = 0;
	if (!record_take(c, m)) {
		log_error("the record that broker sent does not hold: nothing is shown");
		screen_clear(&c->screen);
		refuse(c, DENIAL_RECORD);
		return;
	}
	c->record_deadline = c->deadline = clock_monotonic() + (int64_t)m->seconds * 1000;
	page_turn(c);
}

static void
on_show_stage(struct consent *c, const struct msg_show_stage *m)
{
	if (m->stage != STAGE_EXECUTING || c->step == STEP_REFUSED || c->step == STEP_RECORD)
		return;
	c->step = STEP_RUNNING;
	c->deadline = 0;
	c->note[0] = 0;
	keys_close(c);
	snprintf(c->status, sizeof(c->status),
	    "approved; AWS is asked: a trial run, the group again, the change");
	draw(c);
}

/* One more touch over what was agreed to already: no word, but the PIN where it is wanted. */
static void
on_want_key(struct consent *c, const struct msg_want_key *m)
{
	if (c->record.kind != RECORD_ADMIN || (c->step != STEP_KEY && c->step != STEP_PIN)) {
		chan_close(&c->broker);
		return;
	}
	keys_close(c); /* the touch that this follows may not have been heard of here yet */
	c->touches += c->touches == 0;
	(void)FIELD_SET(c->wanted, m->names);
	c->wants_pin = m->pin;
	c->agreed = false;
	c->deadline = c->record_deadline;
	if (m->pin)
		ask_pin(c, "");
	else
		keys_begin(c);
}

static void
on_show_outcome(struct consent *c, const struct msg_show_outcome *m)
{
	keys_close(c);
	code_erase(c);
	if (c->screen.open)
		outcome_show(c, m);
	c->step = STEP_DONE;
}

static void
broker_said(struct consent *c, const struct msg *m)
{
	if (m->id == MSG_SHOW)
		on_show(c, &m->show);
	else if (m->id == MSG_WANT_PHRASE)
		on_want_phrase(c, &m->want_phrase);
	else if (m->id == MSG_SHOW_STAGE)
		on_show_stage(c, &m->show_stage);
	else if (m->id == MSG_WANT_KEY)
		on_want_key(c, &m->want_key);
	else if (m->id == MSG_WANT_CODE)
		on_want_code(c, &m->want_code);
	else if (m->id == MSG_SHOW_OUTCOME)
		on_show_outcome(c, &m->show_outcome);
	else
		chan_close(&c->broker);
}

void
on_broker(struct consent *c)
{
	struct vault *v = c->vault;
	enum chan_result r = chan_recv(&c->broker, v->scratch, &v->msg, NULL);

	if (r == CHAN_AGAIN)
		return;
	if (r == CHAN_GOT)
		broker_said(c, &v->msg);
	else
		chan_close(&c->broker);
	memory_erase(&v->msg, sizeof(v->msg));
	memory_erase(v->scratch, sizeof(v->scratch));
	if (c->broker.fd >= 0)
		return;
	code_erase(c);
	if (c->screen.open) {
		screen_line_again(&c->screen);
		lines_put(&c->screen, "The daemon ended this request; its log has the reason.");
	}
	c->step = STEP_DONE;
}

/* ---- the person ---- */

void
ask_pin(struct consent *c, const char *note)
{
	c->step = STEP_PIN;
	pin_erase(c);
	snprintf(c->note, sizeof(c->note), "%s", note);
	entry_start(&c->entry, c->vault->pin, sizeof(c->vault->pin), true);
	screen_forget_typed(&c->screen);
	draw(c);
}

static void
wrong_word(struct consent *c)
{
	unsigned left = SGW_WORD_TRIES - ++c->tries + (MUTATE(WORD_TRIES) ? 100u : 0u);

	if (left == 0) {
		refuse(c, DENIAL_WORD);
		return;
	}
	snprintf(c->note, sizeof(c->note), "that is not the word: %u %s left", left,
	    left == 1 ? "try" : "tries");
	entry_start(&c->entry, c->typed_word, sizeof(c->typed_word), false);
	screen_forget_typed(&c->screen);
	draw(c);
}

static void
word_typed(struct consent *c)
{
	static const char *const no[] = {"", "y", "Y", "yes", "n", "no", "deny"};

	c->note[0] = 0;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (entry_is(&c->entry, no[i]) && !MUTATE(HABIT)) {
			refuse(c, DENIAL_DENY);
			return;
		}
	}
	if (entry_is(&c->entry, "block")) {
		refuse(c, DENIAL_BLOCK);
	} else if (entry_is(&c->entry, "back") && page_several(&c->page, &c->screen)) {
		c->page.from = 0;
		page_turn(c);
	} else if (!entry_is(&c->entry, c->word) && !MUTATE(WORD)) {
		wrong_word(c);
	} else if (c->record.pin || c->record.kind == RECORD_ENROLL) {
		ask_pin(c, "");
	} else {
		keys_begin(c);
	}
}

static void
pin_typed(struct consent *c)
{
	if (c->entry.too_long) {
		ask_pin(c, "that is longer than any PIN");
		return;
	}
	if (c->entry.len == 0 && (c->record.pin || c->agreed || c->wants_pin)) {
		refuse(c, DENIAL_DENY);
		return;
	}
	c->note[0] = 0;
	if (c->agreed)
		keys_pin_again(c);
	else
		keys_begin(c);
}

static void
on_entry(struct consent *c, uint8_t byte)
{
	switch (entry_byte(&c->entry, byte)) {
	case ENTRY_SAME:
		break;
	case ENTRY_CHANGED:
		draw_line(c);
		break;
	case ENTRY_DONE:
		if (c->step == STEP_WORD)
			word_typed(c);
		else if (c->step == STEP_PHRASE)
			phrase_typed(c);
		else if (c->step == STEP_CODE)
			code_typed(c);
		else
			pin_typed(c);
		break;
	case ENTRY_INTERRUPT:
		refuse(c, DENIAL_DENY);
		break;
	case ENTRY_END:
		if (!MUTATE(END_OF_FILE))
			refuse(c, DENIAL_EOF);
		break;
	}
}

/* Outside the two questions only these count: on to the next page, and no. */
static void
on_key(struct consent *c, uint8_t byte)
{
	if (byte == 0x03) {
		refuse(c, DENIAL_DENY);
	} else if (byte == 0x04) {
		refuse(c, DENIAL_EOF);
	} else if (c->step == STEP_SHOWN && (byte == '\r' || byte == '\n')) {
		code_ask(c);
	} else if (c->step == STEP_READING && (byte == ' ' || byte == '\r' || byte == '\n')) {
		c->page.from = c->page.to;
		page_turn(c);
	}
}

void
on_typed(struct consent *c)
{
	int n = screen_read(&c->screen, c->vault->typed, sizeof(c->vault->typed));
	enum step step = c->step;
	size_t from = c->page.from;

	if (n < 0)
		refuse(c, DENIAL_EOF);
	/* What stands behind the key that led on was typed before the next question. */
	for (int i = 0; i < n; i++) {
		if ((c->step != step || c->page.from != from) && !MUTATE(TYPED_AHEAD))
			break;
		if (c->step == STEP_WORD || c->step == STEP_PIN || c->step == STEP_PHRASE ||
		    c->step == STEP_CODE)
			on_entry(c, c->vault->typed[i]);
		else
			on_key(c, c->vault->typed[i]);
	}
	memory_erase(c->vault->typed, sizeof(c->vault->typed));
}

void
on_tick(struct consent *c)
{
	if (!c->screen.open || c->step == STEP_REFUSED)
		return;
	if (screen_measure(&c->screen))
		draw(c);
	else
		draw_line(c);
}
