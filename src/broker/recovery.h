/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery code (include/sgwarden/recovery.h), from its making to its one use.
 *
 *   made     a touched act: behind the touch the code goes to the screen and is typed back, then its public key is
 *            written into the key list
 *   used     an enrolment whose record says so: behind the word the code is asked for in the touch's place.  What it
 *            signs, the ledger keeps before the new key is asked; the enrolment takes it out of the key list
 *   dropped  a touched act
 *
 * It agrees to an enrolment and to nothing else: no other way here leads to JOB_CODE.
 */
#ifndef BROKER_RECOVERY_H
#define BROKER_RECOVERY_H

#include "broker.h"

/* Why no enrolment can be agreed to by the code now; NONE: it can. */
enum sgw_error recovery_problem(const struct broker *b, char ret_detail[SGW_DETAIL_MAX + 1]);

/* Is the code to be typed before any key is asked? */
bool recovery_asks(const struct broker *b);
void recovery_ask(struct broker *b);

/* What came back from the screen; the caller erases it. */
void recovery_typed(struct broker *b, const uint8_t code[SGW_CODE_LEN]);

/* A wrong one was typed, quota_now(). */
void recovery_tried(struct broker *b, int64_t when);

/* The list in which the code has been used. */
void recovery_used(struct rec_key_list *list, int64_t when);

/* For the screen's frame; empty where there never was a code. */
void recovery_banner(const struct broker *b, char ret_text[SGW_BANNER_MAX + 1]);

#endif
