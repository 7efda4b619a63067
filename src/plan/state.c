/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a group's present ingress rules, blind to order and paging. */
#include <sgwarden/plan.h>

#include <string.h>

#define RULE_LINE_MAX 1024

/* One rule as bytes: id, identity, description.  Every text but the last ends at a NUL, so no two rules share one. */
static void
rule_line(const struct rec_rule *rule, struct buf *b)
{
	buf_put(b, rule->rule_id, strlen(rule->rule_id) + 1);
	buf_put_u16(b, (uint16_t)rule->protocol);
	buf_put_u32(b, (uint32_t)rule->from_port);
	buf_put_u32(b, (uint32_t)rule->to_port);
	buf_put_u8(b, (uint8_t)rule->source_kind);
	buf_put_u8(b, rule->source.family);
	buf_put_u8(b, rule->source.prefix);
	buf_put(b, rule->source.addr, sizeof(rule->source.addr));
	buf_put(b, rule->source_id, strlen(rule->source_id) + 1);
	buf_puts(b, rule->description);
}

void
rule_digest(const struct rec_rule *rule, uint8_t ret_digest[HASH_LEN])
{
	uint8_t line[RULE_LINE_MAX];
	struct buf b = buf_over(line, sizeof(line));

	rule_line(rule, &b);
	hash_sha256(b.data, b.len, ret_digest);
}

/* A total order: by id, and where AWS should ever give one id twice, by everything. */
static int
rule_compare(const struct rec_rule *a, const struct rec_rule *b)
{
	int by_id = strcmp(a->rule_id, b->rule_id);
	uint8_t lines[2][RULE_LINE_MAX];
	struct buf x = buf_over(lines[0], RULE_LINE_MAX), y = buf_over(lines[1], RULE_LINE_MAX);
	size_t least;
	int r;

	if (by_id != 0)
		return by_id;
	rule_line(a, &x);
	rule_line(b, &y);
	least = x.len < y.len ? x.len : y.len;
	r = memcmp(x.data, y.data, least);
	return r != 0 ? r : (x.len > y.len) - (x.len < y.len);
}

/* Restores the heap below `root` in order[0..n). */
static void
sift(const struct rec_rule *rules, uint32_t *order, size_t root, size_t n)
{
	for (;;) {
		size_t child = 2 * root + 1;
		uint32_t swap = order[root];

		if (child >= n)
			return;
		if (child + 1 < n &&
		    rule_compare(&rules[order[child]], &rules[order[child + 1]]) < 0)
			child++;
		if (rule_compare(&rules[order[root]], &rules[order[child]]) >= 0)
			return;
		order[root] = order[child];
		order[child] = swap;
		root = child;
	}
}

/* Heapsort: in place, O(n log n) whatever AWS sends, and unlike qsort(3) it asks the system for nothing. */
static void
sort(const struct rec_rule *rules, uint32_t *order, size_t n)
{
	for (size_t i = n / 2; i > 0; i--)
		sift(rules, order, i - 1, n);
	for (size_t end = n; end > 1; end--) {
		uint32_t swap = order[0];

		order[0] = order[end - 1];
		order[end - 1] = swap;
		sift(rules, order, 0, end - 1);
	}
}

void
state_digest(const struct rec_rule *rules, size_t n, uint32_t *order, uint8_t ret_digest[HASH_LEN])
{
	uint8_t digest[HASH_LEN] = {0};
	size_t ingress = 0;

	for (size_t i = 0; i < n; i++)
		if (!rules[i].egress)
			order[ingress++] = (uint32_t)i;
	sort(rules, order, ingress);
	/* A chain, d = SHA-256(d, rule), so that no memory for all rules at once is needed. */
	for (size_t i = 0; i < ingress; i++) {
		uint8_t line[HASH_LEN + RULE_LINE_MAX];
		struct buf b = buf_over(line, sizeof(line));

		buf_put(&b, digest, HASH_LEN);
		rule_line(&rules[order[i]], &b);
		hash_sha256(b.data, b.len, digest);
	}
	memcpy(ret_digest, digest, HASH_LEN);
}
