/* SPDX-License-Identifier: Apache-2.0 */
/* Forges ledgers: see ledger_forge.h.  The broker's own encoders write them, with keys made here. */
#include "ledger_forge.h"

#include "ec2req.h"
#include "forge_key.h"
#include "ledger_forge_entries.h"
#include "ledger_forge_lockdown.h"
#include "ledger_forge_recovery.h"
#include "record_fixture.h"

/* ---- the story ---- */

static void
start(struct world *w, const char *appliance)
{
	struct record r = fixture_record();

	begin(w, LEDGER_START);
	put(w, "version", "0.1.0");
	put(w, "appliance", appliance);
	put(w, "boot", r.boot_id);
	put(w, "mode", "user");
	put_hex(w, "policy", r.policy_digest, sizeof(r.policy_digest));
	put(w, "degraded", "none");
	end(w);
}

static uint8_t
flags_of(enum forge_tweak tweak)
{
	return tweak == TWEAK_NO_TOUCH ? 0x04 : tweak == TWEAK_NO_UV ? 0x01 : 0x05;
}

static void
consent(struct world *w, struct authenticator *a)
{
	static const char OTHER[] = "another record";
	enum forge_tweak t = w->tweak;
	uint8_t authdata[37], signature[SGW_SIGNATURE_MAX], stranger[32] = {9};
	size_t len = head_put(authdata, t == TWEAK_OTHER_RP ? "sgwarden:other" : RP,
	    flags_of(w->tweak), t == TWEAK_COUNTER_STALE ? a->counter : a->counter + 1);
	const struct authenticator *signer = t == TWEAK_OTHER_KEY_SIGNED ? &w->b : a;
	bool other = t == TWEAK_OTHER_RECORD_SIGNED;
	size_t n = sign(signer, authdata, len, other ? OTHER : w->text,
	    other ? strlen(OTHER) : w->text_len, signature);
	char counter[16];

	a->counter++;
	snprintf(counter, sizeof(counter), "%u", (unsigned)a->counter + (t == TWEAK_COUNTER_FIELD));
	if (t == TWEAK_EXPIRED)
		w->now += 130;
	begin(w, LEDGER_CONSENT);
	put(w, "receipt", t == TWEAK_RECEIPT_OTHER ? "sgw-aaaaaaaaaaaaaaaaaaaa" : w->receipt);
	put(w, "plan", "sgw-bbbbbbbbbbbbbbbbbbbb");
	put(w, "class", t == TWEAK_CLASS_FIELD ? "open" : class_name(w->record.effect));
	put(w, "display", t == TWEAK_DISPLAY_FIELD ? "shared" : "trusted");
	put_hex(w, "credential", t == TWEAK_KEY_UNKNOWN ? stranger : a->id, sizeof(a->id));
	put(w, "counter", counter);
	put_hex(w, "authdata", authdata, len);
	put_hex(w, "signature", signature, n);
	put(w, "text", w->text);
	end(w);
}

static void
tweak_plan(enum forge_tweak tweak, struct rec_plan *plan, char *description, int64_t *closes)
{
	struct rec_op *op = &plan->ops[0];

	switch (tweak) {
	case TWEAK_INTENT_PORT:
		op->to_port++;
		break;
	case TWEAK_INTENT_SOURCE:
		op->source = fixture_cidr("203.0.113.8");
		break;
	case TWEAK_INTENT_GROUP:
		op->group_id[3] = 'f';
		break;
	case TWEAK_INTENT_DESCRIPTION:
		description[0] = 'X';
		break;
	case TWEAK_INTENT_EXPIRES:
		*closes += 3600;
		break;
	case TWEAK_INTENT_MORE:
		plan->ops[plan->n_ops++] =
		    fixture_op(ACTION_OPEN, PROTO_TCP, 443, 443, "203.0.113.7");
		break;
	case TWEAK_INTENT_CLOSES:
		op->action = ACTION_CLOSE;
		break;
	default:
		break;
	}
}

static void
body_make(struct world *w, struct buf *body)
{
	char description[SGW_DESCRIPTION_MAX + 1] = "";
	struct rec_plan plan = w->record.plan;
	int64_t closes = w->record.closes;

	if (w->record.description[0])
		MUST(record_fill(
		    w->record.description, w->receipt, description, sizeof(description)));
	if (plan.ops[0].action == ACTION_OPEN)
		tweak_plan(w->tweak, &plan, description, &closes);
	MUST(plan.ops[0].action == ACTION_OPEN
		 ? ec2_authorize_body(&plan, description, w->receipt, closes, false, body)
		 : ec2_revoke_plan_body(&plan, false, body));
	if (w->tweak == TWEAK_INTENT_LESS)
		body->len--;
}

/* All that its record has. */
static void
put_ops(struct world *w)
{
	static char text[8];

	snprintf(text, sizeof(text), "%u", (unsigned)w->record.plan.n_ops);
	put(w, "ops", text);
}

static void
intent(struct world *w)
{
	static uint8_t memory[SGW_BODY_MAX];
	struct buf body = buf_over(memory, sizeof(memory));
	bool opens = w->record.plan.ops[0].action == ACTION_OPEN;

	body_make(w, &body);
	begin(w, LEDGER_INTENT);
	put(w, "receipt",
	    w->tweak == TWEAK_INTENT_RECEIPT ? "sgw-aaaaaaaaaaaaaaaaaaaa" : w->receipt);
	put(w, "action", opens == (w->tweak == TWEAK_INTENT_ACTION) ? "close" : "open");
	put(w, "op", "0");
	put_ops(w);
	put(w, "host", w->tweak == TWEAK_INTENT_REGION ? "eu-west-2" : "eu-west-1");
	put(w, "date", "2026-11-21T16:30:09Z");
	put_hex(w, "body", body.data, body.len);
	end(w);
}

static void
outcome(struct world *w)
{
	begin(w, LEDGER_OUTCOME);
	put(w, "receipt",
	    w->tweak == TWEAK_OUTCOME_RECEIPT ? "sgw-aaaaaaaaaaaaaaaaaaaa" : w->receipt);
	put(w, "action", w->record.plan.ops[0].action == ACTION_OPEN ? "open" : "close");
	put(w, "op", w->tweak == TWEAK_OUTCOME_OP ? "1" : "0");
	put_ops(w);
	put(w, "status", "ok");
	put(w, "error", "none");
	put(w, "rules", "sgr-0123456789abcdef0");
	end(w);
}

static void
closing(struct world *w, const char *receipt)
{
	begin(w, LEDGER_CLOSE);
	put(w, "receipt", receipt);
	put(w, "op", "0");
	put(w, "why", "expired");
	put(w, "status", "closed");
	end(w);
}

/* Before the touch for an opening: lockdowns, and what lifts them or not. */
static void
lockdowns(struct world *w)
{
	enum forge_tweak t = w->tweak;
	const char *subject = t == TWEAK_ENABLE_OTHER     ? "group sg-0fedcba9876543210"
			      : t == TWEAK_ENABLE_SUBJECT ? "nothing"
			      : t == TWEAK_ENABLE_NAMES   ? "all"
							  : "everything";

	if (t < TWEAK_LOCKDOWN_ELSEWHERE || t > TWEAK_ENABLE_NAMES)
		return;
	lockdown(w, t == TWEAK_LOCKDOWN_ELSEWHERE ? "group sg-0fedcba9876543210"
		    : t == TWEAK_LOCKDOWN_SCOPE   ? "nowhere"
						  : "all");
	if (t == TWEAK_LOCKDOWN_TWICE)
		lockdown(w, "all");
	if (t != TWEAK_LOCKDOWN_LIFTED && t != TWEAK_LOCKDOWN_TWICE && t < TWEAK_ENABLE_UNTOUCHED)
		return;
	record_here(w, enable_record(subject));
	enable(w, &w->a, subject);
}

/* Records 4 to 8: an opening and its closing. */
static void
opening(struct world *w)
{
	begin(w, LEDGER_REQUEST);
	put(w, "plan", "sgw-bbbbbbbbbbbbbbbbbbbb");
	put(w, "uid", "1000");
	put(w, "class", "open-sensitive");
	put(w, "line", "sensitive.port");
	end(w);
	lockdowns(w);
	record_here(w, w->tweak == TWEAK_TEXT_ENROLMENT ? fixture_enroll() : fixture_record());
	if (w->tweak == TWEAK_TEXT_NOT_RENDERED) {
		char *uid = strstr(w->text, "uid 1000");

		MUST(uid);
		uid[4] = '2';
		record_receipt((const uint8_t *)w->text, w->text_len, w->receipt);
	}
	consent(w, &w->a);
	if (w->tweak == TWEAK_TEXT_ENROLMENT)
		return;
	if (w->tweak != TWEAK_INTENT_MISSING)
		intent(w);
	if (w->tweak == TWEAK_INTENT_TWICE)
		intent(w);
	outcome(w);
	if (w->tweak == TWEAK_LOCKDOWN_EXTENDS) {
		lockdown(w, "all");
		record_here(w, extension_record(w->receipt));
		consent(w, &w->a);
	}
	if (w->tweak == TWEAK_EXTENDS_NOTHING) {
		record_here(w, extension_record("sgw-aaaaaaaaaaaaaaaaaaaa"));
		consent(w, &w->a);
	}
	closing(w, w->receipt);
}

/* Records 9 to 11: somebody else's rule closed. */
static void
closing_foreign(struct world *w)
{
	struct ledger_chain now = w->chain;

	if (w->tweak == TWEAK_HEAD_OLD) {
		w->chain.number = 4;
		memcpy(w->chain.head, w->record.ledger_head, HASH_LEN);
	}
	if (w->tweak != TWEAK_REPLAYED)
		record_here(w, fixture_close(2));
	w->chain = now;
	consent(w, w->tweak == TWEAK_REPLAYED ? &w->a : &w->b);
	intent(w);
	outcome(w);
}

/* A write that a crash cut, and the record that names what it left. */
static void
torn(struct world *w)
{
	static const char LEFT[] = "ledger close 12\ntime 2026-11-21T";
	uint8_t digest[HASH_LEN];

	buf_puts(&w->out, LEFT);
	hash_sha256(LEFT, strlen(LEFT), digest);
	digest[0] ^= w->tweak == TWEAK_TORN_OTHER;
	begin(w, LEDGER_TORN);
	put(w, "length", "32");
	put_hex(w, "sha256", digest, sizeof(digest));
	end(w);
}

/* Here a segment ends and the next one begins, where there is more than one. */
static void
segment(struct world *w)
{
	char number[16], last[24];

	if (!w->at)
		return;
	w->at[w->n_at++ % FORGE_SEGMENTS] = w->out.len;
	snprintf(number, sizeof(number), "%u", w->n_at + 1);
	snprintf(last, sizeof(last), "%llu", (unsigned long long)w->chain.number);
	begin(w, LEDGER_SEGMENT);
	put(w, "segment", number);
	put(w, "last", last);
	put_hex(w, "head", w->chain.head, HASH_LEN);
	end(w);
}

static size_t
forge(enum forge_tweak tweak, char *out, size_t *ret_at, struct rec_key_list *ret_keys)
{
	static struct world w;

	w = (struct world){.tweak = tweak,
	    .out = buf_over(out, FORGE_BYTES),
	    .now = FORGE_NOW,
	    .at = ret_at,
	    .a = authenticator_new(0xaa),
	    .b = authenticator_new(0xbb)};
	if (tweak != TWEAK_START_MISSING)
		start(&w, APPLIANCE);
	enroll(&w, "first", &w.a, NULL);
	if (is_recovery(tweak)) {
		recovery_story(&w);
	} else {
		enroll(&w, "second", tweak == TWEAK_ENROLL_TWICE ? &w.a : &w.b, &w.a);
		opening(&w);
		segment(&w);
		closing_foreign(&w);
	}
	if (tweak == TWEAK_CLOSE_OF_CLOSE)
		closing(&w, w.receipt);
	if (tweak == TWEAK_TORN || tweak == TWEAK_TORN_OTHER)
		torn(&w);
	segment(&w);
	begin(&w, LEDGER_STOP);
	put(&w, "reason", "asked to");
	end(&w);
	if (tweak == TWEAK_START_OTHER)
		start(&w, "zzzzzzzzzzzzzzzz");
	*ret_keys = (struct rec_key_list){0};
	(void)FIELD_SET(ret_keys->appliance, APPLIANCE);
	key_add(ret_keys, "first", &w.a);
	key_add(ret_keys, "second", &w.b);
	EVP_PKEY_free(w.a.pkey);
	EVP_PKEY_free(w.b.pkey);
	if (ret_at)
		ret_at[w.n_at] = w.out.len;
	return w.out.len;
}

size_t
forge_ledger(enum forge_tweak tweak, char *out, struct rec_key_list *ret_keys)
{
	return forge(tweak, out, NULL, ret_keys);
}

size_t
forge_segments(char *out, size_t ret_at[FORGE_SEGMENTS], struct rec_key_list *ret_keys)
{
	return forge(TWEAK_NONE, out, ret_at, ret_keys);
}

void
forge_many(uint64_t records, forge_take *take, struct rec_key_list *ret_keys)
{
	static struct world w;
	static char out[FORGE_BYTES];
	size_t at[FORGE_SEGMENTS], size = 0;

	w = (struct world){.now = FORGE_NOW, .at = at, .a = authenticator_new(0xaa)};
	*ret_keys = (struct rec_key_list){0};
	(void)FIELD_SET(ret_keys->appliance, APPLIANCE);
	for (uint64_t round = 0; w.chain.number < records; round++) {
		w.out = buf_over(out, sizeof(out));
		if (size >= SGW_SEGMENT_BYTES) {
			size = 0;
			segment(&w);
		} else if (round == 0)
			start(&w, APPLIANCE);
		else if (round == 1)
			enroll(&w, "first", &w.a, NULL);
		else if (round % 96 == 0)
			opening(&w);
		else
			refusal(&w);
		take(w.n_at + 1, out, w.out.len);
		size += w.out.len;
	}
	key_add(ret_keys, "first", &w.a);
	EVP_PKEY_free(w.a.pkey);
}
