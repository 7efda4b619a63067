/* SPDX-License-Identifier: Apache-2.0 */
/* From a front's message to a call; see requests.h. */
#include "requests.h"

#include <string.h>

#include <sgwarden/log.h>

#include "calls.h"
#include "change.h"
#include "clients.h"
#include "credentials.h"
#include "drift.h"
#include "own.h"

static void
begin_nothing(struct planner *p, struct call *call, const struct msg *m)
{
}

static bool
limit_ok(struct call *call, uint16_t limit)
{
	if (limit >= 1 && limit <= SGW_LIST_LIMIT_MAX)
		return true;
	call_fail(call, SGW_ERR_BAD_ARGUMENT, "limit", "1 to 200");
	return false;
}

static void
begin_groups(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.groups = m->ask_groups;
	call->left = m->ask_groups.limit;
	if (limit_ok(call, m->ask_groups.limit))
		call_target(p, call, m->ask_groups.profile, m->ask_groups.region);
}

static void
begin_rules(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.rules = m->ask_rules;
	call->left = m->ask_rules.limit;
	if (!group_id_ok(m->ask_rules.group_id))
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "security_group_id",
		    "sg- and 8 or 17 lower-case hex digits");
	else if (limit_ok(call, m->ask_rules.limit))
		call_target(p, call, m->ask_rules.profile, m->ask_rules.region);
}

static void
begin_change(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.change = m->ask_change;
	change_begin(p, call);
}

static void
begin_enroll(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.enroll = m->ask_enroll;
	call->progress = m->ask_enroll.progress;
	if (m->ask_enroll.name[0] == 0)
		call_fail(
		    call, SGW_ERR_BAD_ARGUMENT, "name", "a name for the key, 1 to 32 characters");
}

static void
begin_admin(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.admin = m->ask_admin;
	call->progress = m->ask_admin.progress;
}

static void
begin_status(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.status = m->ask_status;
}

static void
begin_access(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.access = m->ask_access;
	if (!group_id_ok(m->ask_access.group_id))
		call_fail(call, SGW_ERR_BAD_ARGUMENT, "security_group_id",
		    "sg- and 8 or 17 lower-case hex digits");
	else
		call_target(p, call, m->ask_access.profile, m->ask_access.region);
}

static void
begin_opened(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.opened = m->ask_opened;
	call->left = m->ask_opened.limit;
	(void)limit_ok(call, m->ask_opened.limit);
}

static void
begin_cancel(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.cancel = m->ask_cancel;
}

static void
begin_credentials(struct planner *p, struct call *call, const struct msg *m)
{
	credentials_begin(p, call, &m->ask_credentials);
}

static void
begin_ip(struct planner *p, struct call *call, const struct msg *m)
{
	ip_begin(p, call, &m->ask_ip);
}

static void
begin_receipts(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.receipts = m->ask_receipts;
	call->left = m->ask_receipts.limit;
	(void)limit_ok(call, m->ask_receipts.limit);
}

static void
begin_receipt(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.receipt = m->ask_receipt;
}

static void
begin_lockdown(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.lockdown = (struct lockdown_call){.ask = m->ask_lockdown};
}

static void
begin_reconcile(struct planner *p, struct call *call, const struct msg *m)
{
	call->ask.reconcile = m->ask_reconcile;
}

static void
begin_drift(struct planner *p, struct call *call, const struct msg *m)
{
	if (limit_ok(call, m->ask_drift.limit))
		drift_begin(p, call, &m->ask_drift);
}

struct request_row {
	enum msg_id id;
	enum call_kind kind;
	bool admin;
	uint32_t (*number)(const struct msg *m);
	void (*begin)(struct planner *p, struct call *call, const struct msg *m);
};

#define NUMBER(name)                                                                               \
	static uint32_t number_##name(const struct msg *m)                                         \
	{                                                                                          \
		return m->ask_##name.request;                                                      \
	}
NUMBER(capabilities)
NUMBER(health)
NUMBER(groups)
NUMBER(rules)
NUMBER(change)
NUMBER(status)
NUMBER(keys)
NUMBER(enroll)
NUMBER(admin)
NUMBER(policy)
NUMBER(profiles)
NUMBER(access)
NUMBER(opened)
NUMBER(cancel)
NUMBER(credentials)
NUMBER(ip)
NUMBER(receipts)
NUMBER(receipt)
NUMBER(lockdown)
NUMBER(reconcile)
NUMBER(drift)
#undef NUMBER

static const struct request_row ROWS[] = {
    {MSG_ASK_CAPABILITIES, CALL_CAPABILITIES, false, number_capabilities, begin_nothing},
    {MSG_ASK_HEALTH, CALL_HEALTH, false, number_health, begin_nothing},
    {MSG_ASK_GROUPS, CALL_GROUPS, false, number_groups, begin_groups},
    {MSG_ASK_RULES, CALL_RULES, false, number_rules, begin_rules},
    {MSG_ASK_CHANGE, CALL_CHANGE, false, number_change, begin_change},
    {MSG_ASK_STATUS, CALL_STATUS, false, number_status, begin_status},
    {MSG_ASK_KEYS, CALL_KEYS, true, number_keys, begin_nothing},
    {MSG_ASK_ENROLL, CALL_ENROLL, true, number_enroll, begin_enroll},
    {MSG_ASK_ADMIN, CALL_ADMIN, true, number_admin, begin_admin},
    {MSG_ASK_POLICY, CALL_POLICY, true, number_policy, begin_nothing},
    {MSG_ASK_PROFILES, CALL_PROFILES, false, number_profiles, begin_nothing},
    {MSG_ASK_ACCESS, CALL_ACCESS, false, number_access, begin_access},
    {MSG_ASK_OPENED, CALL_OPENED, false, number_opened, begin_opened},
    {MSG_ASK_CANCEL, CALL_CANCEL, false, number_cancel, begin_cancel},
    {MSG_ASK_CREDENTIALS, CALL_CREDENTIALS, false, number_credentials, begin_credentials},
    {MSG_ASK_IP, CALL_IP, false, number_ip, begin_ip},
    {MSG_ASK_RECEIPTS, CALL_RECEIPTS, false, number_receipts, begin_receipts},
    {MSG_ASK_RECEIPT, CALL_RECEIPT, false, number_receipt, begin_receipt},
    {MSG_ASK_LOCKDOWN, CALL_LOCKDOWN, false, number_lockdown, begin_lockdown},
    {MSG_ASK_DRIFT, CALL_DRIFT, false, number_drift, begin_drift},
    {MSG_ASK_RECONCILE, CALL_RECONCILE, false, number_reconcile, begin_reconcile},
};

/* A front that floods gets this and need not be able to read it: then it ends. */
static void
refuse_busy(struct planner *p, struct client *c, uint32_t request)
{
	struct msg_failed *out = &p->out.failed;

	p->out.id = MSG_FAILED;
	out->request = request;
	out->error = SGW_ERR_BUSY;
	out->field[0] = 0;
	FIELD_SET(out->detail, "too many calls under way");
	if (client_send(p, c) == SENT_BLOCKED)
		c->dead = true;
}

void
request_begin(struct planner *p, struct client *c, const struct msg *m)
{
	const struct request_row *row = NULL;
	struct call *call;

	if (m->id == MSG_ASK_FORGET) {
		call_forget(p, c, m->ask_forget.request);
		return;
	}
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		if (ROWS[i].id == m->id)
			row = &ROWS[i];
	/* A front that did not come over admin.sock has no tool that sends these: it is owned. */
	if (row == NULL || (row->admin && !c->admin)) {
		log_error("client %u asks what it may not ask", (unsigned)c->number);
		c->dead = true;
		return;
	}
	call = call_new(p, c, row->kind, row->number(m));
	if (call == NULL) {
		refuse_busy(p, c, row->number(m));
		return;
	}
	row->begin(p, call, m);
	call_step(p, call);
}
