/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about a security group that there is not. */
#include "planner_world.h"

static void
ask_access(struct chan *front, uint32_t request)
{
	W.out.id = MSG_ASK_ACCESS;
	W.out.ask_access = (struct msg_ask_access){
	    .request = request, .source = world_cidr("203.0.113.7/32"), .protocol = PROTO_TCP};
	FIELD_SET(W.out.ask_access.group_id, GROUP);
	world_say(front);
}

static void
expect_no_group(struct chan *front)
{
	world_expect(front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_GROUP);
	assert_string_equal(W.m.failed.field, "security_group_id");
}

/* AWS lists no rules for it, in another region for one: that was told as a group that lets nobody in. */
static void
regress_158_no_such_group(void **state)
{
	struct chan front = world_client(1, false, 1000);

	ask_rules(1, 50, "");
	world_say(&front);
	world_expect(&front, MSG_RULES); /* the twin: there is the group, without a rule */
	ask_access(&front, 2);
	world_expect(&front, MSG_ACCESS);
	W.n_groups = 0;
	world_sleep(61); /* what is remembered is over */
	ask_rules(3, 50, "");
	world_say(&front);
	expect_no_group(&front);
	ask_access(&front, 4);
	expect_no_group(&front);
	chan_close(&front);
}

/* Where AWS said so, health held AWS for degraded. */
static void
regress_158_health_of_aws(void **state)
{
	static const char *const codes[] = {"InvalidGroup.NotFound", "UnauthorizedOperation"};
	struct chan front = world_client(1, false, 1000);

	for (uint32_t theirs = 0; theirs < 2; theirs++) {
		bool found = false;

		W.n_bad = 9; /* each read of this question: health tells of the last answer */
		W.bad = (struct msg_done){.http_status = 400};
		FIELD_SET(W.bad.code, codes[theirs]);
		ask_access(&front, 1 + theirs);
		world_expect(&front, MSG_FAILED);
		W.out.id = MSG_ASK_HEALTH;
		W.out.ask_health.request = 3 + theirs;
		world_say(&front);
		world_expect(&front, MSG_HEALTH);
		for (size_t i = 0; i < W.m.health.n_components; i++) {
			const struct rec_component *c = &W.m.health.components[i];

			if (strcmp(c->name, "aws") != 0)
				continue;
			found = true;
			assert_int_equal(c->state, theirs ? COMPONENT_DEGRADED : COMPONENT_OK);
		}
		assert_true(found);
	}
	chan_close(&front);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(regress_158_no_such_group, world_start, world_end),
	    cmocka_unit_test_setup_teardown(regress_158_health_of_aws, world_start, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
