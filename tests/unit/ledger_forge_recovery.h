/* SPDX-License-Identifier: Apache-2.0 */
/* A recovery code in a forged ledger, made, dropped and used: for ledger_forge.c alone. */
#ifndef LEDGER_FORGE_RECOVERY_H
#define LEDGER_FORGE_RECOVERY_H

#include <sgwarden/recovery.h>

#include "ledger_forge_lockdown.h"

static const uint8_t FORGE_CODE[SGW_CODE_LEN] = "0123456789ABCDEFGHJKMNPQRS",
		     FORGE_OTHER[SGW_CODE_LEN] = "1123456789ABCDEFGHJKMNPQRS";

static inline void
code_hex(const uint8_t code[SGW_CODE_LEN], char ret_hex[2 * RECOVERY_KEY_LEN + 1])
{
	struct buf b = buf_over(ret_hex, 2 * RECOVERY_KEY_LEN + 1);
	uint8_t key[RECOVERY_KEY_LEN];

	MUST(recovery_key(code, APPLIANCE, key));
	MUST(buf_put_hex(&b, key, sizeof(key)) && buf_put_c(&b));
}

static inline struct record
code_record(enum admin_act act, const char *subject)
{
	struct record r = enable_record(subject);

	r.act = act;
	return r;
}

/* The record stands in w->text. */
static inline void
code_act(struct world *w, struct authenticator *a, enum admin_act act, const char *subject)
{
	static const uint8_t none[HASH_LEN];
	uint8_t authdata[37], signature[SGW_SIGNATURE_MAX];
	uint8_t flags = w->tweak == TWEAK_CODE_UNTOUCHED ? 0x04 : 0x05;
	size_t len = head_put(authdata, RP, flags, ++a->counter);
	size_t n = sign(a, authdata, len, w->text, w->text_len, signature);
	char counter[16];

	snprintf(counter, sizeof(counter), "%u", (unsigned)a->counter);
	begin(w, LEDGER_CODE);
	put(w, "receipt", w->receipt);
	put(w, "plan", FORGE_PLAN);
	put(w, "uid", "1000");
	put(w, "act", RECORD_ACTS[act]);
	put(w, "subject", subject);
	put_hex(w, "digest", none, sizeof(none));
	put_hex(w, "credential", a->id, sizeof(a->id));
	put(w, "counter", counter);
	put_hex(w, "authdata", authdata, len);
	put_hex(w, "signature", signature, n);
	put(w, "text", w->text);
	end(w);
}

/* The record stands in w->text. */
static inline void
recovery(struct world *w, const char *hex)
{
	const uint8_t *code = w->tweak == TWEAK_CODE_OTHER_SIGNS ? FORGE_OTHER : FORGE_CODE;
	uint8_t signature[RECOVERY_SIGNATURE_LEN];

	MUST(recovery_sign(code, APPLIANCE, w->text, w->text_len, signature));
	if (w->tweak == TWEAK_CODE_EXPIRED)
		w->now += 130;
	begin(w, LEDGER_RECOVERY);
	put(w, "receipt", w->receipt);
	put(w, "plan", FORGE_PLAN);
	put(w, "uid", "1000");
	put(w, "code", hex);
	put_hex(w, "code-signature", signature, sizeof(signature));
	put(w, "text", w->text);
	end(w);
}

static inline bool
is_recovery(enum forge_tweak t)
{
	return t >= TWEAK_CODE_USED && t <= TWEAK_CODE_EXPIRED;
}

/* Records 3 on: a code that is made, and agrees to the second key instead of the first. */
static inline void
recovery_story(struct world *w)
{
	enum forge_tweak t = w->tweak;
	char hex[2 * RECOVERY_KEY_LEN + 1], other[2 * RECOVERY_KEY_LEN + 1];
	struct record r = fixture_enroll();

	code_hex(FORGE_CODE, hex);
	code_hex(FORGE_OTHER, other);
	for (unsigned i = 0; i < (t == TWEAK_CODE_BESIDE ? 2 : 1); i++) {
		const char *subject = t == TWEAK_CODE_SUBJECT ? "nothing" : hex;

		record_here(w, code_record(ACT_MAKE_CODE, subject));
		code_act(w, &w->a, ACT_MAKE_CODE, subject);
	}
	if (t == TWEAK_CODE_DROPS_OTHER || t == TWEAK_CODE_DROPPED) {
		const char *subject = t == TWEAK_CODE_DROPPED ? hex : other;

		record_here(w, code_record(ACT_DROP_CODE, subject));
		code_act(w, &w->a, ACT_DROP_CODE, subject);
	}
	r.by_code = t != TWEAK_CODE_NOT_ASKED;
	(void)FIELD_SET(r.key_name, "second");
	record_here(w, r);
	if (t != TWEAK_CODE_UNSIGNED)
		recovery(w, t == TWEAK_CODE_OTHER ? other : hex);
	w->by_code = true;
	enroll(w, "second", &w->b, t == TWEAK_CODE_AND_KEY ? &w->a : NULL);
	if (t == TWEAK_CODE_TWICE) {
		r.keys_enrolled = 2;
		record_here(w, r);
		recovery(w, hex);
	}
}

#endif
