/* SPDX-License-Identifier: Apache-2.0 */
/* Entries out of the ledger's bytes; see ledger_stream.h. */
#include <sgwarden/ledger_stream.h>

#include <errno.h>
#include <string.h>

#define TORN_HEAD "ledger torn "

void
stream_open(struct stream *s, int fd, stream_read *from)
{
	s->fd = fd;
	s->read = from;
	s->at_end = false;
	s->offset = 0;
	s->start = s->len = 0;
	s->chain = (struct ledger_chain){0};
	s->problem = NULL;
	s->torn_len = 0;
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
torn_names(const struct ledger_entry *entry, const char *tail, size_t len)
{
	const struct ledger_field *length = ledger_field(entry, "length");
	const struct ledger_field *sha256 = ledger_field(entry, "sha256");
	uint8_t named[HASH_LEN], is[HASH_LEN];
	char text[24];
	struct buf b = buf_over(text, sizeof(text));

	if (entry->kind != LEDGER_TORN || length == NULL || sha256 == NULL)
		return false;
	buf_printf(&b, "%zu", len);
	if (length->len != b.len || memcmp(length->value, text, b.len) != 0)
		return false;
	hash_sha256(tail, len, is);
	return hex_decode(sha256->value, sha256->len, named, HASH_LEN) &&
	       memcmp(named, is, HASH_LEN) == 0;
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

enum stream_event
stream_next(struct stream *s)
{
	enum ledger_result result;
	size_t used = 0;

	if (s->len < sizeof(s->window) / 2 && !s->at_end && window_fill(s) < 0)
		return STREAM_ERROR;
	if (s->len == 0)
		return STREAM_END;
	result = ledger_decode(s->window + s->start, s->len, s->unfold, &s->entry, &used);
	if (result == LEDGER_OK)
		result = ledger_follow(&s->chain, &s->entry);
	if (result != LEDGER_OK && !torn_resync(s, &used)) {
		if (is_torn_tail(s)) {
			s->torn_len = (uint32_t)s->len;
			hash_sha256(s->window + s->start, s->len, s->torn_digest);
			return STREAM_END;
		}
		s->problem = result_text(result);
		return STREAM_BROKEN;
	}
	consume(s, used);
	return STREAM_ENTRY;
}
