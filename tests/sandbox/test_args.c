/* SPDX-License-Identifier: Apache-2.0 */
/* The children's command line, the names of the degradations, and what the topology table promises by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <sgwarden/log.h>

#include "internal.h"

#define ARGV_MAX 6

struct args_case {
	const char *argv[ARGV_MAX];
	int want;
	struct sandbox_args args;
	const char *ports;
};

static const struct args_case ARGS[] = {
    {{"--mode=user", "--parent=12"}, 0, {MODE_USER, 12, 0, 0}},
    {{"--parent=12", "--mode=user"}, 0, {MODE_USER, 12, 0, 0}},
    {{"--mode=system", "--parent=2147483647", "--uid=990", "--gid=991"}, 0,
	{MODE_SYSTEM, 2147483647, 990, 991}},
    {{"--mode=unit", "--parent=1"}, 0, {MODE_UNIT, 1, 0, 0}},
    {{"--mode=unit", "--parent=1", "--ports=53,443"}, 0, {MODE_UNIT, 1, 0, 0}, "53,443"},
    {{"--ports=53,443,8443", "--mode=user", "--parent=12"}, 0, {MODE_USER, 12, 0, 0},
	"53,443,8443"},
    {{"--mode=user", "--parent=12", "--ports="}, -1, {0}},
    {{"--mode=user", "--parent=12", "--ports=443,53"}, -1, {0}},
    {{"--mode=user", "--parent=12", "--ports=443", "--ports=443"}, -1, {0}},
    {{"--mode=unit"}, -1, {0}},
    {{"--mode=user"}, -1, {0}},
    {{"--parent=12"}, -1, {0}},
    {{NULL}, -1, {0}},
    {{"--mode=system", "--parent=12"}, -1, {0}},
    {{"--mode=system", "--parent=12", "--uid=990"}, -1, {0}},
    {{"--mode=system", "--parent=12", "--uid=0", "--gid=990"}, -1, {0}},
    {{"--mode=system", "--parent=12", "--uid=990", "--gid=0"}, -1, {0}},
    {{"--mode=system", "--parent=12", "--uid=4294967295", "--gid=990"}, -1, {0}},
    {{"--mode=both", "--parent=12"}, -1, {0}},
    {{"--mode=", "--parent=12"}, -1, {0}},
    {{"--mode=user", "--parent=0"}, -1, {0}},
    {{"--mode=user", "--parent=-1"}, -1, {0}},
    {{"--mode=user", "--parent=+1"}, -1, {0}},
    {{"--mode=user", "--parent=012"}, -1, {0}},
    {{"--mode=user", "--parent=12 "}, -1, {0}},
    {{"--mode=user", "--parent="}, -1, {0}},
    {{"--mode=user", "--parent=2147483648"}, -1, {0}},
    {{"--mode=user", "--parent=99999999999999999999"}, -1, {0}},
    {{"--mode=user", "--parent=12", "--mode=user"}, -1, {0}},
    {{"--mode=user", "--parent=12", "--debug"}, -1, {0}},
    {{"--mode=user", "--parent=12", ""}, -1, {0}},
};

static void
test_args(void **state)
{
	for (size_t i = 0; i < sizeof(ARGS) / sizeof(ARGS[0]); i++) {
		char ports[PORTS_TEXT_MAX], text[ARGV_MAX][64], *argv[ARGV_MAX + 1] = {text[0]};
		struct sandbox_args args = {.parent = 77};
		int argc = 1;

		for (; argc < ARGV_MAX && ARGS[i].argv[argc - 1] != NULL; argc++) {
			strncpy(text[argc], ARGS[i].argv[argc - 1], sizeof(text[0]) - 1);
			text[argc][sizeof(text[0]) - 1] = 0;
			argv[argc] = text[argc];
		}
		assert_int_equal(sandbox_args_parse(argc, argv, &args), ARGS[i].want);
		if (ARGS[i].want < 0) {
			assert_int_equal(args.parent, 77);
			continue;
		}
		assert_int_equal(args.mode, ARGS[i].args.mode);
		assert_int_equal(args.parent, ARGS[i].args.parent);
		assert_int_equal(args.uid, ARGS[i].args.uid);
		assert_int_equal(args.gid, ARGS[i].args.gid);
		ports_print(&args.ports, ports);
		assert_string_equal(ports, ARGS[i].ports != NULL ? ARGS[i].ports : "");
	}
}

static void
test_degraded_names(void **state)
{
	unsigned named = 0;

	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		const char *name = degraded_name(bit);

		if (name == NULL) {
			assert_null(degraded_why(bit));
			continue;
		}
		named++;
		assert_int_equal(degraded_bit(name), bit);
		assert_true(strlen(degraded_why(bit)) > 0);
	}
	assert_int_equal(named, 7);
	assert_int_equal(degraded_bit("no-such-name"), 0);
	assert_int_equal(degraded_bit(""), 0);
	assert_null(degraded_name(DEGRADED_NO_MDWE | DEGRADED_NO_NETNS));
}

/* Descriptors in order from FD_FIRST, none twice; only net has a network or a file; secrets are locked. */
static void
test_topology(void **state)
{
	for (int role = ROLE_FRONT; role < ROLE_MAX; role++) {
		const struct topology_row *row = &TOPOLOGY[role];

		assert_int_equal(row->role, role);
		assert_string_equal(role_name((enum role)role), row->name);
		assert_memory_equal(row->executable, "sgw-", 4);
		assert_memory_equal(row->user, "sgw-", 4);
		for (int i = 0; i < TOPOLOGY_FDS_MAX && row->fds[i].what != NULL; i++)
			assert_int_equal(row->fds[i].fd, FD_FIRST + i);
		assert_int_equal((row->namespaces & NS_NET) == 0, role == ROLE_NET);
		assert_int_equal(row->read_paths[0] != NULL, role == ROLE_NET);
		assert_int_equal(row->tcp_ports[0] != 0, role == ROLE_NET);
		assert_true(row->limit_nofile > 0 && row->limit_as > 0 && row->limit_nproc > 0);
		assert_int_equal(
		    row->limit_memlock > 0, role == ROLE_BROKER || role == ROLE_CONSENT ||
						role == ROLE_FIDO || role == ROLE_LOADER);
		assert_int_equal(row->draws_random,
		    role == ROLE_BROKER || role == ROLE_NET || role == ROLE_FIDO);
		for (int other = ROLE_SUPERVISOR; other < role; other++)
			assert_string_not_equal(TOPOLOGY[other].user, row->user);
	}
	assert_string_equal(role_name(ROLE_MAX), "?");
}

static void
test_descriptors_kept(void **state)
{
	const struct topology_row *front = &TOPOLOGY[ROLE_FRONT];

	for (int fd = 0; fd < LOCKDOWN_FDS_COMMON; fd++)
		assert_true(lockdown_keeps(front, fd));
	assert_true(lockdown_keeps(front, FD_FRONT_PLANNER));
	assert_true(lockdown_keeps(front, FD_FRONT_CONNECTION));
	/* What the client hands over comes after the lockdown: nobody may have put it there before. */
	assert_false(lockdown_keeps(front, FD_FRONT_IN));
	assert_false(lockdown_keeps(front, FD_FRONT_OUT));
	assert_false(lockdown_keeps(front, 12));
	assert_int_equal(lockdown_keeps(front, 15), SGW_TESTCLOCK); /* the test clock's */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_args),
	    cmocka_unit_test(test_degraded_names),
	    cmocka_unit_test(test_topology),
	    cmocka_unit_test(test_descriptors_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
