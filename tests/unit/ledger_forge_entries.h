/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger that is being forged, and its entries, one behind the other: for ledger_forge.c alone. */
#ifndef LEDGER_FORGE_ENTRIES_H
#define LEDGER_FORGE_ENTRIES_H

#include "ledger_forge.h"

#include <sgwarden/record.h>

#include "forge_key.h"
#include "record_fixture.h"

#define APPLIANCE "abcdefghijklmn27"
#define RP "sgwarden:" APPLIANCE
#define HEX_MAX (2 * SGW_BODY_MAX)

struct world {
	enum forge_tweak tweak;
	struct buf out;
	struct ledger_chain chain;
	int64_t now;
	struct authenticator a, b;
	bool by_code; /* the enrolment that is being made */
	struct record record;
	char text[SGW_RECORD_MAX + 1];
	size_t text_len;
	char receipt[SGW_RECEIPT_LEN + 1];
	/* of the entry that is being made */
	struct ledger_entry e;
	char hex[8][HEX_MAX + 1];
	size_t n_hex;
	size_t *at; /* where segments end; NULL: there is one */
	unsigned n_at;
};

/* ---- entries ---- */

static inline void
begin(struct world *w, enum ledger_kind kind)
{
	w->e = (struct ledger_entry){.kind = kind, .time = w->now++};
	w->n_hex = 0;
}

static inline void
put(struct world *w, const char *key, const char *value)
{
	w->e.fields[w->e.n_fields++] = (struct ledger_field){key, value, strlen(value)};
}

static inline void
put_hex(struct world *w, const char *key, const uint8_t *data, size_t len)
{
	char *hex = w->hex[w->n_hex++];
	struct buf b = buf_over(hex, sizeof(w->hex[0]));

	MUST(buf_put_hex(&b, data, len) && buf_put_c(&b));
	put(w, key, hex);
}

static inline void
end(struct world *w)
{
	ledger_next(&w->chain, &w->e);
	MUST(ledger_encode(&w->e, &w->out));
	MUST(ledger_follow(&w->chain, &w->e) == LEDGER_OK);
}

static inline void
refusal(struct world *w)
{
	begin(w, LEDGER_REFUSAL);
	put(w, "plan", "sgw-bbbbbbbbbbbbbbbbbbbb");
	put(w, "uid", "1000");
	put(w, "class", "forbidden");
	put(w, "error", "refused");
	put(w, "line", "cidr.forbidden");
	end(w);
}

static inline void
key_add(struct rec_key_list *list, const char *name, const struct authenticator *a)
{
	struct rec_key_entry *k = &list->keys[list->n_keys++];

	(void)FIELD_SET(k->name, name);
	k->cred_id_len = sizeof(a->id);
	memcpy(k->cred_id, a->id, sizeof(a->id));
	memcpy(k->public_key, a->pub, sizeof(a->pub));
	k->zero_counter = true;
}

/* ---- records ---- */

static inline void
record_here(struct world *w, struct record r)
{
	struct buf b = buf_over(w->text, SGW_RECORD_MAX);

	r.created = w->now;
	r.expires = w->now + 120;
	r.ledger_number = w->chain.number;
	memcpy(r.ledger_head, w->chain.head, sizeof(r.ledger_head));
	if (r.closes)
		r.closes = w->now + 3600;
	if (w->tweak == TWEAK_BOOT_OTHER && r.kind == RECORD_CHANGE)
		r.boot_id[0] = 'f';
	if (w->tweak == TWEAK_POLICY_OTHER && r.kind == RECORD_CHANGE)
		r.policy_digest[0] ^= 1;
	if (w->tweak == TWEAK_APPLIANCE_OTHER && r.kind == RECORD_CHANGE)
		r.appliance[0] = 'z';
	if (w->tweak == TWEAK_HEAD_OTHER && r.kind == RECORD_CHANGE)
		r.ledger_head[31] ^= 1;
	if (w->tweak == TWEAK_HEAD_FUTURE && r.kind == RECORD_CHANGE)
		r.ledger_number++;
	if (w->tweak == TWEAK_ENROLL_COUNT && r.keys_enrolled == 1)
		r.keys_enrolled = 0;
	MUST(record_encode(&r, &b) && buf_put_c(&b));
	w->record = r;
	w->text_len = b.len;
	record_receipt((const uint8_t *)w->text, w->text_len, w->receipt);
}

/* ---- enrolments ---- */

static inline void
put_by(struct world *w, struct authenticator *by, uint8_t *authdata, uint8_t *signature)
{
	size_t len = head_put(authdata, RP, 0x05, ++by->counter);

	put_hex(w, "by", by->id, sizeof(by->id));
	put_hex(w, "by-authdata", authdata, len);
	put_hex(
	    w, "by-signature", signature, sign(by, authdata, len, w->text, w->text_len, signature));
}

static inline void
enroll(struct world *w, const char *name, struct authenticator *a, struct authenticator *by)
{
	struct record r = fixture_enroll();
	uint8_t authdata[SGW_AUTHDATA_MAX], by_authdata[37], signature[SGW_SIGNATURE_MAX];
	const uint8_t *id = a->id, *pub = a->pub;
	size_t len;

	r.keys_enrolled = by || w->by_code ? 1 : 0;
	r.by_code = w->by_code;
	(void)FIELD_SET(r.key_name, name);
	if (!w->by_code || w->tweak == TWEAK_CODE_UNSIGNED || w->tweak == TWEAK_CODE_FOR_ANOTHER)
		record_here(w, r); /* else it is the one that the code has agreed to */
	begin(w, LEDGER_ENROLL);
	put(w, "receipt", w->receipt);
	put(w, "uid", "1000");
	put(w, "name", w->tweak == TWEAK_ENROLL_NAME ? "other" : name);
	put_hex(w, "credential", w->tweak == TWEAK_ENROLL_CREDENTIAL ? w->b.id : id, sizeof(a->id));
	put_hex(w, "key", w->tweak == TWEAK_ENROLL_KEY ? w->b.pub : pub, sizeof(a->pub));
	put(w, "aaguid", "00000000000000000000000000000000");
	put(w, "zero", w->tweak == TWEAK_ENROLL_ZERO ? "no" : "yes");
	put(w, "format", "none");
	len = credential_put(authdata, RP, a);
	put_hex(w, "authdata", authdata, w->tweak == TWEAK_ENROLL_AUTHDATA ? len - 1 : len);
	put_hex(w, "keys", w->chain.head, HASH_LEN);
	if (by && w->tweak != TWEAK_ENROLL_UNSIGNED)
		put_by(w, w->tweak == TWEAK_ENROLL_BY_ITSELF ? a : by, by_authdata, signature);
	put(w, "text", w->text);
	end(w);
}

#endif
