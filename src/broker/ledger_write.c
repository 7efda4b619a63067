/* SPDX-License-Identifier: Apache-2.0 */
/* See ledger_write.h. */
#include "ledger_write.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

#include "ledger_segment.h"

#define NAME_TORN_MS 60000

static size_t
put(struct broker *b, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = write(b->ledger_fd, text + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return at;
}

/*
 * Bytes that are no record now stand at the end of the file.  Of what the loader found there this process has the
 * hash and not the bytes: should that tail grow, only a new start can name it.
 */
static void
keep_tail(struct broker *b, const char *text, size_t len)
{
	if (len == 0)
		return;
	if (b->head.torn_len || b->torn_len + len > sizeof(b->ledger_text))
		die("the ledger's torn tail has grown: it is read again");
	memmove(b->ledger_text + b->torn_len, text, len);
	b->torn_len += len;
	b->name_torn_at = clock_monotonic() + NAME_TORN_MS;
}

static bool
put_record(struct broker *b, const struct ledger_entry *e, const char *text, size_t len)
{
	size_t done = put(b, text, len);
	bool durable = done == len && fdatasync(b->ledger_fd) == 0;

	b->segment.size += done;
	if (!durable)
		log_write(LOG_LEVEL_ALERT,
		    "the ledger cannot be written: %s; nothing opens until it can: free space or "
		    "repair the disk",
		    strerror(errno));
	if (done < len)
		keep_tail(b, text, done);
	else
		durable = ledger_follow(&b->chain, e) == LEDGER_OK && durable;
	return durable;
}

/* The hash of what stands behind the last whole record: our own failed writes, or what the loader found. */
static bool
name_torn(struct broker *b)
{
	static char text[1024];
	char hex[2 * HASH_LEN + 1], number[24];
	struct ledger_entry e = {.kind = LEDGER_TORN, .time = clock_now(), .n_fields = 2};
	struct buf out = buf_over(text, sizeof(text)), hash = buf_over(hex, sizeof(hex));
	uint8_t digest[HASH_LEN];
	size_t len = b->torn_len ? b->torn_len : MUTATE(TORN_NAMED) ? 0 : b->head.torn_len;
	uint64_t before = b->chain.number;
	bool durable;

	if (len == 0)
		return true;
	memcpy(digest, b->head.torn_digest, sizeof(digest));
	if (b->torn_len)
		hash_sha256(b->ledger_text, b->torn_len, digest);
	(void)snprintf(number, sizeof(number), "%zu", len);
	(void)buf_put_hex(&hash, digest, sizeof(digest));
	e.fields[0] =
	    (struct ledger_field){.key = "length", .value = number, .len = strlen(number)};
	e.fields[1] = (struct ledger_field){.key = "sha256", .value = hex, .len = hash.len};
	ledger_next(&b->chain, &e);
	if (!ledger_encode(&e, &out))
		return false;
	durable = put_record(b, &e, text, out.len);
	if (b->chain.number != before) /* it is whole, synced or not */
		b->torn_len = b->head.torn_len = 0;
	return durable;
}

/*
 * The journal keeps each head outside of the file: `ledger verify --head` takes it from there.  The supervisor writes it
 * there with fields of its own; any other log gets a line.
 */
static void
anchor(struct broker *b, const struct ledger_entry *e)
{
	char hex[2 * HASH_LEN + 1];
	struct buf out = buf_over(hex, sizeof(hex));

	if (b->journal) {
		b->out.id = MSG_ANCHOR;
		b->out.anchor.number = e->number;
		memcpy(b->out.anchor.head, e->self, sizeof(e->self));
		send_control(b);
		return;
	}
	(void)buf_put_hex(&out, e->self, sizeof(e->self));
	(void)buf_put_c(&out);
	log_info("ledger record %llu %s", (unsigned long long)e->number, hex);
}

bool
ledger_write(struct broker *b, struct ledger_entry *e)
{
	struct buf out = buf_over(b->ledger_text, sizeof(b->ledger_text));

	b->ledger_ok = name_torn(b) && (e->kind == LEDGER_SEGMENT || segment_begin(b));
	if (!b->ledger_ok)
		return false;
	ledger_next(&b->chain, e);
	if (!ledger_encode(e, &out) || out.len > LEDGER_RECORD_MAX) {
		log_error("a ledger record of kind %d has no form", (int)e->kind);
		return b->ledger_ok = false;
	}
	b->ledger_ok = put_record(b, e, b->ledger_text, out.len);
	if (b->chain.number == e->number) { /* whole, synced or not */
		if (e->kind == LEDGER_SEGMENT)
			b->segment.begins = false;
		receipts_entry(&b->receipts, e, &b->ceremony.record);
	}
	if (b->ledger_ok) {
		anchor(b, e);
		segment_want(b);
	}
	return b->ledger_ok;
}

int64_t
ledger_next_deadline(const struct broker *b)
{
	return b->torn_len && !MUTATE(TORN_WAITS) ? b->name_torn_at : INT64_MAX;
}

void
ledger_timeouts(struct broker *b)
{
	if (ledger_next_deadline(b) > clock_monotonic())
		return;
	b->name_torn_at = clock_monotonic() + NAME_TORN_MS;
	b->ledger_ok = name_torn(b);
}
