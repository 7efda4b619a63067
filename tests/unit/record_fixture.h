/* SPDX-License-Identifier: Apache-2.0 */
/* Consent records for tests. */
#ifndef RECORD_FIXTURE_H
#define RECORD_FIXTURE_H

#include <stdio.h>

#include <sgwarden/record.h>

#include "plan_fixture.h"

#define CREATED 1795278600 /* 2026-11-21T16:30:00Z */

static inline struct record
fixture_record(void)
{
	struct record r = {.kind = RECORD_CHANGE,
	    .created = CREATED,
	    .expires = CREATED + 120,
	    .ledger_number = 41,
	    .effect = CLASS_OPEN_SENSITIVE,
	    .pin = true,
	    .display = DISPLAY_TRUSTED,
	    .uid = 1000,
	    .pid = 4312,
	    .chain_verified = true,
	    .quota_limit = 60,
	    .closes = CREATED + 3600};

	FIELD_SET(r.appliance, "abcdefghijklmn27");
	FIELD_SET(r.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	for (size_t i = 0; i < 32; i++) {
		r.nonce[i] = (uint8_t)(i * 7);
		r.ledger_head[i] = (uint8_t)(i * 11 + 1);
		r.policy_digest[i] = (uint8_t)(i * 13 + 2);
		r.ask_digest[i] = (uint8_t)(i * 17 + 3);
	}
	FIELD_SET(r.tty, "tty3");
	FIELD_SET(r.chain, "claude-code <- zsh <- foot");
	FIELD_SET(r.claimed, "claude-code 2.1");
	FIELD_SET(r.reason, "debug deploy, TICKET-123");
	r.plan = fixture_plan(fixture_op(ACTION_OPEN, PROTO_TCP, 22, 22, "203.0.113.7"));
	memset(r.plan.groups[0].state_digest, 0x5a, HASH_LEN);
	r.groups[0].quota_used = 12;
	memset(r.plan.reason, 0, sizeof(r.plan.reason));
	memset(r.plan.claimed, 0, sizeof(r.plan.claimed));
	FIELD_SET(r.groups[0].name, "bastion");
	FIELD_SET(r.groups[0].vpc_id, "vpc-0123456789abcdef0");
	record_description("uid1000", "debug deploy, TICKET-123", r.closes, r.description);
	return r;
}

static inline struct record
fixture_close(size_t n)
{
	struct record r = fixture_record();

	r.effect = CLASS_CLOSE_FOREIGN;
	r.pin = false;
	r.closes = 0;
	memset(r.description, 0, sizeof(r.description));
	r.plan.lifetime = 0;
	r.plan.n_ops = (uint16_t)n;
	for (size_t i = 0; i < n; i++) {
		r.plan.ops[i] =
		    fixture_op(ACTION_CLOSE, PROTO_TCP, 1000 + (int32_t)i, 2000, "0.0.0.0/0");
		snprintf(r.plan.ops[i].rule_id, sizeof(r.plan.ops[i].rule_id),
		    "sgr-0123456789abc%04x", (unsigned)i);
	}
	return r;
}

static inline struct record
fixture_enroll(void)
{
	struct record r = fixture_record();

	r.kind = RECORD_ENROLL;
	r.effect = CLASS_READ;
	r.plan = (struct rec_plan){0};
	memset(r.groups, 0, sizeof(r.groups));
	memset(r.description, 0, sizeof(r.description));
	r.quota_limit = 0;
	r.closes = 0;
	FIELD_SET(r.key_name, "blue one");
	r.keys_enrolled = 1;
	return r;
}

/* Everything at its longest: 50 openings in as many groups and steps as there may be, all texts full. */
static inline struct record
fixture_longest(void)
{
	struct record r = fixture_record();

	r.effect = CLASS_OPEN_WIDE;
	r.display = DISPLAY_SHARED;
	r.chain_verified = false;
	r.uid = r.pid = UINT32_MAX;
	r.ledger_number = UINT64_MAX;
	r.plan.lifetime = 43199;
	r.closes = CREATED + 43199;
	memset(r.tty, 't', SGW_TTY_MAX);
	memset(r.chain, 'c', SGW_CHAIN_MAX);
	memset(r.claimed, '\\', sizeof(r.claimed) - 1);
	memset(r.reason, '"', sizeof(r.reason) - 1);
	memset(r.plan.profile, 'p', SGW_PROFILE_MAX);
	FIELD_SET(r.plan.region, "us-isob-abcdefghijklmnopqrstuv-1");
	for (size_t i = 0; i < SGW_OPS_MAX; i++) {
		r.plan.ops[i] = fixture_op(ACTION_OPEN, PROTO_TCP, 10000, 20000 + (int32_t)i,
		    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
		snprintf(r.plan.ops[i].group_id, sizeof(r.plan.ops[i].group_id),
		    "sg-0123456789abcd%03x", (unsigned)(i % SGW_PLAN_GROUPS_MAX));
	}
	r.plan.n_ops = SGW_OPS_MAX;
	r.plan.n_groups = SGW_PLAN_GROUPS_MAX;
	for (size_t i = 0; i < SGW_PLAN_GROUPS_MAX; i++) {
		FIELD_SET(r.plan.groups[i].group_id, r.plan.ops[i].group_id);
		memset(r.groups[i].name, 'g', sizeof(r.groups[i].name) - 1);
		FIELD_SET(r.groups[i].vpc_id, "vpc-0123456789abcdef0");
		r.groups[i].iac = true;
		r.groups[i].quota_used = UINT16_MAX;
		r.groups[i].quota_lists = UINT16_MAX;
	}
	return r;
}

#endif
