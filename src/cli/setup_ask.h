/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of setup, on the terminal that it runs in. */
#ifndef CLI_SETUP_ASK_H
#define CLI_SETUP_ASK_H

#include "setup.h"

/* A paragraph, wrapped, behind an empty line. */
void setup_say(const char *text);
/* One line; Enter alone is `fallback`, which may be NULL.  What looks like a credential is asked for again.  False: no more input. */
bool setup_ask(const char *question, const char *fallback, char ret[SETUP_ANSWER_MAX]);

enum offer {
	OFFER_ENDED, /* no more input */
	OFFER_NO,
	OFFER_YES, /* the word, or Enter alone */
};

/* One thing that setup would do, and the word for it. */
enum offer setup_offer(const char *question, const char *word);

#endif
