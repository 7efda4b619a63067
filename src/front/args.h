/* SPDX-License-Identifier: Apache-2.0 */
/* A tool's arguments: from JSON to typed values, or a complaint that names the field and says what is allowed. */
#ifndef FRONT_ARGS_H
#define FRONT_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include <sgwarden/enums.h>
#include <sgwarden/errors.h>
#include <sgwarden/limits.h>
#include <sgwarden/wire.h>

#define ARGS_CURSOR_MAX 80
#define ARGS_LIMIT_DEFAULT 50

enum arg_id {
#define ARG(ID, name, schema, decode, description) ARG_##ID,
#define GROUPED(ID, name, members, description) ARG_##ID,
#define LISTED(ID, name, members, decode, description) ARG_##ID,
#include "args.def"
#undef ARG
#undef GROUPED
#undef LISTED
	ARG_MAX,
};

_Static_assert(ARG_MAX <= 64, "struct args keeps a bit for each");

/* Decoded values; a field means something only where given_arg() says so, but for the defaults below. */
struct args {
	uint64_t given;
	uint64_t inside; /* which of them were said inside an object such as match */
	char profile[SGW_PROFILE_MAX + 1];
	enum tier tier;            /* default TIER_READER: none was said */
	enum lockdown_scope scope; /* default LOCKDOWN_ALL */
	char region[SGW_REGION_MAX + 1];
	char group_id[SGW_GROUP_ID_MAX + 1];
	char vpc_id[SGW_VPC_ID_MAX + 1];
	char tag_key[SGW_TAG_KEY_MAX + 1];
	char tag_value[SGW_TAG_VALUE_MAX + 1];
	char query[SGW_QUERY_MAX + 1];
	bool managed_only;
	bool managed;
	bool egress;
	uint16_t limit; /* default ARGS_LIMIT_DEFAULT */
	char cursor[ARGS_CURSOR_MAX + 1];
	enum action action;
	bool refresh; /* what is planned opens and closes */
	struct rec_cidr ip; /* default: a prefix without meaning that the wire accepts */
	bool ip_host_bits;
	bool ip_current; /* the machine's own address, whatever it is: `ip` means nothing */
	bool no_v4, no_v6;
	uint16_t port;
	uint16_t from_port;
	uint16_t to_port;
	int16_t protocol; /* default PROTO_TCP */
	const struct rec_service *service; /* NULL: service_name is one of the policy's */
	char service_name[SGW_SERVICE_MAX + 1];
	uint32_t lifetime; /* s */
	bool permanent;
	int64_t until;     /* seconds since 1970 */
	char reason[SGW_REASON_MAX + 1];
	char plan_id[SGW_RECEIPT_LEN + 1];
	uint8_t wait; /* s; default SGW_WAIT_DEFAULT */
	uint16_t n_rule_ids;
	struct rec_rule_id rule_ids[SGW_OPS_MAX];
	char name[SGW_KEY_NAME_MAX + 1];
	char grant_id[SGW_RECEIPT_LEN + 1];
	char receipt_id[SGW_RECEIPT_LEN + 1];
	enum grant_filter grant_filter; /* default GRANTS_LIVE */
	uint16_t results;               /* a bit for each wanted receipt_result; default 0: any */
	int64_t since;                  /* seconds since 1970 */
	bool best_effort;
	const cJSON *entries; /* a list of 1 to 50; of the call's own tree */
	const char
	    *policy_hex; /* 2 to 2 * SGW_POLICY_MAX lower-case digits, an even number; likewise */
};

static inline bool
given_arg(const struct args *a, enum arg_id id)
{
	return (a->given >> id & 1) != 0;
}

static inline bool
given_inside(const struct args *a, enum arg_id id)
{
	return (a->inside >> id & 1) != 0;
}

/* Only an opening looks the address up: elsewhere it would be asked for anew at each call. */
#define NOT_CURRENT "current is for opening: give the address; get_my_ip finds it"

/* What a call's answer says is wrong. */
struct complaint {
	uint16_t error; /* errors.def */
	char field[SGW_FIELD_MAX + 1];
	char detail[SGW_DETAIL_MAX + 1];
};

/* Always false, so that a decoder can end with it. */
bool complain(struct complaint *c, uint16_t error, const char *detail);
bool complain_about(
    struct complaint *c, enum arg_id id, const char *detail); /* SGW_ERR_BAD_ARGUMENT */

/* One use of an argument; a list ends with ARG_MAX. */
struct arg_use {
	enum arg_id id;
	bool required;
};

typedef bool (*arg_decoder)(struct args *a, const cJSON *value, struct complaint *c);

struct arg_row {
	const char *name;
	const char
	    *schema; /* members of its JSON Schema; NULL for an object, or a list of objects */
	arg_decoder
	    decode; /* NULL for an object; a list's entries are decoded where they are asked for */
	const struct arg_use *members;
	const char *description;
};

extern const struct arg_row ARGS[ARG_MAX];

/* `object` is a JSON object.  Unknown, doubled, ill-typed and missing arguments are complained of. */
bool args_decode(
    const struct arg_use *uses, const cJSON *object, struct args *ret_args, struct complaint *c);

/* Text forms (arg_time.c): a duration in seconds, a time in seconds since 1970. */
bool duration_parse(const char *text, uint32_t *ret_seconds);
bool time_parse(const char *text, int64_t *ret_when);

/* And that of a receipt's state the table of their names (arg_receipts.c). */
extern const char RECEIPT_STATE_SCHEMA[];
bool arg_grant_state(struct args *a, const cJSON *v, struct complaint *c);
bool arg_receipt_state(struct args *a, const cJSON *v, struct complaint *c);
bool arg_since(struct args *a, const cJSON *v, struct complaint *c);
bool arg_receipt_id(struct args *a, const cJSON *v, struct complaint *c);

/* Decoders (arg_values.c). */
bool arg_profile(struct args *a, const cJSON *v, struct complaint *c);
bool arg_tier(struct args *a, const cJSON *v, struct complaint *c);
bool arg_scope(struct args *a, const cJSON *v, struct complaint *c);
bool arg_confirm(struct args *a, const cJSON *v, struct complaint *c);
bool arg_region(struct args *a, const cJSON *v, struct complaint *c);
bool arg_group(struct args *a, const cJSON *v, struct complaint *c);
bool arg_vpc(struct args *a, const cJSON *v, struct complaint *c);
bool arg_tag_key(struct args *a, const cJSON *v, struct complaint *c);
bool arg_tag_value(struct args *a, const cJSON *v, struct complaint *c);
bool arg_query(struct args *a, const cJSON *v, struct complaint *c);
bool arg_managed_only(struct args *a, const cJSON *v, struct complaint *c);
bool arg_managed(struct args *a, const cJSON *v, struct complaint *c);
bool arg_limit(struct args *a, const cJSON *v, struct complaint *c);
bool arg_cursor(struct args *a, const cJSON *v, struct complaint *c);
bool arg_direction(struct args *a, const cJSON *v, struct complaint *c);
bool arg_plan_action(struct args *a, const cJSON *v, struct complaint *c);
bool arg_action(struct args *a, const cJSON *v, struct complaint *c);
bool arg_family(struct args *a, const cJSON *v, struct complaint *c);
bool arg_cidr(struct args *a, const cJSON *v, struct complaint *c);
bool arg_ip(struct args *a, const cJSON *v, struct complaint *c);
bool arg_port(struct args *a, const cJSON *v, struct complaint *c);
bool arg_from_port(struct args *a, const cJSON *v, struct complaint *c);
bool arg_to_port(struct args *a, const cJSON *v, struct complaint *c);
bool arg_service(struct args *a, const cJSON *v, struct complaint *c);
bool arg_protocol(struct args *a, const cJSON *v, struct complaint *c);
bool arg_expires_in(struct args *a, const cJSON *v, struct complaint *c);
bool arg_permanent(struct args *a, const cJSON *v, struct complaint *c);
bool arg_until(struct args *a, const cJSON *v, struct complaint *c);
bool arg_reason(struct args *a, const cJSON *v, struct complaint *c);
bool arg_plan_id(struct args *a, const cJSON *v, struct complaint *c);
bool arg_wait(struct args *a, const cJSON *v, struct complaint *c);
bool arg_rule_ids(struct args *a, const cJSON *v, struct complaint *c);
bool arg_grant_id(struct args *a, const cJSON *v, struct complaint *c);
bool arg_atomicity(struct args *a, const cJSON *v, struct complaint *c);
bool arg_entries(struct args *a, const cJSON *v, struct complaint *c);
bool arg_name(struct args *a, const cJSON *v, struct complaint *c);
bool arg_policy(struct args *a, const cJSON *v, struct complaint *c);

#endif
