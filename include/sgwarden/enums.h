/* SPDX-License-Identifier: Apache-2.0 */
/* The enumerations that cross a boundary.  Each ends in _MAX: a decoder refuses that and above. */
#ifndef SGWARDEN_ENUMS_H
#define SGWARDEN_ENUMS_H

/* What a plan or an operation does. */
enum action {
	ACTION_OPEN,   /* adds an ingress rule */
	ACTION_CLOSE,  /* removes one */
	ACTION_EXTEND, /* one of ours closes later: no call to AWS */
	ACTION_MAX,
};

/* consent.md, "Plan and effect", in rising order. */
enum effect_class {
	CLASS_READ,
	CLASS_CLOSE_OWN,
	CLASS_CLOSE_FOREIGN,
	CLASS_OPEN,
	CLASS_OPEN_SENSITIVE,
	CLASS_OPEN_WIDE,
	CLASS_FORBIDDEN,
	CLASS_MAX,
};

/* How a change request stands, for the client. */
enum status {
	STATUS_OK,
	STATUS_PLANNED,
	STATUS_PENDING_CONSENT,
	STATUS_DENIED,
	STATUS_REFUSED,
	STATUS_EXPIRED,
	STATUS_FAILED,
	STATUS_AMBIGUOUS,
	STATUS_MAX,
};

/* Where a plan is on its way.  DONE: see its result. */
enum stage {
	STAGE_PLANNING,
	STAGE_QUEUED,             /* another plan is on the screen */
	STAGE_WAITING_FOR_SCREEN, /* no consent screen is open */
	STAGE_ON_SCREEN,          /* the person reads */
	STAGE_WAITING_FOR_KEY,    /* no key is plugged in */
	STAGE_PIN,
	STAGE_TOUCH, /* the key blinks */
	STAGE_EXECUTING,
	STAGE_DONE,
	STAGE_MAX,
};

enum display_kind {
	DISPLAY_NONE,
	DISPLAY_SHARED,  /* the screen's uid is a client's uid too */
	DISPLAY_TRUSTED, /* it is not */
	DISPLAY_MAX,
};

/* What the person set the appliance up for; see `use` of config.json. */
enum appliance_use {
	USE_FULL,      /* changes, by an opener that is sealed */
	USE_DEMO,      /* trying it out: an opener may stand in plaintext */
	USE_READ_ONLY, /* nothing is opened: no opener is kept, and openings are refused */
	USE_MAX,
};

enum component_state {
	COMPONENT_OK,
	COMPONENT_DEGRADED,
	COMPONENT_DOWN,
	COMPONENT_MAX,
};

enum rule_source {
	SOURCE_CIDR,
	SOURCE_PREFIX_LIST,
	SOURCE_GROUP,
	SOURCE_MAX,
};

enum grant_state {
	GRANT_OPEN,
	GRANT_CLOSING,   /* due, or being revoked */
	GRANT_AMBIGUOUS, /* AWS never answered: open or not is not known yet */
	GRANT_CLOSED,
	/* A closing of somebody else's rule that AWS never answered: never ours to close, only to be settled by a read. */
	GRANT_FOREIGN,
	GRANT_STATE_MAX,
};

/* Which grants a client wants to see. */
enum grant_filter {
	GRANTS_LIVE, /* all that is open, or may be */
	GRANTS_OPEN,
	GRANTS_CLOSING,
	GRANTS_AMBIGUOUS, /* GRANT_AMBIGUOUS and GRANT_FOREIGN */
	GRANTS_OVERDUE,   /* past their time, whatever their state */
	GRANTS_CLOSED,    /* looked at once more before they are let go */
	GRANT_FILTER_MAX,
};

/* What a client asks for with one call. */
enum change_kind {
	CHANGE_PLAIN,   /* what its entries say */
	CHANGE_EXTEND,  /* what was opened with a receipt closes later */
	CHANGE_REFRESH, /* the same for another address, and then the old one is closed */
	CHANGE_UNDO,    /* the opposite of what a receipt says */
	CHANGE_KIND_MAX,
};

/* What became of one operation of a plan. */
enum op_state {
	OP_UNTRIED, /* nothing was sent for it */
	OP_OPEN,
	OP_CLOSED,
	OP_EXTENDED,
	OP_AMBIGUOUS, /* AWS never answered */
	OP_FAILED,
	OP_TAKEN_BACK, /* opened, and closed again because another step failed */
	OP_STATE_MAX,
};

/* What a touch was for. */
enum receipt_kind {
	RECEIPT_OPENING,
	RECEIPT_CLOSING,
	RECEIPT_EXTENSION,
	RECEIPT_REFRESH, /* openings, then closings of what is ours */
	RECEIPT_BULK,    /* any other mixture */
	RECEIPT_ADMIN,   /* an administrative act */
	RECEIPT_KIND_MAX,
};

/* What came of it, from what came of its operations. */
enum receipt_result {
	RECEIPT_VOID,        /* touched for, and nothing was sent */
	RECEIPT_EXECUTED,    /* all of it; what was opened may be closed again by now */
	RECEIPT_PARTLY,      /* some of it */
	RECEIPT_FAILED,      /* none of it */
	RECEIPT_AMBIGUOUS,   /* AWS never answered, and no read has settled it yet */
	RECEIPT_COMPENSATED, /* a step failed: what was opened is closed again */
	RECEIPT_UNDER_WAY,   /* the broker is at it */
	RECEIPT_RESULT_MAX,
};

/* What is known of something that AWS never answered. */
enum settle_state {
	SETTLE_EARLY,      /* AWS may still accept the request: nothing can be known yet */
	SETTLE_READING,    /* it is being read */
	SETTLE_UNREADABLE, /* AWS could not be read; it is tried again by itself */
	SETTLE_THERE,      /* settled: the rule is there */
	SETTLE_ABSENT,     /* settled: it is not */
	SETTLE_STATE_MAX,
};

/* How the ledger and AWS differ. */
enum drift_kind {
	DRIFT_MISSING,    /* open through us, and not at AWS: somebody else removed it */
	DRIFT_GROUP_GONE, /* and the whole group with it */
	DRIFT_REPLACED,   /* a rule has our tag, and other ports or another source */
	DRIFT_MARKS,      /* its description or tags are not what we wrote */
	DRIFT_OVERDUE,    /* past its time, and still there */
	DRIFT_UNKNOWN,    /* a tag of ours, and no opening of that receipt */
	DRIFT_COPIED,     /* the tag of an opening that is there, on another rule */
	DRIFT_KIND_MAX,
};

enum aws_op {
	AWS_DESCRIBE_GROUPS,
	AWS_DESCRIBE_RULES,
	AWS_CALLER_IDENTITY,
	AWS_AUTHORIZE_INGRESS,
	AWS_REVOKE_INGRESS,
	AWS_OP_MAX,
};

/* What became of one HTTP exchange. */
enum net_outcome {
	NET_ANSWERED,   /* a whole answer, of whatever HTTP status */
	NET_NOT_SENT,   /* provably nothing left this machine */
	NET_NO_ANSWER,  /* it may have reached AWS */
	NET_BAD_ANSWER, /* a whole answer that could not be read */
	NET_OUTCOME_MAX,
};

enum ip_family {
	IP_V4,
	IP_V6,
	IP_FAMILY_MAX,
};

/* What became of asking one source for this machine's own address. */
enum seen_state {
	SEEN_UNREACHABLE,    /* no connection over this family, or no whole answer in time */
	SEEN_OK,             /* one address of that family, in its one form */
	SEEN_STATUS,         /* an answer of another status than 200, a redirect for one */
	SEEN_NOT_AN_ADDRESS, /* anything else, of whatever length */
	SEEN_STATE_MAX,
};

enum denial {
	DENIAL_DENY,   /* "deny" was typed */
	DENIAL_BLOCK,  /* "block" was typed */
	DENIAL_WORD,   /* three wrong words */
	DENIAL_EOF,    /* the terminal went away */
	DENIAL_RECORD, /* the record or its rendering's digest does not hold */
	DENIAL_MAX,
};

enum key_state {
	KEY_WAITING_TOUCH,
	KEY_TOUCHED,
	KEY_PIN_WRONG,
	KEY_PIN_LOW, /* few tries are left before it blocks, and none was spent: it wants the PIN once more */
	KEY_PIN_BLOCKED,
	KEY_PIN_NOT_SET,
	KEY_PIN_REQUIRED, /* it has a PIN and none came with the record */
	KEY_NOT_ENROLLED, /* this key knows none of the credentials */
	KEY_EXCLUDED,     /* enrolment: this very key is enrolled already */
	KEY_PULLED,
	KEY_TIMED_OUT,
	KEY_FAILED, /* anything else; the log has the reason */
	KEY_STATE_MAX,
};

/* What an administrator may ask for besides an enrolment; each needs the touch of an enrolled key. */
enum admin_act {
	ACT_REMOVE_KEY,
	ACT_TEST_KEY, /* changes nothing: does this key answer? */
	ACT_POLICY,
	ACT_SEAL,
	ACT_ROTATE,
	ACT_TEST_OPENER, /* changes nothing: would AWS let this opener open? */
	ACT_ENABLE,      /* openings again, after a lockdown */
	ACT_PHRASE,      /* another phrase on the trusted screen */
	ACT_MAKE_CODE,   /* a recovery code: see include/sgwarden/recovery.h */
	ACT_DROP_CODE,
	ACT_MAX,
};

/* Where openings are off, and what is ours is closed. */
enum lockdown_scope {
	LOCKDOWN_ALL,
	LOCKDOWN_PROFILE,
	LOCKDOWN_GROUP,
	LOCKDOWN_SCOPE_MAX,
};

/* Where the policy in force comes from. */
enum policy_origin {
	POLICY_BUILT_IN,
	POLICY_OF_CONFIG, /* user mode: built in, as config.json relaxes it; until one is loaded */
	POLICY_LOADED,    /* somebody touched for it */
	POLICY_ORIGIN_MAX,
};

enum state_file {
	STATE_FILE_KEYS,
	STATE_FILE_POLICY, /* a rec_policy that was touched for; see src/broker/statefile.h for the form */
	STATE_FILE_SEALED, /* sealed credentials, in the same form */
	STATE_FILE_MAX,
};

/* Which touch unseals a credential.  READER is not sealed: it reads and closes. */
enum tier {
	TIER_READER,
	TIER_OPENER,           /* a touch */
	TIER_OPENER_SENSITIVE, /* the PIN and a touch */
	TIER_MAX,
};

enum input_file {
	INPUT_CREDENTIALS,
	INPUT_CONFIG,
	INPUT_LEDGER,
	INPUT_MAX,
};

/* What the ledger remembers of somebody's patience; see src/broker/clients.h. */
enum limit_event {
	LIMIT_PROMPT, /* a person was asked */
	LIMIT_DENIAL, /* and said no: the cool-down */
	LIMIT_BLOCK,  /* and blocked who asked */
	LIMIT_CODE,   /* a wrong recovery code was typed, whoever asked */
	LIMIT_EVENT_MAX,
};

/* IP protocol as EC2 has it: a number, or everything.  Ports: tcp/udp 0-65535; ICMP type/code or -1; else -1. */
enum {
	PROTO_ALL = -1,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMPV6 = 58,
};

#endif
