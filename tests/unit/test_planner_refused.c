/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that are refused, or make no sense, before anybody is asked. */
#include "planner_world.h"

static void
expect_refused(struct chan *front, uint32_t request)
{
	world_expect(front, MSG_CHANGE);
	assert_int_equal(W.m.change.request, request);
	assert_int_equal(W.m.change.status, STATUS_REFUSED);
}

static void
test_refused_before_anybody_is_asked(void **state)
{
	struct chan front = world_client(1, false, 1000);

	ask_open(1, true, 443, "0.0.0.0/0");
	world_say(&front);
	expect_refused(&front, 1);
	assert_int_equal(W.m.change.error, SGW_ERR_FORBIDDEN);
	assert_int_equal(W.m.change.effect, CLASS_FORBIDDEN);
	assert_true(W.m.change.policy_line[0] != 0 && W.m.change.policy_text[0] != 0);
	assert_string_equal(W.m.change.plan_id, "");
	W.groups[0].managed = false;
	ask_open(2, true, 443, "203.0.113.7/32");
	world_say(&front);
	expect_refused(&front, 2);
	assert_int_equal(W.m.change.error, SGW_ERR_NOT_OPTED_IN);
	W.n_groups = 0;
	ask_open(3, true, 443, "203.0.113.7/32");
	world_say(&front);
	world_expect(&front, MSG_FAILED);
	assert_int_equal(W.m.failed.error, SGW_ERR_NO_SUCH_GROUP);
	chan_close(&front);
}

static void
test_bad_requests(void **state)
{
	struct chan front = world_client(1, false, 1000);
	static const char *const fields[] = {
	    "ip", "port", "protocol", "port", "until", "until", "security_group_id", "ip"};

	for (uint32_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct msg_ask_change *ask = &W.out.ask_change;

		ask_open(i, true, 443, "203.0.113.7/32");
		switch (i) {
		case 0:
			ask->wanted[0].given &= (uint8_t)~WANTED_SOURCE;
			break;
		case 1:
			ask->wanted[0].given &= (uint8_t)~WANTED_PORTS;
			break;
		case 2:
			ask->wanted[0].given &= (uint8_t)~WANTED_PROTOCOL;
			break;
		case 3:
			ask->wanted[0].from_port = 444;
			break;
		case 4:
			ask->until = 1;
			break;
		case 5:
			ask->until = 4000000000;
			ask->lifetime = 3600;
			break;
		case 6:
			FIELD_SET(ask->wanted[0].group_id, "sg-1");
			break;
		default:
			ask->n_wanted = 0;
			break;
		}
		world_say(&front);
		world_expect(&front, MSG_FAILED);
		assert_int_equal(W.m.failed.error, SGW_ERR_BAD_ARGUMENT);
		assert_string_equal(W.m.failed.field, fields[i]);
	}
	assert_int_equal(W.reads[AWS_DESCRIBE_RULES], 0);
	chan_close(&front);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_start, world_end)
	static const struct CMUnitTest tests[] = {
	    TEST(test_refused_before_anybody_is_asked),
	    TEST(test_bad_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
