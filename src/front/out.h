/* SPDX-License-Identifier: Apache-2.0 */
/* What results look like: writers and output schemas, both made from out.def. */
#ifndef FRONT_OUT_H
#define FRONT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/wire.h>

#include "json_out.h"

enum out_type {
	OUT_TYPE_TEXT,
	OUT_TYPE_INT,
	OUT_TYPE_BOOL,
	OUT_TYPE_TEXTS,  /* a list of texts */
	OUT_TYPE_OBJECT, /* one */
	OUT_TYPE_OBJECTS /* a list of objects */
};

struct out_object;

struct out_row {
	const char *name; /* NULL ends */
	enum out_type type;
	bool required;
	const struct out_object *of; /* OUT_TYPE_OBJECT, OUT_TYPE_OBJECTS */
};

struct out_object {
	const struct out_row *rows;
};

/* What is shown where a message alone does not say it. */
struct view_capabilities {
	const struct msg_capabilities *m;
	bool admin;
};

struct view_page {
	const char *group_id; /* rules: whose; else empty */
	const struct buf *items;
	const char *lockdown;    /* rules, grants: where openings are off, or empty */
	const char *next_cursor; /* or empty */
	unsigned
	    left_out; /* grants: beyond what the planner lists; receipts: not 0, the ledger has older ones; drift: groups */
};

struct view_change {
	const struct msg_change *m;
	const char *waiting_for; /* a sentence while it is pending, or empty */
	unsigned poll_after_ms;
	const char *preview; /* or empty */
};

struct view_ip {
	const struct rec_own_address *v4, *v6; /* NULL: not asked for */
};

struct view_status {
	const struct msg_plan_status *m;
	const char *waiting_for;
	unsigned poll_after_ms;
};

/* out_NAME() writes one object; OUT_NAME describes it. */
#define OBJECT(name, type)                                                                         \
	extern const struct out_object OUT_##name;                                                 \
	void out_##name(struct jw *w, const type *v);
#define END(name)
#define OUT_NO_FIELDS
#include "out_fields.h"
#include "out.def"
#include "out_undef.h"

/* The schema of a whole structuredContent: the envelope with `data` inside. */
void out_describe_result(struct jw *w, const struct out_object *data);

/* Words (out_words.c). */
const char *component_state_name(enum component_state s);
const char *permission_result(const struct rec_permission *p);
const char *grant_state_name(enum grant_state s);
const char *tier_name(enum tier t);
const char *receipt_kind_name(enum receipt_kind k);
const char *receipt_result_name(enum receipt_result r);
const char *receipt_op_name(const struct rec_receipt_op *v);
const char *drift_kind_name(enum drift_kind k);
const char *drift_sentence(enum drift_kind k);
const char *drift_next_step(enum drift_kind k);
void show_drift_source(struct jw *w, const struct rec_drift *drift);
const char *settle_state_name(enum settle_state s);
const char *settle_sentence(const struct rec_unsettled *v);
bool authorises_in_plaintext(const struct rec_profile_info *p);
const char *action_name(enum action a);
const char *op_result_name(const struct rec_op_view *v);
const char *display_name(enum display_kind k);
void show_policy(struct jw *w, const struct rec_policy *policy); /* compiled, in hex */
const char *policy_origin_name(enum policy_origin o);
const char *class_needs(enum effect_class c, bool pin, bool trusted_display);
const char *stage_sentence(enum stage s, unsigned seconds_left, char *space, size_t size);
enum component_state worst_state(const struct msg_health *m);
/* An address without its length, or empty where none was said or agreed. */
struct address_text {
	char text[CIDR_TEXT_LEN];
};
struct address_text seen_text(const struct rec_seen *seen);
struct address_text agreed_text(const struct rec_own_address *own);
void show_prefixes(struct jw *w, const struct rec_own_address *own);
void show_protocol(struct jw *w, int16_t protocol);
void show_cidr(struct jw *w, const struct rec_cidr *cidr);
void show_source(struct jw *w, const struct rec_rule *rule);
void show_rule_ids(struct jw *w, const struct msg_change *m);
void show_flags(struct jw *w, unsigned flags);
void show_versions(struct jw *w);
void show_tools(struct jw *w, bool admin);
void show_resource_types(struct jw *w);
void show_lockdown(struct jw *w, const struct rec_lockdown *l);
void show_time(struct jw *w, int64_t when);

#endif
