/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's state.  One active plan at a time, one closing at a time; everything is bounded and static. */
#ifndef BROKER_H
#define BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/errors.h>
#include <sgwarden/ledger.h>
#include <sgwarden/policy.h>
#include <sgwarden/receipts.h>
#include <sgwarden/record.h>
#include <sgwarden/secret.h>
#include <sgwarden/wire.h>

#include "clients.h"
#include "grant.h"
#include "lockdown.h"
#include "own.h"
#include "reconcile.h"
#include "statefile.h"
#include "vault.h"

#define RULES_READ_MAX 2048 /* rules of one group, both directions */
#define PAGES_MAX 8         /* of one read: a net that always says "more" ends here */
#define FIDOS_MAX 4
#define QUEUE_PER_UID 8
#define COOLDOWN_SECONDS 60 /* after "deny" */
#define BLOCK_SECONDS 600   /* after "block" */
#define SCREEN_WAIT_SECONDS 120
#define SKEW_OPEN_MAX 240  /* s that AWS's clock may be ahead: it takes requests of 300 s */
#define CALL_TIMEOUT 30000 /* ms that net may take */
#define CALL_GRACE 5000    /* ms more until the broker gives the call up: aws_timeouts() */
#define KEY_RETRY 2000     /* ms between looks for a plugged key */
#define SETTLE_MARGIN 60   /* s behind AWS's signature window, then it is settled by reading */

struct admin; /* admin.h */

/* ---- calls to AWS ---- */

enum call_owner {
	CALL_JOB,
	CALL_CLOSING,
	CALL_IDENTITY,
	CALL_OWNER_MAX,
	CALL_PLANNER = CALL_OWNER_MAX, /* it waits for its answers itself */
};

struct aws_result {
	enum net_outcome outcome;
	uint16_t http_status;
	char code[SGW_AWS_CODE_MAX + 1];
	char message[SGW_AWS_MESSAGE_MAX + 1];
	char request_id[SGW_AWS_CODE_MAX + 1];
	char next_token[SGW_NEXT_TOKEN_MAX + 1];
};

struct call {
	uint32_t number; /* 0: none under way */
	enum aws_op op;
	int64_t deadline; /* monotonic ms */
};

/* What the pages of one call brought. */
struct collected {
	bool overflow;
	unsigned pages; /* asked for so far */
	bool has_group;
	struct rec_group group;
	size_t n_rules;
	struct rec_rule rules[RULES_READ_MAX];
	char account[SGW_ACCOUNT_MAX + 1];
};

/* A rule as it was when the active plan was judged; see seen.c. */
#define SEEN_MAX 4096
struct seen_rule {
	uint8_t digest[HASH_LEN];
	bool loose; /* we changed it ourselves since */
	char group_id[SGW_GROUP_ID_MAX + 1];
	int16_t protocol;
	int32_t from_port, to_port;
	enum rule_source source_kind;
	struct rec_cidr source;
};

/* ---- plans on their way ---- */

enum job_kind {
	JOB_CHANGE,
	JOB_ENROLL,
	JOB_ADMIN,
};

enum job_state {
	JOB_FREE,
	JOB_QUEUED,
	JOB_IDENTITY, /* whose account is it */
	JOB_READ_GROUP,
	JOB_READ_RULES,
	JOB_WAIT_SCREEN, /* nobody can be asked yet */
	JOB_SPAWNING,    /* the supervisor starts consent */
	JOB_PHRASE,      /* the person chooses the phrase; the record comes then */
	JOB_READING,     /* the person reads */
	JOB_CODE,        /* the person writes a recovery code down, or types it */
	JOB_KEYS,        /* the key is asked */
	JOB_COMMIT, /* administration: a state file is being written, the old version beside the new */
	JOB_TIDY, /* and then the new one alone */
	JOB_RESEAL, /* the sealed file with its used wrap renewed is being written, beside the old one */
	JOB_RESEALED, /* and then alone */
	JOB_DRY_RUN,  /* of every step, before the first call */
	JOB_REREAD,
	JOB_CALL,
	JOB_TRIAL, /* an opener is tried: the trial run is all there is */
	JOB_READ_BACK,
	JOB_OWN_STEP,  /* the closing machine works for a step of it */
	JOB_TAKE_BACK, /* a step has failed: what was opened is being closed again */
	JOB_CLOSE_OWN, /* never the active one: the closing machine works for it */
};

struct job {
	enum job_kind kind;
	enum job_state state;
	uint32_t client;
	uint32_t uid;
	uint64_t order; /* of arrival */
	char plan_id[SGW_RECEIPT_LEN + 1];
	bool person; /* asked for over admin.sock */
	struct rec_plan plan;
	char key_name[SGW_KEY_NAME_MAX + 1];
	enum admin_act act;
	char subject[SGW_SUBJECT_MAX + 1];
	struct verdict verdict;
	bool withdrawn;
	char receipt[SGW_RECEIPT_LEN + 1];
	int64_t deadline; /* monotonic ms; 0 none */
	int64_t touched;  /* monotonic ms: the assertion came */
	int64_t began;    /* monotonic ms: what AWS is asked now was sent */
	unsigned tries;   /* of the present step */
	size_t group;     /* which of the plan's groups is being read */
	size_t at, n;     /* the present step: its first operation, how many it has */
	bool by_code;     /* enrolment: the recovery code agrees to it, no enrolled key */
	bool asserted;    /* enrolment: an enrolled key has agreed, or the code has */
	struct rec_op_done done[SGW_OPS_MAX];
	size_t n_waiting;     /* grants whose closing it waits for */
	enum sgw_error error; /* of the first step that failed */
	char detail[SGW_DETAIL_MAX + 1];
};

/* ---- the ceremony of the active plan ---- */

struct ceremony {
	uint32_t number;
	struct chan consent;
	struct chan fido[FIDOS_MAX];
	size_t n_fidos;
	size_t n_plugged; /* fidos that were begun, those that are not here yet included */
	bool waiting_for_key;
	int64_t next_look; /* monotonic ms: for a key */
	enum key_state last_error;
	char phrase[SGW_PHRASE_MAX + 1]; /* just chosen; empty: none was asked for */
	struct record record;
	int64_t made; /* monotonic ms: its `created` */
	size_t text_len;
	char text[SGW_RECORD_MAX + 1];
	uint8_t digest[HASH_LEN];         /* of the text: the clientDataHash */
	struct msg ask;                   /* what fido is asked with */
	struct msg_credential credential; /* enrolment: what the new key said */
	/* enrolment of a further key: the agreement of the earlier one */
	uint8_t by_authdata[SGW_AUTHDATA_MAX], by_signature[SGW_SIGNATURE_MAX],
	    by_cred[SGW_CRED_ID_MAX];
	size_t by_authdata_len, by_signature_len, by_cred_len;
};

/* The ledger's file that is written: see ledger_segment.h. */
struct segment {
	uint32_t number; /* from 1 */
	uint64_t size;   /* bytes in it */
	uint64_t ask_at; /* the next one is asked for from this size on; 0: SGW_SEGMENT_BYTES */
	bool asked;      /* the next one has been asked for */
	bool begins;     /* its `segment` record is still to be written */
	struct ledger_chain before; /* where the file before it ended */
};

struct broker {
	struct chan control, planner, net, loader;
	int ledger_fd;
	bool configured, headed, loaded, serving;
	bool loader_failed;
	struct rec_config config;
	char appliance[SGW_APPLIANCE_LEN + 1];
	char boot_id[37];
	bool system_mode;
	uint32_t degraded;
	enum policy_origin policy_origin;
	uint8_t policy_digest[HASH_LEN];

	struct secret secrets;
	struct vault *vault; /* in it */
	size_t n_profiles;
	struct profile profiles[SGW_PROFILES_MAX];

	struct rec_key_list keys;
	uint32_t counters[SGW_KEYS_MAX];
	uint8_t keys_digest[HASH_LEN]; /* zero: nobody is enrolled */
	struct rec_key_list keys_new;  /* being committed, or the second one in the file */
	uint8_t keys_new_digest[HASH_LEN];
	bool keys_both; /* the file was found with two lists */

	struct statefile policy_file, sealed_file;
	struct rec_sealed_list sealed, sealed_next;
	struct admin *admin; /* the one act that is pending */

	struct ledger_chain chain;
	struct segment segment;
	bool journal; /* the supervisor takes each head there: this process cannot write fields */
	bool ledger_ok;
	size_t torn_len;      /* bytes of ours behind the last whole record */
	int64_t name_torn_at; /* ms, where there are such */
	struct msg_loaded_head head;
	char problem[SGW_DETAIL_MAX + 1];

	enum display_kind screen;
	uint32_t screen_uid;
	char tty[SGW_TTY_MAX + 1];

	struct client clients[SGW_CLIENTS_MAX];
	struct quota quotas[SGW_QUOTAS_MAX];
	int64_t code_tried[SGW_CODE_TRIES]; /* wrong recovery codes, quota_now(); 0: none */
	unsigned code_tries;

	struct call calls[CALL_OWNER_MAX];
	struct collected collected[CALL_OWNER_MAX];
	uint32_t last_call;
	int64_t net_heard;      /* monotonic ms: its last word */
	int64_t net_silence;    /* monotonic ms: an earlier call has gone without a word; 0: none */
	int64_t reads;          /* tokens left for the planner's reads */
	int64_t reads_refilled; /* monotonic ms */
	struct own own[IP_FAMILY_MAX];
	int64_t own_rounds;   /* tokens left for questions about the own address */
	int64_t own_refilled; /* monotonic ms */
	size_t identity_of;   /* profile whose identity is asked */
	int64_t aws_answered;
	int32_t clock_skew;
	int64_t clock_base; /* wall minus monotonic, s, when AWS's was last heard; 0: never */
	bool date_wanted;   /* a read was signed for the planner since AWS_DATE was last heeded */

	struct job jobs[SGW_PLANS_MAX];
	struct job *active;
	struct record_group
	    found[SGW_PLAN_GROUPS_MAX]; /* of the active plan: what AWS says of its groups */
	size_t n_seen;
	struct seen_rule seen[SEEN_MAX];
	uint64_t last_order;
	uint32_t last_ceremony;
	struct ceremony ceremony;

	struct receipts receipts; /* fed by ledger_write() alone, once the loader is done */
	struct grant grants[SGW_GRANTS_MAX];
	size_t grants_top; /* none was ever used from here on */
	struct reconcile reconciles[RECONCILES_MAX];
	struct closing closing;
	struct lockdowns lockdowns;

	struct msg in, out;
	uint8_t scratch[SGW_DATAGRAM_MAX];
	char ledger_text[LEDGER_RECORD_MAX * 2];
	char hex[2 * SGW_BODY_MAX +
		 4096]; /* binary values of one ledger record, one behind the other */
	uint32_t order_scratch[RULES_READ_MAX];
};

/* Sends b->out; a peer of the cell that does not take it is stuck or owned, and the cell ends with it. */
void send_planner(struct broker *b);
void send_control(struct broker *b);
void send_net(struct broker *b);
void die(const char *why) __attribute__((noreturn));
void die_mend(const char *why) __attribute__((noreturn)); /* a person must mend something first */

/* profiles.c */
struct profile *profile_find(struct broker *b, const char *name);
bool profile_allows(const struct profile *p, const char *region);
int profiles_init(struct broker *b);
void profile_loaded(struct broker *b, struct msg_loaded_profile *m);
void profiles_tell(struct broker *b);
void identity_next(struct broker *b); /* asks whose account a profile is, if one is untold */
void identity_answer(struct broker *b, const struct aws_result *r);

/* clients.c */
void client_add(struct broker *b, const struct msg_client *m);
void client_remove(struct broker *b, uint32_t number);
const struct client *client_find(const struct broker *b, uint32_t number);
int64_t quota_now(void); /* seconds that no setting of the wall clock moves; more than an hour */
/*
 * Whose quota: a uid, and apart from that uid's machines its person, who asks over admin.sock: what the ones have used
 * up, or are blocked from, the other is not kept from.
 */
uint64_t quota_whose(uint32_t uid, bool person);
bool job_is_persons(const struct job *j);
uint64_t job_whose(const struct job *j);
struct quota *quota_of(struct broker *b, uint64_t whose);
enum sgw_error quota_problem(struct broker *b, uint64_t whose, char ret_detail[SGW_DETAIL_MAX + 1]);
bool quota_prompt(struct broker *b, uint64_t whose); /* counts one; false: too many this hour */
void quota_refused(struct quota *q, enum limit_event event,
    int64_t when); /* the person's no: the cool-down or the block from then on */
void quota_loaded(struct broker *b, const struct msg_loaded_limit *m);
bool quota_plan(struct broker *b, uint64_t whose); /* counts one; false: not even to be recorded */
bool quota_read(struct broker *b);                 /* counts one of the planner's reads */

/* aws.c: one signed request per owner at a time; its end comes as the owner's *_answer(). */
uint32_t call_number(struct broker *b); /* the next one */
enum sgw_error aws_read(struct broker *b, enum call_owner owner, enum aws_op op, struct profile *p,
    const char *region, const char *group_id);
enum sgw_error aws_next_page(struct broker *b, enum call_owner owner, enum aws_op op,
    struct profile *p, const char *region, const char *group_id, const char *next_token);
enum sgw_error aws_change(struct broker *b, enum call_owner owner, enum aws_op op,
    struct profile *p, const char *region, const struct buf *body);
void aws_for_planner(struct broker *b, const struct msg_read *m);
void aws_page_rules(struct broker *b, const struct msg_aws_rules *m);
void aws_page_groups(struct broker *b, const struct msg_aws_groups *m);
void aws_identity(struct broker *b, const struct msg_aws_identity *m);
void aws_done(struct broker *b, const struct msg_done *m);
void aws_date(struct broker *b, const struct msg_aws_date *m);
/* Calls are given up, as if AWS had not answered; two in a row without a word from net, and the cell starts anew. */
void aws_timeouts(struct broker *b);
void aws_net_spoke(struct broker *b);              /* net said something, whatever it was */
int64_t aws_next_deadline(const struct broker *b); /* monotonic ms, INT64_MAX: none */
/* What AWS's refusal means for us; SGW_ERR_NONE for a 2xx answer. */
enum sgw_error aws_error(const struct aws_result *r);
bool aws_unknown(const struct aws_result *r); /* it may have been carried out */

/* job.c */
void job_plan(struct broker *b, const struct msg_plan *m);
void job_enroll(struct broker *b, const struct msg_enroll *m);
void job_queue(struct broker *b, struct job *wanted, const struct client *c);
void job_refuse(struct broker *b, const struct job *wanted, enum sgw_error error,
    const char *detail); /* before it is queued */
bool job_known(struct broker *b, const char *plan_id);
bool job_pending(const struct broker *b, enum job_kind kind);
void job_withdraw(struct broker *b, const char *plan_id);
void job_client_gone(struct broker *b, uint32_t client);
void job_read_group(struct broker *b); /* the active plan's next one */
void job_next(struct broker *b);       /* starts the next queued plan when none is active */
void job_restart(struct broker *b);    /* the active one, from its reads on */
void job_stage(struct broker *b, const struct job *j, enum stage stage, int64_t seconds_left);
void job_answer(struct broker *b, const struct aws_result *r);
void job_fail(struct broker *b, enum sgw_error error,
    const char *detail);                 /* refused before anybody was asked */
bool job_may_leave(const struct job *j); /* its assertion has not been accepted yet */
void job_timeouts(struct broker *b);
int64_t job_next_deadline(const struct broker *b);
/* The last word: RESULT to the planner, the outcome to the screen, the next plan. */
void job_end(struct broker *b, enum status status, enum sgw_error error, const char *detail);
/* The same for a plan that is not the active one: RESULT, and its slot is free. */
void job_result(
    struct broker *b, struct job *j, enum status status, enum sgw_error error, const char *detail);

/* ceremony.c */
void ceremony_begin(struct broker *b);
void ceremony_spawned(struct broker *b, uint32_t number, int fd);
void ceremony_consent(struct broker *b); /* its socket is readable */
void ceremony_screen(struct broker *b);  /* a screen came, went or became shared */
void ceremony_close(struct broker *b);   /* ends consent and fido, if any */
void ceremony_voided(struct broker *b);  /* time is up */
void ceremony_want(struct broker *b);    /* sends WANT_KEY, which stands in b->out */
void ceremony_show_stage(struct broker *b, enum stage stage, int64_t seconds_left);
void ceremony_show_outcome(
    struct broker *b, enum status status, enum sgw_error error, const char *detail);
void ceremony_show(struct broker *b); /* makes the record and has it shown */
/* phrase.c: typed on a trusted screen before the record is made */
bool phrase_wanted(const struct broker *b, const struct job *j);
void phrase_ask(struct broker *b);
bool phrase_typed(struct broker *b, const struct msg_phrase *m); /* false: it has not its form */

/* touch.c: from the typed word to the verified assertion */
void touch_begin(struct broker *b);
void touch_look(struct broker *b); /* for a plugged key, again */
void touch_end(struct broker *b, const struct msg_key_end *m, int fd);
void touch_fido(struct broker *b, size_t i);
bool touch_ask(struct broker *b, struct msg *ret_ask, bool credential);
void touch_rp_id(const struct broker *b, char ret_id[SGW_FIELD_MAX + 1]);
bool touch_too_late(const struct broker *b); /* whatever comes from the person now */

/* record_make.c */
bool record_make(struct broker *b, struct ceremony *c, const struct job *j);
int64_t record_deadline(const struct ceremony *c); /* monotonic ms: it expires */

/* keys.c */
int keys_read(struct broker *b);
void keys_choose(struct broker *b); /* once the ledger's head is known */
int keys_check(struct broker *b);   /* against the ledger */
void keys_tidy(struct broker *b);
const struct rec_key_entry *key_find(
    const struct broker *b, const uint8_t *id, size_t len, size_t *ret_index);
void keys_tell(struct broker *b, uint32_t request);
void enroll_credential(struct broker *b, const struct msg_credential *m);
void enroll_committed(struct broker *b, bool ok);
bool keys_commit(struct broker *b, bool both); /* the present list, and keys_new beside it */

/* admin.c: every act but an enrolment */
void admin_ask(struct broker *b, const struct msg_admin *m);
void admin_restart(struct broker *b); /* its turn has come */
void admin_record(struct broker *b, struct record *r);
void admin_touched(
    struct broker *b, const struct msg_assertion *a, uint32_t counter); /* the assertion holds */
void admin_agreed(struct broker *b); /* and whatever else it wanted is there */
void admin_committed(struct broker *b, bool ok);

#include "changes.h"
#include "ledger_out.h"

#endif
