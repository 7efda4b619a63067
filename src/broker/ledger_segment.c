/* SPDX-License-Identifier: Apache-2.0 */
/* See ledger_segment.h. */
#include "ledger_segment.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <sgwarden/clock.h>
#include <sgwarden/log.h>

#include "ledger_write.h"

#define ASK_AGAIN (SGW_SEGMENT_BYTES / 16) /* bytes more, where the next file could not be had */

void
segment_loaded(struct broker *b, const struct msg_loaded_head *m)
{
	b->segment = (struct segment){.number = m->segment,
	    .size = m->segment_size,
	    .begins = m->segment_begins,
	    .before = {.number = m->segment_last}};
	memcpy(b->segment.before.head, m->segment_head, HASH_LEN);
}

void
segment_want(struct broker *b)
{
	struct segment *s = &b->segment;

	if (s->asked || s->size < (s->ask_at ? s->ask_at : SGW_SEGMENT_BYTES))
		return;
	s->asked = true;
	b->out.id = MSG_NEXT_SEGMENT;
	b->out.next_segment.number = s->number + 1;
	send_control(b);
}

static void
stay(struct broker *b)
{
	b->segment.asked = false;
	b->segment.ask_at = b->segment.size + ASK_AGAIN;
}

/* A torn tail or a record that may not be on the disk stays in the last file, where a start looks for it. */
static bool
may_leave(const struct broker *b)
{
	return b->ledger_ok && b->torn_len == 0 && b->head.torn_len == 0 && !b->segment.begins;
}

void
segment_come(struct broker *b, uint32_t number, int fd)
{
	if (!b->segment.asked || number != b->segment.number + 1)
		die("a file of the ledger that nobody asked for");
	if (fd < 0 || !may_leave(b)) {
		if (fd >= 0)
			(void)close(fd);
		else
			log_error("the ledger's next file cannot be had: this one grows on");
		stay(b);
		return;
	}
	if (dup3(fd, b->ledger_fd, O_CLOEXEC) < 0)
		die("the ledger's next file cannot be taken");
	(void)close(fd);
	b->segment = (struct segment){.number = number, .begins = true, .before = b->chain};
	log_info("the ledger goes on in segment %u", (unsigned)number);
	b->ledger_ok = segment_begin(b);
}

/* It may come between a caller's fields and their record, so it shares no memory with those. */
bool
segment_begin(struct broker *b)
{
	const struct segment *s = &b->segment;
	char hex[2 * HASH_LEN + 1], number[24], last[24];
	struct buf hash = buf_over(hex, sizeof(hex));
	struct ledger_entry e = {.kind = LEDGER_SEGMENT, .time = clock_now(), .n_fields = 3};

	if (!s->begins)
		return true;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)s->number);
	(void)snprintf(last, sizeof(last), "%llu", (unsigned long long)s->before.number);
	(void)buf_put_hex(&hash, s->before.head, HASH_LEN);
	e.fields[0] = (struct ledger_field){"segment", number, strlen(number)};
	e.fields[1] = (struct ledger_field){"last", last, strlen(last)};
	e.fields[2] = (struct ledger_field){"head", hex, hash.len};
	return ledger_write(b, &e);
}
