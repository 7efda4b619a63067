/* SPDX-License-Identifier: Apache-2.0 */
/* See replay_limits.h. */
#include "replay_limits.h"

#include <string.h>

#include <sgwarden/plan.h>

static int64_t
last_of(const struct replay_limit *limit)
{
	int64_t last = limit->denied > limit->blocked ? limit->denied : limit->blocked;

	for (size_t i = 0; i < SGW_PROMPTS_KEPT; i++)
		if (limit->asked[i] > last)
			last = limit->asked[i];
	return last;
}

/* A user's slot; where all are taken, the one that has been quiet longest. */
static struct replay_limit *
limit_of(struct replay_limits *r, uint32_t uid, bool person)
{
	struct replay_limit *quietest = &r->of[0];

	for (size_t i = 0; i < SGW_QUOTAS_MAX; i++) {
		struct replay_limit *limit = &r->of[i];

		if (limit->used && limit->uid == uid && limit->person == person)
			return limit;
		if (quietest->used && (!limit->used || last_of(limit) < last_of(quietest)))
			quietest = limit;
	}
	*quietest = (struct replay_limit){.used = true, .person = person, .uid = uid};
	return quietest;
}

/* Every class of a change is the machine's but where it says otherwise; any other is an administrative act's name. */
static bool
is_persons(const struct ledger_entry *entry)
{
	for (unsigned i = 0; i < CLASS_MAX; i++)
		if (ledger_field_is(entry, "class", class_name((enum effect_class)i)))
			return ledger_field_is(entry, "by", "person");
	return true;
}

static bool
asks_nobody(const struct ledger_entry *entry)
{
	return ledger_field_is(entry, "class", class_name(CLASS_READ)) ||
	       ledger_field_is(entry, "class", class_name(CLASS_CLOSE_OWN));
}

static const char *
on_request(struct replay_limits *r, const struct ledger_entry *entry)
{
	uint64_t uid;

	if (!ledger_field_number(entry, "uid", UINT32_MAX, &uid))
		return "its uid is none";
	if (asks_nobody(entry))
		return NULL;
	/* the same plan anew, because the screen came late or the clock was wrong: one prompt */
	if (r->open && ledger_field_is(entry, "plan", r->plan)) {
		r->open->asked[(r->open->next + SGW_PROMPTS_KEPT - 1) % SGW_PROMPTS_KEPT] =
		    entry->time;
		return NULL;
	}
	if (!ledger_field_text(entry, "plan", r->plan, sizeof(r->plan)))
		return "its plan is none";
	r->open = limit_of(r, (uint32_t)uid, is_persons(entry));
	r->open->asked[r->open->next] = entry->time;
	r->open->next = (r->open->next + 1) % SGW_PROMPTS_KEPT;
	return NULL;
}

/* Nobody was asked: the prompt that was counted is taken back. */
static void
unasked(struct replay_limits *r)
{
	r->open->next = (r->open->next + SGW_PROMPTS_KEPT - 1) % SGW_PROMPTS_KEPT;
	r->open->asked[r->open->next] = 0;
	r->open = NULL;
}

static void
on_denial(struct replay_limits *r, const struct ledger_entry *entry)
{
	if (ledger_field_is(entry, "reason", "deny") ||
	    ledger_field_is(entry, "reason", "wrong word"))
		r->open->denied = entry->time;
	else if (ledger_field_is(entry, "reason", "block"))
		r->open->blocked = entry->time;
	r->open = NULL;
}

const char *
replay_limit(struct replay_limits *r, const struct ledger_entry *entry)
{
	bool of_plan = r->open && ledger_field_is(entry, "plan", r->plan);

	switch (entry->kind) {
	case LEDGER_REQUEST:
		return on_request(r, entry);
	case LEDGER_REFUSAL:
		if (of_plan)
			unasked(r);
		return NULL;
	case LEDGER_TIMEOUT:
		if (of_plan && ledger_field_is(entry, "stage", "screen"))
			unasked(r);
		else if (of_plan)
			r->open = NULL;
		return NULL;
	case LEDGER_DENIAL:
		if (ledger_field_is(entry, "reason", "wrong code"))
			r->codes[r->next_code++ % SGW_CODE_TRIES] = entry->time;
		if (of_plan)
			on_denial(r, entry);
		return NULL;
	case LEDGER_START: /* whatever was before the person is so no longer */
	case LEDGER_CONSENT:
	case LEDGER_ENROLL:
		r->open = NULL;
		return NULL;
	default: /* the other acts name their plan */
		if (of_plan)
			r->open = NULL;
		return NULL;
	}
}
