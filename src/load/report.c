/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the broker, each sent only once its queue has room. */
#include "report.h"

#include <poll.h>
#include <string.h>

#include <sgwarden/log.h>

#define ROOM_WAIT 10000 /* ms that the broker may take to read on */

static const char *const INPUT_NAMES[INPUT_MAX] = {
    [INPUT_CREDENTIALS] = "the file credentials",
    [INPUT_CONFIG] = "the file config",
    [INPUT_LEDGER] = "the ledger",
};

int
report_open(struct report *r, int fd)
{
	*r = (struct report){.broker = chan_open(fd, ROLE_LOADER, ROLE_BROKER)};
	if (secret_alloc(&r->memory, sizeof(struct msg) + SGW_DATAGRAM_MAX) < 0)
		return -1;
	r->m = r->memory.data;
	r->scratch = r->m + 1;
	return 0;
}

void
report_close(struct report *r)
{
	secret_free(&r->memory);
	chan_close(&r->broker);
}

static void
send_out(struct report *r, bool secret)
{
	struct pollfd room = {.fd = r->broker.fd, .events = POLLOUT};

	if (r->failed)
		return;
	if (poll(&room, 1, ROOM_WAIT) != 1 ||
	    chan_send(&r->broker, r->scratch, r->m, -1, secret) < 0) {
		log_error("the broker does not listen");
		r->failed = true;
	}
}

void
report_problem(
    struct report *r, enum input_file file, uint32_t line, bool fatal, const char *detail)
{
	struct msg_loaded_problem *out = &r->m->loaded_problem;

	if (r->problems > REPORT_PROBLEMS_MAX && !fatal)
		return;
	if (r->problems++ == REPORT_PROBLEMS_MAX && !fatal)
		detail = "and more problems, not listed";
	r->m->id = MSG_LOADED_PROBLEM;
	out->file = file;
	out->line = line;
	out->fatal = fatal;
	if (!FIELD_SET(out->detail, detail))
		FIELD_SET(out->detail, "a problem too long to be told");
	if (fatal) /* nobody may live long enough to hear it from the broker */
		log_error(
		    "%s: %s; it is damaged or of a later version: `sgwarden ledger verify` looks "
		    "at all of it, guide.md (Another machine) says how a backup comes back",
		    INPUT_NAMES[file], out->detail);
	send_out(r, false);
}

void
report_profile(struct report *r, const struct profile_loaded *profile)
{
	struct msg_loaded_profile *out = &r->m->loaded_profile;

#define COPY(field, slice)                                                                         \
	field_copy(field, sizeof(field), (slice).at ? (slice).at : "", (slice).len)
	r->m->id = MSG_LOADED_PROFILE;
	COPY(out->name, profile->name);
	COPY(out->access_key_id, profile->access_key_id);
	COPY(out->secret_key, profile->secret_key);
	COPY(out->token, profile->token);
	COPY(out->region, profile->region);
#undef COPY
	send_out(r, true);
	memory_erase(r->m, sizeof(*r->m));
}

static void
send_receipt(struct report *r, const struct receipts *from, const struct rcpt *entry)
{
	struct msg_loaded_receipt *out = &r->m->loaded_receipt;

	r->m->id = MSG_LOADED_RECEIPT;
	out->head = entry->head;
	out->n_ops = entry->head.n_ops;
	for (size_t i = 0; i < out->n_ops; i++)
		out->ops[i] = *receipts_op(from, entry, i);
	send_out(r, false);
}

static void
limit_out(struct report *r, const struct replay_limit *limit, enum limit_event event, int64_t time)
{
	struct msg_loaded_limit *out = &r->m->loaded_limit;

	r->m->id = MSG_LOADED_LIMIT;
	*out = (struct msg_loaded_limit){
	    .uid = limit->uid, .person = limit->person, .event = event, .time = time};
	send_out(r, false);
}

/* What is older than an hour at the ledger's own last word limits nobody any more, whatever the clock says now. */
static void
report_limits(struct report *r, const struct replay_limits *limits, int64_t last)
{
	const int64_t oldest = last - 3600;
	static const struct replay_limit nobody;

	for (size_t k = 0; k < SGW_CODE_TRIES; k++) { /* the oldest first */
		int64_t tried = limits->codes[(limits->next_code + k) % SGW_CODE_TRIES];

		if (tried != 0 && tried > oldest)
			limit_out(r, &nobody, LIMIT_CODE, tried);
	}
	for (size_t i = 0; i < SGW_QUOTAS_MAX; i++) {
		const struct replay_limit *limit = &limits->of[i];

		for (size_t k = 0; k < SGW_PROMPTS_KEPT; k++) { /* the oldest first */
			int64_t asked = limit->asked[(limit->next + k) % SGW_PROMPTS_KEPT];

			if (asked != 0 && asked > oldest)
				limit_out(r, limit, LIMIT_PROMPT, asked);
		}
		if (limit->denied != 0 && limit->denied > oldest)
			limit_out(r, limit, LIMIT_DENIAL, limit->denied);
		if (limit->blocked != 0 && limit->blocked > oldest)
			limit_out(r, limit, LIMIT_BLOCK, limit->blocked);
	}
}

void
report_ledger(struct report *r, const struct stream *s, const struct replay *replay)
{
	struct msg_loaded_head *head = &r->m->loaded_head;

	r->m->id = MSG_LOADED_HEAD;
	head->number = s->chain.number;
	memcpy(head->head, s->chain.head, sizeof(head->head));
	head->time = s->chain.time;
	head->segment = s->segment;
	head->segment_size = s->offset + s->torn_len;
	head->segment_begins = s->begins;
	head->segment_last = s->segment > 1 ? s->before.number : 0;
	memset(head->segment_head, 0, sizeof(head->segment_head));
	if (s->segment > 1)
		memcpy(head->segment_head, s->before.head, sizeof(head->segment_head));
	head->torn_len = s->torn_len;
	memcpy(head->torn_digest, s->torn_digest, sizeof(head->torn_digest));
	memcpy(head->keys_digest, replay->keys_digest, sizeof(head->keys_digest));
	memcpy(head->policy_digest, replay->policy_digest, sizeof(head->policy_digest));
	memcpy(
	    head->policy_file_digest, replay->policy_file_digest, sizeof(head->policy_file_digest));
	memcpy(head->sealed_digest, replay->sealed_digest, sizeof(head->sealed_digest));
	send_out(r, false);
	for (size_t i = 0; i < replay->n_grants; i++) {
		if (!replay->grants[i].sent)
			continue;
		r->m->id = MSG_LOADED_GRANT;
		r->m->loaded_grant.grant = replay->grants[i].grant;
		r->m->loaded_grant.op = (uint8_t)replay->grants[i].op;
		r->m->loaded_grant.latest = replay->grants[i].latest;
		send_out(r, false);
	}
	for (size_t i = 0; i < replay->n_lockdowns; i++) {
		r->m->id = MSG_LOADED_LOCKDOWN;
		r->m->loaded_lockdown.lockdown = replay->lockdowns[i];
		send_out(r, false);
	}
	for (size_t i = 0; i < replay->n_counters; i++) {
		struct msg_loaded_counter *out = &r->m->loaded_counter;
		const struct replay_counter *from = &replay->counters[i];

		r->m->id = MSG_LOADED_COUNTER;
		memcpy(out->cred_id, from->cred_id, from->cred_id_len);
		out->cred_id_len = from->cred_id_len;
		out->counter = from->counter;
		send_out(r, false);
	}
	for (size_t i = replay->receipts.n; i > 0; i--)
		send_receipt(r, &replay->receipts, receipts_newest(&replay->receipts, i - 1));
	report_limits(r, &replay->limits, s->chain.time);
}

void
report_end(struct report *r, uint64_t records, uint64_t receipts)
{
	r->m->id = MSG_LOADED;
	r->m->loaded.records = records > UINT32_MAX ? UINT32_MAX : (uint32_t)records;
	r->m->loaded.receipts = receipts;
	send_out(r, false);
}
