/* SPDX-License-Identifier: Apache-2.0 */
/* The table of arguments, and decoding by it. */
#include "args.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/vis.h>

static const struct arg_use TAG_USES[] = {{ARG_TAG_KEY, true}, {ARG_TAG_VALUE, false}, {ARG_MAX}};
static const struct arg_use FILTER_USES[] = {
    {ARG_CIDR, false}, {ARG_PORT, false}, {ARG_MANAGED, false}, {ARG_MAX}};
static const struct arg_use MATCH_USES[] = {
    {ARG_IP, false}, {ARG_PORT, false}, {ARG_PROTOCOL, false}, {ARG_MAX}};

static const struct arg_use ENTRY_USES[] = {{ARG_ENTRY_ACTION, true}, {ARG_GROUP, true},
    {ARG_IP, false}, {ARG_PORT, false}, {ARG_FROM_PORT, false}, {ARG_TO_PORT, false},
    {ARG_SERVICE, false}, {ARG_PROTOCOL, false}, {ARG_RULE_IDS, false}, {ARG_MATCH, false},
    {ARG_MAX}};

const struct arg_row ARGS[ARG_MAX] = {
#define ARG(ID, name, schema, decode, description)                                                 \
	[ARG_##ID] = {name, schema, decode, NULL, description},
#define GROUPED(ID, name, members, description)                                                    \
	[ARG_##ID] = {name, NULL, NULL, members, description},
#define LISTED(ID, name, members, decode, description)                                             \
	[ARG_##ID] = {name, NULL, decode, members, description},
#include "args.def"
#undef ARG
#undef GROUPED
#undef LISTED
};

/* Names that are understood but not listed. */
static const struct {
	const char *alias;
	const char *name;
} ALIASES[] = {
    {"ip_address", "ip"},
};

bool
complain(struct complaint *c, uint16_t error, const char *detail)
{
	c->error = error;
	snprintf(c->detail, sizeof(c->detail), "%s", detail);
	return false;
}

bool
complain_about(struct complaint *c, enum arg_id id, const char *detail)
{
	snprintf(c->field, sizeof(c->field), "%s", ARGS[id].name);
	return complain(c, SGW_ERR_BAD_ARGUMENT, detail);
}

/* "filter" and "cidr" make "filter.cidr". */
static void
name_field(struct complaint *c, const char *outer, const char *name)
{
	char inner[SGW_FIELD_MAX + 1];

	vis(inner, sizeof(inner), name, strlen(name));
	snprintf(c->field, sizeof(c->field), "%.20s%s%.40s", outer ? outer : "", outer ? "." : "",
	    inner);
}

static const struct arg_use *
use_find(const struct arg_use *uses, const char *name)
{
	for (size_t i = 0; i < sizeof(ALIASES) / sizeof(ALIASES[0]); i++)
		if (strcmp(ALIASES[i].alias, name) == 0)
			name = ALIASES[i].name;
	for (; uses->id != ARG_MAX; uses++)
		if (strcmp(ARGS[uses->id].name, name) == 0)
			return uses;
	return NULL;
}

static bool
unknown(const struct arg_use *uses, const char *outer, const char *name, struct complaint *c)
{
	char list[SGW_DETAIL_MAX + 1] = "";
	struct buf b = buf_over(list, sizeof(list));

	name_field(c, outer, name);
	buf_puts(&b, "there is no such argument; there are: ");
	if (uses->id == ARG_MAX)
		buf_puts(&b, "none");
	for (const struct arg_use *u = uses; u->id != ARG_MAX; u++)
		buf_printf(&b, "%s%s", u == uses ? "" : ", ", ARGS[u->id].name);
	buf_put_c(&b);
	return complain(c, SGW_ERR_BAD_ARGUMENT, b.failed ? "there is no such argument" : list);
}

static bool decode_into(const struct arg_use *uses, const char *outer, const cJSON *object,
    struct args *a, struct complaint *c);

static bool
decode_one(const struct arg_use *use, const char *outer, const cJSON *value, struct args *a,
    struct complaint *c)
{
	const struct arg_row *row = &ARGS[use->id];

	name_field(c, outer, row->name);
	if (given_arg(a, use->id))
		return complain(c, SGW_ERR_BAD_ARGUMENT, "it is given twice");
	a->given |= UINT64_C(1) << use->id;
	if (outer != NULL)
		a->inside |= UINT64_C(1) << use->id;
	if (row->decode != NULL)
		return row->decode(a, value, c);
	if (!cJSON_IsObject(value))
		return complain(c, SGW_ERR_BAD_ARGUMENT, "it must be an object");
	return decode_into(row->members, row->name, value, a, c);
}

static bool
decode_into(const struct arg_use *uses, const char *outer, const cJSON *object, struct args *a,
    struct complaint *c)
{
	const cJSON *value;

	cJSON_ArrayForEach(value, object)
	{
		const struct arg_use *use = use_find(uses, value->string);

		if (use == NULL)
			return unknown(uses, outer, value->string, c);
		if (!decode_one(use, outer, value, a, c))
			return false;
	}
	for (; uses->id != ARG_MAX; uses++) {
		if (!uses->required || given_arg(a, uses->id))
			continue;
		name_field(c, outer, ARGS[uses->id].name);
		return complain(c, SGW_ERR_BAD_ARGUMENT, "it is required");
	}
	c->field[0] = 0;
	return true;
}

bool
args_decode(
    const struct arg_use *uses, const cJSON *object, struct args *ret_args, struct complaint *c)
{
	*ret_args = (struct args){.limit = ARGS_LIMIT_DEFAULT,
	    .protocol = PROTO_TCP,
	    .ip.family = 4,
	    .wait = SGW_WAIT_DEFAULT};
	*c = (struct complaint){0};
	return decode_into(uses, NULL, object, ret_args, c);
}
