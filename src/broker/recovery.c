/* SPDX-License-Identifier: Apache-2.0 */
/* See recovery.h. */
#include "recovery.h"

#include <stdio.h>
#include <sys/random.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>
#include <sgwarden/recovery.h>

#include "admin.h"

#define HOUR 3600

_Static_assert(
    sizeof(((struct msg_code *)NULL)->code) == SGW_CODE_LEN, "the wire's form of a code");

static bool
code_there(const struct broker *b)
{
	return b->keys.code_made != 0;
}

static void
key_hex(const uint8_t key[RECOVERY_KEY_LEN], char ret_text[2 * RECOVERY_KEY_LEN + 1])
{
	struct buf out = buf_over(ret_text, 2 * RECOVERY_KEY_LEN + 1);

	(void)buf_put_hex(&out, key, RECOVERY_KEY_LEN);
	(void)buf_put_c(&out);
}

/* ---- made, and dropped ---- */

/* The act is about this public key, and makes the list that stands in keys_new. */
static enum sgw_error
act_over(struct broker *b, const uint8_t key[RECOVERY_KEY_LEN])
{
	struct buf out = buf_over(b->scratch, sizeof(b->scratch));

	if (!rec_key_list_encode(&out, &b->keys_new))
		return SGW_ERR_INTERNAL;
	hash_sha256(out.data, out.len, b->keys_new_digest);
	memcpy(b->admin->digest, b->keys_new_digest, HASH_LEN);
	key_hex(key, b->admin->subject);
	return SGW_ERR_NONE;
}

enum sgw_error
code_make_prepare(struct broker *b, const char **ret_detail)
{
	struct vault *v = b->vault;
	bool made;

	*ret_detail = "there is one already: `sgwarden recovery drop` takes it away";
	if (code_there(b))
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "";
	b->keys_new = b->keys;
	b->keys_new.code_made = clock_now();
	made = getrandom(v->typed, sizeof(v->typed), 0) == (ssize_t)sizeof(v->typed);
	recovery_make(v->typed, v->code);
	memory_erase(v->typed, sizeof(v->typed));
	if (!made || !recovery_key(v->code, b->appliance, b->keys_new.code_key))
		return SGW_ERR_INTERNAL;
	admin_say(b->admin, "After the touch this screen shows the code, once. Write it down,");
	admin_say(b->admin, "type it back, and keep the paper where no screen and no assistant");
	admin_say(b->admin, "sees it. It opens nothing and unseals nothing: it can enrol one");
	admin_say(b->admin, "security key.");
	return act_over(b, b->keys_new.code_key);
}

enum sgw_error
code_drop_prepare(struct broker *b, const char **ret_detail)
{
	char when[CLOCK_TEXT_LEN];

	*ret_detail = "there is no recovery code";
	if (!code_there(b))
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "";
	b->keys_new = b->keys;
	b->keys_new.code_made = 0;
	memset(b->keys_new.code_key, 0, sizeof(b->keys_new.code_key));
	clock_format(b->keys.code_made, when);
	admin_say(b->admin, "made %s", when);
	return act_over(b, b->keys.code_key);
}

void
code_applied(struct broker *b)
{
	b->keys = b->keys_new;
	memcpy(b->keys_digest, b->keys_new_digest, HASH_LEN);
	(void)FIELD_SET(
	    b->admin->detail, code_there(b) ? "made; the paper is now the only copy" : "dropped");
}

/* ---- on the screen ---- */

/* WANT_CODE with the new code, or without any. */
static void
want(struct broker *b, const uint8_t *code)
{
	struct ceremony *c = &b->ceremony;
	struct vault *v = b->vault;

	b->active->state = JOB_CODE;
	b->active->deadline = record_deadline(c);
	c->consent.state = CHAN_READING;
	v->out.id = MSG_WANT_CODE;
	v->out.want_code = (struct msg_want_code){.code_len = code ? SGW_CODE_LEN : 0};
	if (code)
		memcpy(v->out.want_code.code, code, SGW_CODE_LEN);
	(void)chan_send(&c->consent, v->scratch, &v->out, -1, true);
	memory_erase(&v->out, sizeof(v->out));
	job_stage(b, b->active, STAGE_ON_SCREEN, (b->active->deadline - clock_monotonic()) / 1000);
}

void
code_show(struct broker *b)
{
	want(b, b->vault->code);
}

bool
recovery_asks(const struct broker *b)
{
	return b->active->by_code && !MUTATE(CODE_ASKED);
}

void
recovery_ask(struct broker *b)
{
	want(b, NULL);
}

/* ---- typed ---- */

void
recovery_tried(struct broker *b, int64_t when)
{
	b->code_tried[b->code_tries++ % SGW_CODE_TRIES] = when;
}

enum sgw_error
recovery_problem(const struct broker *b, char ret_detail[SGW_DETAIL_MAX + 1])
{
	/* the slot that the next wrong one would take has the oldest */
	int64_t oldest = b->code_tried[b->code_tries % SGW_CODE_TRIES];

	if (!code_there(b)) {
		(void)field_copy(ret_detail, SGW_DETAIL_MAX + 1, "there is no recovery code", 25);
		return SGW_ERR_BAD_ARGUMENT;
	}
	if (oldest == 0 || oldest + HOUR <= quota_now() || MUTATE(CODE_TRIES))
		return SGW_ERR_NONE;
	(void)snprintf(ret_detail, SGW_DETAIL_MAX + 1,
	    "wrong recovery codes were typed: none is taken for %lld s",
	    (long long)(oldest + HOUR - quota_now()));
	return SGW_ERR_RATE_LIMITED;
}

static void
wrong(struct broker *b)
{
	recovery_tried(b, quota_now());
	log_write(LOG_LEVEL_ALERT, "a wrong recovery code was typed");
	(void)ledger_denial(b, b->active, "wrong code");
	job_end(b, STATUS_DENIED, SGW_ERR_CODE_WRONG, "");
}

/* The agreement is in the ledger before the new key is asked. */
static void
agreed(struct broker *b, const uint8_t code[SGW_CODE_LEN])
{
	const struct ceremony *c = &b->ceremony;
	uint8_t signature[RECOVERY_SIGNATURE_LEN];

	if (!recovery_sign(code, b->appliance, c->text, c->text_len, signature)) {
		(void)ledger_denial(b, b->active, "the recovery code could not sign");
		job_end(b, STATUS_FAILED, SGW_ERR_INTERNAL, "");
		return;
	}
	if (!ledger_recovery(b, b->active, signature)) {
		job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
		return;
	}
	b->active->asserted = true;
	touch_begin(b);
}

void
recovery_typed(struct broker *b, const uint8_t code[SGW_CODE_LEN])
{
	uint8_t key[RECOVERY_KEY_LEN];

	if (b->active->kind == JOB_ADMIN) {
		if (memory_equal(code, b->vault->code, SGW_CODE_LEN)) {
			admin_agreed(b);
			return;
		}
		(void)ledger_denial(b, b->active, "the code was not typed back");
		job_end(b, STATUS_DENIED, SGW_ERR_CODE_WRONG, "");
		return;
	}
	if (recovery_key(code, b->appliance, key) &&
	    (memory_equal(key, b->keys.code_key, sizeof(key)) || MUTATE(CODE_RIGHT)))
		agreed(b, code);
	else
		wrong(b);
}

void
recovery_used(struct rec_key_list *list, int64_t when)
{
	list->code_used = when;
	if (MUTATE(CODE_ONCE))
		return;
	list->code_made = 0;
	memset(list->code_key, 0, sizeof(list->code_key));
}

/* ---- ever after ---- */

void
recovery_banner(const struct broker *b, char ret_text[SGW_BANNER_MAX + 1])
{
	char made[CLOCK_TEXT_LEN], used[CLOCK_TEXT_LEN];
	struct buf out = buf_over(ret_text, SGW_BANNER_MAX + 1);

	clock_format(b->keys.code_made, made);
	clock_format(b->keys.code_used, used);
	if (code_there(b))
		(void)buf_printf(&out, "RECOVERY CODE since %.10s", made);
	if (b->keys.code_used != 0)
		(void)buf_printf(&out, "%sA RECOVERY CODE enrolled a key %.10s",
		    code_there(b) ? "; " : "", used);
	(void)buf_put_c(&out);
}
