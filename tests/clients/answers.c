/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canned answers.  A change's reason begins with: ok, stays, deny, forbid, pending, never, progress, long, die,
 * wrong.  The group sg-0000000b has 300 rules with the worst descriptions, sg-0000000d does not exist.
 */
#include "fake_cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/errors.h>

#define BIG_GROUP "sg-0000000b"
#define NO_GROUP "sg-0000000d"
#define BIG_RULES 300
#define DONE_PLAN "sgw-bbbbbbbbbbbbbbbbbbbb"
#define STAYS "1 more rules match: they stay"

void
reply(struct cell *c)
{
	if (chan_send(&c->planner, c->scratch, &c->msg, -1, false) < 0)
		fprintf(stderr, "fake_cell: the front does not take answers\n");
}

void
refuse(struct cell *c, uint32_t request, uint16_t error, const char *field, const char *detail)
{
	struct msg_failed *m = BEGIN(c, FAILED, failed, request);

	m->error = error;
	FIELD_SET(m->field, field);
	FIELD_SET(m->detail, detail);
	reply(c);
}

static void
answer_capabilities(struct cell *c)
{
	uint32_t request = c->msg.ask_capabilities.request;
	struct msg_capabilities *m = BEGIN(c, CAPABILITIES, capabilities, request);

	fprintf(stderr, "ask_capabilities\n");
	m->keys = 2;
	m->screen = DISPLAY_SHARED;
	m->lifetime_default = 3600;
	m->lifetime_min = 1200;
	m->lifetime_max = 43200;
	m->n_profiles = 1;
	put_profile(&m->profiles[0]);
	reply(c);
}

static void
answer_health(struct cell *c)
{
	uint32_t request = c->msg.ask_health.request;
	struct msg_health *m = BEGIN(c, HEALTH, health, request);

	fprintf(stderr, "ask_health\n");
	m->n_components = 2;
	FIELD_SET(m->components[0].name, "broker");
	FIELD_SET(m->components[1].name, "screen");
	m->components[1].state = COMPONENT_DEGRADED;
	FIELD_SET(m->components[1].detail, "no consent screen is open");
	reply(c);
}

static void
answer_groups(struct cell *c)
{
	struct msg_ask_groups q = c->msg.ask_groups;
	struct msg_groups *m = BEGIN(c, GROUPS, groups, q.request);
	struct rec_group *g = &m->groups[0];

	fprintf(stderr,
	    "ask_groups profile=%s vpc=%s tag=%s=%s managed=%d limit=%d cursor=%s query=%s\n",
	    q.profile, q.vpc_id, q.tag_key, q.tag_value, q.managed_only, q.limit, q.cursor,
	    q.query);
	FIELD_SET(m->profile, "dev");
	FIELD_SET(m->account, ACCOUNT);
	FIELD_SET(m->region, "eu-west-1");
	m->n_groups = 1;
	FIELD_SET(g->group_id, "sg-0123456789abcdef0");
	FIELD_SET(g->name, "b\xc3\xbc"
			   "ro \xe2\x80\xae"
			   "evil\x1b[2J\"\\");
	g->managed = true;
	g->n_tags = 1;
	FIELD_SET(g->tags[0].key, "Name");
	FIELD_SET(g->tags[0].value, "line\nbreak");
	reply(c);
}

static void
put_rule(struct rec_rule_view *v, unsigned i, const char *group)
{
	memset(v, 0, sizeof(*v));
	snprintf(v->rule.rule_id, sizeof(v->rule.rule_id), "sgr-%017x", i);
	FIELD_SET(v->rule.group_id, group);
	v->rule.protocol = PROTO_TCP;
	v->rule.from_port = 22;
	v->rule.to_port = 22;
	v->rule.source.family = 4;
	v->rule.source.prefix = 32;
	v->rule.source.addr[0] = 198;
	v->rule.source.addr[1] = 51;
	v->rule.source.addr[2] = 100;
	v->rule.source.addr[3] = (uint8_t)i;
	v->flags = VIEW_FOREIGN | VIEW_SENSITIVE;
	if (strcmp(group, BIG_GROUP) != 0)
		return;
	memset(v->rule.description, '\x01', SGW_DESCRIPTION_MAX - 1);
}

/* The planner's page from its cursor on (a plain index here), in parts of SGW_RULES_PAGE. */
static void
answer_rules(struct cell *c)
{
	struct msg_ask_rules q = c->msg.ask_rules;
	unsigned all = strcmp(q.group_id, BIG_GROUP) == 0 ? BIG_RULES : 2;
	unsigned from = (unsigned)strtoul(q.cursor, NULL, 10),
		 to = from + q.limit < all ? from + q.limit : all;

	fprintf(stderr, "ask_rules group=%s egress=%d filter=%d port=%d limit=%d cursor=%s\n",
	    q.group_id, q.egress, q.filter, q.port, q.limit, q.cursor);
	if (strcmp(q.group_id, NO_GROUP) == 0) {
		refuse(c, q.request, SGW_ERR_NO_SUCH_GROUP, "security_group_id", "");
		return;
	}
	do {
		struct msg_rules *m = BEGIN(c, RULES, rules, q.request);

		FIELD_SET(m->profile, "dev");
		FIELD_SET(m->account, ACCOUNT);
		FIELD_SET(m->region, "eu-west-1");
		FIELD_SET(m->group_id, q.group_id);
		for (; from < to && m->n_rules < SGW_RULES_PAGE; from++)
			put_rule(&m->rules[m->n_rules++], from, q.group_id);
		m->more = from < to;
		if (!m->more && to < all)
			snprintf(m->next_cursor, sizeof(m->next_cursor), "%u", to);
		reply(c);
	} while (from < to);
}

static void
say_change(const struct msg_ask_change *q)
{
	char cidr[CIDR_TEXT_LEN];
	const struct rec_wanted *w = &q->wanted[0];

	cidr_format(&w->source, cidr);
	fprintf(stderr,
	    "ask_change apply=%d action=%d group=%s n=%d given=%d rule=%s proto=%d ports=%d-%d "
	    "source=%s lifetime=%u "
	    "until=%lld wait=%d plan=%s progress=%d service=%s claimed=%s\n",
	    q->apply, (int)w->action, w->group_id, q->n_wanted, w->given, w->rule_id, w->protocol,
	    (int)w->from_port, (int)w->to_port, cidr, q->lifetime, (long long)q->until, q->wait,
	    q->plan_id, q->progress, w->service, q->claimed);
}

static void
send_progress(struct cell *c, uint32_t request)
{
	static const struct {
		enum stage stage;
		uint16_t left;
	} steps[] = {{STAGE_PLANNING, 0}, {STAGE_ON_SCREEN, 118}, {STAGE_ON_SCREEN, 118},
	    {STAGE_TOUCH, 30}, {STAGE_EXECUTING, 0}};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct msg_progress *m = BEGIN(c, PROGRESS, progress, request);

		m->stage = steps[i].stage;
		m->seconds_left = steps[i].left;
		reply(c);
	}
}

static void
put_change(struct msg_change *m, const struct msg_ask_change *q)
{
	FIELD_SET(m->plan_id, PLAN_ID);
	FIELD_SET(m->profile, "dev");
	FIELD_SET(m->account, ACCOUNT);
	FIELD_SET(m->region, "eu-west-1");
	m->effect = CLASS_OPEN;
	m->stage = STAGE_DONE;
	m->status = q->apply ? STATUS_OK : STATUS_PLANNED;
	m->n_ops = 1;
	m->ops[0].op.action = q->wanted[0].action;
	FIELD_SET(m->ops[0].op.group_id, q->wanted[0].group_id);
	m->ops[0].op.protocol = PROTO_TCP;
	m->ops[0].op.from_port = 443;
	m->ops[0].op.to_port = 443;
	m->ops[0].op.source = q->wanted[0].source;
	m->lifetime = 3600;
	if (!q->apply)
		FIELD_SET(m->preview, "OPEN tcp/443\n\"quoted\"\n");
	else {
		FIELD_SET(m->receipt, PLAN_ID);
		FIELD_SET(m->ops[0].done.rule_id, "sgr-0123456789abcdef0");
		m->closes = 1795282200;
	}
}

static bool
begins(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static void
answer_change(struct cell *c)
{
	struct msg_ask_change q = c->msg.ask_change;
	struct msg_change *m;

	say_change(&q);
	if (begins(q.reason, "never"))
		return;
	if (begins(q.reason, "die")) {
		chan_close(&c->planner);
		return;
	}
	if (begins(q.reason, "wrong")) {
		BEGIN(c, KEYS, keys, q.request)->n_keys = 0;
		reply(c);
		return;
	}
	if (begins(q.reason, "progress")) {
		send_progress(c, q.request);
		usleep(50000); /* a client may drop what it learns together with the result */
	}
	m = BEGIN(c, CHANGE, change, q.request);
	put_change(m, &q);
	if (begins(q.reason, "stays"))
		FIELD_SET(m->detail, STAYS);
	else if (begins(q.reason, "deny")) {
		m->status = STATUS_DENIED;
		m->error = SGW_ERR_DENIED;
	} else if (begins(q.reason, "forbid")) {
		m->status = STATUS_REFUSED;
		m->effect = CLASS_FORBIDDEN;
		m->error = SGW_ERR_FORBIDDEN;
		FIELD_SET(m->policy_line, "prefix-too-wide");
		FIELD_SET(m->detail, "0.0.0.0/0 is wider than /16");
	} else if (begins(q.reason, "pending")) {
		m->status = STATUS_PENDING_CONSENT;
		m->stage = STAGE_TOUCH;
		m->seconds_left = 21;
	} else if (begins(q.reason, "long")) {
		memset(m->preview, '"', SGW_PREVIEW_MAX);
		m->n_ops = SGW_OPS_MAX;
		for (size_t i = 1; i < SGW_OPS_MAX; i++)
			m->ops[i] = m->ops[0];
	}
	reply(c);
}

static void
answer_status(struct cell *c)
{
	struct msg_ask_status q = c->msg.ask_status;
	struct msg_plan_status *m;

	fprintf(stderr, "ask_status %s\n", q.plan_id);
	if (strcmp(q.plan_id, PLAN_ID) != 0 && strcmp(q.plan_id, PLANNED_ID) != 0 &&
	    strcmp(q.plan_id, DONE_PLAN) != 0) {
		refuse(c, q.request, SGW_ERR_NO_SUCH_PLAN, "plan_id", "");
		return;
	}
	m = BEGIN(c, PLAN_STATUS, plan_status, q.request);
	FIELD_SET(m->plan_id, q.plan_id);
	if (strcmp(q.plan_id, PLANNED_ID) == 0) {
		m->status = STATUS_PLANNED;
	} else if (strcmp(q.plan_id, DONE_PLAN) == 0) {
		m->stage = STAGE_DONE;
		FIELD_SET(m->detail, STAYS);
	} else {
		m->status = STATUS_PENDING_CONSENT;
		m->stage = STAGE_ON_SCREEN;
		m->seconds_left = 99;
	}
	reply(c);
}

static void
answer_keys(struct cell *c)
{
	uint32_t request = c->msg.ask_keys.request;
	struct msg_keys *m = BEGIN(c, KEYS, keys, request);

	fprintf(stderr, "ask_keys\n");
	m->n_keys = 1;
	FIELD_SET(m->keys[0].name, "blue");
	FIELD_SET(m->keys[0].fingerprint, "00112233");
	m->keys[0].enrolled = 1795282200;
	reply(c);
}

static void
answer_enroll(struct cell *c)
{
	struct msg_ask_enroll q = c->msg.ask_enroll;
	struct msg_change *m = BEGIN(c, CHANGE, change, q.request);

	fprintf(stderr, "ask_enroll %s\n", q.name);
	m->stage = STAGE_DONE;
	reply(c);
}

static void
answer_forget(struct cell *c)
{
	fprintf(stderr, "ask_forget %u\n", c->msg.ask_forget.request);
}

void
answer(struct cell *c)
{
	static const struct {
		enum msg_id id;
		void (*answer)(struct cell *c);
	} rows[] = {
	    {MSG_ASK_CAPABILITIES, answer_capabilities},
	    {MSG_ASK_HEALTH, answer_health},
	    {MSG_ASK_GROUPS, answer_groups},
	    {MSG_ASK_RULES, answer_rules},
	    {MSG_ASK_CHANGE, answer_change},
	    {MSG_ASK_STATUS, answer_status},
	    {MSG_ASK_KEYS, answer_keys},
	    {MSG_ASK_ENROLL, answer_enroll},
	    {MSG_ASK_FORGET, answer_forget},
	    {MSG_ASK_PROFILES, answer_profiles},
	    {MSG_ASK_ACCESS, answer_access},
	    {MSG_ASK_OPENED, answer_opened},
	    {MSG_ASK_DRIFT, answer_drift},
	    {MSG_ASK_CANCEL, answer_cancel},
	    {MSG_ASK_CREDENTIALS, answer_credentials},
	    {MSG_ASK_IP, answer_ip},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].id == c->msg.id)
			rows[i].answer(c);
}
