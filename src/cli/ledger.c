/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden ledger show`: one line a record, or one JSON object. */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include <sgwarden/clock.h>
#include <sgwarden/record.h>
#include <sgwarden/vis.h>

int
ledger_open(const struct args *args, struct stream *ret_stream, char ret_path[CLI_PATH_MAX])
{
	char dir[CLI_PATH_MAX];
	struct stat st;
	bool named;
	int fd;

	if (args->n_rest > 0)
		named =
		    (size_t)snprintf(ret_path, CLI_PATH_MAX, "%s", args->rest[0]) < CLI_PATH_MAX;
	else
		named =
		    path_state_dir(args, dir) && path_join(ret_path, dir, "ledger/00000001.log");
	if (!named)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "FILE", "no such path");
	fd = open(ret_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "FILE", "%s: %s", ret_path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "FILE", "%s is not a regular file", ret_path);
	}
	stream_open(ret_stream, fd, read);
	return 0;
}

void
ledger_text(const struct ledger_entry *entry, const char *key, char *ret_text, size_t size)
{
	const struct ledger_field *field = ledger_field(entry, key);
	size_t len = field ? field->len : 0;

	if (len > size - 1)
		len = size - 1;
	if (len > 0)
		memcpy(ret_text, field->value, len);
	ret_text[len] = 0;
}

/* ---- one line ---- */

/* What of each kind stands in its line, beside what the touched record says. */
static const char *const SUMMARY[LEDGER_KIND_MAX][5] = {
    [LEDGER_START] = {"version", "mode", "degraded"},
    [LEDGER_POLICY] = {"digest", "subject"},
    [LEDGER_ENROLL] = {"name"},
    [LEDGER_REMOVE] = {"subject"},
    [LEDGER_SEAL] = {"subject"},
    [LEDGER_TOUCH] = {"receipt"},
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
    [LEDGER_TORN] = {"length"},
    [LEDGER_STOP] = {"reason"},
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
	buf_printf(b, "%s %s %s %s", op->action == ACTION_OPEN ? "open" : "close", ports, source,
	    op->group_id);
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
put_json(const struct ledger_entry *entry)
{
	cJSON *object = cJSON_CreateObject(), *fields = cJSON_CreateObject();
	char hex[2 * HASH_LEN + 1], when[CLOCK_TEXT_LEN];
	static char value[LEDGER_RECORD_MAX + 1];
	struct buf b;

	clock_format(entry->time, when);
	cJSON_AddNumberToObject(object, "number", (double)entry->number);
	cJSON_AddStringToObject(object, "time", when);
	cJSON_AddStringToObject(object, "kind", LEDGER_KINDS[entry->kind].name);
	b = buf_over(hex, sizeof(hex));
	(void)(buf_put_hex(&b, entry->self, HASH_LEN) && buf_put_c(&b));
	cJSON_AddStringToObject(object, "self", hex);
	cJSON_AddItemToObject(object, "fields", fields);
	for (size_t i = 0; i < entry->n_fields; i++) {
		ledger_text(entry, entry->fields[i].key, value, sizeof(value));
		cJSON_AddStringToObject(fields, entry->fields[i].key, value);
	}
	out_json(object);
}

int
ledger_show_run(const struct args *args)
{
	static struct stream stream;
	char path[CLI_PATH_MAX];
	enum stream_event event;
	int r = ledger_open(args, &stream, path);

	if (r != 0)
		return r;
	while ((event = stream_next(&stream)) == STREAM_ENTRY) {
		if (args->json)
			put_json(&stream.entry);
		else
			put_line(&stream.entry);
	}
	close(stream.fd);
	fflush(stdout);
	if (event == STREAM_ERROR)
		return out_error(args, SGW_ERR_INTERNAL, NULL, "%s cannot be read", path);
	if (event == STREAM_BROKEN)
		return out_error(args, SGW_ERR_VERIFY_FAILED, NULL, "record %llu at byte %llu: %s",
		    (unsigned long long)stream.chain.number + 1, (unsigned long long)stream.offset,
		    stream.problem);
	if (stream.torn_len > 0)
		fprintf(stderr, "sgwarden: %u bytes behind record %llu are no whole record\n",
		    stream.torn_len, (unsigned long long)stream.chain.number);
	return 0;
}
