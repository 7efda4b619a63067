/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrolment phrase: what a trusted screen shows beside each request, and nobody else's picture of one can.  The
 * person chooses it on that screen; consent and broker each look at it with phrase_problem().
 */
#ifndef SGWARDEN_PHRASE_H
#define SGWARDEN_PHRASE_H

#include <sgwarden/limits.h>

/* In place: blanks at both ends go, several become one. */
void phrase_trim(char *phrase);

/*
 * NULL where it may be the phrase: printable ASCII, SGW_PHRASE_MIN to SGW_PHRASE_MAX letters, at least two words, one
 * blank between them, none around them, and not the beginning of one of the screen's own sentences.  Else what is
 * wrong with it, in words for the person.
 */
const char *phrase_problem(const char *phrase);

#endif
