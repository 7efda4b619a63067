/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form bodies of the calls that the broker signs, built from typed values alone: no message can put bytes of
 * its own choosing under a signature.  EC2 API 2016-11-15 (protocol "ec2") and STS 2011-06-15 (protocol "query");
 * names, order and encoding are those of AWS's own Python client.
 *
 * Every function appends to `b` and returns false where the body does not fit or the value has no canonical form;
 * then the buffer is not to be used.
 */
#ifndef SGWARDEN_EC2REQ_H
#define SGWARDEN_EC2REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sgwarden/buf.h>
#include <sgwarden/wire.h>

/*
 * AuthorizeSecurityGroupIngress of all operations of a plan that opens.  description: of every rule, final.
 * receipt: the touched record's, becomes the tag sgwarden:receipt.  closes: seconds since 1970, becomes the tag
 * sgwarden:expires; 0 for a permanent rule, which gets none.
 */
bool ec2_authorize_body(const struct rec_plan *plan, const char *description, const char *receipt,
    int64_t closes, bool dry_run, struct buf *b);

/* RevokeSecurityGroupIngress of one rule, or of all operations of a plan that closes: by what the rules allow, never by id. */
bool ec2_revoke_body(const char *group_id, int16_t protocol, int32_t from, int32_t to,
    const struct rec_cidr *source, bool dry_run, struct buf *b);
bool ec2_revoke_plan_body(const struct rec_plan *plan, bool dry_run, struct buf *b);

/* DescribeSecurityGroupRules of one group, 1000 a page.  next_token: from the page before, or empty. */
bool ec2_describe_rules_body(const char *group_id, const char *next_token, struct buf *b);

/* DescribeSecurityGroups: one group by its id (no paging), or with an empty id all of them, 1000 a page. */
bool ec2_describe_groups_body(const char *group_id, const char *next_token, struct buf *b);

/* GetCallerIdentity. */
bool sts_identity_body(struct buf *b);

#endif
