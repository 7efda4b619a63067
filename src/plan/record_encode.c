/* SPDX-License-Identifier: Apache-2.0 */
/* A consent record as text.  Refuses what would not come back from the decoder as it went in. */
#include <sgwarden/record.h>

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/render.h>
#include <sgwarden/vis.h>

#include "record_lines.h"

static bool
put_line(struct buf *b, const char *key, const char *value)
{
	return buf_printf(b, "%s ", key) && buf_puts(b, value) && buf_puts(b, "\n");
}

static bool
put_text(struct buf *b, const struct record_line *line, const char *text)
{
	size_t len = strnlen(text, line->size);

	if (len == line->size || !text_is_ascii(text, len))
		return false;
	if (len == 0)
		return line->type == LINE_TEXT;
	return put_line(b, line->key, text);
}

static bool
put_time(struct buf *b, const struct record_line *line, const void *value)
{
	char text[CLOCK_TEXT_LEN];
	int64_t when, again;

	memcpy(&when, value, sizeof(when));
	if (when == 0 && line->type == LINE_MAY_TIME)
		return true;
	clock_format(when, text);
	/* What lies outside the form's years would come back as another time. */
	if (when <= 0 || clock_parse(text, strlen(text), &again) < 0 || again != when)
		return false;
	return put_line(b, line->key, text);
}

static bool
put_number(struct buf *b, const struct record_line *line, const void *value)
{
	uint64_t v = 0;
	uint32_t v32;
	uint16_t v16;

	if (line->type == LINE_U64) {
		memcpy(&v, value, sizeof(v));
	} else if (line->type == LINE_U32) {
		memcpy(&v32, value, sizeof(v32));
		v = v32;
	} else {
		memcpy(&v16, value, sizeof(v16));
		v = v16;
	}
	if (v == 0 && line->type == LINE_MAY_U16)
		return true;
	return buf_printf(b, "%s %llu\n", line->key, (unsigned long long)v);
}

static bool
put_ops(struct buf *b, const struct record_line *line, const struct rec_plan *plan)
{
	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct rec_op *op = &plan->ops[i];
		char source[CIDR_TEXT_LEN];

		cidr_format(&op->source, source);
		buf_printf(b, "%s %s %s %d %d %d %s%s%s%s%s\n", line->key,
		    RECORD_ACTIONS[op->action], op->group_id, op->protocol, op->from_port,
		    op->to_port, source, op->rule_id[0] != 0 ? " " : "", op->rule_id,
		    op->receipt[0] != 0 ? " " : "", op->receipt);
	}
	return !b->failed;
}

/* "id quota-used[+lists] iac vpc name": the name, which may hold spaces, or nothing, comes last. */
static bool
put_groups(struct buf *b, const struct record_line *line, const struct record *record)
{
	for (size_t i = 0; i < record->plan.n_groups; i++) {
		const struct rec_plan_group *group = &record->plan.groups[i];
		const struct record_group *said = &record->groups[i];

		if (!text_is_ascii(said->name, strnlen(said->name, sizeof(said->name))))
			return false;
		buf_printf(b, "%s %s %u", line->key, group->group_id, (unsigned)said->quota_used);
		if (said->quota_lists > 0)
			buf_printf(b, "+%u", (unsigned)said->quota_lists);
		buf_printf(b, " %s %s ", said->iac ? "yes" : "no",
		    said->vpc_id[0] != 0 ? said->vpc_id : "-");
		buf_puts(b, said->name);
		buf_puts(b, "\n");
	}
	return !b->failed;
}

/* Lines that are not empty: an empty one would be none, and a long one is not cut. */
static bool
put_say(struct buf *b, const struct record_line *line, const struct record *record)
{
	for (unsigned i = 0; i < record->n_say; i++) {
		size_t len = strnlen(record->say[i], sizeof(record->say[i]));

		if (len == 0 || len == sizeof(record->say[i]) ||
		    !text_is_ascii(record->say[i], len) || !put_line(b, line->key, record->say[i]))
			return false;
	}
	return true;
}

static bool
put_bytes(struct buf *b, const char *key, const uint8_t *data, size_t len)
{
	return buf_printf(b, "%s ", key) && buf_put_hex(b, data, len) && buf_puts(b, "\n");
}

static bool
put_states(struct buf *b, const struct record_line *line, const struct rec_plan *plan)
{
	for (size_t i = 0; i < plan->n_groups; i++)
		if (!put_bytes(b, line->key, plan->groups[i].state_digest, HASH_LEN))
			return false;
	return true;
}

static bool
put_render(struct buf *b, const struct record_line *line, const struct record *record)
{
	uint8_t digest[HASH_LEN];

	render_digest(record, digest);
	return put_bytes(b, line->key, digest, sizeof(digest));
}

static bool
put_field(struct buf *b, const struct record_line *line, const struct record *record)
{
	const void *at = (const uint8_t *)record + line->offset;
	const char *partition;

	switch (line->type) {
	case LINE_VERSION:
		return put_line(b, line->key, RECORD_VERSION);
	case LINE_KIND:
		return put_line(b, line->key, RECORD_KINDS[record->kind]);
	case LINE_TEXT:
	case LINE_NAME:
		return put_text(b, line, at);
	case LINE_BYTES:
		return put_bytes(b, line->key, at, line->size);
	case LINE_TIME:
	case LINE_MAY_TIME:
		return put_time(b, line, at);
	case LINE_U16:
	case LINE_MAY_U16:
	case LINE_U32:
	case LINE_U64:
		return put_number(b, line, at);
	case LINE_BOOL:
		return put_line(b, line->key, *(const bool *)at ? "yes" : "no");
	case LINE_CLASS:
		return put_line(b, line->key, class_name(record->effect));
	case LINE_DISPLAY:
		return put_line(b, line->key, RECORD_DISPLAYS[record->display]);
	case LINE_PARTITION:
		partition = region_partition(record->plan.region);
		return partition == NULL || put_line(b, line->key, partition);
	case LINE_GROUPS:
		return put_groups(b, line, record);
	case LINE_STATES:
		return put_states(b, line, &record->plan);
	case LINE_OPS:
		return put_ops(b, line, &record->plan);
	case LINE_ACT:
		return put_line(b, line->key, RECORD_ACTS[record->act]);
	case LINE_SAY:
		return put_say(b, line, record);
	case LINE_RENDER:
		return put_render(b, line, record);
	}
	return false;
}

bool
record_encode(const struct record *record, struct buf *b)
{
	if (!record_sound(record))
		b->failed = true;
	for (size_t i = 0; i < RECORD_LINES_LEN && !b->failed; i++)
		if ((RECORD_LINES[i].kinds & (1u << record->kind)) &&
		    !put_field(b, &RECORD_LINES[i], record))
			b->failed = true;
	return !b->failed;
}
