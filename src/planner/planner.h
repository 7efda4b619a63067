/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner's state, all of it: one struct, static in main.c.  Pools are fixed; what AWS reports lives in
 * snapshots, whose memory is bounded in sum.
 *
 *   client ──▶ call ──▶ reads (snapshots, cache), questions to the broker ──▶ answer
 *                └────▶ plan ──▶ broker ──▶ stages, result ──▶ answer
 */
#ifndef PLANNER_H
#define PLANNER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/errors.h>
#include <sgwarden/plan.h>
#include <sgwarden/policy.h>
#include <sgwarden/record.h>
#include <sgwarden/wire.h>

#define CALLS_MAX 1024
#define CALLS_PER_CLIENT 8
#define READS_MAX 64          /* wanted and not yet there */
#define READS_AT_ONCE 8       /* of these at net */
#define READ_TIMEOUT 30000    /* ms, all pages and repeats of one read */
#define READ_HELD 40          /* ms: the broker signs so many reads a second, for all together */
#define READ_TRIES 3          /* what is transient is asked again */
#define READ_RETRY_FIRST 500  /* ms; doubles */
#define QUESTION_TIMEOUT 5000 /* ms for the broker to answer */
#define QUESTION_OWN_TIMEOUT 15000 /* likewise, about the own address: strangers answer that */
/* Where the broker asks no strangers just now it is put again: ms until then, and for how long. */
#define QUESTION_OWN_HELD 1000
#define QUESTION_OWN_PATIENCE 15000
#define OUTCOME_HELD 1000  /* ms beyond a call's own time, where news is due at any moment */
#define CLIENT_STUCK 30000 /* ms that a front may leave its answers unread */
#define PLANS_PER_CLIENT 16
#define PLAN_KEPT_PLANNED 900000 /* ms: whitelist_plan, until it is applied */
#define PLAN_KEPT_OK 60000 /* ms that an equal request gets the outcome instead of a new plan */
#define PLAN_KEPT_NO 10000 /* likewise after a no, a time-out or a failure */

#define SNAP_GROUPS_MAX 10000
#define SNAP_RULES_MAX POLICY_RULES_MAX
#define SNAP_BYTES_MAX (8u << 20)   /* one */
#define SNAPS_BYTES_MAX (96u << 20) /* all */
#define CACHE_ENTRIES_MAX 256
#define CACHE_BYTES_MAX (32u << 20)

#define READ_KINDS AWS_AUTHORIZE_INGRESS /* groups, rules, identity */

/* ---- what AWS said: immutable once it is whole, freed with its last reference ---- */

struct group_index {
	uint32_t at, len; /* of the encoded group in `blob` */
	char id[SGW_GROUP_ID_MAX + 1];
};

/* What we know of a rule besides AWS's words; see snap_annotate(). */
struct rule_note {
	bool own;
	char receipt[SGW_RECEIPT_LEN + 1];
	int64_t expires; /* seconds since 1970; 0: none */
	uint16_t flags;  /* VIEW_*, without what depends on the time */
};

struct snap {
	unsigned refs;
	enum aws_op what;
	size_t n;           /* groups or rules */
	size_t cap;         /* elements that there is room for */
	size_t bytes;       /* of memory */
	uint32_t *order;    /* indexes in the order of the ids */
	uint64_t annotated; /* generation of the grants that `notes` were made from; 0: never */
	struct rec_rule *rules;
	struct rule_note *notes;
	struct group_index *groups;
	uint8_t *blob; /* the groups, encoded */
	size_t blob_len, blob_cap;
	char account[SGW_ACCOUNT_MAX + 1];
	char arn[SGW_ARN_MAX + 1];
};

struct read_key {
	enum aws_op what;
	char profile[SGW_PROFILE_MAX + 1];
	char region[SGW_REGION_MAX + 1];
	char group_id[SGW_GROUP_ID_MAX + 1]; /* empty: all groups; identity: always */
};

struct cache_entry {
	struct read_key key;
	uint64_t hash; /* of the key; 0: free */
	struct snap *snap;
	int64_t expires; /* monotonic ms */
	uint64_t used;   /* tick */
};

enum read_state {
	READ_FREE,
	READ_QUEUED,
	READ_SENT,
	READ_PAUSED, /* transient trouble: asked again at `next` */
};

struct read {
	enum read_state state;
	struct read_key key;
	uint32_t request;
	uint64_t tick; /* when it was queued */
	int64_t deadline;
	int64_t next;
	unsigned tries;
	bool busy; /* the broker took it for too many when it was sent last */
	struct snap *snap;
	size_t n_before, blob_before; /* what the pages before this one brought */
	char next_token[SGW_NEXT_TOKEN_MAX + 1];
};

/* ---- questions to the broker ---- */

enum question_kind {
	QUESTION_STATUS,
	QUESTION_GRANTS,
	QUESTION_KEYS,
	QUESTION_OWN_V4, /* this machine's own address */
	QUESTION_OWN_V6,
	QUESTION_MAX,
};

struct question {
	bool asked;
	bool valid;
	bool failed; /* it was not answered in time; got_tick says when that was found */
	uint32_t request;
	int64_t deadline;
	int64_t first;     /* monotonic ms: when it was put first */
	int64_t again;     /* likewise: when it is put again; 0: it is at the broker */
	int64_t got;       /* monotonic ms */
	uint64_t got_tick; /* answers before a call's tick are not fresh for it */
};

/* ---- who asks ---- */

struct client {
	uint32_t number; /* 0: free */
	struct chan chan;
	bool admin;
	bool chain_verified;
	bool dead;    /* closed at the end of this turn */
	bool blocked; /* its queue is full: nothing is read from it */
	int64_t blocked_since;
	uint32_t uid, pid;
	unsigned calls;
	char user[SGW_USER_MAX + 1]; /* or empty */
	char chain[SGW_CHAIN_MAX + 1];
};

enum need {
	NEED_STATUS = 1u << 0,
	NEED_GRANTS = 1u << 1,
	NEED_KEYS = 1u << 2,
	NEED_RULES = 1u << 3,
	NEED_GROUP = 1u << 4,   /* the one group */
	NEED_GROUPS = 1u << 5,  /* all of the region */
	NEED_ACCOUNT = 1u << 6, /* the call fails without */
	NEED_ACCOUNT_MAYBE = 1u << 7,
	NEED_FRESH = 1u << 8, /* nothing from before the call came */
	NEED_OWN_V4 = 1u << 9,
	NEED_OWN_V6 = 1u << 10,
};

enum call_kind {
	CALL_FREE,
	CALL_CAPABILITIES,
	CALL_HEALTH,
	CALL_GROUPS,
	CALL_RULES,
	CALL_CHANGE,
	CALL_KEYS,
	CALL_POLICY,
	CALL_ENROLL,
	CALL_ADMIN,
	CALL_STATUS,
	CALL_PROFILES,
	CALL_ACCESS,
	CALL_OPENED,
	CALL_CANCEL,
	CALL_CREDENTIALS,
	CALL_IP,
	CALL_RECEIPTS,
	CALL_RECEIPT,
	CALL_LOCKDOWN,
	CALL_RECONCILE,
	CALL_DRIFT,
	CALL_KIND_MAX,
};

/* test_credentials: how each kind of read failed, if it did. */
struct credentials_tried {
	uint16_t error[READ_KINDS];
	char detail[READ_KINDS][SGW_DETAIL_MAX + 1];
};

/* lockdown: what was asked, and what the broker says to it. */
struct lockdown_call {
	struct msg_ask_lockdown ask;
	uint32_t number; /* of the question; 0: not yet asked */
	bool answered;
	struct msg_lockdown_set answer;
};

struct plan;

/* A group that a change touches, as AWS says. */
struct call_group {
	char id[SGW_GROUP_ID_MAX + 1];
	struct snap *rules, *group;
	size_t at; /* of it in `group` */
};

struct call {
	enum call_kind kind;
	struct client *client;
	uint32_t request;
	uint64_t tick; /* when it came */
	int64_t came;  /* monotonic ms */
	unsigned needs;
	unsigned asked; /* NEED_* that this call has started or joined */
	struct read *read[READ_KINDS];
	struct snap *got[READ_KINDS];
	/* changes: the groups, read one after the other; got[] moves here */
	size_t n_groups, groups_read;
	struct call_group groups[SGW_PLAN_GROUPS_MAX];
	bool targeted; /* it is known which groups these are */
	bool more;     /* drift: there are others behind them */
	int64_t began; /* drift: the wall clock when it came */
	const struct rec_profile_conf *profile;
	char region[SGW_REGION_MAX + 1];
	uint16_t error; /* SGW_ERR_*: the call is answered with it */
	char field[SGW_FIELD_MAX + 1];
	char detail[SGW_DETAIL_MAX + 1];
	bool progress;
	bool told;                  /* lists: some part has gone out */
	size_t at;                  /* lists: next index into the snapshot's order */
	unsigned left;              /* lists: how many may still go */
	uint64_t grants_generation; /* lists of grants: what they were begun with */
	uint32_t forwarded; /* the broker answers this one: its number there; 0: not asked yet */
	struct plan *plan;
	int64_t until;         /* monotonic ms: PENDING_CONSENT then; 0: as long as it takes */
	bool held;             /* `until` has passed once, while the broker was about to say more */
	uint8_t key[HASH_LEN]; /* changes: the request, whatever its number */
	union {
		struct msg_ask_groups groups;
		struct msg_ask_rules rules;
		struct msg_ask_change change;
		struct msg_ask_enroll enroll;
		struct msg_ask_admin admin;
		struct msg_ask_status status;
		struct msg_ask_access access;
		struct msg_ask_opened opened;
		struct msg_ask_cancel cancel;
		struct credentials_tried credentials;
		struct msg_ask_ip ip;
		struct msg_ask_receipts receipts;
		struct msg_ask_receipt receipt;
		struct lockdown_call lockdown;
		struct msg_ask_reconcile reconcile;
		struct msg_ask_drift drift;
	} ask;
};

/* ---- changes ---- */

enum plan_state {
	PLAN_FREE,
	PLAN_PLANNED, /* whitelist_plan: the broker does not know of it */
	PLAN_PENDING,
	PLAN_SETTLED,
};

struct plan {
	enum plan_state state;
	bool enroll;    /* a key, not a change */
	bool withdrawn; /* the broker was told that nobody waits */
	bool overtaken; /* one of its groups was changed after it had settled */
	char id[SGW_RECEIPT_LEN + 1];
	uint8_t digest[HASH_LEN];
	uint8_t key[HASH_LEN];
	uint32_t client;
	uint32_t uid;
	uint64_t tick; /* last touched: the oldest goes first */
	struct rec_plan plan;
	uint16_t n_ops;
	struct rec_op_view ops[SGW_OPS_MAX]; /* with those that were there already */
	uint8_t entry
	    [SGW_OPS_MAX]; /* of which of the request's entries each is, from 1; 0: it has no list */
	uint8_t blamed;    /* the entry that the policy refuses the plan for; 0: none alone */
	char note[SGW_DETAIL_MAX + 1]; /* what the client is told of it beside all else, or empty */
	uint16_t left_out; /* closing by a match: rules that match and that cannot be closed here */
	struct verdict verdict;
	bool iac; /* another tool keeps one of its groups */
	int64_t closes;
	uint8_t seen_by,
	    seen_of; /* openings to the own address: so many sources of so many say it */
	enum stage stage;
	int64_t stage_ends; /* monotonic ms; 0 unknown */
	int64_t since;      /* monotonic ms: planned or settled */
	struct msg_result result;
};

struct planner {
	struct chan control, broker, net;
	int64_t net_heard; /* monotonic ms: its last word */
	int64_t
	    net_silence; /* monotonic ms: a read that began before it has gone without a word; 0: none */
	bool configured;
	struct rec_config config;
	char appliance[SGW_APPLIANCE_LEN + 1];
	char boot_id[37];
	bool system_mode;
	uint32_t degraded;
	enum policy_origin policy_origin;
	uint8_t policy_digest[HASH_LEN];
	struct msg_profiles profiles;
	char account[SGW_PROFILES_MAX][SGW_ACCOUNT_MAX + 1]; /* by index in config.profiles */

	uint64_t tick; /* counts handled messages */
	int64_t now;   /* monotonic ms of this turn */
	bool stirred;  /* something that calls wait for has changed */
	bool ending;   /* broker, net or supervisor is gone or broke protocol */
	uint32_t last_request;
	int64_t aws_answered; /* seconds since 1970; 0 never */
	uint16_t aws_error;   /* of the last read */

	struct question question[QUESTION_MAX];
	struct msg_broker_status status;
	struct msg_key_list keys;
	struct msg_own own[IP_FAMILY_MAX];
	size_t n_grants, n_coming; /* of the grants the live ones come first, n_grants of them … */
	size_t n_told;             /* … and then those that are closed or only to be settled */
	uint64_t grants_generation;
	struct rec_grant grants[SGW_GRANTS_MAX];
	struct rec_grant coming[SGW_GRANTS_MAX]; /* parts of an answer that is not whole */

	size_t n_lockdowns;
	struct rec_lockdown lockdowns[SGW_LOCKDOWNS_MAX]; /* as the broker says */

	size_t n_clients;
	struct client *by_slot[SGW_CLIENTS_MAX]; /* the poll array's order */
	struct client clients[SGW_CLIENTS_MAX];
	struct pollfd polled[3 + SGW_CLIENTS_MAX];

	size_t calls_top;  /* no call is in use from here on */
	size_t calls_from; /* where the next round begins, so that nobody is always the last */
	struct call calls[CALLS_MAX];
	size_t n_reads; /* in use */
	struct read reads[READS_MAX];
	int64_t reads_held; /* monotonic ms: before it the broker signs no more of them */
	struct cache_entry cache[CACHE_ENTRIES_MAX];
	size_t cache_bytes;
	size_t snaps_bytes;
	struct plan plans[SGW_PLANS_MAX];
	uint64_t tickets;

	struct msg in, out;
	struct rec_group group; /* scratch */
	uint8_t scratch[SGW_DATAGRAM_MAX];
	struct record record;                           /* previews */
	struct record_group found[SGW_PLAN_GROUPS_MAX]; /* of the plan just judged */
	struct rec_plan part;                           /* scratch */
	uint8_t rendering[SGW_RENDER_MAX];
	uint32_t order[SNAP_RULES_MAX]; /* scratch of state_digest() */
};

#endif
