/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's answers, made once: EC2's XML as API version 2016-11-15 has it, with as many rules as a group's name says. */
#ifndef BENCH_CANNED_H
#define BENCH_CANNED_H

#include <stddef.h>

#define CANNED_RULES_MAX 4000
#define CANNED_GROUPS 10000   /* of the large account */
#define CANNED_GROUP_RULES 20 /* of each */
#define CANNED_PAGE 1000      /* groups that one answer holds */
#define CANNED_SMALL 10       /* rules that make about 7 KB */
#define CANNED_LARGE 730      /* rules that make about 513 KB */

struct text {
	char *at;
	size_t len, size;
};

void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The answer to DescribeSecurityGroupRules; `extra`: one more item, or empty. */
void canned_rules(struct text *t, unsigned n, const char *extra);
/* DescribeSecurityGroups: the group of that name, or a page of the large account from `first` on. */
void canned_group(struct text *t, const char *id);
void canned_groups(struct text *t, unsigned first);
void canned_identity(struct text *t);
/* One rule as an item; tags and all. */
void canned_rule(struct text *t, const char *group, unsigned number, const char *cidr);

#endif
