/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of the arguments that say what to change, for how long and why. */
#include "arg_kinds.h"

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/plan.h>

bool
arg_action(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {
	    {"add", ACTION_OPEN}, {"remove", ACTION_CLOSE}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be add or remove", c))
		return false;
	a->action = (enum action)value;
	return true;
}

bool
arg_plan_action(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {{"add", ACTION_OPEN}, {"remove", ACTION_CLOSE},
	    {"extend", ACTION_EXTEND}, {"refresh", ACTION_MAX}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be add, remove, extend or refresh", c))
		return false;
	a->refresh = value == ACTION_MAX;
	a->action = a->refresh ? ACTION_OPEN : (enum action)value;
	return true;
}

bool
arg_cidr(struct args *a, const cJSON *v, struct complaint *c)
{
	if (!cJSON_IsString(v))
		return BAD(c, "it must be a string: an IPv4 or IPv6 address or CIDR prefix");
	switch (cidr_parse(v->valuestring, strlen(v->valuestring), &a->ip)) {
	case CIDR_OK:
		return true;
	case CIDR_OK_HOST_BITS:
		a->ip_host_bits = true;
		return true;
	case CIDR_BAD_PREFIX:
		return BAD(c, "the length after / must be 0 to 32 (IPv4) or 0 to 128 (IPv6), in "
			      "plain decimal");
	case CIDR_BAD_MAPPED:
		return BAD(
		    c, "an IPv4-mapped IPv6 address is not accepted; give the IPv4 address itself");
	case CIDR_BAD:
		break;
	}
	return BAD(c, "it must be an IPv4 or IPv6 address or CIDR prefix, such as 198.51.100.7 or "
		      "2001:db8::/64");
}

/* What takes no "current" says so when it is asked for. */
bool
arg_ip(struct args *a, const cJSON *v, struct complaint *c)
{
	a->ip_current = cJSON_IsString(v) && strcmp(v->valuestring, "current") == 0;
	return a->ip_current || arg_cidr(a, v, c);
}

bool
arg_port(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_port(v, &a->port, c);
}

bool
arg_from_port(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_port(v, &a->from_port, c);
}

bool
arg_to_port(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_port(v, &a->to_port, c);
}

/* What is built in is known here; any other name is the policy's, which the planner has. */
bool
arg_service(struct args *a, const cJSON *v, struct complaint *c)
{
	const struct rec_service *known;

	if (!cJSON_IsString(v) || !service_name_ok(v->valuestring))
		return BAD(c, "1 to 32 lower-case letters, digits or -, the first a letter");
	known = service_builtin(v->valuestring);
	if (known && known->from_port < 0)
		return BAD(c, "that is a protocol: use protocol");
	a->service = known;
	FIELD_SET(a->service_name, known ? "" : v->valuestring);
	return true;
}

bool
arg_protocol(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {{"tcp", PROTO_TCP}, {"udp", PROTO_UDP},
	    {"icmp", PROTO_ICMP}, {"icmpv6", PROTO_ICMPV6}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be tcp, udp, icmp or icmpv6", c))
		return false;
	a->protocol = (int16_t)value;
	return true;
}

bool
arg_expires_in(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] =
	    "it must be a duration such as 90m, 8h, 7d or PT1H, of at most 366 days";
	char text[25];

	if (!get_text(v, text, 2, sizeof(text) - 1, allowed, c))
		return false;
	return duration_parse(text, &a->lifetime) || BAD(c, allowed);
}

bool
arg_permanent(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_bool(v, &a->permanent, c);
}

bool
arg_until(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] = "it must be an RFC 3339 time such as 2026-11-21T17:30:00Z";
	char text[41];

	if (!get_text(v, text, 2, sizeof(text) - 1, allowed, c))
		return false;
	if (!time_parse(text, &a->until))
		return BAD(c, allowed);
	return a->until > clock_now() || BAD(c, "it must be in the future");
}

bool
arg_reason(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] = "it must have 1 to 160 characters";
	size_t chars = 0, blanks = 0;

	if (!get_text(v, a->reason, 1, SGW_REASON_MAX, allowed, c))
		return false;
	for (const char *p = a->reason; *p != 0; p++) {
		chars += ((unsigned char)*p & 0xc0) != 0x80;
		blanks += *p == ' ';
	}
	if (chars > SGW_REASON_CHARS_MAX)
		return BAD(c, allowed);
	return blanks < strlen(a->reason) || BAD(c, "it must say something");
}

bool
arg_plan_id(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] = "it must be a plan's id: sgw- and 20 letters or digits 2-7";

	return get_receipt(v, a->plan_id, allowed, c);
}

bool
arg_wait(struct args *a, const cJSON *v, struct complaint *c)
{
	unsigned wait;

	if (!get_integer(v, 0, SGW_WAIT_MAX, &wait, "it must be a whole number from 0 to 50", c))
		return false;
	a->wait = (uint8_t)wait;
	return true;
}

bool
arg_rule_ids(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] =
	    "it must be a list of 1 to 50 different ids, each sgr- and 17 lower-case hex digits";
	int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 0;
	const cJSON *item;

	if (n < 1 || n > SGW_OPS_MAX)
		return BAD(c, allowed);
	cJSON_ArrayForEach(item, v)
	{
		struct rec_rule_id *id = &a->rule_ids[a->n_rule_ids];

		if (!get_id(item, id->id, SGW_RULE_ID_MAX, "sgr-", false, allowed, c))
			return false;
		for (size_t i = 0; i < a->n_rule_ids; i++)
			if (strcmp(a->rule_ids[i].id, id->id) == 0)
				return BAD(c, allowed);
		a->n_rule_ids++;
	}
	return true;
}

bool
arg_grant_id(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] = "it must be a receipt: sgw- and 20 characters of a-z, 2-7";

	return get_receipt(v, a->grant_id, allowed, c);
}

bool
arg_atomicity(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {
	    {"all_or_compensate", 0}, {"best_effort", 1}, {NULL, 0}};
	int value;

	if (!get_word(v, words, &value, "it must be all_or_compensate or best_effort", c))
		return false;
	a->best_effort = value != 0;
	return true;
}

/* Looked into where the question is asked: each entry has arguments of its own. */
bool
arg_entries(struct args *a, const cJSON *v, struct complaint *c)
{
	int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 0;

	if (n < 1 || n > SGW_OPS_MAX)
		return BAD(c, "it must be a list of 1 to 50 objects");
	a->entries = v;
	return true;
}

bool
arg_name(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] = "it must have 1 to 32 letters, digits, '.', '_' or '-' and "
				      "begin with a letter or digit";
	static const char chars[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	if (!get_text(v, a->name, 1, SGW_KEY_NAME_MAX, allowed, c))
		return false;
	if (strspn(a->name, chars) != strlen(a->name) || strchr("._-", a->name[0]) != NULL)
		return BAD(c, allowed);
	return true;
}

/* Whether the bytes are a policy is for the broker to say. */
bool
arg_policy(struct args *a, const cJSON *v, struct complaint *c)
{
	size_t len = cJSON_IsString(v) ? strlen(v->valuestring) : 0;

	if (len == 0 || len % 2 != 0 || len / 2 > SGW_POLICY_MAX)
		return BAD(c, "it must have 2 to 24576 hexadecimal digits, an even number");
	if (strspn(v->valuestring, "0123456789abcdef") != len)
		return BAD(c, "it must be of the digits 0-9 and a-f");
	a->policy_hex = v->valuestring;
	return true;
}
