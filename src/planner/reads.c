/* SPDX-License-Identifier: Apache-2.0 */
/* Reads; see reads.h. */
#include "reads.h"

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include "broker.h"
#include "cache.h"
#include "calls.h"
#include "snap.h"
#include "trouble.h"

static void
read_finish(struct planner *p, struct read *r, uint16_t error, const char *detail)
{
	struct snap *s = r->snap;

	if (error == SGW_ERR_NONE && snap_finish(p, s) != SNAP_OK) {
		error = SGW_ERR_BUSY;
		detail = "no memory for AWS's answer";
	}
	if (error == SGW_ERR_NONE && r->key.what != AWS_CALLER_IDENTITY)
		cache_put(p, &r->key, s);
	if (error != SGW_ERR_BUSY) /* that one is ours: AWS was not asked, or not to its end */
		p->aws_error = error == SGW_ERR_NO_SUCH_GROUP ? SGW_ERR_NONE : error;
	calls_read_done(p, r, error == SGW_ERR_NONE ? s : NULL, error, detail);
	snap_unref(p, s);
	*r = (struct read){.state = READ_FREE};
	p->n_reads--;
	p->stirred = true;
}

static void
read_send(struct planner *p, struct read *r)
{
	struct msg_read *out = &p->out.read;

	r->state = READ_SENT;
	r->busy = false;
	r->request = ++p->last_request;
	r->n_before = r->snap->n;
	r->blob_before = r->snap->blob_len;
	p->out.id = MSG_READ;
	out->request = r->request;
	out->what = r->key.what;
	FIELD_SET(out->profile, r->key.profile);
	FIELD_SET(out->region, r->key.region);
	FIELD_SET(out->group_id, r->key.group_id);
	FIELD_SET(out->next_token, r->next_token);
	broker_send(p);
}

struct read *
read_want(struct planner *p, const struct read_key *key, bool fresh)
{
	struct read *spare = NULL;

	for (size_t i = 0; i < READS_MAX; i++) {
		struct read *r = &p->reads[i];

		if (r->state == READ_FREE) {
			spare = spare ? spare : r;
			continue;
		}
		if (key_equal(&r->key, key) && (!fresh || r->state == READ_QUEUED))
			return r;
	}
	if (spare == NULL)
		return NULL;
	*spare = (struct read){
	    .state = READ_QUEUED,
	    .key = *key,
	    .tick = p->tick,
	    .deadline = p->now + READ_TIMEOUT,
	    .snap = snap_new(p, key->what),
	};
	if (spare->snap == NULL) {
		spare->state = READ_FREE;
		return NULL;
	}
	p->n_reads++;
	return spare;
}

void
reads_restart(struct planner *p, const char *profile, const char *region, const char *group_id)
{
	for (size_t i = 0; i < READS_MAX; i++) {
		struct read *r = &p->reads[i];

		if (r->state == READ_FREE || !key_touched(&r->key, profile, region, group_id))
			continue;
		r->state = READ_QUEUED;
		r->snap->n = r->snap->blob_len = 0;
		r->next_token[0] = 0;
	}
}

static struct read *
read_by_request(struct planner *p, uint32_t request)
{
	for (size_t i = 0; i < READS_MAX; i++)
		if (p->reads[i].state == READ_SENT && p->reads[i].request == request)
			return &p->reads[i];
	if (request == 0 || request > p->last_request) {
		log_error("an answer to a question that was never asked");
		p->ending = true;
	}
	return NULL;
}

static void
part_added(struct planner *p, struct read *r, enum snap_result result)
{
	if (result == SNAP_TOO_MUCH)
		read_finish(p, r, SGW_ERR_AWS_BAD_ANSWER,
		    r->key.what == AWS_DESCRIBE_GROUPS
			? "more than 10,000 security groups (or 8 MiB of them) in this region"
			: "more than 4,096 rules in this security group");
	else if (result == SNAP_BUSY)
		read_finish(p, r, SGW_ERR_BUSY, "too many large answers at once");
}

void
reads_on_refused(struct planner *p, const struct msg_read_refused *m)
{
	struct read *r = read_by_request(p, m->request);

	if (r == NULL)
		return;
	if (m->error ==
	    SGW_ERR_BUSY) { /* it keeps its place: those who ask most wait behind the others */
		r->state = READ_PAUSED;
		r->busy = true;
		r->next = p->reads_held = p->now + READ_HELD;
		return;
	}
	read_finish(p, r, m->error != SGW_ERR_NONE ? m->error : SGW_ERR_INTERNAL, m->detail);
}

void
reads_on_groups(struct planner *p, const struct msg_aws_groups *m)
{
	struct read *r = read_by_request(p, m->request);

	if (r != NULL && r->key.what == AWS_DESCRIBE_GROUPS)
		part_added(p, r, snap_add_groups(p, r->snap, m));
}

void
reads_on_rules(struct planner *p, const struct msg_aws_rules *m)
{
	struct read *r = read_by_request(p, m->request);

	if (r != NULL && r->key.what == AWS_DESCRIBE_RULES)
		part_added(p, r, snap_add_rules(p, r->snap, m));
}

void
reads_on_identity(struct planner *p, const struct msg_aws_identity *m)
{
	struct read *r = read_by_request(p, m->request);

	if (r == NULL || r->key.what != AWS_CALLER_IDENTITY)
		return;
	FIELD_SET(r->snap->account, m->account);
	FIELD_SET(r->snap->arn, m->arn);
}

void
reads_on_done(struct planner *p, const struct msg_done *m)
{
	struct read *r = read_by_request(p, m->request);
	struct trouble trouble;

	if (r == NULL)
		return;
	if (m->outcome == NET_ANSWERED)
		p->aws_answered = clock_now();
	trouble_of_read(m, &trouble);
	if (trouble.transient && ++r->tries < READ_TRIES) {
		r->snap->n = r->n_before;
		r->snap->blob_len = r->blob_before;
		r->state = READ_PAUSED;
		r->next = p->now + (READ_RETRY_FIRST << (r->tries - 1));
		return;
	}
	if (trouble.error != SGW_ERR_NONE) {
		read_finish(p, r, trouble.error, trouble.detail);
		return;
	}
	if (m->next_token[0] != 0) {
		FIELD_SET(r->next_token, m->next_token);
		read_send(p, r);
		return;
	}
	if (r->key.what == AWS_CALLER_IDENTITY && !account_ok(r->snap->account))
		read_finish(p, r, SGW_ERR_AWS_BAD_ANSWER, "AWS named no account");
	else
		read_finish(p, r, SGW_ERR_NONE, "");
}

/* The one that has waited for longest. */
static struct read *
read_due(struct planner *p)
{
	struct read *found = NULL;

	for (size_t i = 0; i < READS_MAX; i++) {
		struct read *r = &p->reads[i];
		bool due =
		    r->state == READ_QUEUED || (r->state == READ_PAUSED && r->next <= p->now);

		if (due && (found == NULL || r->tick < found->tick))
			found = r;
	}
	return found;
}

/*
 * A read that is given up without a word from net since it began is one silence.  A second one that began after it says
 * that net is stuck, or the broker before it: then the cell starts anew.
 */
static void
read_silent(struct planner *p, const struct read *r)
{
	int64_t began = r->deadline - READ_TIMEOUT;

	if (r->state != READ_SENT || p->net_heard >= began)
		return;
	if (p->net_silence == 0)
		p->net_silence = p->now;
	if (began < p->net_silence)
		return;
	log_error("net has not said a word over two reads: the cell ends, to start anew");
	p->ending = true;
}

void
reads_turn(struct planner *p)
{
	size_t at_net = 0;
	struct read *r;

	if (p->n_reads == 0)
		return;
	for (size_t i = 0; i < READS_MAX; i++) {
		r = &p->reads[i];
		if (r->state != READ_FREE && r->deadline <= p->now) {
			read_silent(p, r);
			read_finish(p, r, r->busy ? SGW_ERR_BUSY : SGW_ERR_AWS_UNREACHABLE,
			    r->busy ? "too many reads of AWS are wanted" : "no answer within 30 s");
		}
		at_net += r->state == READ_SENT;
	}
	while (p->now >= p->reads_held && at_net < READS_AT_ONCE && !p->ending &&
	       (r = read_due(p)) != NULL) {
		read_send(p, r);
		at_net++;
	}
}

int64_t
reads_next(const struct planner *p)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < READS_MAX && p->n_reads > 0; i++) {
		const struct read *r = &p->reads[i];

		if (r->state != READ_FREE && r->deadline < next)
			next = r->deadline;
		if (r->state == READ_PAUSED && r->next < next)
			next = r->next;
		if (r->state == READ_QUEUED && p->reads_held > p->now && p->reads_held < next)
			next = p->reads_held;
	}
	return next;
}
