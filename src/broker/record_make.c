/* SPDX-License-Identifier: Apache-2.0 */
/* The consent record, from what the broker itself knows or has read. */
#include "custody.h"

#include <stdio.h>
#include <sys/random.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>
#include <sgwarden/vis.h>

/* 120 s, 10 s for each operation beyond five, 30 s for each touch beyond the first, three minutes for a code on paper; at
 * most ten minutes. */
static int64_t
seconds_for(const struct broker *b, const struct job *j)
{
	bool each = j->kind == JOB_ADMIN && (j->act == ACT_SEAL || j->act == ACT_ROTATE);
	bool code = j->by_code || (j->kind == JOB_ADMIN && j->act == ACT_MAKE_CODE);
	int64_t extra = j->kind == JOB_CHANGE && j->plan.n_ops > 5 ? 10 * (j->plan.n_ops - 5)
			: code                                     ? SGW_CODE_SECONDS
			: each ? (int64_t)SGW_TOUCH_SECONDS * b->keys.n_keys
			       : 0;
	int64_t all = SGW_RECORD_SECONDS + extra;

	return all < SGW_RECORD_SECONDS_MAX ? all : SGW_RECORD_SECONDS_MAX;
}

static void
vis_field(char *field, size_t size, const char *text)
{
	(void)vis(
	    field, size, text, strlen(text)); /* the field holds the worst case of its maximum */
}

/* The latest of those that are extended: each of them is to close later than that. */
static int64_t
closes_now(struct broker *b, const struct job *j)
{
	int64_t latest = 0;

	for (size_t i = 0; i < j->plan.n_ops; i++) {
		const struct grant *g = grant_of(b, j->plan.ops[i].receipt, &j->plan.ops[i]);

		if (g && grant_end(g) > latest)
			latest = grant_end(g);
	}
	return latest;
}

static void
change_fields(struct broker *b, struct record *r, const struct job *j)
{
	const struct client *client = client_find(b, j->client);
	char requester[SGW_USER_MAX + 1];

	r->plan = j->plan;
	r->plan.reason[0] = r->plan.claimed[0] = r->plan.ticket[0] = 0;
	memcpy(r->groups, b->found, j->plan.n_groups * sizeof(r->groups[0]));
	r->quota_limit = b->config.policy.rules_per_group;
	r->effect = j->verdict.effect;
	r->pin = j->verdict.needs_pin;
	vis_field(r->claimed, sizeof(r->claimed), j->plan.claimed);
	vis_field(r->reason, sizeof(r->reason), j->plan.reason);
	if (!plan_opens(&j->plan))
		return;
	own_record(b, &j->plan, r);
	r->closes = r->created + j->plan.lifetime;
	if (j->plan.ops[0].action == ACTION_EXTEND) {
		r->closes_now = closes_now(b, j);
		return;
	}
	(void)snprintf(requester, sizeof(requester), "uid %u", (unsigned)j->uid);
	if (client && client->user[0])
		(void)FIELD_SET(requester, client->user);
	record_description(requester, j->plan.reason, r->closes, r->description);
}

static bool
digest_ask(struct broker *b, struct ceremony *c)
{
	struct buf out = buf_over(b->scratch, sizeof(b->scratch));
	bool first = b->active->kind == JOB_ENROLL && (b->keys.n_keys == 0 || b->active->by_code);

	if (!touch_ask(b, &c->ask, first) || !msg_encode(&out, &c->ask))
		return false;
	if (custody_ask_all(b, &b->out) && !msg_encode(&out, &b->out))
		return false;
	hash_sha256(out.data, out.len, c->record.ask_digest);
	return true;
}

bool
record_make(struct broker *b, struct ceremony *c, const struct job *j)
{
	struct record *r = &c->record;
	const struct client *client = client_find(b, j->client);
	struct buf text = buf_over(c->text, SGW_RECORD_MAX);

	*r = (struct record){.kind = j->kind == JOB_ENROLL ? RECORD_ENROLL : RECORD_CHANGE,
	    .created = clock_now(),
	    .ledger_number = b->chain.number,
	    .display = b->screen,
	    .uid = j->uid,
	    .effect = CLASS_OPEN_WIDE,
	    .keys_enrolled = b->keys.n_keys,
	    .by_code = j->by_code};
	c->made = clock_monotonic();
	r->expires = r->created + seconds_for(b, j);
	if ((!MUTATE(NONCE) &&
		getrandom(r->nonce, sizeof(r->nonce), 0) != (ssize_t)sizeof(r->nonce)) ||
	    !client)
		return false;
	(void)FIELD_SET(r->appliance, b->appliance);
	(void)FIELD_SET(r->boot_id, b->boot_id);
	(void)FIELD_SET(r->tty, b->tty);
	(void)FIELD_SET(r->chain, client->chain);
	(void)FIELD_SET(r->key_name, j->key_name);
	r->pid = client->pid;
	r->chain_verified = client->chain_verified;
	memcpy(r->ledger_head, b->chain.head, sizeof(r->ledger_head));
	memcpy(r->policy_digest, b->policy_digest, sizeof(r->policy_digest));
	if (j->kind == JOB_CHANGE)
		change_fields(b, r, j);
	else if (j->kind == JOB_ADMIN)
		admin_record(b, r);
	if (!digest_ask(b, c) || !record_encode(r, &text))
		return false;
	c->text_len = text.len;
	c->text[text.len] = 0;
	hash_sha256(c->text, c->text_len, c->digest);
	return true;
}

/* However the wall clock was set since: an act that is still on the screen keeps everybody else waiting. */
int64_t
record_deadline(const struct ceremony *c)
{
	return c->made + (c->record.expires - c->record.created) * 1000;
}
