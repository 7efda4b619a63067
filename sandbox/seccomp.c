/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters.  What a policy does not name kills the process, another architecture (x32 is one) likewise.  All
 * arguments are compared in their full 64 bits: a value with something in the half that the kernel may ignore is
 * another value, and is refused (the class of CVE-2019-10063).
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include <sgwarden/log.h>

#include "kernel.h"

#define CONDITIONS_MAX 4

struct rule {
	int call;
	uint32_t action;
	struct scmp_arg_cmp conditions[CONDITIONS_MAX]; /* all must hold; op 0 ends them */
	const char *why;
};

/* What the .def files are written in.  Argument numbers count from 0. */
#define EQ(arg, value)                                                                             \
	{                                                                                          \
		(arg), SCMP_CMP_EQ, (uint64_t)(value), 0                                           \
	}
#define ONLY(arg, bits)                                                                            \
	{                                                                                          \
		(arg), SCMP_CMP_MASKED_EQ, ~(uint64_t)(bits), 0                                    \
	} /* no other bit is set */
#define BESIDES(arg, bits, value)                                                                  \
	{                                                                                          \
		(arg), SCMP_CMP_MASKED_EQ, ~(uint64_t)(bits), (value)                              \
	} /* these bits aside */
#define UNPACK(...) __VA_ARGS__
#define RULE_IF(call, action, conditions, why)                                                     \
	{SCMP_SYS(call), (action), {UNPACK conditions}, (why)},
#define ALLOW(call, why) {SCMP_SYS(call), SCMP_ACT_ALLOW, {{0}}, (why)},
#define ALLOW_IF(call, conditions, why) RULE_IF(call, SCMP_ACT_ALLOW, conditions, why)
#define ERRNO(call, error, why) {SCMP_SYS(call), SCMP_ACT_ERRNO(error), {{0}}, (why)},
#define ERRNO_IF(call, error, conditions, why) RULE_IF(call, SCMP_ACT_ERRNO(error), conditions, why)

static const struct rule FRONT[] = {
#include "policy/front.def"
};
static const struct rule FRONT_TIGHT[] = {
#include "policy/front-tight.def"
};
static const struct rule PLANNER[] = {
#include "policy/planner.def"
};
static const struct rule BROKER[] = {
#include "policy/broker.def"
};
static const struct rule NET[] = {
#include "policy/net.def"
};
static const struct rule CONSENT[] = {
#include "policy/consent.def"
};
static const struct rule FIDO[] = {
#include "policy/fido.def"
};
static const struct rule LOADER[] = {
#include "policy/loader.def"
};

struct policy {
	const struct rule *rules;
	size_t len;
};

#define POLICY(rules)                                                                              \
	{                                                                                          \
		(rules), sizeof(rules) / sizeof((rules)[0])                                        \
	}

static const struct policy POLICIES[ROLE_MAX] = {
    [ROLE_FRONT] = POLICY(FRONT),
    [ROLE_PLANNER] = POLICY(PLANNER),
    [ROLE_BROKER] = POLICY(BROKER),
    [ROLE_NET] = POLICY(NET),
    [ROLE_CONSENT] = POLICY(CONSENT),
    [ROLE_FIDO] = POLICY(FIDO),
    [ROLE_LOADER] = POLICY(LOADER),
};
static const struct policy TIGHT = POLICY(FRONT_TIGHT);

/* libseccomp answers with a negated errno. */
static int
seccomp_result(int r)
{
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return 0;
}

static int
rule_add(scmp_filter_ctx filter, const struct rule *rule)
{
	unsigned n = 0;

	while (n < CONDITIONS_MAX && rule->conditions[n].op != _SCMP_CMP_MIN)
		n++;
	return seccomp_result(
	    seccomp_rule_add_exact_array(filter, rule->action, rule->call, n, rule->conditions));
}

/* The filter of a policy, or NULL with errno. */
static scmp_filter_ctx
filter_build(const struct policy *policy)
{
	scmp_filter_ctx filter;

	if (policy->len == 0) {
		errno = EINVAL;
		return NULL;
	}
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return NULL;
	/* no_new_privs is a step of its own; a thread that a library started must not escape. */
	if (seccomp_result(
		seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) < 0 ||
	    seccomp_result(seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0)) < 0 ||
	    seccomp_result(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)) < 0)
		goto fail;
	for (size_t i = 0; i < policy->len; i++) {
		if (rule_add(filter, &policy->rules[i]) < 0)
			goto fail;
	}
	return filter;
fail:
	seccomp_release(filter);
	return NULL;
}

/* Installs a policy and proves that it is this one which answers: each has its own answer to PR_GET_SECCOMP. */
static int
policy_enforce(const struct policy *policy, int answer)
{
	scmp_filter_ctx filter = filter_build(policy);
	int r;

	if (filter == NULL)
		return -1;
	r = seccomp_result(seccomp_load(filter));
	seccomp_release(filter);
	if (r < 0)
		return -1;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != -1 || errno != answer) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
lockdown_seccomp(struct lockdown *l)
{
	return policy_enforce(&POLICIES[l->row->role], ENOTRECOVERABLE);
}

int
sandbox_tighten_front(void)
{
	return policy_enforce(&TIGHT, EOWNERDEAD);
}

int
sandbox_export_bpf(enum role role, bool tight, int fd)
{
	scmp_filter_ctx filter = filter_build(tight ? &TIGHT : &POLICIES[role]);
	int r;

	if (filter == NULL)
		return -1;
	r = seccomp_result(seccomp_export_bpf(filter, fd));
	seccomp_release(filter);
	return r;
}
