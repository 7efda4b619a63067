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

static void
put_op(struct buf *b, const struct rec_op *op)
{
	const char *service = port_service(op->protocol, op->from_port, op->to_port);
	enum cidr_special special = cidr_special(&op->source);
	bool world = op->source.prefix == 0, closes = op->action == ACTION_CLOSE;
	char ports[48], source[CIDR_TEXT_LEN], note[48] = "";

	op_ports_text(op->protocol, op->from_port, op->to_port, ports, sizeof(ports));
	cidr_format(&op->source, source);
	if (world)
		snprintf(note, sizeof(note), " (the whole Internet)");
	else if (special != CIDR_PUBLIC)
		snprintf(note, sizeof(note), " (%s range)", cidr_special_name(special));
	put_saidf(b, closes ? "CLOSE" : "OPEN", "%s%s%s%s  FROM %s%s%s%s", ports,
	    service != NULL ? " (" : "", service != NULL ? service : "", service != NULL ? ")" : "",
	    source, note, closes ? "  rule " : "", op->rule_id);
}

/* Whoever answers for the sources on the network can say this; nobody here has checked it. */
static void
put_seen(struct buf *b, const struct record *r)
{
	if (r->seen_by > 0)
		put_saidf(b, "", "%u of %u sources say: your current address (not verified)",
		    (unsigned)r->seen_by, (unsigned)r->seen_of);
}

/* The family's rules once the plan is done. */
static unsigned
quota_then(const struct record *r)
{
	unsigned used = r->quota_used, n = r->plan.n_ops;

	if (r->plan.ops[0].action == ACTION_OPEN)
		return used + n;
	return used > n ? used - n : 0;
}

/* What only AWS could know, and what nobody here has checked. */
static void
put_reported(struct buf *b, const struct record *r)
{
	bool vpc = vpc_id_ok(r->vpc_id);
	char whose[80];

	snprintf(whose, sizeof(whose), "AWS says: quota %u/%u -> %u/%u%s%s, named",
	    (unsigned)r->quota_used, (unsigned)r->quota_limit, quota_then(r),
	    (unsigned)r->quota_limit, vpc ? ", " : "", vpc ? r->vpc_id : "");
	put_quoted(b, "", whose, r->group_name);
	if (r->vpc_id[0] != 0 && !vpc)
		put_quoted(b, "", "AWS says: in the VPC", r->vpc_id);
	if (r->iac)
		put_said(b, "",
		    "AWS says: CloudFormation or Terraform keeps this group: it may undo the "
		    "change");
}

static void
put_where(struct buf *b, const struct record *r)
{
	const struct rec_plan *plan = &r->plan;

	put_saidf(b, plan->ops[0].action == ACTION_OPEN ? "TO" : "IN", "%s  account %s (%s)  %s",
	    plan->ops[0].group_id, plan->account, plan->profile, plan->region);
	put_reported(b, r);
}

static void
put_how_long(struct buf *b, const struct record *r)
{
	char lifetime[64], when[TIME_TEXT_LEN];

	if (r->plan.ops[0].action == ACTION_CLOSE) {
		put_said(b, "THEN", "nothing opens this again by itself");
	} else {
		lifetime_text(r->plan.lifetime, lifetime, sizeof(lifetime));
		time_text(r->closes, when);
		put_saidf(
		    b, "FOR", "%s, closes %s by itself  [closing is included]", lifetime, when);
	}
	put_said(b, "", "Closing does not cut connections that are established by then.");
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
    [ACT_ENABLE] = {"ENABLE", "openings again, after the lockdown",
	"what the policy allows can be asked for again"},
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
	for (size_t i = 0; i < r->plan.n_ops; i++)
		put_op(b, &r->plan.ops[i]);
	put_seen(b, r);
	put_where(b, r);
	put_how_long(b, r);
}

static void
put_enroll(struct buf *b, const struct record *r)
{
	put_quoted(b, "ENROLL", "a security key by the name of", r->key_name);
	put_saidf(
	    b, "TO", "appliance %s, %u enrolled already", r->appliance, (unsigned)r->keys_enrolled);
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
