/* SPDX-License-Identifier: Apache-2.0 */
/* Canned answers of the smaller tools. */
#include "fake_cell.h"

#include <stdio.h>
#include <unistd.h>

#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

void
put_profile(struct rec_profile_info *p)
{
	FIELD_SET(p->name, "dev");
	FIELD_SET(p->account, ACCOUNT);
	p->is_default = true;
	p->n_regions = 1;
	FIELD_SET(p->regions[0].name, "eu-west-1");
}

void
answer_profiles(struct cell *c)
{
	uint32_t request = c->msg.ask_profiles.request;
	struct msg_profile_views *m = BEGIN(c, PROFILE_VIEWS, profile_views, request);

	fprintf(stderr, "ask_profiles\n");
	m->n_profiles = 2;
	put_profile(&m->profiles[0]);
	put_profile(&m->profiles[1]);
	FIELD_SET(m->profiles[1].name, "other");
	m->profiles[1].is_default = false;
	m->profiles[1].has_credentials = true;
	m->profiles[1].account[0] = 0;
	reply(c);
}

#define SLOW_PORT                                                                                  \
	4444 /* the answer takes a while, well within what a front gives its reads at the end */
#define SLOW_US 100000

/* Port 443 is let in by two rules, the others by none; for 53 a rule is undecided. */
void
answer_access(struct cell *c)
{
	struct msg_ask_access q = c->msg.ask_access;
	struct msg_access *m = BEGIN(c, ACCESS, access, q.request);
	char cidr[CIDR_TEXT_LEN];

	cidr_format(&q.source, cidr);
	fprintf(stderr, "ask_access group=%s source=%s proto=%d port=%d\n", q.group_id, cidr,
	    q.protocol, q.port);
	if (q.port == SLOW_PORT)
		usleep(SLOW_US);
	FIELD_SET(m->profile, "dev");
	FIELD_SET(m->account, ACCOUNT);
	FIELD_SET(m->region, "eu-west-1");
	FIELD_SET(m->group_id, q.group_id);
	m->source = q.source;
	m->protocol = q.protocol;
	m->port = q.port;
	if (q.port == 443 || q.port == 0) {
		m->n_by = 2;
		FIELD_SET(m->by[0].id, "sgr-0000000000000000a");
		FIELD_SET(m->by[1].id, "sgr-0000000000000000b");
	} else if (q.port == 53) {
		m->n_undecided = 1;
		FIELD_SET(m->undecided[0].id, "sgr-0000000000000000c");
	}
	reply(c);
}

#define GRANTS 250

void
answer_opened(struct cell *c)
{
	struct msg_ask_opened q = c->msg.ask_opened;
	/* Of sg-0000000c's thirty the first closes whenever it is asked about; sg-0000000d has one more before the first. */
	static unsigned asked;
	bool closing = strcmp(q.group_id, "sg-0000000c") == 0;
	bool opening = strcmp(q.group_id, "sg-0000000d") == 0;
	unsigned all = closing || opening ? 30 : GRANTS, from = 0;
	unsigned to;

	if (closing || opening)
		from = closing ? (asked < all ? asked : all) : asked < 15 ? 15 - asked : 0;
	asked++;
	to = q.limit < all - from ? from + q.limit : all;
	fprintf(stderr, "ask_opened group=%s limit=%d\n", q.group_id, q.limit);
	do {
		struct msg_opened *m = BEGIN(c, OPENED, opened, q.request);

		for (; from < to && m->n_grants < SGW_GRANTS_PAGE; from++) {
			struct rec_grant_view *v = &m->grants[m->n_grants++];

			FIELD_SET(v->grant.receipt, PLAN_ID);
			FIELD_SET(v->grant.profile, "dev");
			FIELD_SET(v->grant.account, ACCOUNT);
			FIELD_SET(v->grant.region, "eu-west-1");
			FIELD_SET(v->grant.group_id, "sg-0123456789abcdef0");
			v->grant.protocol = PROTO_TCP;
			v->grant.from_port = v->grant.to_port = (int32_t)from + 1;
			v->grant.source.family = 4;
			v->grant.closes = 1795282200 + (closing || opening ? from : 0);
			v->grant.state = from == 0 ? GRANT_CLOSING : GRANT_OPEN;
			v->seconds_left = from;
		}
		m->more = from < to;
		m->left_out = m->more ? 0 : (uint16_t)(all - to);
		reply(c);
	} while (from < to);
}

#define FINDINGS 700 /* of one page of groups: more than a reply has room for, several times */

void
answer_drift(struct cell *c)
{
	struct msg_ask_drift q = c->msg.ask_drift;

	fprintf(stderr, "ask_drift limit=%d cursor=%s\n", q.limit, q.cursor);
	for (unsigned from = 0; from < FINDINGS;) {
		struct msg_drift *m = BEGIN(c, DRIFT, drift, q.request);

		FIELD_SET(m->profile, "dev");
		FIELD_SET(m->account, ACCOUNT);
		FIELD_SET(m->region, "eu-west-1");
		m->groups = 10;
		for (; from < FINDINGS && m->n_findings < SGW_DRIFT_PAGE; from++) {
			struct rec_drift *v = &m->findings[m->n_findings++];

			v->kind = DRIFT_COPIED;
			FIELD_SET(v->group_id, "sg-0123456789abcdef0");
			FIELD_SET(v->receipt, PLAN_ID);
			v->protocol = v->now.protocol = PROTO_TCP;
			v->from_port = v->to_port = (int32_t)from + 1;
			v->now.from_port = v->now.to_port = (int32_t)from + 1;
			v->source.family = v->now.source.family = 4;
			FIELD_SET(v->now.rule_id, "sgr-0000000000000000a");
		}
		m->more = from < FINDINGS;
		reply(c);
	}
}

void
answer_cancel(struct cell *c)
{
	struct msg_ask_cancel q = c->msg.ask_cancel;

	fprintf(stderr, "ask_cancel %s\n", q.plan_id);
	if (strcmp(q.plan_id, PLAN_ID) != 0)
		refuse(c, q.request, SGW_ERR_TOO_LATE, "plan_id", "it has ended");
	else {
		FIELD_SET(BEGIN(c, WITHDRAWN, withdrawn, q.request)->plan_id, PLAN_ID);
		reply(c);
	}
}

/* The profile "other" may list groups and nothing more. */
void
answer_credentials(struct cell *c)
{
	struct msg_ask_credentials q = c->msg.ask_credentials;
	struct msg_credentials *m = BEGIN(c, CREDENTIALS, credentials, q.request);
	bool other = strcmp(q.profile, "other") == 0;

	fprintf(stderr, "ask_credentials profile=%s region=%s\n", q.profile, q.region);
	FIELD_SET(m->profile, other ? "other" : "dev");
	FIELD_SET(m->region, "eu-west-1");
	FIELD_SET(m->account, ACCOUNT);
	FIELD_SET(m->arn, "arn:aws:iam::" ACCOUNT ":user/reader");
	m->n_permissions = 2;
	FIELD_SET(m->permissions[0].action, "ec2:DescribeSecurityGroups");
	m->permissions[0].tried = true;
	FIELD_SET(m->permissions[1].action, "ec2:DescribeSecurityGroupRules");
	if (other) {
		m->permissions[1].tried = true;
		m->permissions[1].error = SGW_ERR_AWS_REFUSED;
		FIELD_SET(m->permissions[1].detail, "UnauthorizedOperation");
	}
	reply(c);
}

/* Over IPv4 two of three agree on an address behind a carrier's NAT; over IPv6 one source answers alone. */
void
answer_ip(struct cell *c)
{
	struct msg_ask_ip q = c->msg.ask_ip;
	struct msg_ip *m = BEGIN(c, IP, ip, q.request);
	const struct rec_cidr shared = {.family = 4, .prefix = 32, .addr = {100, 64, 1, 2}};
	const struct rec_seen none = {.state = SEEN_STATUS, .address = {.family = 4}};

	fprintf(stderr, "ask_ip v4=%d v6=%d\n", q.v4, q.v6);
	for (unsigned family = q.v4 ? IP_V4 : IP_V6; family <= (q.v6 ? IP_V6 : IP_V4); family++) {
		struct rec_own_address *own = &m->addresses[m->n_addresses++];

		own->family = (enum ip_family)family;
		own->address.family = family == IP_V4 ? 4 : 6;
		own->n_sources = 3;
		for (size_t i = 0; i < 3; i++) {
			FIELD_SET(own->sources[i].name, "source.example");
			own->sources[i].seen = none;
		}
		if (family == IP_V6) {
			own->sources[2].seen = (struct rec_seen){.state = SEEN_OK,
			    .address = {.family = 6, .prefix = 128, .addr = {0x20, 1, 0xd, 0xb8}}};
			continue;
		}
		own->sources[0].seen = own->sources[1].seen =
		    (struct rec_seen){.state = SEEN_OK, .address = shared};
		own->agreed = true;
		own->votes = 2;
		own->address = shared;
		own->special = CIDR_CGNAT;
	}
	reply(c);
}
