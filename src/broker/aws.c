/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to AWS: built from typed values, signed here, sent by net; one under way per owner. */
#include "custody.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/expired.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "ec2req.h"
#include "sigv4.h"

#define CLOCK_SET 5    /* s: less is an adjustment or the rounding of two clocks */
#define SKEW_MAX 86400 /* s: a Date header further off than this is nobody's clock */

static const struct {
	const char *service;
	const char *prefix; /* host = prefix.region.suffix */
	bool
	    reads; /* … or closes: signed with the reader's key; else with the opener's, of the active plan */
} SERVICES[AWS_OP_MAX] = {
    [AWS_DESCRIBE_GROUPS] = {"ec2", "ec2", true},
    [AWS_DESCRIBE_RULES] = {"ec2", "ec2", true},
    [AWS_CALLER_IDENTITY] = {"sts", "sts", true},
    [AWS_AUTHORIZE_INGRESS] = {"ec2", "ec2", false},
    [AWS_REVOKE_INGRESS] = {"ec2", "ec2", true},
};

/* AWS's codes and what they mean for a person.  A code that is not here is SGW_ERR_AWS_REFUSED. */
static const struct {
	const char *code;
	enum sgw_error error;
} CODES[] = {
    {"ExpiredToken", SGW_ERR_CREDENTIALS_EXPIRED},
    {"ExpiredTokenException", SGW_ERR_CREDENTIALS_EXPIRED},
    {"InvalidGroup.NotFound", SGW_ERR_NO_SUCH_GROUP},
    {"InvalidGroupId.Malformed", SGW_ERR_NO_SUCH_GROUP},
    {"InvalidSecurityGroupID.NotFound", SGW_ERR_NO_SUCH_GROUP},
    {"InvalidPermission.NotFound", SGW_ERR_NO_SUCH_RULE},
    {"UnknownIpPermissions", SGW_ERR_NO_SUCH_RULE}, /* said in a success, of a revoke */
    {"InvalidPermission.Duplicate", SGW_ERR_DUPLICATE},
    {"RulesPerSecurityGroupLimitExceeded", SGW_ERR_QUOTA},
    {"RequestLimitExceeded", SGW_ERR_THROTTLED},
    {"Throttling", SGW_ERR_THROTTLED},
    {"ThrottlingException", SGW_ERR_THROTTLED},
};

enum sgw_error
aws_error(const struct aws_result *r)
{
	if (r->outcome == NET_NOT_SENT || r->outcome == NET_NO_ANSWER)
		return SGW_ERR_AWS_UNREACHABLE;
	if (r->outcome == NET_BAD_ANSWER)
		return SGW_ERR_AWS_BAD_ANSWER;
	if (r->http_status >= 200 && r->http_status < 300 && !r->code[0])
		return SGW_ERR_NONE;
	if (says_expired(r->code, r->message))
		return SGW_ERR_REQUEST_EXPIRED;
	for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++)
		if (strcmp(CODES[i].code, r->code) == 0)
			return CODES[i].error;
	return r->http_status >= 500 ? SGW_ERR_AWS_UNREACHABLE : SGW_ERR_AWS_REFUSED;
}

/* A throttled request was turned away at the door; every other 5xx may have been carried out all the same. */
bool
aws_unknown(const struct aws_result *r)
{
	if (r->outcome == NET_NO_ANSWER || r->outcome == NET_BAD_ANSWER)
		return true;
	return r->outcome == NET_ANSWERED && r->http_status >= 500 &&
	       aws_error(r) != SGW_ERR_THROTTLED;
}

/* "http(s)://host[:port]" of an override, or AWS's own host of that service and region. */
static bool
endpoint(const struct profile *p, enum aws_op op, const char *region,
    char ret_host[SGW_HOST_MAX + 1], bool *ret_tls)
{
	const char *override =
	    op == AWS_CALLER_IDENTITY ? p->conf->sts_endpoint : p->conf->ec2_endpoint;
	const char *suffix = region_suffix(region);
	int n;

	*ret_tls = strncmp(override, "http://", 7) != 0;
	if (override[0])
		return field_copy(ret_host, SGW_HOST_MAX + 1, override + (*ret_tls ? 8 : 7),
		    strcspn(override + (*ret_tls ? 8 : 7), "/"));
	if (!suffix)
		return false;
	n = snprintf(ret_host, SGW_HOST_MAX + 1, "%s.%s.%s", SERVICES[op].prefix, region, suffix);
	return n > 0 && n <= SGW_HOST_MAX;
}

/* Wall minus monotonic, seconds.  A suspend between the two looks would be taken for a wall clock that was set. */
static int64_t
clock_base(void)
{
	int64_t before, wall;

	do {
		before = clock_monotonic();
		wall = clock_now();
	} while (clock_monotonic() - before > 1000);
	return wall - before / 1000;
}

/*
 * A wall clock that was set since moves the skew against it, not what AWS is told.  A skew that was never heard from
 * AWS says nothing about the wall clock before, which may just have been put right.
 */
static void
follow_clock(struct broker *b)
{
	int64_t base = clock_base(), step = base - b->clock_base, skew = b->clock_skew - step;

	if (b->clock_base == 0 || (step > -CLOCK_SET && step < CLOCK_SET))
		return;
	log_warning("the wall clock was set by %lld s", (long long)step);
	b->clock_base = base;
	b->clock_skew = skew > INT32_MAX || skew < INT32_MIN ? 0 : (int32_t)skew;
}

void
send_net(struct broker *b)
{
	if (chan_send(&b->net, b->scratch, &b->out, -1, false) < 0)
		die("net does not take its messages");
}

/*
 * The time a request is signed for is AWS's, as learnt from its Date header, which is net's word.  What takes a touch is
 * never signed for a time to come: kept back, an opening would still be good long after its closing and the last look at
 * it, a closing of somebody else's rule long after it was said to have failed.
 */
static int64_t
signing_time(const struct broker *b, enum call_owner owner, enum aws_op op)
{
	bool touched =
	    op == AWS_AUTHORIZE_INGRESS || (op == AWS_REVOKE_INGRESS && owner == CALL_JOB);

	return clock_now() + (b->clock_skew > 0 && touched ? 0 : b->clock_skew);
}

/* Signs and sends.  The body was built in this process from typed values; nobody else's bytes come here. */
static enum sgw_error
sign_and_send(struct broker *b, uint32_t number, enum call_owner owner, enum aws_op op,
    const struct profile *p, const char *region, const struct buf *body)
{
	struct msg_send *m = &b->out.send;
	const struct profile_keys *k =
	    SERVICES[op].reads ? &p->keys[TIER_READER] : custody_keys(b, p);
	const struct sigv4_keys keys = {
	    .access_key_id = k->access_key_id, .secret_key = k->secret_key, .token = k->token};
	struct sigv4_post post = {.region = region,
	    .service = SERVICES[op].service,
	    .body = body->data,
	    .body_len = body->len};

	if (!p->has_keys || !k->there)
		return SGW_ERR_NO_CREDENTIALS;
	if (body->failed || body->len > SGW_BODY_MAX)
		return SGW_ERR_INTERNAL;
	b->out.id = MSG_SEND;
	*m = (struct msg_send){.request = number,
	    .to_planner = owner == CALL_PLANNER,
	    .op = op,
	    .timeout = CALL_TIMEOUT};
	if (!endpoint(p, op, region, m->host, &m->tls))
		return SGW_ERR_REGION_NOT_ALLOWED;
	follow_clock(b);
	sigv4_date(signing_time(b, owner, op), m->amz_date);
	post.host = m->host;
	post.amz_date = m->amz_date;
	if (!sigv4_sign_post(&post, &keys, m->authorization, sizeof(m->authorization)))
		return SGW_ERR_INTERNAL;
	(void)FIELD_SET(m->token, k->token);
	memcpy(m->body, body->data, body->len);
	m->body_len = (uint16_t)body->len;
	b->date_wanted |= owner == CALL_PLANNER;
	send_net(b);
	return SGW_ERR_NONE;
}

uint32_t
call_number(struct broker *b)
{
	if (++b->last_call == 0)
		b->last_call = 1;
	return b->last_call;
}

static enum sgw_error
call_start(struct broker *b, enum call_owner owner, enum aws_op op, const struct profile *p,
    const char *region, const struct buf *body)
{
	struct call *c = &b->calls[owner];
	uint32_t number = call_number(b);
	enum sgw_error error = sign_and_send(b, number, owner, op, p, region, body);

	if (error != SGW_ERR_NONE)
		return error;
	*c = (struct call){
	    .number = number, .op = op, .deadline = clock_monotonic() + CALL_TIMEOUT + CALL_GRACE};
	return SGW_ERR_NONE;
}

static bool
read_body(enum aws_op op, const char *group_id, const char *next_token, struct buf *body)
{
	if (op == AWS_DESCRIBE_GROUPS)
		return ec2_describe_groups_body(group_id, next_token, body);
	if (op == AWS_DESCRIBE_RULES)
		return ec2_describe_rules_body(group_id, next_token, body);
	return op == AWS_CALLER_IDENTITY && sts_identity_body(body);
}

enum sgw_error
aws_next_page(struct broker *b, enum call_owner owner, enum aws_op op, struct profile *p,
    const char *region, const char *group_id, const char *next_token)
{
	uint8_t memory[8192];
	struct buf body = buf_over(memory, sizeof(memory));

	if (b->collected[owner].overflow || ++b->collected[owner].pages > PAGES_MAX)
		return SGW_ERR_AWS_BAD_ANSWER;
	if (!read_body(op, group_id, next_token, &body))
		return SGW_ERR_INTERNAL;
	return call_start(b, owner, op, p, region, &body);
}

enum sgw_error
aws_read(struct broker *b, enum call_owner owner, enum aws_op op, struct profile *p,
    const char *region, const char *group_id)
{
	struct collected *c = &b->collected[owner];

	c->overflow = false;
	c->pages = 0;
	c->account[0] = 0;
	if (op == AWS_DESCRIBE_GROUPS)
		c->has_group = false;
	if (op == AWS_DESCRIBE_RULES)
		c->n_rules = 0;
	return aws_next_page(b, owner, op, p, region, group_id, "");
}

enum sgw_error
aws_change(struct broker *b, enum call_owner owner, enum aws_op op, struct profile *p,
    const char *region, const struct buf *body)
{
	b->collected[owner].n_rules = 0;
	return call_start(b, owner, op, p, region, body);
}

void
aws_for_planner(struct broker *b, const struct msg_read *m)
{
	struct msg_read_refused *no = &b->out.read_refused;
	struct profile *p = profile_find(b, m->profile);
	uint8_t memory[8192];
	struct buf body = buf_over(memory, sizeof(memory));
	enum sgw_error error = SGW_ERR_NONE;

	if (!p)
		error = SGW_ERR_UNKNOWN_PROFILE;
	else if (!profile_allows(p, m->region))
		error = SGW_ERR_REGION_NOT_ALLOWED;
	else if (!quota_read(b))
		error = SGW_ERR_BUSY;
	else if ((m->group_id[0] && !group_id_ok(m->group_id)) ||
		 (m->what == AWS_DESCRIBE_RULES && !m->group_id[0]) ||
		 !read_body(m->what, m->group_id, m->next_token, &body))
		error = SGW_ERR_BAD_ARGUMENT;
	else
		error = sign_and_send(b, m->request, CALL_PLANNER, m->what, p, m->region, &body);
	if (error == SGW_ERR_NONE) {
		if (!p->account[0]) { /* no oftener than reads are signed */
			p->asking = false;
			identity_next(b);
		}
		return;
	}
	b->out.id = MSG_READ_REFUSED;
	*no = (struct msg_read_refused){.request = m->request, .error = (uint16_t)error};
	send_planner(b);
}

static struct collected *
collecting(struct broker *b, uint32_t number)
{
	for (size_t i = 0; i < CALL_OWNER_MAX; i++)
		if (number && b->calls[i].number == number)
			return &b->collected[i];
	return NULL;
}

void
aws_page_rules(struct broker *b, const struct msg_aws_rules *m)
{
	struct collected *c = collecting(b, m->request);

	for (size_t i = 0; c && i < m->n_rules; i++) {
		if (c->n_rules == RULES_READ_MAX) {
			c->overflow = true;
			return;
		}
		c->rules[c->n_rules++] = m->rules[i];
	}
}

void
aws_page_groups(struct broker *b, const struct msg_aws_groups *m)
{
	struct collected *c = collecting(b, m->request);

	if (!c)
		return;
	c->overflow = c->has_group || m->n_groups != 1; /* one was asked for */
	if (m->n_groups == 1) {
		c->group = m->groups[0];
		c->has_group = true;
	}
}

void
aws_identity(struct broker *b, const struct msg_aws_identity *m)
{
	struct collected *c = collecting(b, m->request);

	if (c)
		(void)FIELD_SET(c->account, m->account);
}

static void (*const ANSWERS[CALL_OWNER_MAX])(struct broker *, const struct aws_result *) = {
    [CALL_JOB] = job_answer,
    [CALL_CLOSING] = closing_answer,
    [CALL_IDENTITY] = identity_answer,
};

/* AWS refuses what is signed for another time; its own Date header says how far off this machine's clock is. */
static void
learn_clock(struct broker *b, int64_t server_date)
{
	int64_t skew = server_date - clock_now();

	follow_clock(b);
	if (server_date == 0 || skew > SKEW_MAX || skew < -SKEW_MAX)
		return;
	if (b->clock_base == 0)
		b->clock_base = clock_base();
	if (skew - b->clock_skew > 30 || b->clock_skew - skew > 30) {
		log_notice("AWS's clock is %lld s ahead of this machine's", (long long)skew);
		b->clock_skew = (int32_t)skew;
	}
}

/* Of a refusal that the planner got: its next try is signed for AWS's time.  Once a read: net alone moves no clock. */
void
aws_date(struct broker *b, const struct msg_aws_date *m)
{
	if (b->date_wanted || MUTATE(DATE_WANTED))
		learn_clock(b, m->server_date);
	b->date_wanted = false;
}

/* An answer that was under way while the machine slept says what the time was then. */
static void
answered(struct broker *b, const struct call *c, const struct msg_done *m)
{
	if (m->outcome != NET_ANSWERED)
		return;
	b->aws_answered = clock_now();
	if (clock_monotonic() <= c->deadline - CALL_GRACE)
		learn_clock(b, m->server_date);
}

void
aws_done(struct broker *b, const struct msg_done *m)
{
	struct aws_result r = {.outcome = m->outcome, .http_status = m->http_status};

	for (size_t i = 0; i < CALL_OWNER_MAX; i++) {
		if (!m->request || b->calls[i].number != m->request)
			continue;
		/* from no answer that was not asked for: they would fill the log */
		answered(b, &b->calls[i], m);
		b->calls[i].number = 0;
		(void)FIELD_SET(r.code, m->code);
		(void)FIELD_SET(r.message, m->message);
		(void)FIELD_SET(r.request_id, m->aws_request_id);
		(void)FIELD_SET(r.next_token, m->next_token);
		ANSWERS[i](b, &r);
		return;
	}
}

void
aws_net_spoke(struct broker *b)
{
	b->net_heard = clock_monotonic();
	b->net_silence = 0;
}

/* Did a call that began at `sent`, after the first one without a word had been given up, go without one too? */
static bool
net_is_stuck(struct broker *b, int64_t sent, int64_t now)
{
	if (b->net_heard >= sent)
		return false;
	if (!b->net_silence)
		b->net_silence = now;
	return sent >= b->net_silence;
}

/* An owned net can keep silent: then nothing is known of what it was given. */
void
aws_timeouts(struct broker *b)
{
	int64_t now = clock_monotonic();
	bool stuck = false;

	for (size_t i = 0; i < CALL_OWNER_MAX; i++) {
		const struct aws_result r = {
		    .outcome = NET_NO_ANSWER, .message = "no word from net"};

		if (!b->calls[i].number || b->calls[i].deadline > now)
			continue;
		b->calls[i].number = 0;
		log_error("net has not answered within %d s", (CALL_TIMEOUT + CALL_GRACE) / 1000);
		stuck |= net_is_stuck(b, b->calls[i].deadline - CALL_TIMEOUT - CALL_GRACE, now);
		ANSWERS[i](b, &r);
	}
	if (stuck) /* what became ambiguous is in the ledger by now */
		die("net has not said a word over two calls: the cell ends, to start anew");
}

int64_t
aws_next_deadline(const struct broker *b)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < CALL_OWNER_MAX; i++)
		if (b->calls[i].number && b->calls[i].deadline < next)
			next = b->calls[i].deadline;
	return next;
}
