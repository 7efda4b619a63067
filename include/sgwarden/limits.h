/* SPDX-License-Identifier: Apache-2.0 */
/* Every maximum, once.  Lengths are in bytes unless the name says otherwise and never count a NUL. */
#ifndef SGWARDEN_LIMITS_H
#define SGWARDEN_LIMITS_H

/* wire */
#define SGW_DATAGRAM_MAX 65536
#define SGW_DATAGRAM_FDS_MAX 2

/* names and ids */
#define SGW_PROFILE_MAX 64
#define SGW_PROFILES_MAX 16
#define SGW_REGION_MAX 32
#define SGW_REGIONS_MAX 32
#define SGW_ACCOUNT_MAX 12  /* AWS account ids: 12 digits */
#define SGW_GROUP_ID_MAX 20 /* sg- and 8 or 17 hex digits */
#define SGW_RULE_ID_MAX 21  /* sgr- and 17 hex digits */
#define SGW_VPC_ID_MAX 21
#define SGW_SOURCE_ID_MAX 64 /* pl-…, sg-… */
#define SGW_GROUP_NAME_MAX 255
#define SGW_DESCRIPTION_MAX 255 /* EC2: a rule's description */
#define SGW_TAG_KEY_MAX 128     /* of tags that travel; longer ones are counted, not carried */
#define SGW_TAG_VALUE_MAX 256
#define SGW_TAGS_MAX 8
#define SGW_RECEIPT_LEN 24 /* "sgw-" and 20 of base32 */
#define SGW_APPLIANCE_LEN 16
#define SGW_HOST_MAX 255
#define SGW_NEXT_TOKEN_MAX 2048
#define SGW_CURSOR_MAX 64
#define SGW_QUERY_MAX 128
#define SGW_AWS_CODE_MAX 64
#define SGW_AWS_MESSAGE_MAX 256
#define SGW_ARN_MAX 512

/* the machine's own address */
#define SGW_ADDRESS_SOURCES_MAX 3
#define SGW_ADDRESS_SOURCES_MIN 2 /* so many must say the same */
#define SGW_ADDRESS_ANSWER_MAX 64 /* bytes, without the white space around it */
#define SGW_ADDRESS_KEPT 900      /* s that a record may speak of what was heard */
#define SGW_COVERING_MAX 16       /* grants shown beside an address */

/* TCP ports that net may connect to: two endpoints a profile, the sources, a proxy, name servers */
#define SGW_PORTS_MAX (2 * SGW_PROFILES_MAX + SGW_ADDRESS_SOURCES_MAX + 2)

/* requests and plans */
#define SGW_OPS_MAX 50
#define SGW_PLAN_GROUPS_MAX 10 /* groups of one profile and region that one plan touches */
#define SGW_REASON_CHARS_MAX 160
#define SGW_REASON_MAX 640 /* 160 characters of UTF-8 */
#define SGW_CLAIMED_MAX 128
#define SGW_USER_MAX 32   /* an account's name */
#define SGW_CHAIN_MAX 160 /* the process chain as text */
#define SGW_TTY_MAX 32
#define SGW_DETAIL_MAX 240
#define SGW_FIELD_MAX 64
#define SGW_LINE_ID_MAX 48 /* a policy line's name */
#define SGW_PREVIEW_MAX 16384
#define SGW_WAIT_DEFAULT 25 /* s a change call waits for its person */
#define SGW_WAIT_MAX 50
#define SGW_SILENCE 20 /* s without a word of the planner, then the supervisor asks it */

/* the policy */
#define SGW_SERVICES_MAX 32 /* names for ports that a policy may give */
#define SGW_SERVICE_MAX 32  /* letters of one */
#define SGW_SCOPES_MAX 24
#define SGW_SCOPE_PORTS_MAX 8
#define SGW_SENSITIVE_MAX 64
#define SGW_ASKERS_MAX 32
#define SGW_POLICY_TAG_MAX 64 /* a tag's key or value that a scope names */
#define SGW_TICKET_PREFIX_MAX 16
#define SGW_POLICY_MAX 12288 /* encoded */
#define SGW_LINE_ABOUT_MAX 80
#define SGW_TRACE_MAX 28 /* lines asked about one plan */

/* records */
#define SGW_RECORD_MAX 49152
#define SGW_RENDER_MAX 49152
#define SGW_PHRASE_MIN 8
#define SGW_PHRASE_MAX 64
#define SGW_WORD_MAX 32
#define SGW_WORD_TRIES 3
#define SGW_RECORD_SECONDS 120
#define SGW_RECORD_SECONDS_MAX 600
#define SGW_TOUCH_SECONDS 30
#define SGW_CODE_SECONDS 180 /* more, for a recovery code to be written down or typed */

/* the ledger */
#define SGW_SEGMENT_BYTES (16u << 20) /* a file of this size is closed, and the next one begun */

/* receipts that the broker keeps at hand; the ledger has all */
#define SGW_RECEIPTS_MAX 256
#define SGW_RECEIPT_OPS_MAX 2048 /* operations of all of them together */
#define SGW_WHY_MAX 16           /* why something was closed: one word of the ledger's */

/* pages */
#define SGW_RULES_PAGE 64
#define SGW_GROUPS_PAGE 16
#define SGW_GRANTS_PAGE 64
#define SGW_RECEIPTS_PAGE 100
#define SGW_DRIFT_PAGE 32
#define SGW_GRANTS_MAX 1024 /* open at once */
#define SGW_LIST_LIMIT_MAX 200

/* AWS */
#define SGW_BODY_MAX 49152 /* a signed request's body */
#define SGW_AUTHORIZATION_MAX 512
#define SGW_ACCESS_KEY_ID_MAX 128
#define SGW_SECRET_KEY_MAX 128
#define SGW_SESSION_TOKEN_MAX 4096
#define SGW_ANSWER_MAX (16u << 20)
#define SGW_XML_DEPTH_MAX 16
#define SGW_XML_TEXT_MAX 4096
#define SGW_XML_ITEMS_MAX 100000
#define SGW_SIGNATURE_WINDOW                                                                       \
	900 /* s: how long AWS may still accept a signed request (5-15 minutes) */

/* time */
#define SGW_LIFETIME_DEFAULT 3600
#define SGW_LIFETIME_MIN 1200
#define SGW_LIFETIME_MAX 43200
#define SGW_LIFETIMES_IN_ALL                                                                       \
	3 /* from its opening to its last closing a rule stays so many times its class's longest */
/*
 * s: permanent.  The longest lifetime that a plan can name, 136 years: what closes by hand, by lockdown or by undo works
 * on it as on any other, and nothing of ours ends it by itself in anybody's time.
 */
#define SGW_LIFETIME_PERMANENT UINT32_MAX
#define SGW_LIFETIME_POLICY_MAX 2592000 /* 30 days: the most that a policy may allow */

/* keys */
#define SGW_KEYS_MAX 8
#define SGW_KEY_NAME_MAX 32
#define SGW_CRED_ID_MAX 256
#define SGW_AUTHDATA_MAX 1024
#define SGW_SIGNATURE_MAX 160 /* ES256 in DER: at most 72 */
#define SGW_PIN_MAX 63        /* CTAP 2.1, 6.5.1 */
#define SGW_X5C_MAX 4096
#define SGW_WANTED_MAX 40 /* names of keys on one line of the screen */
#define SGW_SEALS_MAX 16  /* profiles times tiers */
#define SGW_CODE_LEN 26   /* characters of a recovery code, 5 bits each: recovery.h */
#define SGW_CODE_TRIES 3  /* wrong ones in an hour, over restarts */
#define SGW_BANNER_MAX 78 /* one line of the screen's frame */

/* administration */
#define SGW_SUBJECT_MAX 100      /* what an act is about: a key's name, a profile and a tier */
#define SGW_SAY_MAX 120          /* lines that the screen shows of an act */
#define SGW_SAY_LEN 76           /* characters of one */
#define SGW_ADMIN_DATA_MAX 16000 /* an act's typed data */
#define SGW_LOCKDOWNS_MAX 32     /* at once; the last place is that of all */

/* clients */
#define SGW_CLIENTS_MAX 1024
#define SGW_QUOTAS_MAX 64   /* users whose prompts are counted, machines and persons apart */
#define SGW_PROMPTS_KEPT 64 /* of one of them: no policy allows more in an hour */
#define SGW_PLANS_MAX 256
#define SGW_STATE_MAX 24000  /* one version of a state file */
#define SGW_COMMIT_MAX 49152 /* a state file, the old version beside the new */

/* JSON-RPC (front) */
#define SGW_JSON_LINE_MAX 1048576
#define SGW_JSON_DEPTH_MAX 32
#define SGW_JSON_MEMBERS_MAX 8192
#define SGW_JSON_NUMBER_MAX 63 /* characters: cJSON 1.7.15 reads no more of one */
#define SGW_REPLY_MAX 90000 /* bytes: below 25,000 tokens */

#endif
