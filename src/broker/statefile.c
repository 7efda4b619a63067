/* SPDX-License-Identifier: Apache-2.0 */
/* Two versions of a state file, of which the ledger names one; see statefile.h. */
#include "broker.h"

#include <errno.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/mutate.h>

static void
version_set(struct statefile_version *v, const void *data, size_t len)
{
	memset(v, 0, sizeof(*v));
	v->len = len;
	if (len == 0)
		return;
	memcpy(v->data, data, len);
	hash_sha256(data, len, v->digest);
}

bool
statefile_next(struct statefile *f, const void *data, size_t len)
{
	if (len > sizeof(f->next.data))
		return false;
	version_set(&f->next, data, len);
	return true;
}

static bool
version_take(struct cur *c, struct statefile_version *v)
{
	uint32_t len = 0;

	if (!cur_get_u32(c, &len) || len > sizeof(v->data) || len > c->len - c->pos) {
		c->failed = true; /* a length without its bytes is no end either */
		return false;
	}
	version_set(v, c->data + c->pos, len);
	c->pos += len;
	return true;
}

int
statefile_read(struct statefile *f, int fd, const char *name)
{
	static uint8_t data[SGW_COMMIT_MAX + 1];
	size_t len = 0;
	ssize_t n;
	struct cur c;

	while ((n = read(fd, data + len, sizeof(data) - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		len += (size_t)n;
	}
	(void)close(fd);
	version_set(&f->now, NULL, 0);
	version_set(&f->next, NULL, 0);
	f->both = false;
	if (len == 0)
		return 0;
	c = cur_over(data, len);
	if (version_take(&c, &f->now) && !cur_done(&c))
		f->both = version_take(&c, &f->next);
	if (cur_done(&c))
		return 0;
	log_error("the file %s of the state directory is damaged: restore it", name);
	return -1;
}

int
statefile_choose(struct statefile *f, const uint8_t digest[HASH_LEN], const char *name)
{
	if (f->both && memcmp(f->next.digest, digest, HASH_LEN) == 0)
		f->now = f->next;
	if (memcmp(f->now.digest, digest, HASH_LEN) == 0 || MUTATE(STATE_FILE))
		return 0;
	log_error(
	    "the file %s of the state directory is not the one that the ledger last recorded: "
	    "restore the newest one",
	    name);
	return -1;
}

static void
version_put(struct buf *out, const struct statefile_version *v)
{
	(void)buf_put_u32(out, (uint32_t)v->len);
	(void)buf_put(out, v->data, v->len);
}

_Static_assert(2 * (SGW_STATE_MAX + 4) <= SGW_COMMIT_MAX, "both versions fit one commit");

void
statefile_commit(struct broker *b, const struct statefile *f, enum state_file file, bool both)
{
	struct msg_commit *m = &b->out.commit;
	struct buf out = buf_over(m->data, sizeof(m->data));

	b->out.id = MSG_COMMIT;
	m->file = file;
	version_put(&out, &f->now);
	if (both)
		version_put(&out, &f->next);
	m->data_len = (uint16_t)out.len;
	send_control(b);
}

void
statefile_advance(struct statefile *f)
{
	f->now = f->next;
	f->both = false;
}

void
statefile_tidy(struct broker *b, struct statefile *f, enum state_file file)
{
	if (f->both)
		statefile_commit(b, f, file, false);
	f->both = false;
}
