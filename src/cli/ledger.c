/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden ledger show`, `export` and `head`: a line a record, the records themselves, or one JSON object each. */
#include "ledger.h"

#include <string.h>

#include "ledger_filter.h"

#include <cjson/cJSON.h>

#include <sgwarden/clock.h>
#include <sgwarden/record.h>
#include <sgwarden/vis.h>

/* ---- one line ---- */

/* What of each kind stands in its line, beside what the touched record says. */
static const char *const SUMMARY[LEDGER_KIND_MAX][5] = {
    [LEDGER_START] = {"version", "mode", "degraded"},
    [LEDGER_POLICY] = {"digest", "subject"},
    [LEDGER_ENROLL] = {"name"},
    [LEDGER_REMOVE] = {"subject"},
    [LEDGER_SEAL] = {"subject"},
    [LEDGER_LOCKDOWN] = {"scope", "by", "uid"},
    [LEDGER_ENABLE] = {"subject"},
    [LEDGER_CODE] = {"act", "subject"},
    [LEDGER_RECOVERY] = {"code"},
    [LEDGER_TOUCH] = {"receipt"},
    [LEDGER_PHRASE] = {"digest"},
    [LEDGER_TEST] = {"subject"},
    [LEDGER_REQUEST] = {"class", "line"},
    [LEDGER_REFUSAL] = {"error", "class", "line", "detail"},
    [LEDGER_DENIAL] = {"reason"},
    [LEDGER_TIMEOUT] = {"stage"},
    [LEDGER_INTENT] = {"receipt", "action", "host"},
    [LEDGER_OUTCOME] = {"receipt", "status", "rules", "error", "detail"},
    [LEDGER_CLOSE] = {"receipt", "status", "why"},
    [LEDGER_AMBIGUOUS] = {"receipt", "action", "until"},
    [LEDGER_RECONCILE] = {"receipt", "found"},
    [LEDGER_DUE] = {"receipt", "why"},
    [LEDGER_TORN] = {"length"},
    [LEDGER_SEGMENT] = {"segment"},
    [LEDGER_STOP] = {"reason"},
};

/* As the record's own text has them: an extension, which keeps a rule open, is no closing. */
static const char *const ACTIONS[ACTION_MAX] = {
    [ACTION_OPEN] = "open",
    [ACTION_CLOSE] = "close",
    [ACTION_EXTEND] = "extend",
};

/* "open tcp/443 203.0.113.7/32 sg-0123456789abcdef0": the change that was touched for. */
static void
put_change(struct buf *b, const struct ledger_entry *entry)
{
	const struct ledger_field *text = ledger_field(entry, "text");
	static struct record record;
	const struct rec_op *op = &record.plan.ops[0];
	char ports[48], source[CIDR_TEXT_LEN];

	if (!text || !record_decode((const uint8_t *)text->value, text->len, &record)) {
		buf_puts(b, "its text is no consent record");
		return;
	}
	if (record.kind != RECORD_CHANGE)
		return;
	op_ports_text(op->protocol, op->from_port, op->to_port, ports, sizeof(ports));
	cidr_format(&op->source, source);
	buf_printf(b, "%s %s %s %s", ACTIONS[op->action], ports, source, op->group_id);
	if (record.plan.n_ops > 1)
		buf_printf(b, " and %u more", record.plan.n_ops - 1u);
}

static void
put_line(const struct ledger_entry *entry)
{
	char when[CLOCK_TEXT_LEN], head[64], line[1024], value[200];
	char printable[VIS_MAX(sizeof(line))];
	struct buf b = buf_over(line, sizeof(line));

	clock_format(entry->time, when);
	snprintf(head, sizeof(head), "%6llu %s %-9s", (unsigned long long)entry->number, when,
	    LEDGER_KINDS[entry->kind].name);
	for (size_t i = 0; i < 5 && SUMMARY[entry->kind][i]; i++) {
		ledger_text(entry, SUMMARY[entry->kind][i], value, sizeof(value));
		if (value[0] && strcmp(value, "none") != 0)
			buf_printf(&b, "%s%s", b.len ? " " : "", value);
	}
	if (entry->kind == LEDGER_CONSENT)
		put_change(&b, entry);
	(void)buf_put_c(&b);
	vis(printable, sizeof(printable), line, b.len);
	fprintf(stdout, "%s ", head);
	out_wrapped(stdout, strlen(head) + 1, printable);
}

/* ---- one object ---- */

static void
add_hash(cJSON *object, const char *name, const uint8_t hash[HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];
	struct buf b = buf_over(hex, sizeof(hex));

	(void)(buf_put_hex(&b, hash, HASH_LEN) && buf_put_c(&b));
	cJSON_AddStringToObject(object, name, hex);
}

cJSON *
ledger_json(const struct ledger_entry *entry)
{
	cJSON *object = cJSON_CreateObject(), *fields = cJSON_CreateObject();
	static char value[LEDGER_RECORD_MAX + 1];
	char when[CLOCK_TEXT_LEN];

	clock_format(entry->time, when);
	cJSON_AddNumberToObject(object, "number", (double)entry->number);
	cJSON_AddStringToObject(object, "time", when);
	cJSON_AddStringToObject(object, "kind", LEDGER_KINDS[entry->kind].name);
	add_hash(object, "previous", entry->previous);
	add_hash(object, "self", entry->self);
	cJSON_AddItemToObject(object, "fields", fields);
	for (size_t i = 0; i < entry->n_fields; i++) {
		ledger_text(entry, entry->fields[i].key, value, sizeof(value));
		cJSON_AddStringToObject(fields, entry->fields[i].key, value);
	}
	return object;
}

static void
put_json(const struct ledger_entry *entry)
{
	out_json(ledger_json(entry));
}

/* ---- the record as it stands ---- */

static void
put_record(const struct ledger_entry *entry)
{
	static char text[2 * LEDGER_RECORD_MAX];
	struct ledger_entry again = *entry;
	struct buf b = buf_over(text, sizeof(text));

	if (ledger_encode(
		&again, &b)) /* its one form: what was decoded encodes to the same bytes */
		fwrite(b.data, 1, b.len, stdout);
}

/* ---- the walk ---- */

typedef void put_entry(const struct ledger_entry *entry);

static int
walk(const struct args *args, struct ledger_files *files, const struct ledger_filter *filter,
    put_entry *put)
{
	struct stream *s = &files->stream;
	enum stream_event event;

	while ((event = stream_next(s)) == STREAM_ENTRY)
		if (ledger_filter_takes(filter, &s->entry))
			put(&s->entry);
	fflush(stdout);
	if (event != STREAM_END)
		return ledger_stopped(args, files, event);
	if (s->torn_len > 0)
		fprintf(stderr, "sgwarden: %u bytes behind record %llu are no whole record\n",
		    s->torn_len, (unsigned long long)s->chain.number);
	return 0;
}

static struct ledger_files files;

static int
run(const struct args *args, put_entry *put)
{
	struct ledger_filter filter;
	int r = ledger_filter_read(args, &filter);

	if (r == 0)
		r = ledger_open(args, args->n_rest ? args->rest[0] : NULL, &files);
	if (r != 0)
		return r;
	r = walk(args, &files, &filter, put);
	ledger_close(&files);
	return r;
}

int
ledger_show_run(const struct args *args)
{
	return run(args, args->json ? put_json : put_line);
}

int
ledger_export_run(const struct args *args)
{
	return run(args, args->json ? put_json : put_record);
}

/* ---- the head ---- */

static void
put_nothing(const struct ledger_entry *entry)
{
}

static void
tell_head(const struct args *args, const struct ledger_chain *chain)
{
	char hex[2 * HASH_LEN + 1], when[CLOCK_TEXT_LEN];
	struct buf b = buf_over(hex, sizeof(hex));
	cJSON *tree, *data;

	(void)(buf_put_hex(&b, chain->head, HASH_LEN) && buf_put_c(&b));
	clock_format(chain->time, when);
	if (!args->json) {
		printf("%llu %s\n", (unsigned long long)chain->number, hex);
		return;
	}
	tree = cJSON_CreateObject();
	data = cJSON_CreateObject();
	cJSON_AddStringToObject(tree, "status", "ok");
	cJSON_AddItemToObject(tree, "data", data);
	cJSON_AddNumberToObject(data, "number", (double)chain->number);
	cJSON_AddStringToObject(data, "time", when);
	cJSON_AddStringToObject(data, "head", hex);
	out_json(tree);
}

int
ledger_head_run(const struct args *args)
{
	const struct ledger_filter all = {.kind = LEDGER_KIND_MAX};
	int r = ledger_open(args, args->n_rest ? args->rest[0] : NULL, &files);

	if (r != 0)
		return r;
	r = walk(args, &files, &all, put_nothing);
	if (r == 0 && files.stream.chain.number == 0)
		r = out_error(args, SGW_ERR_VERIFY_FAILED, NULL, "%s holds no record", files.path);
	else if (r == 0)
		tell_head(args, &files.stream.chain);
	ledger_close(&files);
	return r;
}
