/* SPDX-License-Identifier: Apache-2.0 */
/* What is open through us, and the one closing that is under way. */
#ifndef BROKER_GRANT_H
#define BROKER_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/errors.h>
#include <sgwarden/wire.h>

struct job;

struct grant {
	bool used;
	struct rec_grant g;
	uint16_t op;                       /* index in its plan */
	const char *why;                   /* "expiry", "request", "sweep", "check", "superseded" */
	struct job *waiter;                /* whoever wants its closing now, or NULL */
	char closing[SGW_RECEIPT_LEN + 1]; /* the receipt of its close record, or empty */
	/* Monotonic ms, so that no wall clock that is set back keeps a rule open. */
	int64_t closes_by; /* the same end as g.closes: the earlier of the two counts */
	int64_t settle_at; /* AWS takes the opening no more: settled, or looked at once more */
	int64_t next_try;
	unsigned tries;
	int64_t failed;  /* the last of them */
	bool asked;      /* for its closing, by a request that is in the ledger */
	bool early;      /* asked for before its time, which the ledger does not know */
	bool behind;     /* its region did not answer: what is due elsewhere goes first */
	bool unrecorded; /* closed, and the ledger could not be told yet */
	bool look;       /* closed while AWS could still take its opening */
	bool was_there;  /* AWS has taken it away for one of our revokes, or may have */
	bool taken;      /* … has, and said so: who answers us has its group */
};

enum closing_state {
	CLOSING_IDLE,
	CLOSING_REVOKE,
	CLOSING_READ,
};

struct closing {
	enum closing_state state;
	size_t index; /* of the grant */
	char request_id[SGW_AWS_CODE_MAX + 1];
	/* why the last closing that was due failed; NONE once one succeeds */
	enum sgw_error error;
	char profile[SGW_PROFILE_MAX + 1];
};

#endif
