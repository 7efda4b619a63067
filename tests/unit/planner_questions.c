/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the planner ask as a front: into W.out. */
#include "planner_world.h"

void
ask_rules(uint32_t request, uint16_t limit, const char *cursor)
{
	W.out.id = MSG_ASK_RULES;
	W.out.ask_rules = (struct msg_ask_rules){.request = request, .limit = limit};
	W.out.ask_rules.source.family = 4;
	FIELD_SET(W.out.ask_rules.group_id, GROUP);
	FIELD_SET(W.out.ask_rules.cursor, cursor);
}

void
ask_groups(uint32_t request, uint16_t limit, const char *cursor)
{
	W.out.id = MSG_ASK_GROUPS;
	W.out.ask_groups = (struct msg_ask_groups){.request = request, .limit = limit};
	FIELD_SET(W.out.ask_groups.cursor, cursor);
}

static struct msg_ask_change *
ask_change(uint32_t request, bool apply, enum action action)
{
	struct msg_ask_change *ask = &W.out.ask_change;

	W.out.id = MSG_ASK_CHANGE;
	*ask =
	    (struct msg_ask_change){.request = request, .apply = apply, .n_wanted = 1, .wait = 50};
	ask->wanted[0].action = action;
	FIELD_SET(ask->wanted[0].group_id, GROUP);
	FIELD_SET(ask->reason, "debug deploy");
	FIELD_SET(ask->claimed, "a-client 1.0");
	return ask;
}

void
ask_open(uint32_t request, bool apply, int32_t port, const char *source)
{
	struct msg_ask_change *ask = ask_change(request, apply, ACTION_OPEN);

	ask->wanted[0] = (struct rec_wanted){
	    .action = ACTION_OPEN,
	    .group_id = GROUP,
	    .given = WANTED_PROTOCOL | WANTED_PORTS | WANTED_SOURCE,
	    .protocol = PROTO_TCP,
	    .from_port = port,
	    .to_port = port,
	    .source = world_cidr(source),
	};
}

void
ask_close_match(uint32_t request, bool apply, const char *source)
{
	struct msg_ask_change *ask = ask_change(request, apply, ACTION_CLOSE);

	ask->wanted[0] = (struct rec_wanted){.action = ACTION_CLOSE,
	    .group_id = GROUP,
	    .given = WANTED_SOURCE,
	    .source = world_cidr(source)};
}
