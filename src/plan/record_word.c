/* SPDX-License-Identifier: Apache-2.0 */
/* What goes with a record: the word to type, the receipt, the description that the rule gets. */
#include <sgwarden/mutate.h>
#include <sgwarden/record.h>

#include <stdio.h>
#include <string.h>

#include <sgwarden/clock.h>

static void
change_word(const struct rec_plan *plan, char *ret_what, size_t size, const char **ret_id)
{
	const struct rec_op *op = &plan->ops[0];
	bool ports = op->protocol == PROTO_TCP || op->protocol == PROTO_UDP;

	*ret_id = op->group_id;
	if (plan->n_ops > 1) {
		snprintf(ret_what, size, "bulk-%u", (unsigned)plan->n_ops);
	} else if (op->action == ACTION_EXTEND) {
		snprintf(ret_what, size, "extend");
	} else if (op->action == ACTION_CLOSE) {
		snprintf(ret_what, size, "close");
		*ret_id = op->rule_id;
	} else if (ports && op->from_port == op->to_port) {
		snprintf(ret_what, size, "%d", (int)op->from_port);
	} else if (ports) {
		snprintf(ret_what, size, "%d-%d", (int)op->from_port, (int)op->to_port);
	} else {
		snprintf(ret_what, size, "%s",
		    op->protocol == PROTO_ICMP || op->protocol == PROTO_ICMPV6 ? "icmp" : "all");
	}
}

void
record_word(const struct record *record, char ret_word[SGW_WORD_MAX + 1])
{
	const char *id = record->appliance;
	char what[SGW_WORD_MAX - 5 + 1] = "enroll";
	size_t len;

	if (record->kind == RECORD_ENROLL && record->by_code)
		snprintf(what, sizeof(what), "recover");
	else if (record->kind == RECORD_CHANGE)
		change_word(&record->plan, what, sizeof(what), &id);
	else if (record->kind == RECORD_ADMIN)
		snprintf(what, sizeof(what), "%.*s", (int)strcspn(RECORD_ACTS[record->act], "-"),
		    RECORD_ACTS[record->act]);
	len = strlen(id);
	snprintf(ret_word, SGW_WORD_MAX + 1, "%s-%s", what, len > 4 ? id + len - 4 : id);
}

void
record_receipt(const uint8_t *text, size_t len, char ret_receipt[SGW_RECEIPT_LEN + 1])
{
	uint8_t digest[HASH_LEN];

	hash_sha256(text, len, digest);
	receipt_id(digest, ret_receipt);
}

bool
record_fill(const char *with_placeholder, const char *receipt, char *ret_text, size_t size)
{
	const char *at = strstr(with_placeholder, RECORD_PLACEHOLDER);
	const size_t n = strlen(RECORD_PLACEHOLDER);
	struct buf b = buf_over(ret_text, size);

	if (at == NULL || (strstr(at + n, RECORD_PLACEHOLDER) != NULL && !MUTATE(PLACEHOLDER)) ||
	    !receipt_id_ok(receipt))
		return false;
	buf_put(&b, with_placeholder, (size_t)(at - with_placeholder));
	buf_puts(&b, "#");
	buf_puts(&b, receipt);
	buf_puts(&b, at + n);
	return buf_put_c(&b);
}

/*
 * EC2's characters for descriptions, without the braces: a reason that writes the placeholder itself must not be
 * filled in.  Others become '_', one for each character.
 */
static void
put_plain(struct buf *b, const char *text, size_t most)
{
	static const char others[] = " ._-:/()#,@[]+=&;!$*";
	size_t start = b->len;

	for (; *text != 0 && b->len - start < most; text++) {
		char c = *text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr(others, c) != NULL;

		if (((unsigned char)c & 0xc0) != 0x80)
			buf_put_u8(b, (uint8_t)(plain ? c : '_'));
	}
}

#define REQUESTER_MAX 64

void
record_description(const char *requester, const char *reason, int64_t closes,
    char ret_text[SGW_DESCRIPTION_MAX + 1])
{
	const size_t grows = SGW_RECEIPT_LEN + 1 - strlen(RECORD_PLACEHOLDER);
	const size_t tail = strlen(" exp= ") + CLOCK_TEXT_LEN - 1 + strlen(RECORD_PLACEHOLDER);
	struct buf b = buf_over(ret_text, SGW_DESCRIPTION_MAX + 1);
	char when[CLOCK_TEXT_LEN];

	put_plain(&b, requester, REQUESTER_MAX);
	buf_puts(&b, " ");
	put_plain(&b, reason, SGW_DESCRIPTION_MAX - grows - tail - b.len);
	clock_format(closes, when);
	buf_printf(&b, " exp=%s %s", when, RECORD_PLACEHOLDER);
	buf_put_c(&b);
}
