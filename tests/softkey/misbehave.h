/* SPDX-License-Identifier: Apache-2.0 */
/* The lies that the software key tells when ordered, for tests of those who must not believe it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * One bit each; several may be on at once. Those that concern an assertion produce it with a valid signature
 * over what it says, so that nothing but the check under test can refuse it.
 */
enum misbehave {
	MIS_UP0 = 1 << 0,           /* user-presence flag 0; asks for no touch */
	MIS_UV0 = 1 << 1,           /* user-verified flag 0, even after a right PIN */
	MIS_WRONG_RP = 1 << 2,      /* rpIdHash of another id */
	MIS_REPLAY = 1 << 3,        /* the previous assertion once more; the first one is honest */
	MIS_WRONG_KEY = 1 << 4,     /* signed with a key that nobody enrolled */
	MIS_STALE_COUNTER = 1 << 5, /* the counter stands still */
	MIS_ZERO_COUNTER = 1 << 6,  /* the counter is always 0 */
	MIS_HANG = 1 << 7,          /* makeCredential and getAssertion are never answered */
	MIS_GARBAGE = 1 << 8,       /* status 0, then random bytes that are no map */
	MIS_BAD_EXT = 1 << 9,       /* one extension output that nobody asked for */
	MIS_SHORT_AUTHDATA = 1 << 10, /* authenticator data without its last byte */
	MIS_HMAC_NO_UP = 1 << 11,     /* answers hmac-secret without a touch, also for up=false */
	MIS_SILENT_PULL = 1 << 12,    /* swallows every report and answers none, as if unplugged */
	MIS_HMAC_HALF = 1 << 13,      /* answers hmac-secret for the first of two salts alone */
	MIS_NO_HMAC = 1 << 14,        /* an old key: it knows no hmac-secret */
};

/* The bit for a word ("up0", "wrong-rp", …), or 0 if there is no such word. */
unsigned misbehave_bit(const char *word);

/* The i-th word, or NULL after the last: for usage texts and for tests that try them all. */
const char *misbehave_word(size_t i);
