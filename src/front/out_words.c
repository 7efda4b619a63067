/* SPDX-License-Identifier: Apache-2.0 */
/* Typed values in words. */
#include "out.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/lockdown.h>
#include <sgwarden/clock.h>
#include <sgwarden/errors.h>
#include <sgwarden/plan.h>

#include "rpc.h"
#include "tools.h"

const char *
component_state_name(enum component_state s)
{
	static const char *const names[COMPONENT_MAX] = {
	    [COMPONENT_OK] = "ok",
	    [COMPONENT_DEGRADED] = "degraded",
	    [COMPONENT_DOWN] = "down",
	};

	return s < COMPONENT_MAX ? names[s] : "?";
}

/* "ok", "not_tried", or the error's name. */
const char *
permission_result(const struct rec_permission *p)
{
	if (!p->tried)
		return "not_tried";
	return p->error == SGW_ERR_NONE ? "ok" : error_row(p->error)->name;
}

const char *
tier_name(enum tier t)
{
	static const char *const names[TIER_MAX] = {
	    [TIER_READER] = "reader",
	    [TIER_OPENER] = "opener",
	    [TIER_OPENER_SENSITIVE] = "opener-sensitive",
	};

	return t < TIER_MAX ? names[t] : "?";
}

/* Whether whoever can read the AWS files could open without a touch. */
bool
authorises_in_plaintext(const struct rec_profile_info *p)
{
	for (size_t i = 0; i < p->n_tiers; i++)
		if (p->tiers[i].tier != TIER_READER && p->tiers[i].plaintext)
			return true;
	return false;
}

const char *
grant_state_name(enum grant_state s)
{
	static const char *const names[GRANT_STATE_MAX] = {
	    [GRANT_OPEN] = "open",
	    [GRANT_CLOSING] = "closing",
	    [GRANT_AMBIGUOUS] = "ambiguous",
	    [GRANT_CLOSED] = "closed",
	    [GRANT_FOREIGN] = "closing_ambiguous",
	};

	return s < GRANT_STATE_MAX ? names[s] : "?";
}

enum component_state
worst_state(const struct msg_health *m)
{
	enum component_state worst = COMPONENT_OK;

	for (size_t i = 0; i < m->n_components; i++)
		if (m->components[i].state > worst)
			worst = m->components[i].state;
	return worst;
}

const char *
display_name(enum display_kind k)
{
	static const char *const names[DISPLAY_MAX] = {
	    [DISPLAY_NONE] = "none",
	    [DISPLAY_SHARED] = "shared",
	    [DISPLAY_TRUSTED] = "trusted",
	};

	return k < DISPLAY_MAX ? names[k] : "?";
}

const char *
policy_origin_name(enum policy_origin o)
{
	static const char *const names[POLICY_ORIGIN_MAX] = {
	    [POLICY_BUILT_IN] = "built in",
	    [POLICY_OF_CONFIG] = "config.json",
	    [POLICY_LOADED] = "loaded",
	};

	return o < POLICY_ORIGIN_MAX ? names[o] : "?";
}

void
show_policy(struct jw *w, const struct rec_policy *policy)
{
	uint8_t bytes[SGW_POLICY_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));

	(void)rec_policy_encode(&b, policy);
	jw_hex(w, bytes, b.len);
}

/* No policy asks less of a class than this does. */
const char *
class_needs(enum effect_class c, bool pin, bool trusted_display)
{
	if (c == CLASS_FORBIDDEN)
		return "nobody can approve it";
	if (c <= CLASS_CLOSE_OWN)
		return "nothing";
	pin = pin || c >= CLASS_OPEN_SENSITIVE;
	if (trusted_display || c == CLASS_OPEN_WIDE)
		return pin ? "consent, PIN and touch, trusted display"
			   : "consent and touch, trusted display";
	return pin ? "consent, PIN and touch" : "consent and touch";
}

/* What a plan waits for, as a sentence; `space` is used where the time left belongs into it. */
const char *
stage_sentence(enum stage s, unsigned seconds_left, char *space, size_t size)
{
	static const char *const sentences[STAGE_MAX] = {
	    [STAGE_PLANNING] = "reading the group's present rules",
	    [STAGE_QUEUED] = "another change is on the consent screen",
	    [STAGE_WAITING_FOR_SCREEN] =
		"no consent screen is open: have the person run `sgwarden consent` in a terminal",
	    [STAGE_ON_SCREEN] = "waiting for the person to read and type the word",
	    [STAGE_WAITING_FOR_KEY] = "waiting for a security key to be plugged in",
	    [STAGE_PIN] = "waiting for the person to type the key's PIN",
	    [STAGE_TOUCH] = "touch the key",
	    [STAGE_EXECUTING] = "the key was touched: the change is being made",
	    [STAGE_DONE] = "done",
	};
	const char *sentence = s < STAGE_MAX ? sentences[s] : "?";

	if (seconds_left == 0)
		return sentence;
	snprintf(space, size, "%s: %u s left", sentence, seconds_left);
	return space;
}

void
show_protocol(struct jw *w, int16_t protocol)
{
	char number[8];

	switch (protocol) {
	case PROTO_ALL:
		jw_text(w, "all");
		break;
	case PROTO_TCP:
		jw_text(w, "tcp");
		break;
	case PROTO_UDP:
		jw_text(w, "udp");
		break;
	case PROTO_ICMP:
		jw_text(w, "icmp");
		break;
	case PROTO_ICMPV6:
		jw_text(w, "icmpv6");
		break;
	default:
		snprintf(number, sizeof(number), "%d", protocol);
		jw_text(w, number);
	}
}

void
show_cidr(struct jw *w, const struct rec_cidr *cidr)
{
	char text[CIDR_TEXT_LEN];

	cidr_format(cidr, text);
	jw_text(w, text);
}

static struct address_text
address_text(bool there, const struct rec_cidr *address)
{
	struct address_text a = {""};

	if (there)
		cidr_format(address, a.text);
	a.text[strcspn(a.text, "/")] = 0;
	return a;
}

struct address_text
seen_text(const struct rec_seen *seen)
{
	return address_text(seen->state == SEEN_OK, &seen->address);
}

struct address_text
agreed_text(const struct rec_own_address *own)
{
	return address_text(own->agreed, &own->address);
}

/* An IPv6 host takes new addresses inside its /64 all the time. */
void
show_prefixes(struct jw *w, const struct rec_own_address *own)
{
	struct rec_cidr wider = own->address;

	jw_open(w, '[');
	if (own->agreed)
		show_cidr(w, &own->address);
	if (own->agreed && own->family == IP_V6) {
		wider.prefix = 64;
		memset(wider.addr + 8, 0, 8);
		show_cidr(w, &wider);
	}
	jw_close(w, ']');
}

void
show_source(struct jw *w, const struct rec_rule *rule)
{
	if (rule->source_kind == SOURCE_CIDR)
		show_cidr(w, &rule->source);
	else
		jw_text(w, rule->source_id);
}

const char *
action_name(enum action a)
{
	static const char *const names[ACTION_MAX] = {"open", "close", "extend"};

	return names[a];
}

const char *
op_result_name(const struct rec_op_view *v)
{
	static const char *const names[OP_STATE_MAX] = {
	    [OP_UNTRIED] = "none",
	    [OP_OPEN] = "opened",
	    [OP_CLOSED] = "closed",
	    [OP_EXTENDED] = "extended",
	    [OP_AMBIGUOUS] = "ambiguous",
	    [OP_FAILED] = "failed",
	    [OP_TAKEN_BACK] = "taken_back",
	};

	if (v->done.state == OP_CLOSED && v->done.error != SGW_ERR_NONE)
		return "gone"; /* AWS did not know it any more */
	return v->existed ? "existed" : names[v->done.state];
}

void
show_rule_ids(struct jw *w, const struct msg_change *m)
{
	jw_open(w, '[');
	for (size_t i = 0; i < m->n_ops; i++)
		if (m->ops[i].done.rule_id[0] != 0)
			jw_text(w, m->ops[i].done.rule_id);
	jw_close(w, ']');
}

void
show_flags(struct jw *w, unsigned flags)
{
	static const struct {
		unsigned bit;
		const char *name;
	} rows[] = {
	    {VIEW_WORLD_OPEN, "world_open"},
	    {VIEW_SENSITIVE, "sensitive"},
	    {VIEW_OVERDUE, "overdue"},
	    {VIEW_FOREIGN, "foreign"},
	};

	jw_open(w, '[');
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (flags & rows[i].bit)
			jw_text(w, rows[i].name);
	jw_close(w, ']');
}

void
show_versions(struct jw *w)
{
	jw_open(w, '[');
	for (size_t i = 0; i < VERSIONS_LEN; i++)
		jw_text(w, VERSIONS[i].name);
	jw_close(w, ']');
}

void
show_tools(struct jw *w, bool admin)
{
	jw_open(w, '[');
	for (size_t i = 0; i < TOOLS_LEN; i++)
		if (tool_visible(&TOOLS[i], admin))
			jw_text(w, TOOLS[i].name);
	jw_close(w, ']');
}

void
show_resource_types(struct jw *w)
{
	jw_open(w, '[');
	jw_text(w, "security_group");
	jw_close(w, ']');
}

void
show_lockdown(struct jw *w, const struct rec_lockdown *l)
{
	char text[LOCKDOWN_TEXT_MAX + 1];

	lockdown_text(l, text);
	jw_text(w, text);
}

void
show_time(struct jw *w, int64_t when)
{
	char text[CLOCK_TEXT_LEN];

	clock_format(when, text);
	jw_text(w, text);
}
