/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrolment phrase.  The person types it on a trusted screen before the record is made: at the first enrolment, and
 * when another one is asked for.  It goes into the key list and nowhere else.  The record and the ledger hold the digest
 * of that list, which the keys' random salts are part of, so that nobody finds the phrase by trying words.
 */
#include "admin.h"

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>
#include <sgwarden/phrase.h>

bool
phrase_wanted(const struct broker *b, const struct job *j)
{
	if (b->screen != DISPLAY_TRUSTED && !MUTATE(PHRASE_SCREEN))
		return false;
	return j->kind == JOB_ENROLL ? b->keys.n_keys == 0
				     : j->kind == JOB_ADMIN && j->act == ACT_PHRASE;
}

void
phrase_ask(struct broker *b)
{
	struct job *j = b->active;
	struct ceremony *c = &b->ceremony;

	if (!quota_prompt(b, job_whose(j))) {
		(void)ledger_denial(b, j, "too many prompts this hour");
		job_end(b, STATUS_REFUSED, SGW_ERR_RATE_LIMITED, "");
		return;
	}
	j->state = JOB_PHRASE;
	j->deadline = clock_monotonic() + SGW_RECORD_SECONDS * 1000;
	c->consent.state = CHAN_PHRASE;
	b->out.id = MSG_WANT_PHRASE;
	b->out.want_phrase = (struct msg_want_phrase){.uid = j->uid, .seconds = SGW_RECORD_SECONDS};
	(void)FIELD_SET(b->out.want_phrase.phrase, b->keys.phrase);
	(void)chan_send(&c->consent, b->scratch, &b->out, -1, false);
	job_stage(b, j, STAGE_ON_SCREEN, SGW_RECORD_SECONDS);
}

/* What will be signed for: the list with this phrase. */
static bool
list_with(struct broker *b, const char *phrase)
{
	struct buf out = buf_over(b->scratch, sizeof(b->scratch));

	b->keys_new = b->keys;
	(void)FIELD_SET(b->keys_new.phrase, phrase);
	if (!rec_key_list_encode(&out, &b->keys_new))
		return false;
	hash_sha256(out.data, out.len, b->keys_new_digest);
	memcpy(b->admin->digest, b->keys_new_digest, HASH_LEN);
	return true;
}

bool
phrase_typed(struct broker *b, const struct msg_phrase *m)
{
	struct ceremony *c = &b->ceremony;

	if (phrase_problem(m->phrase) && !MUTATE(PHRASE_FORM))
		return false;
	(void)FIELD_SET(c->phrase, m->phrase);
	if (b->active->kind == JOB_ADMIN && !list_with(b, c->phrase))
		job_end(b, STATUS_FAILED, SGW_ERR_INTERNAL, "the key list has no form");
	else
		ceremony_show(b);
	return true;
}

enum sgw_error
phrase_prepare(struct broker *b, const char **ret_detail)
{
	*ret_detail = "";
	admin_say(b->admin, "It stands above each request from then on, on trusted");
	admin_say(b->admin, "screens alone: no client hears of it, and the ledger");
	admin_say(b->admin, "holds a digest. The phrase that was there is no more.");
	return SGW_ERR_NONE;
}

void
phrase_applied(struct broker *b)
{
	b->keys = b->keys_new;
	memcpy(b->keys_digest, b->keys_new_digest, HASH_LEN);
	(void)FIELD_SET(
	    b->admin->detail, "chosen; a trusted screen that does not show it is not ours");
}
