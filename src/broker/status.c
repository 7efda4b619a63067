/* SPDX-License-Identifier: Apache-2.0 */
/* What the planner may know of the broker's state: for health and capabilities. */
#include "broker.h"

#include "status.h"

void
status_tell(struct broker *b, uint32_t request)
{
	struct msg_broker_status *m = &b->out.broker_status;

	b->out.id = MSG_BROKER_STATUS;
	*m = (struct msg_broker_status){.request = request,
	    .keys = (uint8_t)b->keys.n_keys,
	    .screen = b->screen,
	    .ledger_ok = b->ledger_ok,
	    .ledger_number = b->chain.number,
	    .open_grants = (uint16_t)(grants_count(b, GRANT_OPEN) + grants_count(b, GRANT_CLOSING)),
	    .overdue = (uint16_t)grants_overdue(b),
	    .ambiguous =
		(uint16_t)(grants_count(b, GRANT_AMBIGUOUS) + grants_count(b, GRANT_FOREIGN)),
	    .closing_error = (uint16_t)b->closing.error,
	    .code_made = b->keys.code_made,
	    .code_used = b->keys.code_used,
	    .phrase = b->keys.phrase[0] != 0,
	    .aws_answered = b->aws_answered,
	    .clock_skew = b->clock_skew};
	(void)FIELD_SET(m->tty, b->tty);
	(void)FIELD_SET(m->problem, b->problem);
	(void)FIELD_SET(m->closing_profile, b->closing.profile);
	memcpy(m->ledger_head, b->chain.head, sizeof(m->ledger_head));
	memcpy(m->policy_digest, b->policy_digest, sizeof(m->policy_digest));
	send_planner(b);
}
