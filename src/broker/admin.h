/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administrative acts: each is a plan with its record, shown and touched for with an enrolled key.
 *
 *   asked for     -> queued like any plan; one act at a time may be pending
 *   prepare()     when its turn comes: what it would change, in typed form, and the lines that the screen shows of it
 *   touched for   -> commit(both): the state file with the version that is and the one that will be
 *   ledger record -> decides; its digest names the new version
 *   commit(one)   -> applied()
 *
 * Wherever the plug is pulled, the next start goes on with the version that the ledger names.
 */
#ifndef BROKER_ADMIN_H
#define BROKER_ADMIN_H

#include "custody.h"

/* The pending act.  What prepare() fills in goes into the record and is signed. */
struct admin {
	size_t data_len;
	uint8_t data[SGW_ADMIN_DATA_MAX]; /* as asked for */

	char subject[SGW_SUBJECT_MAX + 1];
	uint8_t digest[HASH_LEN]; /* of the state file's next version; zeros: no file */
	unsigned n_say;
	char say[SGW_SAY_MAX][SGW_SAY_LEN + 1];
	bool too_long; /* a line did not fit: the act is refused, nothing is cut */
	const struct rec_key_entry *only; /* this key alone is asked; NULL: any enrolled one */

	uint8_t removed[SGW_CRED_ID_MAX]; /* ACT_REMOVE_KEY */
	size_t removed_len;

	struct msg_assertion touch;
	uint32_t counter;
	char detail[SGW_DETAIL_MAX + 1]; /* of the result, set by applied() */
};

/* One more line for the screen, printable ASCII. */
void admin_say(struct admin *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct admin_row {
	const char *line; /* the policy line that its requests are recorded under */
	enum ledger_kind kind;
	/* Called again when the screen was waited for.  Its detail is one of the broker's own sentences. */
	enum sgw_error (*prepare)(struct broker *b, const char **ret_detail);
	void (*commit)(struct broker *b, bool both); /* NULL: no state file */
	void (*applied)(struct broker *b);           /* the ledger has it */
	void (*more)(struct broker
		*b); /* NULL, or what it takes after the agreement: ends in admin_agreed() */
};

extern const struct admin_row ADMIN_ROWS[ACT_MAX]; /* prepare NULL: not offered */

/* keys_admin.c */
enum sgw_error key_remove_prepare(struct broker *b, const char **ret_detail);
void key_remove_commit(struct broker *b, bool both);
void key_remove_applied(struct broker *b);
enum sgw_error key_test_prepare(struct broker *b, const char **ret_detail);
void key_test_applied(struct broker *b);

/* custody_admin.c */
enum sgw_error seal_prepare(struct broker *b, const char **ret_detail);
enum sgw_error rotate_prepare(struct broker *b, const char **ret_detail);
void seal_commit(struct broker *b, bool both);
void seal_applied(struct broker *b);

/* trial.c */
enum sgw_error trial_prepare(struct broker *b, const char **ret_detail);
void trial_agreed(struct broker *b); /* nothing was sealed: the ledger first */
void trial_begin(struct broker *b);  /* the ledger has it: AWS is asked */

/* phrase.c */
enum sgw_error phrase_prepare(struct broker *b, const char **ret_detail);
void phrase_applied(struct broker *b);

/* policy_admin.c */
enum sgw_error policy_prepare(struct broker *b, const char **ret_detail);
void policy_commit(struct broker *b, bool both);
void policy_applied(struct broker *b);

/* recovery.c */
enum sgw_error code_make_prepare(struct broker *b, const char **ret_detail);
enum sgw_error code_drop_prepare(struct broker *b, const char **ret_detail);
void code_show(struct broker *b); /* and it is typed back */
void code_applied(struct broker *b);

/* unlock.c */
enum sgw_error enable_prepare(struct broker *b, const char **ret_detail);
void enable_applied(struct broker *b);

#endif
