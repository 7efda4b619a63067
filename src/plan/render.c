/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consent text.  First what is done, to whom and for how long, then the risk, then who asks, and last the words
 * of the one who asks.  Whatever AWS or the client said is marked as theirs.
 */
#include <sgwarden/render.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>

#include "render_text.h"

#define TIME_TEXT_LEN 32

/* "2026-11-21 17:30 UTC", with seconds where there are any. */
static void
time_text(int64_t when, char ret_text[TIME_TEXT_LEN])
{
	char rfc[CLOCK_TEXT_LEN];

	clock_format(when, rfc);
	snprintf(ret_text, TIME_TEXT_LEN, "%.10s %.*s UTC", rfc, when % 60 == 0 ? 5 : 8, rfc + 11);
}

static void
put_unit(struct buf *b, uint32_t n, const char *unit)
{
	if (n > 0)
		buf_printf(
		    b, "%s%" PRIu32 " %s%s", b->len > 0 ? " " : "", n, unit, n == 1 ? "" : "s");
}

/* "1 hour 30 minutes" */
static void
lifetime_text(uint32_t seconds, char *ret_text, size_t size)
{
	struct buf b = buf_over(ret_text, size);

	put_unit(&b, seconds / 86400, "day");
	put_unit(&b, seconds / 3600 % 24, "hour");
	put_unit(&b, seconds / 60 % 60, "minute");
	put_unit(&b, seconds % 60, "second");
	buf_put_c(&b);
}

/* ---- what ---- */

static const struct {
	const char *label, *where;
} ACTIONS[ACTION_MAX] = {
    [ACTION_OPEN] = {"OPEN", "TO"},
    [ACTION_CLOSE] = {"CLOSE", "IN"},
    [ACTION_EXTEND] = {"KEEP", "IN"},
};

static void
put_op(struct buf *b, const struct rec_op *op)
{
	const char *service = port_service(op->protocol, op->from_port, op->to_port);
	enum cidr_special special = cidr_special(&op->source);
	char ports[48], source[CIDR_TEXT_LEN], note[48] = "";
	bool world = op->source.prefix == 0;

	op_ports_text(op->protocol, op->from_port, op->to_port, ports, sizeof(ports));
	cidr_format(&op->source, source);
	if (world)
		snprintf(note, sizeof(note), " (the whole Internet)");
	else if (special != CIDR_PUBLIC)
		snprintf(note, sizeof(note), " (%s range)", cidr_special_name(special));
	put_saidf(b, ACTIONS[op->action].label, "%s%s%s%s  FROM %s%s%s%s%s%s", ports,
	    service != NULL ? " (" : "", service != NULL ? service : "", service != NULL ? ")" : "",
	    source, note, op->rule_id[0] != 0 ? "  rule " : "", op->rule_id,
	    op->receipt[0] != 0 ? "  opened here: " : "", op->receipt);
}

/* Whoever answers for the sources on the network can say this; nobody here has checked it. */
static void
put_seen(struct buf *b, const struct record *r)
{
	if (r->seen_by > 0)
		put_saidf(b, "", "%u of %u sources say: your current address (not verified)",
		    (unsigned)r->seen_by, (unsigned)r->seen_of);
}

/* The group's rules of that family once the plan is done. */
static unsigned
quota_then(const struct record *r, size_t group)
{
	unsigned used = r->groups[group].quota_used, more = 0, less = 0;

	for (size_t i = 0; i < r->plan.n_ops; i++) {
		const struct rec_op *op = &r->plan.ops[i];

		if (strcmp(op->group_id, r->plan.groups[group].group_id) != 0)
			continue;
		more += op->action == ACTION_OPEN;
		less += op->action == ACTION_CLOSE;
	}
	return used + more > less ? used + more - less : 0;
}

/* What only AWS could know, and what nobody here has checked. */
static void
put_reported(struct buf *b, const struct record *r, size_t i)
{
	const struct record_group *group = &r->groups[i];
	char whose[80];

	snprintf(whose, sizeof(whose), "AWS says: quota %u/%u -> %u/%u%s%s, named",
	    (unsigned)group->quota_used, (unsigned)r->quota_limit, quota_then(r, i),
	    (unsigned)r->quota_limit, group->vpc_id[0] != 0 ? ", " : "", group->vpc_id);
	put_quoted(b, "", whose, group->name);
	if (group->quota_lists > 0)
		put_saidf(b, "",
		    "%u of these rules let in a prefix list, which AWS counts by its maximum of "
		    "entries; that is not read here, so the quota is nearer than it looks",
		    (unsigned)group->quota_lists);
	if (group->iac)
		put_said(b, "",
		    "AWS says: CloudFormation or Terraform keeps this group: it may undo the "
		    "change");
}

/* The operations in the order in which they are carried out, and behind each run of one group whose they are. */
static void
put_ops(struct buf *b, const struct record *r)
{
	const struct rec_plan *plan = &r->plan;
	bool told[SGW_PLAN_GROUPS_MAX] = {false}, seen = false;

	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct rec_op *op = &plan->ops[i];
		size_t group = plan_group_index(plan, op->group_id);
		bool last = i + 1 == plan->n_ops ||
			    strcmp(plan->ops[i + 1].group_id, op->group_id) != 0 ||
			    plan->ops[i + 1].action != op->action;

		put_op(b, op);
		if (!last)
			continue;
		if (op->action == ACTION_OPEN && !seen)
			put_seen(b, r);
		seen = seen || op->action == ACTION_OPEN;
		if (i + 1 == plan->n_ops || plan->n_groups > 1 || !told[group])
			put_saidf(b, ACTIONS[op->action].where, "%s  account %s (%s)  %s",
			    op->group_id, plan->account, plan->profile, plan->region);
		if (!told[group])
			put_reported(b, r, group);
		told[group] = true;
	}
}

static void
put_extension(struct buf *b, const struct record *r)
{
	char lifetime[64], when[TIME_TEXT_LEN], instead[TIME_TEXT_LEN];

	lifetime_text(r->plan.lifetime, lifetime, sizeof(lifetime));
	time_text(r->closes, when);
	time_text(r->closes_now, instead);
	put_saidf(
	    b, "FOR", "%s from now, closes %s by itself instead of %s", lifetime, when, instead);
	put_said(b, "", "The rule's tag and description in AWS keep the first time.");
}

static void
put_how_long(struct buf *b, const struct record *r)
{
	char lifetime[64], when[TIME_TEXT_LEN];

	if (r->plan.ops[0].action == ACTION_EXTEND) {
		put_extension(b, r);
	} else if (!plan_opens(&r->plan)) {
		put_said(b, "THEN", "nothing opens this again by itself");
	} else if (r->plan.lifetime == SGW_LIFETIME_PERMANENT) {
		put_said(b, "FOR",
		    "PERMANENT: it never closes by itself, only when somebody closes it  [closing "
		    "is included]");
	} else {
		lifetime_text(r->plan.lifetime, lifetime, sizeof(lifetime));
		time_text(r->closes, when);
		put_saidf(
		    b, "FOR", "%s, closes %s by itself  [closing is included]", lifetime, when);
	}
	put_said(b, "", "Closing does not cut connections that are established by then.");
}

static void
put_failure(struct buf *b, const struct rec_plan *plan)
{
	size_t steps = plan_steps(plan);

	if (steps < 2 || plan->ops[0].action == ACTION_EXTEND) /* which calls nobody */
		return;
	put_saidf(b, "STEPS", "%zu, one after the other: %u operations in %u group%s", steps,
	    (unsigned)plan->n_ops, (unsigned)plan->n_groups, plan->n_groups == 1 ? "" : "s");
	if (plan->best_effort)
		put_said(b, "", "If one fails, the others are made all the same.");
	else
		put_said(b, "",
		    "If one fails, what was opened is closed again at once; what was closed is "
		    "NOT opened again.");
}

/* ---- how grave ---- */

static const struct {
	const char *label;
	const char *what;
	const char *risk;
} ACTS[ACT_MAX] = {
    [ACT_REMOVE_KEY] = {"REMOVE", "the security key by the name of",
	"it can approve nothing here any more"},
    [ACT_TEST_KEY] = {"TEST", "a security key", "changes nothing"},
    [ACT_POLICY] = {"LOAD", "another policy", "decides what can be approved from now on"},
    [ACT_SEAL] = {"SEAL", "the credential of", "it can be used with a security key alone"},
    [ACT_ROTATE] = {"ROTATE", "the seals of", "every enrolled key is asked, and opens them anew"},
    [ACT_TEST_OPENER] = {"TEST", "the credential of",
	"changes nothing: AWS is asked for a trial run alone"},
    [ACT_ENABLE] = {"ENABLE", "openings again, after the lockdown of",
	"what the policy allows can be asked for again"},
    [ACT_PHRASE] = {"CHOOSE", "the phrase that stands above, for trusted screens",
	"a screen that shows another one is not ours"},
    [ACT_MAKE_CODE] = {"MAKE", "a recovery code, whose public key is",
	"whoever has it can enrol a security key here, once, without any other"},
    [ACT_DROP_CODE] = {"DROP", "the recovery code whose public key is",
	"if every key is lost, nothing enrols another"},
};

static const char *const RISKS[CLASS_MAX] = {
    [CLASS_READ] = "changes nothing",
    [CLASS_CLOSE_OWN] = "closes what was opened here",
    [CLASS_CLOSE_FOREIGN] = "closes what others opened: can be an outage",
    [CLASS_OPEN] = "temporary, within policy",
    [CLASS_OPEN_SENSITIVE] = "sensitive port",
    [CLASS_OPEN_WIDE] = "wide opening",
    [CLASS_FORBIDDEN] = "forbidden",
};

static void
put_risk(struct buf *b, const struct record *r)
{
	const char *needs = r->pin ? "PIN + touch" : "touch";

	if (r->kind == RECORD_ENROLL)
		put_saidf(
		    b, "RISK", "whoever holds this key can approve changes here -> %s", needs);
	else if (r->kind == RECORD_ADMIN)
		put_saidf(b, "RISK", "%s -> %s", ACTS[r->act].risk, needs);
	else
		put_saidf(
		    b, "RISK", "%s -> %s  [%s]", RISKS[r->effect], needs, class_name(r->effect));
	if (r->display == DISPLAY_SHARED)
		put_said(b, "SCREEN",
		    "shared: this screen belongs to the client's own user, whose programs can "
		    "watch or fake it. The record and the ledger say so.");
}

/* ---- who ---- */

static void
put_who(struct buf *b, const struct record *r)
{
	char whose[80];

	snprintf(whose, sizeof(whose), "uid %" PRIu32 ", pid %" PRIu32 ", %s:", r->uid, r->pid,
	    r->chain_verified ? "process chain" : "process chain (not verified)");
	put_quoted(b, "WHO", whose, r->chain);
	if (r->claimed[0] != 0)
		put_quoted(b, "", "calls itself (claimed, not verified):", r->claimed);
}

static void
put_record(struct buf *b, const struct record *r)
{
	char created[TIME_TEXT_LEN];

	time_text(r->created, created);
	put_saidf(b, "RECORD", "made %s, void after %" PRId64 " s; display %s%s%s", created,
	    r->expires - r->created, r->display == DISPLAY_TRUSTED ? "trusted" : "shared",
	    r->tty[0] != 0 ? ", " : "", r->tty);
	put_saidf(
	    b, "", "appliance %s, after ledger record %" PRIu64, r->appliance, r->ledger_number);
	if (r->description[0] != 0)
		put_block(b, "TEXT", r->description);
}

static void
put_change(struct buf *b, const struct record *r)
{
	put_ops(b, r);
	put_how_long(b, r);
	put_failure(b, &r->plan);
}

static void
put_enroll(struct buf *b, const struct record *r)
{
	put_quoted(b, "ENROLL", "a security key by the name of", r->key_name);
	put_saidf(
	    b, "TO", "appliance %s, %u enrolled already", r->appliance, (unsigned)r->keys_enrolled);
	if (r->by_code)
		put_said(b, "BY",
		    "the recovery code, which is used up by it: no enrolled key agrees. Those that "
		    "are lost stay enrolled until the new one removes them.");
}

/* ---- administration ---- */

static void
put_admin(struct buf *b, const struct record *r)
{
	static const uint8_t none[sizeof(r->digest)] = {0};
	char hex[2 * sizeof(r->digest) + 1];
	struct buf out = buf_over(hex, sizeof(hex));

	if (r->subject[0] != 0)
		put_quoted(b, ACTS[r->act].label, ACTS[r->act].what, r->subject);
	else
		put_said(b, ACTS[r->act].label, ACTS[r->act].what);
	put_saidf(b, "ON", "appliance %s", r->appliance);
	for (unsigned i = 0; i < r->n_say; i++)
		put_said(b, i == 0 ? "WHAT" : "", r->say[i]);
	if (memcmp(r->digest, none, sizeof(none)) == 0)
		return;
	buf_put_hex(&out, r->digest, sizeof(r->digest));
	buf_put_c(&out);
	put_saidf(b, "DIGEST", "%s", hex);
}

bool
render_record(const struct record *record, struct buf *b)
{
	if (record->kind == RECORD_CHANGE)
		put_change(b, record);
	else if (record->kind == RECORD_ADMIN)
		put_admin(b, record);
	else
		put_enroll(b, record);
	put_risk(b, record);
	put_who(b, record);
	put_record(b, record);
	if (record->reason[0] != 0)
		put_quoted(b, "SAYS", "the client, not verified:", record->reason);
	return !b->failed;
}

void
render_digest(const struct record *record, uint8_t ret_digest[HASH_LEN])
{
	uint8_t text[SGW_RENDER_MAX];
	struct buf b = buf_over(text, sizeof(text));

	render_record(record, &b);
	hash_sha256(text, b.len, ret_digest);
}
