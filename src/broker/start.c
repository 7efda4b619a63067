/* SPDX-License-Identifier: Apache-2.0 */
/* Before the broker serves: configuration from the supervisor, keys and the ledger's replay from the loader. */
#include "custody.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "in_force.h"
#include "ledger_segment.h"
#include "start.h"

static void
serve(struct broker *b)
{
	if (keys_check(b) < 0)
		die_mend("the key list and the ledger do not agree");
	if (statefile_choose(&b->policy_file, b->head.policy_file_digest, "policy.bin") < 0 ||
	    statefile_choose(&b->sealed_file, b->head.sealed_digest, "sealed") < 0)
		die_mend("a state file and the ledger do not agree");
	if (!custody_start(b))
		die_mend("what is sealed cannot be used");
	if (policy_loaded(b) < 0)
		die_mend("the policy that was loaded is of no form that this version knows");
	if (!ledger_start(b))
		log_error("the start could not be recorded: nothing will open");
	b->serving = true;
	keys_tidy(b);
	statefile_tidy(b, &b->policy_file, STATE_FILE_POLICY);
	statefile_tidy(b, &b->sealed_file, STATE_FILE_SEALED);
	profiles_tell(b);
	policy_tell(b);
	b->out.id = MSG_SERVING;
	b->out.serving.overdue = grants_overdue(b);
	send_control(b);
	lockdowns_start(b);
	identity_next(b);
	closing_run(b);
}

void
start_cell(struct broker *b, const struct msg_cell *m)
{
	if (b->configured)
		die("configured twice");
	b->config = m->config;
	b->system_mode = m->system_mode;
	b->journal = m->journal;
	b->degraded = m->degraded;
	(void)FIELD_SET(b->appliance, m->appliance);
	(void)FIELD_SET(b->boot_id, m->boot_id);
	policy_configured(b);
	if (profiles_init(b) < 0)
		die("no memory for secrets");
	b->configured = true;
}

static void
loaded_problem(struct broker *b, const struct msg_loaded_problem *m)
{
	static const char *const FILES[INPUT_MAX] = {
	    [INPUT_CREDENTIALS] = "credentials",
	    [INPUT_CONFIG] = "config",
	    [INPUT_LEDGER] = "the ledger",
	};

	log_write(m->fatal ? LOG_LEVEL_ALERT : LOG_LEVEL_WARNING, "%s, line %u: %s", FILES[m->file],
	    (unsigned)m->line, m->detail);
	(void)snprintf(b->problem, sizeof(b->problem), "%s, line %u: %.180s", FILES[m->file],
	    (unsigned)m->line, m->detail);
	if (m->fatal)
		die_mend("what was loaded does not hold; nothing is served");
}

static void
loaded_head(struct broker *b, const struct msg_loaded_head *m)
{
	if (b->headed)
		die("the loader says twice where the ledger stands");
	b->headed = true;
	b->head = *m;
	segment_loaded(b, m);
	b->chain.number = m->number;
	b->chain.time = m->time;
	memcpy(b->chain.head, m->head, HASH_LEN);
	keys_choose(b);
}

static void
loaded_grant(struct broker *b, const struct msg_loaded_grant *m)
{
	const struct rec_grant *g = &m->grant;
	struct grant *added = grant_add(b, g, m->op);

	if (!added)
		die("the ledger holds more open grants than fit");
	/* A wall clock behind a record that came after it has been set back: what passed before did pass. */
	if (m->latest > clock_now() && !MUTATE(LEDGER_AHEAD))
		added->closes_by -= (m->latest - clock_now()) * 1000;
	if (added->g.state == GRANT_CLOSING)
		added->g.state = GRANT_OPEN;
	if (g->closes <= clock_now())
		added->why = "sweep";
}

/* As they stood in the ledger: nothing that a broker does before it serves makes one. */
static void
loaded_receipt(struct broker *b, const struct msg_loaded_receipt *m)
{
	if (m->head.n_ops != m->n_ops)
		die("the loader tells a receipt of other operations than it has");
	receipts_add(&b->receipts, &m->head, m->ops);
}

static void
loaded_counter(struct broker *b, const struct msg_loaded_counter *m)
{
	size_t index;

	if (key_find(b, m->cred_id, m->cred_id_len, &index))
		b->counters[index] = m->counter;
}

void
start_loader(struct broker *b)
{
	struct msg *m;
	enum chan_result r;

	if (!b->configured) /* there is no place yet for what it says */
		die("the loader before the configuration");
	m = &b->vault->in;
	r = chan_recv(&b->loader, b->vault->scratch, m, NULL);
	if (r == CHAN_AGAIN)
		return;
	if (r != CHAN_GOT) {
		if (!b->loaded)
			die("the loader ended before it was done");
		chan_close(&b->loader);
		return;
	}
	if (b->loaded)
		die("the loader speaks after its end");
	switch (m->id) {
	case MSG_LOADED_PROFILE:
		profile_loaded(b, &m->loaded_profile);
		memory_erase(b->vault->scratch, sizeof(b->vault->scratch));
		return;
	case MSG_LOADED_PROBLEM:
		loaded_problem(b, &m->loaded_problem);
		return;
	case MSG_LOADED_HEAD:
		loaded_head(b, &m->loaded_head);
		return;
	case MSG_LOADED_GRANT:
		loaded_grant(b, &m->loaded_grant);
		return;
	case MSG_LOADED_LOCKDOWN:
		lockdown_loaded(b, &m->loaded_lockdown.lockdown);
		return;
	case MSG_LOADED_COUNTER:
		loaded_counter(b, &m->loaded_counter);
		return;
	case MSG_LOADED_RECEIPT:
		loaded_receipt(b, &m->loaded_receipt);
		return;
	case MSG_LOADED_LIMIT:
		if (!b->headed)
			die("the loader does not say where the ledger stands");
		quota_loaded(b, &m->loaded_limit);
		return;
	default:
		if (!b->headed)
			die("the loader does not say where the ledger stands");
		if (m->loaded.receipts < b->receipts.n)
			die("the loader tells more receipts than it says that there are");
		b->loaded = true;
		b->receipts.older = m->loaded.receipts - b->receipts.n;
		serve(b);
		return;
	}
}
