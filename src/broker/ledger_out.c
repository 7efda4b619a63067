/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's records, kind by kind; see ledger_write.h for how they get onto the disk. */
#include "admin.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>
#include <sgwarden/sandbox.h>

#include "ledger_write.h"

/* The fields of one record; values live in the caller or in b->hex. */
struct draft {
	struct ledger_entry e;
	struct broker *b;
	size_t hex_used;
	char numbers[6][24];
	unsigned n_numbers;
};

static void
add_text(struct draft *d, const char *key, const char *value)
{
	struct ledger_field *f = &d->e.fields[d->e.n_fields++];

	*f = (struct ledger_field){.key = key, .value = value, .len = strlen(value)};
}

/* Left out where there is nothing to say. */
static void
add_maybe(struct draft *d, const char *key, const char *value)
{
	if (value[0])
		add_text(d, key, value);
}

static void
add_hex(struct draft *d, const char *key, const uint8_t *data, size_t len)
{
	struct buf out = buf_over(d->b->hex + d->hex_used, sizeof(d->b->hex) - d->hex_used);

	(void)buf_put_hex(&out, data, len);
	(void)buf_put_c(&out);
	add_text(d, key, out.failed ? "" : d->b->hex + d->hex_used);
	d->hex_used += out.len + 1;
}

static void
add_number(struct draft *d, const char *key, uint64_t v)
{
	char *memory = d->numbers[d->n_numbers++];

	(void)snprintf(memory, sizeof(d->numbers[0]), "%llu", (unsigned long long)v);
	add_text(d, key, memory);
}

static struct draft
draft(struct broker *b, enum ledger_kind kind)
{
	return (struct draft){.e = {.kind = kind, .time = clock_now()}, .b = b};
}

bool
ledger_start(struct broker *b)
{
	struct draft d = draft(b, LEDGER_START);
	char degraded[240];
	size_t len = 0;

	for (uint32_t bit = 1; bit; bit <<= 1) {
		int n;

		if (!(b->degraded & bit) || !degraded_name(bit))
			continue;
		n = snprintf(degraded + len, sizeof(degraded) - len, "%s%s", len ? " " : "",
		    degraded_name(bit));
		if (n < 0 || (size_t)n >= sizeof(degraded) - len)
			break;
		len += (size_t)n;
	}
	add_text(&d, "version", SGW_VERSION);
	add_text(&d, "appliance", b->appliance);
	add_text(&d, "boot", b->boot_id);
	add_text(&d, "mode", b->system_mode ? "system" : "user");
	add_hex(&d, "policy", b->policy_digest, HASH_LEN);
	add_text(&d, "degraded", len ? degraded : "none");
	return ledger_write(d.b, &d.e);
}

bool
ledger_stop(struct broker *b, const char *reason)
{
	struct draft d = draft(b, LEDGER_STOP);

	add_text(&d, "reason", reason);
	return ledger_write(d.b, &d.e);
}

static const char *
job_class(const struct job *j)
{
	return j->kind == JOB_ENROLL  ? "enroll"
	       : j->kind == JOB_ADMIN ? RECORD_ACTS[j->act]
				      : class_name(j->verdict.effect);
}

bool
ledger_request(struct broker *b, const struct job *j)
{
	struct draft d = draft(b, LEDGER_REQUEST);

	add_text(&d, "plan", j->plan_id);
	add_number(&d, "uid", j->uid);
	add_text(&d, "class", job_class(j));
	add_text(&d, "line", j->verdict.line[0] ? j->verdict.line : "none");
	if (j->kind == JOB_CHANGE && j->person)
		add_text(&d, "by", "person");
	return ledger_write(d.b, &d.e);
}

bool
ledger_refusal(struct broker *b, const struct job *j, enum sgw_error error, const char *detail)
{
	struct draft d = draft(b, LEDGER_REFUSAL);

	add_text(&d, "plan", j->plan_id);
	add_number(&d, "uid", j->uid);
	add_text(&d, "class", job_class(j));
	add_text(&d, "error", error_row((uint16_t)error)->name);
	add_text(&d, "line", j->verdict.line[0] ? j->verdict.line : "none");
	add_maybe(&d, "detail", detail);
	return ledger_write(d.b, &d.e);
}

static const char *
display_name(enum display_kind kind)
{
	return kind == DISPLAY_TRUSTED ? "trusted" : kind == DISPLAY_SHARED ? "shared" : "none";
}

/* An assertion over the record that is on the screen, and the record. */
static void
add_touch(struct draft *d, const struct msg_assertion *a, uint32_t counter)
{
	add_hex(d, "credential", a->cred_id, a->cred_id_len);
	add_number(d, "counter", counter);
	add_hex(d, "authdata", a->authdata, a->authdata_len);
	add_hex(d, "signature", a->signature, a->signature_len);
	add_text(d, "text", d->b->ceremony.text);
}

bool
ledger_consent(struct broker *b, const struct job *j, const struct msg_assertion *a,
    uint32_t counter, const uint8_t sealed[HASH_LEN])
{
	struct draft d = draft(b, LEDGER_CONSENT);

	add_text(&d, "receipt", j->receipt);
	add_text(&d, "plan", j->plan_id);
	add_text(&d, "class", job_class(j));
	add_text(&d, "display", display_name(b->ceremony.record.display));
	if (sealed)
		add_hex(&d, "sealed", sealed, HASH_LEN);
	add_touch(&d, a, counter);
	return ledger_write(d.b, &d.e);
}

bool
ledger_touch(struct broker *b, const struct job *j, const struct msg_assertion *a, uint32_t counter)
{
	struct draft d = draft(b, LEDGER_TOUCH);

	add_text(&d, "receipt", j->receipt);
	add_touch(&d, a, counter);
	return ledger_write(d.b, &d.e);
}

bool
ledger_denial(struct broker *b, const struct job *j, const char *reason)
{
	struct draft d = draft(b, LEDGER_DENIAL);

	add_text(&d, "receipt", j->receipt[0] ? j->receipt : j->plan_id);
	add_text(&d, "plan", j->plan_id);
	add_text(&d, "reason", reason);
	return ledger_write(d.b, &d.e);
}

bool
ledger_timeout(struct broker *b, const struct job *j, const char *stage)
{
	struct draft d = draft(b, LEDGER_TIMEOUT);

	add_text(&d, "receipt", j->receipt[0] ? j->receipt : j->plan_id);
	add_text(&d, "plan", j->plan_id);
	add_text(&d, "stage", stage);
	return ledger_write(d.b, &d.e);
}

/* The step: its action, its first operation, how many it has. */
static void
add_step(struct draft *d, const struct job *j)
{
	add_text(d, "receipt", j->receipt);
	add_text(d, "action", j->plan.ops[j->at].action == ACTION_OPEN ? "open" : "close");
	add_number(d, "op", j->at);
	add_number(d, "ops", j->n);
}

bool
ledger_intent(struct broker *b, const struct job *j, const struct buf *body)
{
	struct draft d = draft(b, LEDGER_INTENT);
	char now[CLOCK_TEXT_LEN];

	clock_format(clock_now(), now);
	add_step(&d, j);
	add_text(&d, "host", j->plan.region);
	add_text(&d, "date", now);
	add_hex(&d, "body", body->data, body->len);
	return ledger_write(d.b, &d.e);
}

static void
rules_text(const struct job *j, char *ret_text, size_t size)
{
	size_t len = 0;

	ret_text[0] = 0;
	for (size_t i = j->at; i < j->at + j->n; i++) {
		const char *id = j->done[i].rule_id;
		int n = snprintf(ret_text + len, size - len, "%s%s", id[0] && len ? " " : "", id);

		if (n < 0 || (size_t)n >= size - len)
			return;
		len += (size_t)n;
	}
}

bool
ledger_outcome(struct broker *b, const struct job *j, enum sgw_error error,
    const struct aws_result *r, const char *detail)
{
	struct draft d = draft(b, LEDGER_OUTCOME);
	char rules[SGW_OPS_MAX * (SGW_RULE_ID_MAX + 1) + 1];

	rules_text(j, rules, sizeof(rules));
	add_step(&d, j);
	add_text(&d, "status", error == SGW_ERR_NONE ? "ok" : "failed");
	add_text(&d, "error", error_row((uint16_t)error)->name);
	if (r->http_status)
		add_number(&d, "http", r->http_status);
	add_maybe(&d, "aws-request", r->request_id);
	add_maybe(&d, "rules", rules);
	add_maybe(&d, "detail", detail);
	return ledger_write(d.b, &d.e);
}

bool
ledger_ambiguous(struct broker *b, const struct job *j, int64_t until)
{
	struct draft d = draft(b, LEDGER_AMBIGUOUS);
	char when[CLOCK_TEXT_LEN];

	clock_format(until, when);
	add_step(&d, j);
	add_text(&d, "until", when);
	return ledger_write(d.b, &d.e);
}

bool
ledger_reconcile(struct broker *b, const struct grant *g, const char *action, bool open)
{
	struct draft d = draft(b, LEDGER_RECONCILE);

	add_text(&d, "receipt", g->g.receipt);
	add_text(&d, "action", action);
	add_number(&d, "op", g->op);
	add_text(&d, "found", open ? "open" : "absent");
	return ledger_write(d.b, &d.e);
}

bool
ledger_due(struct broker *b, const struct grant *g)
{
	struct draft d = draft(b, LEDGER_DUE);

	add_text(&d, "receipt", g->g.receipt);
	add_number(&d, "op", g->op);
	add_text(&d, "why", g->why);
	return ledger_write(d.b, &d.e);
}

bool
ledger_close(struct broker *b, struct grant *g, bool was_there, const char *request_id)
{
	struct draft d = draft(b, LEDGER_CLOSE);

	add_text(&d, "receipt", g->g.receipt);
	add_number(&d, "op", g->op);
	add_text(&d, "why", g->why);
	add_text(&d, "status", was_there ? "closed" : "gone");
	add_maybe(&d, "aws-request", request_id);
	if (!ledger_write(d.b, &d.e))
		return false;
	if (!MUTATE(CLOSING_RECEIPT))
		receipt_id(d.e.self, g->closing);
	return true;
}

bool
ledger_admin(struct broker *b, const struct job *j, enum ledger_kind kind, const struct admin *a)
{
	struct draft d = draft(b, kind);

	add_text(&d, "receipt", j->receipt);
	add_text(&d, "plan", j->plan_id);
	add_number(&d, "uid", j->uid);
	add_text(&d, "act", RECORD_ACTS[j->act]);
	add_maybe(&d, "subject", a->subject);
	add_hex(&d, "digest", a->digest, sizeof(a->digest));
	if (a->removed_len)
		add_hex(&d, "removed", a->removed, a->removed_len);
	if (j->state == JOB_RESEAL) /* an opener that was tried, and sealed anew */
		add_hex(&d, "sealed", b->sealed_file.next.digest, HASH_LEN);
	if (kind != LEDGER_SEAL) {
		add_touch(&d, &a->touch, a->counter);
		return ledger_write(d.b, &d.e);
	}
	add_hex(&d, "sealed", b->sealed_file.next.digest, HASH_LEN); /* its touches came before */
	add_text(&d, "text", b->ceremony.text);
	return ledger_write(d.b, &d.e);
}

bool
ledger_lockdown(
    struct broker *b, const struct rec_lockdown *l, char ret_receipt[SGW_RECEIPT_LEN + 1])
{
	struct draft d = draft(b, LEDGER_LOCKDOWN);
	char text[LOCKDOWN_TEXT_MAX + 1];

	lockdown_text(l, text);
	add_text(&d, "scope", text);
	add_number(&d, "uid", l->uid);
	add_text(&d, "by", l->client ? "client" : "administrator");
	if (!ledger_write(d.b, &d.e))
		return false;
	receipt_id(d.e.self, ret_receipt);
	return true;
}

bool
ledger_recovery(
    struct broker *b, const struct job *j, const uint8_t signature[RECOVERY_SIGNATURE_LEN])
{
	struct draft d = draft(b, LEDGER_RECOVERY);

	add_text(&d, "receipt", j->receipt);
	add_text(&d, "plan", j->plan_id);
	add_number(&d, "uid", j->uid);
	add_hex(&d, "code", b->keys.code_key, sizeof(b->keys.code_key));
	add_hex(&d, "code-signature", signature, RECOVERY_SIGNATURE_LEN);
	add_text(&d, "text", b->ceremony.text);
	return ledger_write(d.b, &d.e);
}

bool
ledger_enroll(struct broker *b, const struct job *j, const struct rec_key_entry *key,
    const struct msg_credential *m, const uint8_t keys_digest[HASH_LEN])
{
	struct draft d = draft(b, LEDGER_ENROLL);
	const struct ceremony *c = &b->ceremony;

	add_text(&d, "receipt", j->receipt);
	add_number(&d, "uid", j->uid);
	add_text(&d, "name", key->name);
	add_hex(&d, "credential", key->cred_id, key->cred_id_len);
	add_hex(&d, "key", key->public_key, sizeof(key->public_key));
	add_hex(&d, "aaguid", key->aaguid, sizeof(key->aaguid));
	add_text(&d, "zero", key->zero_counter ? "yes" : "no");
	add_text(&d, "format", m->format);
	add_hex(&d, "authdata", m->authdata, m->authdata_len);
	if (m->signature_len)
		add_hex(&d, "attestation", m->signature, m->signature_len);
	add_hex(&d, "keys", keys_digest, HASH_LEN);
	if (c->by_signature_len) {
		add_hex(&d, "by", c->by_cred, c->by_cred_len);
		add_hex(&d, "by-authdata", c->by_authdata, c->by_authdata_len);
		add_hex(&d, "by-signature", c->by_signature, c->by_signature_len);
	}
	add_text(&d, "text", c->text);
	return ledger_write(d.b, &d.e);
}
