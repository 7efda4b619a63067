/* SPDX-License-Identifier: Apache-2.0 */
/* One ceremony on one terminal: what is known of it, and its steps. */
#ifndef CONSENT_H
#define CONSENT_H

#include <sgwarden/record.h>
#include <sgwarden/recovery.h>
#include <sgwarden/render.h>
#include <sgwarden/secret.h>
#include <sgwarden/wire.h>

#include "entry.h"
#include "page.h"
#include "screen.h"

#define FIDOS_MAX 8

enum step {
	STEP_RECORD,  /* it has not come yet */
	STEP_PHRASE,  /* before it: the person chooses the phrase */
	STEP_READING, /* a page that is not the last: the person reads on */
	STEP_WORD,
	STEP_PIN,     /* before AGREED; or again, for the key that said it was wrong */
	STEP_SHOWN,   /* a new recovery code stands on the screen */
	STEP_CODE,    /* the recovery code is typed: the one that was shown, or the one on paper */
	STEP_KEY,     /* agreed: the key is awaited, then its touch */
	STEP_RUNNING, /* touched: the daemon is at work */
	STEP_REFUSED, /* said no; the daemon's last word is awaited */
	STEP_DONE,
};

/* What holds the PIN on its way from the keyboard to the key, and a recovery code on its way to or from the paper. */
struct vault {
	uint8_t typed[64];
	char pin[SGW_PIN_MAX + 1];
	uint8_t code[SGW_CODE_LEN], parsed[SGW_CODE_LEN];
	char paper[RECOVERY_TEXT_LEN +
		   1]; /* the new code; empty: the one that there is is asked for */
	char typed_code[64];
	struct msg msg; /* that may hold a secret, in either direction */
	uint8_t scratch[SGW_DATAGRAM_MAX];
};

struct key_edge {
	struct chan chan; /* fd -1: none, or ended */
	bool wants_pin;
};

struct consent {
	struct chan control;
	struct chan broker;
	struct key_edge fidos[FIDOS_MAX];
	size_t n_fidos;

	struct secret region;
	struct vault *vault;

	struct screen screen;
	struct page page;
	struct entry entry;
	char typed_word[2 * SGW_WORD_MAX + 1];
	char phrase[SGW_PHRASE_MAX + 1]; /* in the frame, or empty */
	char chosen[SGW_PHRASE_MAX + 1]; /* STEP_PHRASE: what is typed */
	char banner[SGW_BANNER_MAX + 1];
	char rendered[SGW_RENDER_MAX + 1];

	struct record record;
	char text[SGW_RECORD_MAX + 1]; /* exactly what came: what is signed */
	char word[SGW_WORD_MAX + 1];

	enum step step;
	bool agreed;      /* AGREED was said: the broker has started the keys */
	unsigned tries;   /* wrong words so far */
	int64_t deadline; /* ms, clock_monotonic(); 0: nothing is counted down */
	int64_t record_deadline;
	unsigned
	    touches; /* keys that were touched: an enrolment may want two, a sealing one more of each key */
	char wanted[SGW_WANTED_MAX + 1]; /* whose touch is wanted next; empty: any enrolled key's */
	bool wants_pin;                  /* … with its PIN */
	char note[80];                   /* on the frame's lower line */
	char status[160];                /* STEP_KEY and later: what is waited for */

	struct msg in, out;
	uint8_t scratch[SGW_DATAGRAM_MAX];
};

/* ceremony.c: what the broker says, what is typed, and time. */
void on_broker(struct consent *c);
void on_typed(struct consent *c);
void on_tick(struct consent *c);
void refuse(struct consent *c, enum denial denial);
void broker_send(struct consent *c);
void ask_pin(struct consent *c, const char *note);
/* Draws the page and the line under it, or that line alone. */
void draw(struct consent *c);
void draw_line(struct consent *c);

/* phrase.c: the enrolment phrase is chosen. */
void on_want_phrase(struct consent *c, const struct msg_want_phrase *m);
void phrase_typed(struct consent *c);

/* keys.c: the fido processes. */
void on_control(struct consent *c);
void on_fido(struct consent *c, size_t i);
void keys_begin(struct consent *c);
void keys_pin_again(struct consent *c); /* the PIN was typed anew */
void pin_erase(struct consent *c);
void keys_close(struct consent *c);

/* code.c: the recovery code. */
void on_want_code(struct consent *c, const struct msg_want_code *m);
void code_draw(struct consent *c);       /* STEP_SHOWN: the whole screen */
void code_draw_typed(struct consent *c); /* STEP_CODE: behind the question */
void code_ask(struct consent *c);        /* it has been written down */
void code_typed(struct consent *c);
void code_erase(struct consent *c);

/* texts.c: states and outcomes in words. */
const char *key_text(enum key_state state);
void outcome_show(struct consent *c, const struct msg_show_outcome *m);

#endif
