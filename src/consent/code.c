/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery code.  A new one is shown, wiped off the screen, and typed back from paper; the one that there is is
 * typed.  Its characters go from the vault to the terminal and back by a way of their own, which keeps no copy.
 */
#include <stdio.h>

#include <sgwarden/clock.h>

#include "consent.h"

/* As long as one is in the vault it may stand on the screen, whichever step came next. */
void
code_erase(struct consent *c)
{
	if (c->vault->paper[0] != 0 || c->vault->typed_code[0] != 0)
		screen_wipe(&c->screen);
	memory_erase(c->vault->code, sizeof(c->vault->code));
	memory_erase(c->vault->parsed, sizeof(c->vault->parsed));
	memory_erase(c->vault->paper, sizeof(c->vault->paper));
	memory_erase(c->vault->typed_code, sizeof(c->vault->typed_code));
}

void
code_draw(struct consent *c)
{
	struct screen *s = &c->screen;

	screen_clear(s);
	lines_put(s, "The recovery code. It is shown this once and kept nowhere:");
	screen_feed(s);
	screen_puts(s, "     ");
	screen_secret(s, c->vault->paper, RECOVERY_TEXT_LEN);
	screen_feed(s);
	screen_feed(s);
	lines_put(s,
	    "Write it down on paper, by hand. It has no I, L, O or U; the last two characters "
	    "find a slip of the pen.");
	lines_put(s,
	    "Enter when it is written: then it goes off the screen and is typed back. Ctrl-C "
	    "makes no code.");
	draw_line(c);
}

void
code_draw_typed(struct consent *c)
{
	screen_puts(&c->screen, "code: ");
	screen_secret(&c->screen, c->entry.text, c->entry.len);
}

void
code_ask(struct consent *c)
{
	screen_wipe(&c->screen);
	c->step = STEP_CODE;
	entry_start(&c->entry, c->vault->typed_code, sizeof(c->vault->typed_code), false);
	screen_forget_typed(&c->screen);
	draw(c);
}

static void
code_show(struct consent *c)
{
	c->step = STEP_SHOWN;
	screen_forget_typed(&c->screen);
	draw(c);
}

void
on_want_code(struct consent *c, const struct msg_want_code *m)
{
	bool make = c->record.kind == RECORD_ADMIN && c->record.act == ACT_MAKE_CODE;
	bool use = c->record.kind == RECORD_ENROLL && c->record.by_code == 1;

	/* Nothing else that was shown says that a code is asked for. */
	if (c->step != STEP_KEY || m->code_len != (make ? SGW_CODE_LEN : 0) || (!make && !use)) {
		chan_close(&c->broker);
		return;
	}
	c->deadline = c->record_deadline;
	c->note[0] = 0;
	if (!make) {
		code_ask(c);
		return;
	}
	keys_close(c);
	memcpy(c->vault->code, m->code, SGW_CODE_LEN);
	recovery_text(c->vault->code, c->vault->paper);
	code_show(c);
}

static void
code_send(struct consent *c)
{
	struct vault *v = c->vault;

	v->msg = (struct msg){.id = MSG_CODE};
	memcpy(v->msg.code.code, v->parsed, SGW_CODE_LEN);
	(void)chan_send(&c->broker, v->scratch, &v->msg, -1, true);
	memory_erase(&v->msg, sizeof(v->msg));
}

/* What the check finds was never said: no try is spent on a slip. */
void
code_typed(struct consent *c)
{
	struct vault *v = c->vault;
	bool shown = v->paper[0] != 0;

	if (c->entry.len == 0) {
		refuse(c, DENIAL_DENY);
		return;
	}
	if (c->entry.too_long || !recovery_parse(c->entry.text, c->entry.len, v->parsed)) {
		snprintf(c->note, sizeof(c->note), "a slip: that cannot be the code; once more");
		code_ask(c);
		return;
	}
	if (shown && !memory_equal(v->parsed, v->code, SGW_CODE_LEN)) {
		code_show(c); /* another code than this one: read it again */
		return;
	}
	code_send(c);
	code_erase(c);
	c->step = STEP_KEY;
	c->note[0] = 0;
	snprintf(c->status, sizeof(c->status), "the daemon checks the code");
	draw(c);
}
