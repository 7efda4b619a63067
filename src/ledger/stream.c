/* SPDX-License-Identifier: Apache-2.0 */
/* Entries out of the ledger's bytes; see ledger_stream.h. */
#include <sgwarden/ledger_stream.h>
#include <sgwarden/mutate.h>

#include <errno.h>
#include <string.h>

#define TORN_HEAD "ledger torn "

void
stream_open(struct stream *s, int fd, stream_read *from)
{
	s->fd = fd;
	s->read = from;
	s->more = NULL;
	s->segment = 1;
	s->begins = s->at_end = false;
	s->offset = 0;
	s->start = s->len = 0;
	s->chain = (struct ledger_chain){0};
	s->problem = NULL;
	s->torn_len = 0;
}

void
stream_follow(struct stream *s, stream_more *more, void *context)
{
	s->more = more;
	s->context = context;
}

/* Fills the window to its end or the file's. */
static int
window_fill(struct stream *s)
{
	memmove(s->window, s->window + s->start, s->len);
	s->start = 0;
	while (!s->at_end && s->len < sizeof(s->window)) {
		ssize_t n = s->read(s->fd, s->window + s->len, sizeof(s->window) - s->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s->at_end = n == 0;
		s->len += (size_t)n;
	}
	return 0;
}

static void
consume(struct stream *s, size_t n)
{
	s->start += n;
	s->len -= n;
	s->offset += n;
}

static bool
names_number(const struct ledger_entry *entry, const char *key, uint64_t number)
{
	const struct ledger_field *field = ledger_field(entry, key);
	char text[24];
	struct buf b = buf_over(text, sizeof(text));

	buf_printf(&b, "%llu", (unsigned long long)number);
	return field && field->len == b.len && memcmp(field->value, text, b.len) == 0;
}

static bool
names_hash(const struct ledger_entry *entry, const char *key, const uint8_t hash[HASH_LEN])
{
	const struct ledger_field *field = ledger_field(entry, key);
	uint8_t named[HASH_LEN];

	return field && hex_decode(field->value, field->len, named, HASH_LEN) &&
	       memcmp(named, hash, HASH_LEN) == 0;
}

static bool
torn_names(const struct ledger_entry *entry, const char *tail, size_t len)
{
	uint8_t is[HASH_LEN];

	if (entry->kind != LEDGER_TORN || !names_number(entry, "length", len))
		return false;
	hash_sha256(tail, len, is);
	return names_hash(entry, "sha256", is);
}

/* ---- segments ---- */

/* Where a segment begins stands its `segment` record and nowhere else; NULL, or what does not hold. */
static const char *
segment_problem(struct stream *s)
{
	const struct ledger_entry *e = &s->entry;

	if (e->kind == LEDGER_TORN) /* of a crash while the segment began */
		return NULL;
	if (!s->begins && e->kind == LEDGER_SEGMENT)
		return s->chain.number == 0
			   ? "it begins a later segment: what came before it is not here"
			   : "a segment begins inside another one";
	if (!s->begins)
		return NULL;
	if (e->kind != LEDGER_SEGMENT)
		return "it does not begin a segment: a file is missing, renamed or there twice";
	if (!names_number(e, "segment", s->segment))
		return "it begins another segment than this one: files are missing, renamed or "
		       "swapped";
	if ((!names_number(e, "last", s->before.number) ||
		!names_hash(e, "head", s->before.head)) &&
	    !MUTATE(SEGMENT_HEAD))
		return "the segment before it does not end where it says: that was cut or "
		       "exchanged";
	s->begins = false;
	return NULL;
}

/* Behind the last record of a segment.  STREAM_ENTRY: the next one can be read. */
static enum stream_event
segment_end(struct stream *s)
{
	int fd = s->more ? s->more(s->context, s->segment + 1) : STREAM_NO_MORE;

	if (fd == STREAM_NO_MORE)
		return STREAM_END;
	if (fd < 0)
		return STREAM_ERROR;
	if (s->len > 0 || s->begins) {
		s->problem = s->len > 0 ? "its segment ends inside it, and another one follows"
					: "its segment is empty, and another one follows";
		return STREAM_BROKEN;
	}
	s->fd = fd;
	s->segment++;
	s->at_end = false;
	s->begins = true;
	s->before = s->chain;
	s->offset = 0;
	return STREAM_ENTRY;
}

/* A torn record that names exactly the bytes from here to itself. */
static bool
torn_resync(struct stream *s, size_t *ret_used)
{
	const char *from = s->window + s->start, *end = from + s->len, *at = from;

	while ((at = memmem(at, (size_t)(end - at), TORN_HEAD, sizeof(TORN_HEAD) - 1)) != NULL) {
		struct ledger_chain chain = s->chain;
		size_t used = 0;

		if (ledger_decode(at, (size_t)(end - at), s->unfold, &s->entry, &used) ==
			LEDGER_OK &&
		    torn_names(&s->entry, from, (size_t)(at - from)) &&
		    ledger_follow(&chain, &s->entry) == LEDGER_OK) {
			s->chain = chain;
			*ret_used = (size_t)(at - from) + used;
			return true;
		}
		at++;
	}
	return false;
}

static bool
is_partial(struct stream *s, const char *from, size_t len)
{
	size_t used;

	return ledger_decode(from, len, s->unfold, &s->entry, &used) == LEDGER_PARTIAL;
}

/* How many bytes at the end are the beginning of TORN_HEAD itself. */
static size_t
head_begun(const char *from, size_t len)
{
	for (size_t n = sizeof(TORN_HEAD) - 2; n > 0; n--)
		if (n <= len && memcmp(from + len - n, TORN_HEAD, n) == 0)
			return n;
	return 0;
}

/*
 * Is what is left the beginning of one record, and what a crash during the next start put behind it: the beginning of
 * a torn record, any number of times, be it a single byte?  Zeros at the end are blocks that were never written.
 */
static bool
is_torn_tail(struct stream *s)
{
	const char *from = s->window + s->start;
	size_t len = s->len;

	if (!s->at_end || len > LEDGER_RECORD_MAX + TORN_MORE)
		return false;
	while (len > 0 && from[len - 1] == 0)
		len--;
	while (len > 0) {
		const char *next = memmem(from + 1, len - 1, TORN_HEAD, sizeof(TORN_HEAD) - 1);
		size_t piece = next ? (size_t)(next - from) : len, part = piece, begun;

		while (part > 0 && !is_partial(s, from, part)) {
			begun = head_begun(from, part);
			if (begun == 0)
				return false;
			part -= begun;
		}
		from += piece;
		len -= piece;
	}
	return true;
}

static const char *
result_text(enum ledger_result result)
{
	switch (result) {
	case LEDGER_BAD_HASH:
		return "its own hash does not hold";
	case LEDGER_BAD_CHAIN:
		return "it does not follow the record before it";
	default:
		return "it is no ledger record";
	}
}

/* What stands at the window's start is no record that follows: torn, cut off, or broken. */
static enum stream_event
not_taken(struct stream *s, enum ledger_result result, size_t *ret_used)
{
	enum stream_event event;

	if (torn_resync(s, ret_used))
		return STREAM_ENTRY;
	s->problem = result_text(result);
	if (!is_torn_tail(s))
		return STREAM_BROKEN;
	event = segment_end(s);
	if (event == STREAM_END) {
		s->torn_len = (uint32_t)s->len;
		hash_sha256(s->window + s->start, s->len, s->torn_digest);
	}
	return event;
}

static enum stream_event
entry_take(struct stream *s)
{
	size_t used = 0;
	enum ledger_result result =
	    ledger_decode(s->window + s->start, s->len, s->unfold, &s->entry, &used);
	enum stream_event event = STREAM_ENTRY;

	if (result == LEDGER_OK) {
		s->problem = segment_problem(s);
		if (s->problem != NULL)
			return STREAM_BROKEN;
		result = ledger_follow(&s->chain, &s->entry);
	}
	if (result != LEDGER_OK)
		event = not_taken(s, result, &used);
	if (event == STREAM_ENTRY)
		consume(s, used);
	return event;
}

enum stream_event
stream_next(struct stream *s)
{
	for (;;) {
		enum stream_event event;

		if (s->len < sizeof(s->window) / 2 && !s->at_end && window_fill(s) < 0)
			return STREAM_ERROR;
		if (s->len > 0)
			return entry_take(s);
		event = segment_end(s);
		if (event != STREAM_ENTRY)
			return event;
	}
}
