/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a consent record's lines, and what must hold between its fields. */
#include "record_lines.h"

#include <string.h>

#define AT(member) offsetof(struct record, member), sizeof(((struct record *)0)->member)
#define NOWHERE 0, 0

const struct record_line RECORD_LINES[] = {
    {"record", LINE_VERSION, ON_ALL, NOWHERE},
    {"kind", LINE_KIND, ON_ALL, NOWHERE},
    {"appliance", LINE_NAME, ON_ALL, AT(appliance)},
    {"nonce", LINE_BYTES, ON_ALL, AT(nonce)},
    {"boot", LINE_NAME, ON_ALL, AT(boot_id)},
    {"created", LINE_TIME, ON_ALL, AT(created)},
    {"expires", LINE_TIME, ON_ALL, AT(expires)},
    {"ledger-number", LINE_U64, ON_ALL, AT(ledger_number)},
    {"ledger-head", LINE_BYTES, ON_ALL, AT(ledger_head)},
    {"policy", LINE_BYTES, ON_ALL, AT(policy_digest)},
    {"class", LINE_CLASS, ON_ALL, AT(effect)},
    {"pin", LINE_BOOL, ON_ALL, AT(pin)},
    {"display", LINE_DISPLAY, ON_ALL, AT(display)},
    {"tty", LINE_TEXT, ON_ALL, AT(tty)},
    {"uid", LINE_U32, ON_ALL, AT(uid)},
    {"pid", LINE_U32, ON_ALL, AT(pid)},
    {"chain-verified", LINE_BOOL, ON_ALL, AT(chain_verified)},
    {"chain", LINE_TEXT, ON_ALL, AT(chain)},
    {"claimed", LINE_TEXT, ON_ALL, AT(claimed)},
    {"ask", LINE_BYTES, ON_ALL, AT(ask_digest)},
    {"profile", LINE_NAME, ON_CHANGE, AT(plan.profile)},
    {"account", LINE_NAME, ON_CHANGE, AT(plan.account)},
    {"region", LINE_NAME, ON_CHANGE, AT(plan.region)},
    {"partition", LINE_PARTITION, ON_CHANGE, NOWHERE},
    {"group", LINE_GROUPS, ON_CHANGE, NOWHERE},
    {"state", LINE_STATES, ON_CHANGE, NOWHERE},
    {"quota-limit", LINE_U16, ON_CHANGE, AT(quota_limit)},
    {"op", LINE_OPS, ON_CHANGE, NOWHERE},
    {"own-address-seen-by", LINE_MAY_U16, ON_CHANGE, AT(seen_by)},
    {"own-address-sources", LINE_MAY_U16, ON_CHANGE, AT(seen_of)},
    {"best-effort", LINE_BOOL, ON_CHANGE, AT(plan.best_effort)},
    {"lifetime", LINE_U32, ON_CHANGE, AT(plan.lifetime)},
    {"closes", LINE_MAY_TIME, ON_CHANGE, AT(closes)},
    {"closes-now", LINE_MAY_TIME, ON_CHANGE, AT(closes_now)},
    {"description", LINE_TEXT, ON_CHANGE, AT(description)},
    {"key-name", LINE_NAME, ON_ENROLL, AT(key_name)},
    {"keys-enrolled", LINE_U16, ON_ENROLL, AT(keys_enrolled)},
    {"by-code", LINE_MAY_U16, ON_ENROLL, AT(by_code)},
    {"act", LINE_ACT, ON_ADMIN, NOWHERE},
    {"subject", LINE_TEXT, ON_ADMIN, AT(subject)},
    {"digest", LINE_BYTES, ON_ADMIN, AT(digest)},
    {"say", LINE_SAY, ON_ADMIN, NOWHERE},
    {"render", LINE_RENDER, ON_ALL, NOWHERE},
    {"reason", LINE_TEXT, ON_ALL, AT(reason)},
};
const size_t RECORD_LINES_LEN = sizeof(RECORD_LINES) / sizeof(RECORD_LINES[0]);

const char *const RECORD_KINDS[RECORD_KIND_MAX] = {"change", "enroll", "admin"};
const char *const RECORD_ACTIONS[ACTION_MAX] = {"open", "close", "extend"};
const char *const RECORD_DISPLAYS[DISPLAY_MAX] = {"none", "shared", "trusted"};

static bool
appliance_ok(const char *id)
{
	return strnlen(id, SGW_APPLIANCE_LEN + 1) == SGW_APPLIANCE_LEN &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz234567") == SGW_APPLIANCE_LEN;
}

/* What goes on the rule: the placeholder once, and room for the receipt. */
static bool
description_ok(const char *description)
{
	char filled[SGW_DESCRIPTION_MAX + 1];

	return strnlen(description, SGW_DESCRIPTION_MAX + 1) <= SGW_DESCRIPTION_MAX &&
	       record_fill(description, "sgw-aaaaaaaaaaaaaaaaaaaa", filled, sizeof(filled));
}

/* Said of an opening to one address alone, and only where enough sources say so. */
static bool
seen_sound(const struct record *record)
{
	const struct rec_op *ops = record->plan.ops;

	if (record->seen_by == 0)
		return record->seen_of == 0;
	for (size_t i = 0; i < record->plan.n_ops; i++)
		if (ops[i].action != ACTION_OPEN || !cidr_equal(&ops[i].source, &ops[0].source))
			return false;
	return ops[0].source.prefix == (ops[0].source.family == 4 ? 32 : 128) &&
	       record->seen_by >= SGW_ADDRESS_SOURCES_MIN && record->seen_by <= record->seen_of &&
	       record->seen_of <= SGW_ADDRESS_SOURCES_MAX;
}

static bool
change_sound(const struct record *record)
{
	const struct rec_plan *plan = &record->plan;

	if (plan_problem(plan) != NULL || record->effect < CLASS_CLOSE_FOREIGN ||
	    !seen_sound(record))
		return false;
	/* These stand in lines of their own. */
	if (plan->reason[0] != 0 || plan->claimed[0] != 0 || plan->ticket[0] != 0)
		return false;
	for (size_t i = 0; i < plan->n_groups; i++)
		if (record->groups[i].vpc_id[0] != 0 && !vpc_id_ok(record->groups[i].vpc_id))
			return false;
	if ((record->closes_now != 0) != (plan->ops[0].action == ACTION_EXTEND))
		return false;
	if (!plan_opens(plan))
		return record->closes == 0 && record->description[0] == 0;
	if (record->closes <= record->created)
		return false;
	if (plan->ops[0].action == ACTION_EXTEND)
		return record->closes > record->closes_now && record->description[0] == 0;
	return description_ok(record->description);
}

bool
record_sound(const struct record *record)
{
	if (record->kind >= RECORD_KIND_MAX || record->effect >= CLASS_FORBIDDEN)
		return false;
	if (record->display != DISPLAY_SHARED && record->display != DISPLAY_TRUSTED)
		return false;
	if (!appliance_ok(record->appliance) || record->expires <= record->created)
		return false;
	if (record->kind == RECORD_ADMIN)
		return record->act < ACT_MAX && record->n_say <= SGW_SAY_MAX;
	if (record->kind == RECORD_ENROLL)
		return record->by_code <= (record->keys_enrolled > 0 ? 1 : 0);
	return change_sound(record);
}
