/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's heads in the journal, each as an entry with fields that a query or a shipper finds. */
#include "supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <sgwarden/hash.h>
#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

/* systemd.exec(5), $JOURNAL_STREAM: device and inode of the stream that leads there. */
bool
journal_is_log(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char is[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(is, sizeof(is), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, is) == 0;
}

void
journal_anchor(const struct supervisor *s, const struct msg_anchor *m)
{
	unsigned long long number = m->number;
	char hex[2 * HASH_LEN + 1];
	struct buf b = buf_over(hex, sizeof(hex));

	if (MUTATE(JOURNAL))
		return;
	(void)(buf_put_hex(&b, m->head, sizeof(m->head)) && buf_put_c(&b));
	if (sd_journal_send("MESSAGE=ledger record %llu %s", number, hex, "PRIORITY=6",
		"SYSLOG_IDENTIFIER=sgwardend", "SGWARDEN_RECORD=%llu", number, "SGWARDEN_HASH=%s",
		hex, "SGWARDEN_APPLIANCE=%s", s->appliance, NULL) < 0)
		log_info("ledger record %llu %s", number, hex);
}

void
journal_drain(struct supervisor *s, struct child *c)
{
	if (c->role != ROLE_BROKER || c->control.fd < 0)
		return;
	while (chan_recv(&c->control, s->scratch, &s->msg, NULL) == CHAN_GOT)
		if (s->msg.id == MSG_ANCHOR)
			journal_anchor(s, &s->msg.anchor);
}
