/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to consent record.  The reading is loose; what makes it exact is that the result is encoded again, the
 * rendering's digest included, and every byte compared: there is one text for one record.
 */
#include <sgwarden/record.h>

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

#include "record_lines.h"

struct value {
	const char *text;
	size_t len;
};

static bool
get_number(const struct value *v, int64_t least, uint64_t most, uint64_t *ret_n)
{
	uint64_t n = 0;
	bool minus = v->len > 0 && v->text[0] == '-';

	if (v->len == (minus ? 1u : 0u) || v->len > 20)
		return false;
	for (size_t i = minus ? 1 : 0; i < v->len; i++) {
		unsigned digit = (unsigned)(v->text[i] - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (minus ? least >= 0 || n != 1 : n > most)
		return false;
	*ret_n = minus ? UINT64_MAX : n;
	return true;
}

static bool
get_name(const struct value *v, const char *const *names, size_t n, unsigned *ret_index)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(names[i]) == v->len && memcmp(names[i], v->text, v->len) == 0) {
			*ret_index = (unsigned)i;
			return true;
		}
	}
	return false;
}

static bool
get_class(const struct value *v, enum effect_class *ret_class)
{
	for (unsigned c = 0; c < CLASS_MAX; c++) {
		const char *name = class_name((enum effect_class)c);

		if (strlen(name) == v->len && memcmp(name, v->text, v->len) == 0) {
			*ret_class = (enum effect_class)c;
			return true;
		}
	}
	return false;
}

/* The next word of v, up to a space or the end. */
static struct value
get_word(struct value *v)
{
	const char *space = v->len > 0 ? memchr(v->text, ' ', v->len) : NULL;
	struct value word = {v->text, space ? (size_t)(space - v->text) : v->len};
	size_t used = word.len + (space ? 1 : 0);

	v->text += used;
	v->len -= used;
	return word;
}

static bool
get_op(struct value v, struct rec_plan *plan)
{
	struct rec_op *op = &plan->ops[plan->n_ops];
	struct value word = get_word(&v);
	uint64_t numbers[3];
	unsigned action;

	if (plan->n_ops == SGW_OPS_MAX || !get_name(&word, RECORD_ACTIONS, ACTION_MAX, &action))
		return false;
	word = get_word(&v);
	if (!field_copy(op->group_id, sizeof(op->group_id), word.text, word.len))
		return false;
	for (size_t i = 0; i < 3; i++) {
		word = get_word(&v);
		if (!get_number(&word, -1, 65535, &numbers[i]))
			return false;
	}
	op->action = (enum action)action;
	op->protocol = (int16_t)numbers[0];
	op->from_port = (int32_t)numbers[1];
	op->to_port = (int32_t)numbers[2];
	word = get_word(&v);
	if (cidr_parse(word.text, word.len, &op->source) != CIDR_OK)
		return false;
	plan->n_ops++;
	if (v.len > 4 && memcmp(v.text, "sgr-", 4) == 0) {
		word = get_word(&v);
		if (!field_copy(op->rule_id, sizeof(op->rule_id), word.text, word.len))
			return false;
	}
	return field_copy(op->receipt, sizeof(op->receipt), v.text, v.len);
}

/* "12", or "12+2" where two of them let in prefix lists. */
static bool
get_quota(struct value word, struct record_group *said)
{
	const char *plus = memchr(word.text, '+', word.len);
	struct value used = word, lists = {0};
	uint64_t n;

	if (plus) {
		used.len = (size_t)(plus - word.text);
		lists = (struct value){plus + 1, word.len - used.len - 1};
	}
	if (!get_number(&used, 0, UINT16_MAX, &n))
		return false;
	said->quota_used = (uint16_t)n;
	if (!plus)
		return true;
	if (!get_number(&lists, 1, UINT16_MAX, &n))
		return false;
	said->quota_lists = (uint16_t)n;
	return true;
}

static bool
get_group(struct value v, struct record *record)
{
	struct rec_plan_group *group = &record->plan.groups[record->plan.n_groups];
	struct record_group *said = &record->groups[record->plan.n_groups];
	struct value word = get_word(&v);

	if (record->plan.n_groups == SGW_PLAN_GROUPS_MAX ||
	    !field_copy(group->group_id, sizeof(group->group_id), word.text, word.len))
		return false;
	if (!get_quota(get_word(&v), said))
		return false;
	word = get_word(&v);
	said->iac = word.len == 3;
	word = get_word(&v);
	if (!(word.len == 1 && word.text[0] == '-') &&
	    !field_copy(said->vpc_id, sizeof(said->vpc_id), word.text, word.len))
		return false;
	record->plan.n_groups++;
	return field_copy(said->name, sizeof(said->name), v.text, v.len);
}

static bool
get_say(const struct value *v, struct record *record)
{
	if (record->n_say == SGW_SAY_MAX)
		return false;
	return field_copy(record->say[record->n_say++], sizeof(record->say[0]), v->text, v->len);
}

static bool
get_number_field(const struct record_line *line, const struct value *v, void *at)
{
	static const uint64_t most[] = {[LINE_U16] = UINT16_MAX,
	    [LINE_MAY_U16] = UINT16_MAX,
	    [LINE_U32] = UINT32_MAX,
	    [LINE_U64] = UINT64_MAX};
	uint64_t n;

	if (!get_number(v, 0, most[line->type], &n))
		return false;
	if (line->type == LINE_U64)
		*(uint64_t *)at = n;
	else if (line->type == LINE_U32)
		*(uint32_t *)at = (uint32_t)n;
	else
		*(uint16_t *)at = (uint16_t)n;
	return true;
}

static bool
get_field(const struct record_line *line, const struct value *v, size_t nth, struct record *record)
{
	void *at = (uint8_t *)record + line->offset;
	unsigned index = 0;

	switch (line->type) {
	case LINE_KIND:
		if (!get_name(v, RECORD_KINDS, RECORD_KIND_MAX, &index))
			return false;
		record->kind = (enum record_kind)index;
		return true;
	case LINE_TEXT:
	case LINE_NAME:
		return field_copy(at, line->size, v->text, v->len);
	case LINE_BYTES:
		return hex_decode(v->text, v->len, at, line->size);
	case LINE_TIME:
	case LINE_MAY_TIME:
		return clock_parse(v->text, v->len, at) == 0;
	case LINE_U16:
	case LINE_MAY_U16:
	case LINE_U32:
	case LINE_U64:
		return get_number_field(line, v, at);
	case LINE_BOOL:
		*(bool *)at = v->len == 3;
		return true;
	case LINE_CLASS:
		return get_class(v, &record->effect);
	case LINE_DISPLAY:
		if (!get_name(v, RECORD_DISPLAYS, DISPLAY_MAX, &index))
			return false;
		record->display = (enum display_kind)index;
		return true;
	case LINE_GROUPS:
		return get_group(*v, record);
	case LINE_STATES: /* the nth, of the nth group */
		return nth < record->plan.n_groups &&
		       hex_decode(v->text, v->len, record->plan.groups[nth].state_digest, HASH_LEN);
	case LINE_OPS:
		return get_op(*v, &record->plan);
	case LINE_ACT:
		if (!get_name(v, RECORD_ACTS, ACT_MAX, &index))
			return false;
		record->act = (enum admin_act)index;
		return true;
	case LINE_SAY:
		return get_say(v, record);
	case LINE_VERSION:
	case LINE_PARTITION:
	case LINE_RENDER:
		return true;
	}
	return false;
}

/* The value behind "key " where the text at `pos` has that key, and the place behind its line. */
static bool
get_line(const char *text, size_t len, const char *key, size_t *pos, struct value *ret_value)
{
	size_t n = strlen(key);
	const char *at = text + *pos, *end;

	if (len - *pos < n + 1 || memcmp(at, key, n) != 0 || at[n] != ' ')
		return false;
	end = memchr(at, '\n', len - *pos);
	if (end == NULL)
		return false;
	*ret_value = (struct value){at + n + 1, (size_t)(end - at) - n - 1};
	*pos = (size_t)(end - text) + 1;
	return true;
}

static bool
get_record(const char *text, size_t len, struct record *record)
{
	size_t pos = 0;

	for (size_t i = 0; i < RECORD_LINES_LEN; i++) {
		const struct record_line *line = &RECORD_LINES[i];
		struct value value;
		size_t nth = 0;

		if (!(line->kinds & (1u << record->kind)))
			continue;
		/* A line that is missing is noticed by the comparison. */
		while (get_line(text, len, line->key, &pos, &value)) {
			if (!get_field(line, &value, nth++, record))
				return false;
			if (line->type != LINE_OPS && line->type != LINE_GROUPS &&
			    line->type != LINE_STATES && line->type != LINE_SAY)
				break;
		}
	}
	return pos == len;
}

bool
record_decode(const uint8_t *text, size_t len, struct record *ret_record)
{
	uint8_t again[SGW_RECORD_MAX];
	struct buf b = buf_over(again, sizeof(again));
	struct record record = {0};

	if (len > SGW_RECORD_MAX || !get_record((const char *)text, len, &record))
		return false;
	if (!record_encode(&record, &b) ||
	    ((b.len != len || memcmp(again, text, len) != 0) && !MUTATE(RENDERING)))
		return false;
	*ret_record = record;
	return true;
}
