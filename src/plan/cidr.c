/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text to prefix and back.  A parser of our own, because inet_pton(3) and its relatives take forms that differ
 * between systems: here IPv4 is four decimal octets without leading zeros, IPv6 is RFC 4291, section 2.2, the length
 * is plain decimal, and nothing stands before, between or behind.
 */
#include <sgwarden/cidr.h>

#include <string.h>

#include <sgwarden/mutate.h>
#include <sgwarden/wire.h>

struct text {
	const char *at;
	const char *end;
};

static bool
text_take(struct text *t, char c)
{
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* A decimal number without leading zeros, of at most three digits and not above `most`. */
static bool
text_decimal(struct text *t, unsigned most, unsigned *ret_v)
{
	const char *start = t->at;
	unsigned v = 0;

	while (t->at < t->end && t->at - start < 4 && digit_value(*t->at) < 10)
		v = v * 10 + (unsigned)digit_value(*t->at++);
	if (t->at == start || t->at - start > 3 || v > most)
		return false;
	if (*start == '0' && t->at - start > 1)
		return false;
	*ret_v = v;
	return true;
}

static bool
text_v4(struct text *t, uint8_t ret_addr[4])
{
	for (size_t i = 0; i < 4; i++) {
		unsigned octet;

		if ((i > 0 && !text_take(t, '.')) || !text_decimal(t, 255, &octet))
			return false;
		ret_addr[i] = (uint8_t)octet;
	}
	return true;
}

/* One to four hexadecimal digits. */
static bool
text_group(struct text *t, uint8_t ret_addr[2])
{
	const char *start = t->at;
	unsigned v = 0;

	while (t->at < t->end && t->at - start < 4 && digit_value(*t->at) < 16)
		v = v << 4 | (unsigned)digit_value(*t->at++);
	if (t->at == start)
		return false;
	ret_addr[0] = (uint8_t)(v >> 8);
	ret_addr[1] = (uint8_t)v;
	return true;
}

/* The last 32 bits may be written as an IPv4 address (RFC 4291, section 2.2, form 3). */
static bool
text_dotted_tail(struct text *t, size_t room, uint8_t *ret_addr)
{
	struct text tail = *t;

	if (room < 4 || !text_v4(&tail, ret_addr))
		return false;
	*t = tail;
	return true;
}

/*
 * Groups separated by colons, how many bytes they make.  Stops before "::".  Dotted octets are always the address's
 * end: behind a "::" anywhere, before it only as the last four bytes of the room.
 */
static bool
text_groups(struct text *t, uint8_t *addr, size_t room, bool behind, size_t *ret_len)
{
	size_t len = 0;

	while (len < room) {
		if ((behind || room - len == 4) && text_dotted_tail(t, room - len, addr + len)) {
			*ret_len = len + 4;
			return true;
		}
		if (!text_group(t, addr + len))
			return false;
		len += 2;
		if (t->end - t->at >= 2 && t->at[0] == ':' && t->at[1] == ':')
			break;
		if (!text_take(t, ':'))
			break;
		/* A colon must be followed by another group. */
		if (len == room)
			return false;
	}
	*ret_len = len;
	return true;
}

static bool
text_v6(struct text *t, uint8_t ret_addr[16])
{
	uint8_t head[16] = {0}, tail[16] = {0};
	size_t n_head = 0, n_tail = 0;

	if (!(t->end - t->at >= 2 && t->at[0] == ':' && t->at[1] == ':') &&
	    !text_groups(t, head, sizeof(head), false, &n_head))
		return false;
	if (n_head < 16) {
		/* "::" stands for at least one group. */
		if (!text_take(t, ':') || !text_take(t, ':') || n_head > 14)
			return false;
		if (t->at < t->end && *t->at != '/' &&
		    !text_groups(t, tail, 14 - n_head, true, &n_tail))
			return false;
	}
	memset(ret_addr, 0, 16);
	memcpy(ret_addr, head, n_head);
	memcpy(ret_addr + 16 - n_tail, tail, n_tail);
	return true;
}

/* ::ffff:0:0/96, RFC 4291, section 2.5.5.2 */
static bool
addr_is_mapped(const uint8_t addr[16])
{
	static const uint8_t head[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, head, sizeof(head)) == 0;
}

/* Zeroes the host bits of one of the address's two words; true where one of them was set. */
static bool
word_mask(uint8_t *addr, uint64_t host)
{
	uint64_t word = cidr_word(addr), be = htobe64(word & ~host);

	memcpy(addr, &be, sizeof(be));
	return (word & host) != 0;
}

/* Zeroes the bits behind the prefix; true where one of them was set.  (An IPv4 address has nothing behind its 32.) */
static bool
addr_mask(uint8_t addr[16], unsigned prefix)
{
	bool high = word_mask(addr, cidr_host_mask(prefix, 0));

	return word_mask(addr + 8, cidr_host_mask(prefix, 64)) || high;
}

enum cidr_parse
cidr_parse(const char *text, size_t len, struct rec_cidr *ret_cidr)
{
	struct text t = {.at = text, .end = text + len};
	struct rec_cidr cidr = {0};
	unsigned bits, prefix;
	bool host_bits;

	cidr.family = len > 0 && memchr(text, ':', len) ? 6 : 4;
	bits = prefix = cidr.family == 6 ? 128 : 32;
	if (cidr.family == 6 ? !text_v6(&t, cidr.addr) : !text_v4(&t, cidr.addr))
		return CIDR_BAD;
	if (t.at < t.end && *t.at != '/')
		return CIDR_BAD;
	if (t.at < t.end) {
		t.at++;
		if (!text_decimal(&t, bits, &prefix) || t.at != t.end)
			return CIDR_BAD_PREFIX;
	}
	/* Before the mask: what was written is refused, not what is left of it. */
	if (cidr.family == 6 && addr_is_mapped(cidr.addr) && !MUTATE(MAPPED))
		return CIDR_BAD_MAPPED;
	host_bits = addr_mask(cidr.addr, prefix);
	cidr.prefix = (uint8_t)prefix;
	*ret_cidr = cidr;
	return host_bits ? CIDR_OK_HOST_BITS : CIDR_OK;
}

/* RFC 5952, section 4.2: the first longest run of at least two zero groups. */
static void
zero_run(const uint8_t addr[16], size_t *ret_start, size_t *ret_len)
{
	*ret_start = *ret_len = 0;
	for (size_t i = 0; i < 8; i++) {
		size_t n = 0;

		while (i + n < 8 && addr[2 * (i + n)] == 0 && addr[2 * (i + n) + 1] == 0)
			n++;
		if (n >= 2 && n > *ret_len) {
			*ret_start = i;
			*ret_len = n;
		}
	}
}

static void
format_v6(struct buf *b, const uint8_t addr[16])
{
	size_t run_start, run_len;

	zero_run(addr, &run_start, &run_len);
	for (size_t i = 0; i < 8; i++) {
		if (run_len > 0 && i == run_start) {
			buf_puts(b, "::");
			i += run_len - 1;
			continue;
		}
		if (i > 0 && !(run_len > 0 && i == run_start + run_len))
			buf_puts(b, ":");
		buf_printf(b, "%x", (unsigned)addr[2 * i] << 8 | addr[2 * i + 1]);
	}
}

static void
format_v4(struct buf *b, const uint8_t *addr)
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			buf_put_u8(b, '.');
		buf_put_decimal(b, addr[i]);
	}
}

void
cidr_format(const struct rec_cidr *cidr, char ret_text[CIDR_TEXT_LEN])
{
	const uint8_t *a = cidr->addr;
	struct buf b = buf_over(ret_text, CIDR_TEXT_LEN);

	if (cidr->family == 6)
		format_v6(&b, a);
	else
		format_v4(&b, a);
	buf_put_u8(&b, '/');
	buf_put_decimal(&b, cidr->prefix);
	buf_put_c(&b);
}

bool
cidr_equal(const struct rec_cidr *a, const struct rec_cidr *b)
{
	return a->family == b->family && a->prefix == b->prefix &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

bool
cidr_contains(const struct rec_cidr *outer, const struct rec_cidr *inner)
{
	uint8_t cut[16];

	if (outer->family != inner->family || outer->prefix > inner->prefix)
		return false;
	memcpy(cut, inner->addr, sizeof(cut));
	addr_mask(cut, outer->prefix);
	return memcmp(cut, outer->addr, sizeof(cut)) == 0;
}
