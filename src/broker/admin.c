/* SPDX-License-Identifier: Apache-2.0 */
/* The administrative acts and their one way; see admin.h. */
#include "admin.h"

#include <stdarg.h>
#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

static struct admin ADMIN;

const struct admin_row ADMIN_ROWS[ACT_MAX] = {
    [ACT_REMOVE_KEY] = {"admin.remove-key", LEDGER_REMOVE, key_remove_prepare, key_remove_commit,
	key_remove_applied},
    [ACT_POLICY] = {"admin.load-policy", LEDGER_POLICY, policy_prepare, policy_commit,
	policy_applied},
    [ACT_TEST_KEY] = {"admin.test-key", LEDGER_TEST, key_test_prepare, NULL, key_test_applied},
    [ACT_SEAL] = {"admin.seal", LEDGER_SEAL, seal_prepare, seal_commit, seal_applied,
	custody_collect},
    [ACT_TEST_OPENER] = {"admin.test-opener", LEDGER_TEST, trial_prepare, NULL, NULL, trial_agreed},
    [ACT_ROTATE] = {"admin.rotate", LEDGER_SEAL, rotate_prepare, seal_commit, seal_applied,
	custody_collect},
    [ACT_ENABLE] = {"admin.unlock", LEDGER_ENABLE, enable_prepare, NULL, enable_applied},
    [ACT_PHRASE] = {"admin.choose-phrase", LEDGER_PHRASE, phrase_prepare, key_remove_commit,
	phrase_applied},
    [ACT_MAKE_CODE] = {"admin.recovery", LEDGER_CODE, code_make_prepare, key_remove_commit,
	code_applied, code_show},
    [ACT_DROP_CODE] = {"admin.recovery", LEDGER_CODE, code_drop_prepare, key_remove_commit,
	code_applied},
};

void
admin_say(struct admin *a, const char *format, ...)
{
	va_list args;
	int n;

	if (a->n_say == SGW_SAY_MAX) {
		a->too_long = true;
		return;
	}
	va_start(args, format);
	n = vsnprintf(a->say[a->n_say], sizeof(a->say[0]), format, args);
	va_end(args);
	if (n <= 0 || (size_t)n >= sizeof(a->say[0]))
		a->too_long = true;
	else
		a->n_say++;
}

/* ---- before the screen ---- */

void
admin_ask(struct broker *b, const struct msg_admin *m)
{
	static struct job wanted;
	const struct client *c = client_find(b, m->client);
	const struct admin_row *row = &ADMIN_ROWS[m->act];

	wanted = (struct job){.kind = JOB_ADMIN, .act = m->act, .verdict = {.needs_consent = true}};
	/* on a shared screen everybody whom it is to be kept from would read it */
	wanted.verdict.needs_trusted_display = m->act == ACT_PHRASE;
	(void)FIELD_SET(wanted.plan_id, m->plan_id);
	(void)FIELD_SET(wanted.subject, m->subject);
	(void)FIELD_SET(wanted.verdict.line, row->prepare ? row->line : "admin.unknown");
	if (!receipt_id_ok(m->plan_id) || job_known(b, m->plan_id))
		return;
	if (!c || (!c->admin && !MUTATE(ADMIN_CLIENT)))
		job_refuse(b, &wanted, SGW_ERR_BAD_ARGUMENT, "");
	else if (!row->prepare)
		job_refuse(b, &wanted, SGW_ERR_NOT_OFFERED, "");
	else if (job_pending(b, JOB_ADMIN))
		job_refuse(b, &wanted, SGW_ERR_BUSY, "another administrative act is pending");
	else {
		b->admin = &ADMIN;
		memory_erase(b->admin, sizeof(*b->admin));
		memcpy(b->admin->data, m->data, m->data_len);
		b->admin->data_len = m->data_len;
		job_queue(b, &wanted, c);
	}
}

static void
prepare_again(struct admin *a, const struct job *j)
{
	a->n_say = 0;
	a->too_long = false;
	a->only = NULL;
	a->detail[0] = 0;
	a->removed_len = 0;
	memset(a->digest, 0, sizeof(a->digest));
	(void)FIELD_SET(a->subject, j->subject);
}

void
admin_restart(struct broker *b)
{
	struct job *j = b->active;
	const char *why = "";
	char detail[SGW_DETAIL_MAX + 1] = "";
	enum sgw_error error;

	prepare_again(b->admin, j);
	error = b->keys.n_keys == 0 ? SGW_ERR_NO_KEY : ADMIN_ROWS[j->act].prepare(b, &why);
	if (error == SGW_ERR_NONE && b->admin->too_long) {
		error = SGW_ERR_BAD_ARGUMENT;
		why = "it changes more than one screen record can show: do it in several steps";
	}
	(void)FIELD_SET(detail, why);
	if (error == SGW_ERR_NONE)
		error = quota_problem(b, job_whose(j), detail);
	if (error == SGW_ERR_NONE && !ledger_request(b, j))
		error = SGW_ERR_LEDGER_FAILED;
	if (error != SGW_ERR_NONE)
		job_fail(b, error, detail);
	else
		ceremony_begin(b);
}

/* A PIN as soon as an enrolled key had one: these acts decide over all later ones. */
static bool
pin_wanted(const struct broker *b)
{
	for (size_t i = 0; i < b->keys.n_keys; i++)
		if (b->admin->only ? b->admin->only->uv_capable : b->keys.keys[i].uv_capable)
			return true;
	return false;
}

void
admin_record(struct broker *b, struct record *r)
{
	r->kind = RECORD_ADMIN;
	r->act = b->active->act;
	r->pin = b->active->act == ACT_TEST_OPENER ? b->active->verdict.needs_pin : pin_wanted(b);
	(void)FIELD_SET(r->subject, b->admin->subject);
	memcpy(r->digest, b->admin->digest, sizeof(r->digest));
	r->n_say = b->admin->n_say;
	memcpy(r->say, b->admin->say, sizeof(r->say));
}

/* ---- after the touch ---- */

static void
done(struct broker *b)
{
	job_end(b, STATUS_OK, SGW_ERR_NONE, b->admin->detail);
}

static void
record_it(struct broker *b)
{
	const struct admin_row *row = &ADMIN_ROWS[b->active->act];
	uint64_t before = b->chain.number;

	if (ledger_admin(b, b->active, row->kind, b->admin)) {
		row->applied(b);
		if (!row->commit) {
			done(b);
			return;
		}
		b->active->state = JOB_TIDY;
		row->commit(b, false);
		return;
	}
	if (b->chain.number != before)
		die("an administrative act is written and cannot be synced: the next start reads "
		    "whether it counts");
	job_end(b, STATUS_FAILED, SGW_ERR_LEDGER_FAILED, "");
}

void
admin_touched(struct broker *b, const struct msg_assertion *a, uint32_t counter)
{
	const struct admin_row *row = &ADMIN_ROWS[b->active->act];

	b->admin->touch = *a;
	b->admin->counter = counter;
	if (row->more)
		row->more(b);
	else
		admin_agreed(b);
}

void
admin_agreed(struct broker *b)
{
	const struct admin_row *row = &ADMIN_ROWS[b->active->act];

	b->active->deadline = 0;
	b->active->state = JOB_COMMIT;
	if (row->commit)
		row->commit(b, true);
	else
		record_it(b);
}

void
admin_committed(struct broker *b, bool ok)
{
	if (b->active->state == JOB_COMMIT && ok)
		record_it(b);
	else if (b->active->state == JOB_COMMIT)
		job_end(b, STATUS_FAILED, SGW_ERR_INTERNAL,
		    "the state file could not be written: see the log");
	else if (b->active->state == JOB_TIDY) /* where that failed, the next start does it */
		done(b);
}
