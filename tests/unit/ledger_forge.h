/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole ledger as an honest broker with two security keys would leave it, or with one thing wrong in it and every
 * hash and signature made anew around that: what whoever owns the file, and even the broker, could write.
 */
#ifndef LEDGER_FORGE_H
#define LEDGER_FORGE_H

#include <sgwarden/ledger.h>
#include <sgwarden/wire.h>

#define FORGE_NOW 1795278600 /* 2026-11-21T16:30:00Z */
#define FORGE_BYTES 65536

/* X(NAME, number of the record that does not hold, part of what must be said) */
#define FORGE_TWEAKS(X)                                                                            \
	X(NONE, 0, "")                                                                             \
	X(TORN, 0, "")                                                                             \
	X(TORN_OTHER, 12, "no ledger record")                                                      \
	X(OTHER_RECORD_SIGNED, 5, "the signature does not verify")                                 \
	X(OTHER_KEY_SIGNED, 5, "the signature does not verify")                                    \
	X(NO_TOUCH, 5, "nobody touched the key")                                                   \
	X(NO_UV, 5, "no PIN was checked")                                                          \
	X(OTHER_RP, 5, "another relying party")                                                    \
	X(COUNTER_STALE, 5, "did not advance")                                                     \
	X(COUNTER_FIELD, 5, "its counter is not that")                                             \
	X(KEY_UNKNOWN, 5, "was not enrolled before it")                                            \
	X(RECEIPT_OTHER, 5, "its receipt is not that of its text")                                 \
	X(TEXT_NOT_RENDERED, 5, "not what was rendered")                                           \
	X(TEXT_ENROLMENT, 5, "of another kind")                                                    \
	X(BOOT_OTHER, 5, "another boot")                                                           \
	X(POLICY_OTHER, 5, "another policy")                                                       \
	X(APPLIANCE_OTHER, 5, "another appliance's")                                               \
	X(HEAD_OTHER, 5, "another ledger head")                                                    \
	X(HEAD_FUTURE, 5, "did not exist")                                                         \
	X(HEAD_OLD, 9, "a replay")                                                                 \
	X(REPLAYED, 9, "a replay")                                                                 \
	X(EXPIRED, 5, "after its record had expired")                                              \
	X(CLASS_FIELD, 5, "its class or display")                                                  \
	X(DISPLAY_FIELD, 5, "its class or display")                                                \
	X(INTENT_PORT, 6, "not what was touched for")                                              \
	X(INTENT_SOURCE, 6, "not what was touched for")                                            \
	X(INTENT_GROUP, 6, "not what was touched for")                                             \
	X(INTENT_DESCRIPTION, 6, "not what was touched for")                                       \
	X(INTENT_EXPIRES, 6, "not what was touched for")                                           \
	X(INTENT_MORE, 6, "not what was touched for")                                              \
	X(INTENT_LESS, 6, "not what was touched for")                                              \
	X(INTENT_CLOSES, 6, "not what was touched for")                                            \
	X(INTENT_RECEIPT, 6, "does not follow the touch")                                          \
	X(INTENT_ACTION, 6, "its action or region")                                                \
	X(INTENT_REGION, 6, "its action or region")                                                \
	X(INTENT_TWICE, 7, "for the second time")                                                  \
	X(INTENT_MISSING, 6, "no request of its receipt was signed")                               \
	X(OUTCOME_OP, 7, "an operation that its record does not have")                             \
	X(OUTCOME_RECEIPT, 7, "nothing of its receipt was touched for")                            \
	X(CLOSE_OF_CLOSE, 12, "not an opening")                                                    \
	X(ENROLL_NAME, 2, "another key than its record")                                           \
	X(ENROLL_CREDENTIAL, 2, "the credential that its authenticator data hold")                 \
	X(ENROLL_KEY, 2, "the credential that its authenticator data hold")                        \
	X(ENROLL_ZERO, 2, "the credential that its authenticator data hold")                       \
	X(ENROLL_AUTHDATA, 2, "hold no new credential")                                            \
	X(ENROLL_COUNT, 3, "counts other keys")                                                    \
	X(ENROLL_UNSIGNED, 3, "its assertion is not there")                                        \
	X(ENROLL_BY_ITSELF, 3, "was not enrolled before it")                                       \
	X(ENROLL_TWICE, 3, "enrolled already")                                                     \
	X(LOCKDOWN_ELSEWHERE, 0, "")                                                               \
	X(LOCKDOWN_LIFTED, 0, "")                                                                  \
	X(LOCKDOWN_OPENS, 7, "it opens what a lockdown before it had turned off")                  \
	X(LOCKDOWN_TWICE, 0, "") /* regress 127: written, not synced, written again */             \
	X(LOCKDOWN_SCOPE, 5, "its scope or uid is not of its form")                                \
	X(LOCKDOWN_BY, 5, "it names nobody who could have asked for it")                           \
	X(ENABLE_UNTOUCHED, 6, "nobody touched the key")                                           \
	X(ENABLE_OTHER, 8, "it opens what a lockdown before it had turned off")                    \
	X(ENABLE_SUBJECT, 6, "its subject is no lockdown")                                         \
	X(ENABLE_NAMES, 6, "it is about something else than its record")                           \
	X(LOCKDOWN_EXTENDS, 9, "it keeps open longer what a lockdown before it had turned off")    \
	X(EXTENDS_NOTHING, 8, "it extends or calls its own what was not opened")                   \
	X(CODE_USED, 0, "")                                                                        \
	X(CODE_UNTOUCHED, 3, "nobody touched the key")                                             \
	X(CODE_SUBJECT, 3, "its subject is no public key")                                         \
	X(CODE_BESIDE, 4, "beside another one")                                                    \
	X(CODE_DROPS_OTHER, 4, "drops a recovery code that there is not")                          \
	X(CODE_DROPPED, 5, "there is no such recovery code")                                       \
	X(CODE_OTHER, 4, "there is no such recovery code")                                         \
	X(CODE_OTHER_SIGNS, 4, "the recovery code's signature does not verify")                    \
	X(CODE_NOT_ASKED, 4, "asks for no recovery code")                                          \
	X(CODE_UNSIGNED, 4, "no recovery code has agreed to it")                                   \
	X(CODE_FOR_ANOTHER, 5, "no recovery code has agreed to it")                                \
	X(CODE_AND_KEY, 5, "the recovery code and a key have agreed")                              \
	X(CODE_TWICE, 6, "there is no such recovery code")                                         \
	X(CODE_EXPIRED, 4, "after its record had expired")                                         \
	X(START_OTHER, 13, "another appliance was started")                                        \
	X(START_MISSING, 1, "nothing was started before it")

enum forge_tweak {
#define X(name, number, why) TWEAK_##name,
	FORGE_TWEAKS(X)
#undef X
	    TWEAK_MAX,
};

/* Writes the ledger into `out` (FORGE_BYTES) and the key list that its enrolments made; aborts where it cannot. */
size_t forge_ledger(enum forge_tweak tweak, char *out, struct rec_key_list *ret_keys);

/* The honest one in three segments; ret_at: where each ends in `out`.  Its length. */
#define FORGE_SEGMENTS 3
/*
 * An honest ledger of at least this many records, most of them refusals, an opening with its closing in every hundred,
 * in segments of SGW_SEGMENT_BYTES; each record is given to `take` as it is made.
 */
typedef void forge_take(unsigned segment, const void *data, size_t len);
void forge_many(uint64_t records, forge_take *take, struct rec_key_list *ret_keys);
size_t forge_segments(char *out, size_t ret_at[FORGE_SEGMENTS], struct rec_key_list *ret_keys);

#endif
