/* SPDX-License-Identifier: Apache-2.0 */
/* Lockdowns in a forged ledger, and what lifts them: for ledger_forge.c alone. */
#ifndef LEDGER_FORGE_LOCKDOWN_H
#define LEDGER_FORGE_LOCKDOWN_H

#include "ledger_forge_entries.h"
#include "record_fixture.h"

#define FORGE_PLAN "sgw-bbbbbbbbbbbbbbbbbbbb"

static inline void
lockdown(struct world *w, const char *scope)
{
	begin(w, LEDGER_LOCKDOWN);
	put(w, "scope", scope);
	put(w, "uid", "1000");
	put(w, "by", w->tweak == TWEAK_LOCKDOWN_BY ? "somebody" : "administrator");
	end(w);
}

static inline struct record
enable_record(const char *subject)
{
	struct record r = fixture_enroll();

	r.kind = RECORD_ADMIN;
	r.act = ACT_ENABLE;
	r.effect = CLASS_OPEN_WIDE;
	r.keys_enrolled = 0;
	memset(r.key_name, 0, sizeof(r.key_name));
	FIELD_SET(r.subject, subject);
	r.n_say = 1;
	FIELD_SET(r.say[0], "all");
	return r;
}

/* What was opened with this receipt is to stay open an hour longer. */
static inline struct record
extension_record(const char *receipt)
{
	struct record r = fixture_record();

	r.plan.ops[0].action = ACTION_EXTEND;
	FIELD_SET(r.plan.ops[0].receipt, receipt);
	r.closes_now = CREATED + 60;
	memset(r.description, 0, sizeof(r.description));
	return r;
}

/* The record stands in w->text. */
static inline void
enable(struct world *w, struct authenticator *a, const char *subject)
{
	static const uint8_t none[HASH_LEN];
	uint8_t authdata[37], signature[SGW_SIGNATURE_MAX];
	uint8_t flags = w->tweak == TWEAK_ENABLE_UNTOUCHED ? 0x04 : 0x05;
	size_t len = head_put(authdata, RP, flags, ++a->counter);
	size_t n = sign(a, authdata, len, w->text, w->text_len, signature);
	char counter[16];

	snprintf(counter, sizeof(counter), "%u", (unsigned)a->counter);
	begin(w, LEDGER_ENABLE);
	put(w, "receipt", w->receipt);
	put(w, "plan", FORGE_PLAN);
	put(w, "uid", "1000");
	put(w, "act", "enable-openings");
	put(w, "subject", w->tweak == TWEAK_ENABLE_NAMES ? "everything" : subject);
	put_hex(w, "digest", none, sizeof(none));
	put_hex(w, "credential", a->id, sizeof(a->id));
	put(w, "counter", counter);
	put_hex(w, "authdata", authdata, len);
	put_hex(w, "signature", signature, n);
	put(w, "text", w->text);
	end(w);
}

#endif
