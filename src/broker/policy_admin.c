/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy in force: at first the built-in one (in user mode as config.json relaxes it), from the first load on the
 * one that was touched for.  What the person reads of a new one is its difference, made here from the two typed forms.
 */
#include "admin.h"

#include <stdio.h>

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>
#include <sgwarden/policy_diff.h>

#include "in_force.h"

/* False: no policy, or none that may come into force; with why. */
static bool
policy_take(
    const void *data, size_t len, struct rec_policy *ret_policy, char why[POLICY_PROBLEM_MAX])
{
	struct cur c = cur_over(data, len);

	if (!rec_policy_decode(&c, ret_policy) || !cur_done(&c)) {
		(void)snprintf(why, POLICY_PROBLEM_MAX, "this is no compiled policy");
		return false;
	}
	return !policy_problem(ret_policy, why) || MUTATE(POLICY_BOUNDS);
}

static void
in_force(struct broker *b, enum policy_origin origin)
{
	b->policy_origin = origin;
	policy_digest(&b->config.policy, b->policy_digest);
}

void
policy_tell(struct broker *b)
{
	b->out.id = MSG_POLICY;
	b->out.policy.policy = b->config.policy;
	b->out.policy.origin = b->policy_origin;
	send_planner(b);
}

/* ---- at the start ---- */

static bool
is_builtin(const struct rec_policy *policy)
{
	static struct rec_policy builtin;
	uint8_t a[HASH_LEN], b[HASH_LEN];

	policy_builtin(&builtin);
	policy_digest(&builtin, a);
	policy_digest(policy, b);
	return memcmp(a, b, HASH_LEN) == 0;
}

void
policy_configured(struct broker *b)
{
	bool relaxed = !is_builtin(&b->config.policy);

	/* Whoever may write the configuration of the system is no person at its screen. */
	if (relaxed && b->system_mode && !MUTATE(POLICY_OF_SYSTEM)) {
		log_warning("config.json relaxes the policy, which counts in user mode alone: the "
			    "built-in policy is in force until one is loaded");
		policy_builtin(&b->config.policy);
		relaxed = false;
	}
	in_force(b, relaxed ? POLICY_OF_CONFIG : POLICY_BUILT_IN);
}

int
policy_loaded(struct broker *b)
{
	const struct statefile_version *v = &b->policy_file.now;
	char why[POLICY_PROBLEM_MAX];

	if (v->len == 0)
		return 0;
	if (!policy_take(v->data, v->len, &b->config.policy, why)) {
		log_error("policy.bin cannot come into force: %s", why);
		return -1;
	}
	if (b->policy_origin == POLICY_OF_CONFIG)
		log_info("the policy that was loaded is in force: what config.json relaxes is not "
			 "looked at any more");
	in_force(b, POLICY_LOADED);
	return 0;
}

/* ---- a load ---- */

/* The lines of the difference; what widens stands first. */
static void
say_changes(struct admin *a, const struct policy_diff *diff)
{
	char line[POLICY_LINE_MAX + 1];
	size_t wider = 0;

	_Static_assert(POLICY_LINE_MAX <= SGW_SAY_LEN, "a change's line is a line of the screen");
	for (size_t i = 0; i < diff->n; i++)
		wider += diff->change[i].kind == POLICY_WIDER;
	admin_say(a, "%zu changes to the policy in force, %zu of them WIDEN it:", diff->n, wider);
	for (size_t i = 0; i < diff->n; i++)
		for (size_t at = 0; policy_change_line(&diff->change[i], &at, line);)
			admin_say(a, "%s", line);
}

enum sgw_error
policy_prepare(struct broker *b, const char **ret_detail)
{
	static struct rec_policy policy;
	static struct policy_diff diff;
	static char why[POLICY_PROBLEM_MAX];
	struct admin *a = b->admin;

	*ret_detail = why;
	(void)FIELD_SET(a->subject, "policy");
	if (!policy_take(a->data, a->data_len, &policy, why))
		return SGW_ERR_BAD_ARGUMENT;
	policy_diff(&b->config.policy, &policy, &diff);
	*ret_detail = "this policy is in force already";
	if (diff.n == 0 && b->policy_origin == POLICY_LOADED)
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "after it no screen of this kind could approve anything, another policy "
		      "included: it lacks allow_shared_display";
	if (b->screen == DISPLAY_SHARED && !policy.allow_shared_display &&
	    !MUTATE(POLICY_SHUTS_OUT))
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "";
	if (!statefile_next(&b->policy_file, a->data, a->data_len))
		return SGW_ERR_INTERNAL;
	memcpy(a->digest, b->policy_file.next.digest, HASH_LEN);
	say_changes(a, &diff);
	return SGW_ERR_NONE;
}

void
policy_commit(struct broker *b, bool both)
{
	statefile_commit(b, &b->policy_file, STATE_FILE_POLICY, both);
}

void
policy_applied(struct broker *b)
{
	statefile_advance(&b->policy_file);
	if (policy_loaded(b) < 0)
		die("the policy that was agreed to cannot come into force"); /* it could a moment ago */
	policy_tell(b);
	(void)snprintf(b->admin->detail, sizeof(b->admin->detail), "the policy is in force");
}
