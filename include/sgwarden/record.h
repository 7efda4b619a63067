/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consent record: one canonical ASCII text, `key value` a line in a fixed order, made by the broker, decoded and
 * shown by consent, hashed by fido, signed by the key, kept in the ledger, replayed by the loader.
 *
 *   clientDataHash = SHA-256(record)
 *
 * record_decode() accepts exactly what record_encode() writes for the struct it returns.
 */
#ifndef SGWARDEN_RECORD_H
#define SGWARDEN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/buf.h>
#include <sgwarden/plan.h>

#define RECORD_VERSION "sgwarden-record-1"
/* Stands in descriptions and tags of the record; the broker fills in the receipt after the touch, nothing else. */
#define RECORD_PLACEHOLDER "#{receipt}"

enum record_kind {
	RECORD_CHANGE, /* a plan */
	RECORD_ENROLL, /* a new security key */
	RECORD_ADMIN,  /* an administrative act */
	RECORD_KIND_MAX,
};

/* What AWS reports of a group; nobody here has checked it. */
struct record_group {
	char name[4 * SGW_GROUP_NAME_MAX + 1]; /* vis() */
	char vpc_id[SGW_VPC_ID_MAX + 1];       /* of its form, or empty */
	uint16_t quota_used; /* ingress rules of the first operation's address family */
	/* Of them such that let in a prefix list: each stands for one here and for the list's maximum of entries in AWS's
	 * count, and to read that maximum takes another permission than the reader has. */
	uint16_t quota_lists;
	bool iac; /* another tool owns this group */
};

struct record {
	enum record_kind kind;
	char appliance[SGW_APPLIANCE_LEN + 1];
	uint8_t nonce[32];
	char boot_id[37];
	int64_t created; /* seconds since 1970 */
	int64_t expires;
	uint64_t ledger_number;
	uint8_t ledger_head[32];
	uint8_t policy_digest[32];
	enum effect_class effect;
	bool pin; /* user verification wanted */
	enum display_kind display;
	char tty[SGW_TTY_MAX + 1];
	uint32_t uid; /* of the requester */
	uint32_t pid;
	bool chain_verified;
	char chain[SGW_CHAIN_MAX + 1];         /* printable */
	char claimed[4 * SGW_CLAIMED_MAX + 1]; /* vis() of what the client calls itself */
	uint8_t ask_digest[32]; /* of what fido is asked with: rpId, credential ids, salts, uv */
	char reason[4 * SGW_REASON_MAX + 1]; /* vis() of the model's words; the last line */

	/* RECORD_CHANGE */
	struct rec_plan plan; /* reason, claimed and ticket empty: they stand above */
	struct record_group groups[SGW_PLAN_GROUPS_MAX]; /* beside plan.groups */
	uint16_t quota_limit;
	/* Openings to one address that address sources reported as this machine's own, to the broker: so many said so, of so
	 * many.  Else both 0. */
	uint16_t seen_by, seen_of;
	int64_t closes;     /* openings and extensions: when it will close; else 0 */
	int64_t closes_now; /* extensions: when it would close without; else 0 */
	char description[SGW_DESCRIPTION_MAX + 1]; /* openings: with RECORD_PLACEHOLDER */

	/* RECORD_ENROLL */
	char key_name[SGW_KEY_NAME_MAX + 1];
	uint16_t keys_enrolled; /* already */
	uint16_t by_code;       /* 1: the recovery code agrees, and no enrolled key; else 0 */

	/* RECORD_ADMIN */
	enum admin_act act;
	char subject[SGW_SUBJECT_MAX + 1];
	uint8_t digest[32]; /* of the state file that this makes; zero where it makes none */
	unsigned n_say;
	char say[SGW_SAY_MAX]
		[SGW_SAY_LEN + 1]; /* printable, not empty: what the screen shows of it */
};

/*
 * Encodes, the rendering's digest included (see render.h).  False where a field does not fit its form.
 * struct record and the text are public data: no secret is ever in them.
 */
bool record_encode(const struct record *record, struct buf *b);
bool record_decode(const uint8_t *text, size_t len, struct record *ret_record);

/* The act's name in a record and in the ledger: "remove-key". */
extern const char *const RECORD_ACTS[ACT_MAX];

/*
 * The word to type: <port|from-to|icmp|all|close|extend|bulk-N|enroll|recover|the act's first word>-<last 4 of the group, rule or appliance id>.
 */
void record_word(const struct record *record, char ret_word[SGW_WORD_MAX + 1]);

/* The description that the rule gets, and the receipt of an encoded record. */
void record_receipt(const uint8_t *text, size_t len, char ret_receipt[SGW_RECEIPT_LEN + 1]);
bool record_fill(const char *with_placeholder, const char *receipt, char *ret_text, size_t size);

/*
 * The description template `{requester} {reason, cut} exp={time} #{receipt}` inside EC2's character set and 255
 * bytes once the receipt is in (other characters become '_').
 */
void record_description(const char *requester, const char *reason, int64_t closes,
    char ret_text[SGW_DESCRIPTION_MAX + 1]);

#endif
